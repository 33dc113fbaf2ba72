"""A throwaway server as a pytest fixture: `pytest_plugins = ["mizzle.testing.pytest_plugin"]` in your conftest.py.

    def test_mine(mizzle_server):
        with mizzle.connect(**mizzle_server.connect_args()) as connection: ...

One server a test session (with pytest-xdist: one a worker), started when the first test asks for it. Which one:
`--mizzle-server=mysql97`, or `mizzle_server = mysql97` in the ini file; mariadb otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._server import Server

_HELP = "server family of the mizzle_server fixture: mariadb, mysql, one series such as mariadb118, or a path"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --mizzle-server and its ini twin."""
    parser.getgroup("mizzle").addoption("--mizzle-server", metavar="FAMILY", help=_HELP)
    parser.addini("mizzle_server", _HELP, default="mariadb")


@pytest.fixture(scope="session")
def mizzle_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A running `mizzle.testing.Server`, the session's own."""
    with Server.start(pytestconfig.getoption("mizzle_server") or pytestconfig.getini("mizzle_server")) as server:
        yield server
