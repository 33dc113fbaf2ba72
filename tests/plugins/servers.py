"""Real servers for the tests: each test that asks for `server` runs on every family.

`--servers=mariadb118,mysql97` chooses families; all of them otherwise. A session (with pytest-xdist: a worker) starts
one server of each family, with TLS, when the first test needs it. Where a server cannot be had, its tests are skipped
and listed by name at the end; where CI is set they fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mizzle.testing import Server, ServerNotFound, find_program

FAMILIES = ("mariadb1011", "mariadb118", "mysql97")
NOT_RUN = "not run without its server: "
ARGUMENTS = (
    "--innodb-buffer-pool-size=32M",
    "--performance-schema=ON",  # connection attributes are seen there
    "--local-infile=ON",
    "--max-allowed-packet=256M",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mizzle").addoption(
        "--servers",
        default=",".join(FAMILIES),
        metavar="FAMILIES",
        help="server families to test on (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if unknown := set(families(config)) - set(FAMILIES):
        raise pytest.UsageError(f"--servers: no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")


def families(config: pytest.Config) -> list[str]:
    """The families that this run is for."""
    return [name for name in config.getoption("servers").split(",") if name]


def obtain(family: str, **options: Any) -> Server:
    """Start a server; where there is no program for it, skip the test, or fail it in CI."""
    try:
        find_program(family)
    except ServerNotFound as error:
        missing = str(error)
    else:
        return Server.start(family, **options)
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(f"{NOT_RUN}no {family} on this machine, `python -m tools.lab fetch {family}` gets it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in ("server", "server_family"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, families(metafunc.config), indirect=True, scope="session")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Callable[[str], Server]]:
    """Give the session's own server of a family, with TLS, started at the first call."""
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def give(family: str) -> Server:
            if family not in running:
                running[family] = stack.enter_context(obtain(family, arguments=ARGUMENTS, tls=True))
            return running[family]

        yield give


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, shared_server: Callable[[str], Server]) -> Server:
    """A running server, shared by the tests of the session: each family in turn. Do not stop it."""
    return shared_server(request.param)


@pytest.fixture(scope="session")
def some_server(pytestconfig: pytest.Config, shared_server: Callable[[str], Server]) -> Server:
    """The session's server of the first family, for tests of what does not differ between them. Do not stop it."""
    return shared_server(families(pytestconfig)[0])


@pytest.fixture(scope="session")
def server_family(request: pytest.FixtureRequest) -> str:
    """Each family in turn, for a test that starts its own server with `start_server`."""
    family: str = request.param
    return family


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Start a server for this test alone: `start_server(family, arguments=[…], tls=…)`; closed when the test ends."""
    with ExitStack() as stack:

        def start(family: str, **options: Any) -> Server:
            return stack.enter_context(obtain(family, **options))

        yield start


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that did not run for want of a server."""
    not_run: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if NOT_RUN in reason:
            not_run.setdefault(reason.partition(NOT_RUN)[2], []).append(report.nodeid)
    for reason, names in sorted(not_run.items()):
        terminalreporter.section(f"{len(names)} tests not run: {reason}", sep="-")
        for name in names:
            terminalreporter.write_line(name)
