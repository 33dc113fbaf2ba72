"""Connections to every server, in every world, without and with TLS; and what each test must leave behind: nothing."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.protocols import settings_for
from plugins.worlds import PATIENCE, World

Connect = Callable[..., Any]
MakeTable = Callable[[str], str]

_numbers = itertools.count(1)


def open_sockets() -> set[str]:
    """The sockets that this process has, by their inode."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return {name for name in found if name.startswith("socket:")}


class Admin:
    """A connection beside those that are tested, to see and to change what the server does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.conn = mizzle.connect(**server.connect_args(autocommit=True, timeout=PATIENCE))
        self.conn.execute("SET GLOBAL max_connections = 400")

    def execute(self, sql: str, args: Any = None) -> list[Any]:
        return self.conn.execute(sql, args).fetchall()

    def sessions(self, condition: str = "TRUE", args: Any = ()) -> int:
        """How many other sessions there are that are like that."""
        schema = "information_schema" if self.server.is_mariadb else "performance_schema"
        [(count,)] = self.execute(
            f"SELECT COUNT(*) FROM {schema}.processlist WHERE id <> CONNECTION_ID() AND user <> 'event_scheduler' "
            f"AND user <> 'system user' AND ({condition})",
            args,
        )
        return int(count)

    def until(self, true: Callable[[], Any], pause: Callable[[float], None] = time.sleep) -> None:
        """Ask again and again until it is so; `pause` is how the world of the test lets others run."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, "it did not come about"
            pause(0.002)

    def is_running(self, conn: Any, text: str) -> bool:
        """Does the server work on a statement of this connection that has this text in it?"""
        return self.sessions("id = %s AND info LIKE %s", [conn.thread_id(), f"%{text}%"]) == 1


@pytest.fixture(scope="session")
def admins() -> Iterator[dict[str, Admin]]:
    made: dict[str, Admin] = {}
    yield made
    for admin in made.values():
        with admin.conn:
            admin.until(lambda admin=admin: admin.sessions() == 0)  # type: ignore[misc]


@pytest.fixture
def admin(server: Server, admins: dict[str, Admin]) -> Admin:
    """The administrator's connection to the server; it stays for the session."""
    if server.family not in admins:
        admins[server.family] = Admin(server)
    return admins[server.family]


@pytest.fixture
def tables(admin: Admin) -> Iterator[list[str]]:
    """Names of tables to be dropped when the connections of the test, and so their locks, are gone."""
    names: list[str] = []
    yield names
    if names:
        admin.execute(f"DROP TABLE IF EXISTS {', '.join(names)}")


@pytest.fixture
def table(admin: Admin, tables: list[str]) -> MakeTable:
    """Make a table of these columns; its name."""

    def make(columns: str) -> str:
        name = f"t{next(_numbers)}"
        tables.append(name)
        admin.execute(f"CREATE TABLE {name} ({columns}) ENGINE=InnoDB CHARACTER SET utf8mb4")
        return name

    return make


@pytest.fixture
def users(admin: Admin) -> Iterator[Callable[..., str]]:
    """Make an account, identified as the text says; its name."""
    names: list[str] = []

    def make(identified: str, args: Any = None) -> str:
        name = f"u{next(_numbers)}"
        admin.execute(f"CREATE USER {name}@'%%' {identified}" if args else f"CREATE USER {name}@'%' {identified}", args)
        names.append(name)
        admin.execute(f"GRANT ALL ON {admin.server.database}.* TO {name}@'%'")
        return name

    yield make
    for name in names:
        admin.execute(f"DROP USER {name}@'%'")


@pytest.fixture
def no_socket_left(admin: Admin, world: World) -> Iterator[None]:
    """What the test opens it must also have closed; one that ends statements beside it leaves when it is done."""
    before = open_sockets()
    yield
    world.settle()
    admin.until(lambda: open_sockets() <= before, world.sleep)
    world.settle()


@pytest.fixture
def dial(
    server: Server,
    world: World,
    tables: list[str],  # noqa: ARG001 (they are dropped later)
    no_socket_left: None,  # noqa: ARG001 (so is this looked at)
) -> Iterator[Connect]:
    """Connect to the server in the world that it is the turn of, encrypted as mizzle does it; closed at the end."""
    made: list[Any] = []

    def make(**changes: Any) -> Any:
        given = server.connect_args(timeout=PATIENCE) if "url" not in changes else {"timeout": PATIENCE}
        made.append(world.connect(**given | changes))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


@pytest.fixture
def connect(dial: Connect, server: Server, world: World, tls: bool, protocol: str) -> Connect:
    """The same with TLS and without, and in the protocol that it is the turn of.

    With TLS the server's certificate is verified in full, without it everything is in the clear.
    """
    settings: dict[str, Any] = {"ssl_mode": "disabled"}
    if tls:
        settings = {"ssl_mode": "verify_identity", "ssl_ca": server.ca_file}
    settings |= settings_for(protocol, world.name)
    return lambda **changes: dial(**settings | changes)


@pytest.fixture
def conn(connect: Connect) -> Any:
    """A connection, each statement its own transaction."""
    return connect(autocommit=True)
