"""What the server tests say their statements in, and over what: text or prepared, plain, zlib or zstd.

A test that gets its connections from `connect` or `conn` runs as text over a plain or encrypted link in every world. In
modules marked `both_protocols` it also runs with prepared statements, but (unless `--protocols` says otherwise) with
threads over a plain link only: what differs is the engine, which all worlds share.
"""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
import mizzle.aio

PROTOCOLS = ("text", "prepared")
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mizzle").addoption(
        "--protocols",
        default=REPRESENTATIVE,
        metavar="PROTOCOLS",
        help="text, prepared or both, for every server test (default: prepared for a part of them only)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_protocols: tests of what the text and the binary protocol have in common")
    config.addinivalue_line("markers", "bytes_alone: has SELECT ? with bytes, which MySQL (not MariaDB) takes for text")
    if unknown := set(chosen(config)) - set(PROTOCOLS):
        raise pytest.UsageError(f"--protocols: no {', '.join(sorted(unknown))}; there are {', '.join(PROTOCOLS)}")


def chosen(config: pytest.Config) -> list[str]:
    words: str = config.getoption("protocols")
    return list(PROTOCOLS) if words == REPRESENTATIVE else [word for word in words.split(",") if word]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "protocol" in metafunc.fixturenames:
        names = chosen(metafunc.config)
        if metafunc.config.getoption("protocols") == REPRESENTATIVE:
            names = names if metafunc.definition.get_closest_marker("both_protocols") else names[:1]
        metafunc.parametrize("protocol", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    everything = config.getoption("protocols") != REPRESENTATIVE
    dropped = [item for item in items if not (can_run(item) and (everything or is_representative(item)))]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


def params_of(item: pytest.Item) -> dict[str, Any]:
    params: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}
    return params


def can_run(item: pytest.Item) -> bool:
    params = params_of(item)
    prepared_with_mysql = params.get("protocol") == "prepared" and params.get("server", "").startswith("mysql")
    return not (prepared_with_mysql and item.get_closest_marker("bytes_alone"))


def is_representative(item: pytest.Item) -> bool:
    params = params_of(item)
    return params.get("protocol", "text") == "text" or (
        params.get("world", "threads") == "threads" and params.get("tls", "plain") == "plain"
    )


@pytest.fixture
def protocol(request: pytest.FixtureRequest) -> str:
    """Text or prepared: each that is chosen in turn."""
    name: str = request.param
    return name
