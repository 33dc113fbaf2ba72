"""A connection to a real server, and a table of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

import mizzle
from mizzle.testing import Server


@pytest.fixture
def tables(server: Server) -> Iterator[list[str]]:
    """Names of tables to be dropped when the connections of the test, and so their locks, are gone."""
    names: list[str] = []
    yield names
    if names:
        with mizzle.connect(**server.connect_args()) as admin:
            admin.execute(f"DROP TABLE {', '.join(names)}")


@pytest.fixture
def connect(server: Server, tables: list[str]) -> Iterator[Callable[..., mizzle.Connection]]:  # noqa: ARG001 (the order)
    """Connect to the server; closed at the end of the test."""
    made: list[mizzle.Connection] = []

    def make(**changes: object) -> mizzle.Connection:
        made.append(mizzle.connect(**server.connect_args(**changes)))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture
def conn(connect: Callable[..., mizzle.Connection]) -> mizzle.Connection:
    """A connection with the defaults: autocommit is off."""
    return connect()


@pytest.fixture
def booze(connect: Callable[..., mizzle.Connection], tables: list[str]) -> str:
    """The name of an empty table (id AUTO_INCREMENT, name)."""
    name = f"booze_{uuid.uuid4().hex[:12]}"
    columns = "id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) UNIQUE"
    connect().execute(f"CREATE TABLE {name} ({columns}) ENGINE=InnoDB")
    tables.append(name)
    return name
