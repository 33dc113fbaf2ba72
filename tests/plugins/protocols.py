"""What the server tests speak: text or prepared statements, and either compressed by zlib or zstd or not at all.

A test that gets its connections from `connect` or `conn` runs with text, in every world, without TLS and with it. In
modules marked `protocols("prepared", "zlib", "zstd")` it also runs with those, but (unless `--protocols` says
otherwise) with threads and without TLS only: what differs is the engine, which all worlds share. `--protocols=all
--worlds=threads` is the whole matrix: text and prepared statements, each plain, with TLS, with zlib and with zstd.
"""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
import mizzle.aio

PROTOCOLS = ("text", "prepared", "zlib", "zstd", "prepared-zlib", "prepared-zstd")
REPRESENTATIVE = "representative"


class Preparing:
    """Executes everything as the connection executes what it has seen often enough, without parameters too."""

    def execute(self, query: Any, args: Any = None, **keywords: Any) -> Any:
        if args is None and not keywords.get("infile"):
            query, args = query.replace(*(("%", "%%") if isinstance(query, str) else (b"%", b"%%"))), ()
        return super().execute(query, args, **keywords)  # type: ignore[misc]


class PreparingCursor(Preparing, mizzle.Cursor[Any]):
    """With threads and green threads."""


class PreparingAsyncCursor(Preparing, mizzle.aio.Cursor[Any]):
    """With asyncio."""


def settings_for(protocol: str, world: str) -> dict[str, Any]:
    """What connect() is told."""
    told: dict[str, Any] = {}
    if is_prepared(protocol):
        cursorclass = PreparingAsyncCursor if world in {"asyncio", "trio"} else PreparingCursor
        told = {"prepare_threshold": 1, "cursorclass": cursorclass}
    algorithm = protocol.rpartition("-")[2]
    return told | ({"compress": algorithm} if algorithm in {"zlib", "zstd"} else {})


def is_prepared(protocol: str) -> bool:
    return protocol.startswith("prepared")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mizzle").addoption(
        "--protocols",
        default=REPRESENTATIVE,
        metavar="PROTOCOLS",
        help=f"all, or some of {', '.join(PROTOCOLS)}, for every server test (default: text, the others for some)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "protocols(*names): what else than text these tests are also run with")
    config.addinivalue_line("markers", "text_only: prepares what it wants prepared, or counts commands")
    config.addinivalue_line("markers", "bytes_alone: has SELECT ? with bytes, which MySQL (not MariaDB) takes for text")
    if unknown := set(asked_for(config) or ()) - set(PROTOCOLS):
        raise pytest.UsageError(f"--protocols: no {', '.join(sorted(unknown))}; there are {', '.join(PROTOCOLS)}")


def asked_for(config: pytest.Config) -> list[str] | None:
    """The protocols for all tests; None: a representative part."""
    words: str = config.getoption("protocols")
    if words == REPRESENTATIVE:
        return None
    return list(PROTOCOLS) if words == "all" else [word for word in words.split(",") if word]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "protocol" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("protocols")
        names = asked_for(metafunc.config) or ["text", *(marker.args if marker else ())]
        if metafunc.definition.get_closest_marker("text_only"):
            names = [name for name in names if not is_prepared(name)]
        metafunc.parametrize("protocol", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    everything = asked_for(config) is not None
    dropped = {item for item in items if not (can_run(item) and (everything or is_representative(item)))}
    if dropped:
        config.hook.pytest_deselected(items=list(dropped))
        items[:] = [item for item in items if item not in dropped]


def params_of(item: pytest.Item) -> dict[str, Any]:
    params: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    return params


def can_run(item: pytest.Item) -> bool:
    params = params_of(item)
    with_mysql = str(params.get("server", "")).startswith("mysql")
    protocol = params.get("protocol", "text")
    if is_prepared(protocol) and with_mysql and item.get_closest_marker("bytes_alone"):
        return False
    return not protocol.endswith("zstd") or with_mysql


def is_representative(item: pytest.Item) -> bool:
    params = params_of(item)
    return params.get("protocol", "text") == "text" or (
        params.get("world", "threads") == "threads" and params.get("tls", "plain") == "plain"
    )


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> str:
    """What the connections of this test speak: each that is chosen in turn."""
    name: str = request.param
    return name
