"""Throwaway servers as pytest fixtures; pytest finds this plugin by itself where mizzle is installed.

    def test_mine(mizzle_connection):
        mizzle_connection.execute("CREATE TABLE plants (id INT PRIMARY KEY)")

mizzle_server      a running `mizzle.testing.Server`: one a test session (with pytest-xdist: one a worker), started when
                   the first test asks for it. Which one: `--mizzle-server=mysql97`, or `mizzle_server = mysql97` in the
                   ini file; mariadb otherwise.
mizzle_database    the name of an empty database on it, for this test alone
mizzle_url         that database's address, `mysql://user:password@127.0.0.1:port/name`
mizzle_connection  a `mizzle.Connection` to it

A test that waits for a server that is not on this machine fails, and says what to install.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ._server import Server

if TYPE_CHECKING:
    from mizzle import Connection

_HELP = "server family of the mizzle_server fixture: mariadb, mysql, one series such as mariadb118, or a path"
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --mizzle-server and its ini twin."""
    parser.getgroup("mizzle").addoption("--mizzle-server", metavar="FAMILY", help=_HELP)
    parser.addini("mizzle_server", _HELP, default="mariadb")


@pytest.fixture(scope="session")
def mizzle_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A running `mizzle.testing.Server`, the session's own."""
    with Server.start(pytestconfig.getoption("mizzle_server") or pytestconfig.getini("mizzle_server")) as server:
        yield server


@pytest.fixture
def mizzle_database(mizzle_server: Server) -> Iterator[str]:
    """The name of an empty database that is dropped after the test."""
    import mizzle  # noqa: PLC0415 (the driver is loaded by who uses it)

    name = f"test_{next(_numbers)}"
    with mizzle.connect(**mizzle_server.connect_args(database=None)) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    yield name
    with mizzle.connect(**mizzle_server.connect_args(database=None)) as conn:
        conn.execute(f"DROP DATABASE {name}")


@pytest.fixture
def mizzle_url(mizzle_server: Server, mizzle_database: str) -> str:
    """The address of this test's database."""
    return f"{mizzle_server.url.rpartition('/')[0]}/{mizzle_database}"


@pytest.fixture
def mizzle_connection(mizzle_url: str) -> Iterator[Connection]:
    """A connection to this test's database, closed after the test."""
    import mizzle  # noqa: PLC0415 (the same)

    with mizzle.connect(url=mizzle_url) as conn:
        yield conn
