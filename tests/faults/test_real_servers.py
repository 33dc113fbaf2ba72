"""What real servers refuse, and how they go away: clear errors, and no session left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

import mizzle
from faults.hostile import PATIENCE
from faults.remains import Remains
from mizzle.testing import Server
from plugins.worlds import World

Connect = Callable[..., Any]


class Watch:
    """A connection beside, that sees the server's sessions."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.conn = mizzle.connect(**server.connect_args(autocommit=True, timeout=PATIENCE))

    def sessions(self, condition: str, *args: Any) -> int:
        schema = "information_schema" if self.server.is_mariadb else "performance_schema"
        sql = f"SELECT COUNT(*) FROM {schema}.processlist WHERE id <> CONNECTION_ID() AND {condition}"
        [(count,)] = self.conn.execute(sql, args).fetchall()
        return int(count)

    def until(self, world: World, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, "it did not come about"
            world.sleep(0.002)

    def until_gone(self, world: World, thread_id: int) -> None:
        self.until(world, lambda: not self.sessions("id = %s", thread_id))

    def until_busy(self, world: World, thread_id: int) -> None:
        self.until(world, lambda: self.sessions("id = %s AND info LIKE %s", thread_id, "%SLEEP(6%") == 1)


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    made = Watch(server)
    yield made
    made.conn.close()


@pytest.fixture
def connect(server: Server, watch: Watch, world: World, remains: Remains) -> Iterator[Connect]:  # noqa: ARG001 (order)
    opened: list[Any] = []

    def make(**changes: Any) -> Any:
        settings = {"ssl_mode": "disabled", "connect_timeout": PATIENCE, "timeout": PATIENCE}
        opened.append(world.connect(**server.connect_args(**settings) | changes))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


@pytest.mark.parametrize(
    ("changes", "errno", "words", "hint"),
    [
        ({"password": "wrong"}, 1045, r"Access denied for user 'app'@'.*' \(using password: YES\)", "Check user"),
        ({"password": ""}, 1045, r"Access denied for user 'app'@'.*' \(using password: NO\)", "password="),
        ({"user": "nobody"}, 1045, "Access denied for user 'nobody'@", "Check user"),
        ({"database": "no_such_db"}, 1049, "Unknown database 'no_such_db'", "Create the database"),
        ({"collation": "utf8mb4_of_tomorrow"}, 1273, "Unknown collation: 'utf8mb4_of_tomorrow'", "collation"),
        ({"sql_mode": "NONSENSE"}, 1231, "sql_mode.*NONSENSE", ""),
        ({"init_command": "SELEKT 1"}, 1064, "SELEKT 1", ""),
    ],
)
def test_refusals(
    connect: Connect, watch: Watch, world: World, changes: dict[str, Any], errno: int, words: str, hint: str
) -> None:
    before = watch.sessions("user = 'app'")
    with pytest.raises(mizzle.Error, match=words) as caught:
        connect(**changes)
    error = caught.value
    assert (error.errno, error.alive) == (errno, False)
    assert error.sqlstate is not None
    assert hint in (error.hint or "")
    assert "wrong" not in str(error)
    watch.until(world, lambda: watch.sessions("user = 'app'") <= before)


def test_tls_where_there_is_none_we_trust(connect: Connect, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with pytest.raises(mizzle.OperationalError, match="CA that is not trusted here") as caught:
        connect(ssl_mode="verify_ca", ssl_ca=str(tmp_path / "other.pem"))
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2026, False, False)


def test_killed_while_idle(connect: Connect, watch: Watch, world: World) -> None:
    conn = connect()
    watch.conn.kill(conn.thread_id())
    watch.until_gone(world, conn.thread_id())
    with pytest.raises(mizzle.OperationalError, match=r"(?i)killed|closed|shutdown|broke|disconnected") as caught:
        conn.execute("SELECT 1")
    assert caught.value.errno in {1927, 2013, 4031, 1053}
    assert not caught.value.alive
    with pytest.raises(mizzle.errors.ConnectionClosed):
        conn.ping()


def test_killed_while_busy(connect: Connect, watch: Watch, world: World) -> None:
    conn = connect()
    task = world.spawn(conn.execute, "SELECT SLEEP(60)")
    watch.until_busy(world, conn.thread_id())
    watch.conn.kill(conn.thread_id())
    with pytest.raises(mizzle.OperationalError, match=r"(?i)killed|closed|shutdown|broke|interrupted") as caught:
        task.result()
    assert caught.value.errno in {1927, 2013, 1053, 1317}
    if caught.value.alive:  # MySQL answers with 1317 and closes: the next command notices
        watch.until_gone(world, conn.thread_id())
        with pytest.raises(mizzle.OperationalError):
            conn.ping()
    assert not conn.open
    watch.until_gone(world, conn.thread_id())


def test_a_killed_query_leaves_the_connection(connect: Connect, watch: Watch, world: World) -> None:
    conn = connect()
    task = world.spawn(conn.execute, "SELECT SLEEP(60) FROM (SELECT 1 UNION SELECT 2) t WHERE SLEEP(60) = 7")
    watch.until_busy(world, conn.thread_id())
    watch.conn.execute(f"KILL QUERY {conn.thread_id()}")
    with pytest.raises(mizzle.OperationalError, match="interrupted") as caught:
        task.result()
    assert (caught.value.errno, caught.value.sqlstate, caught.value.alive) == (1317, "70100", True)
    assert conn.execute("SELECT 1").fetchall() == [(1,)]


def test_a_query_that_takes_too_long(connect: Connect, watch: Watch, world: World) -> None:
    """Told to close: the session goes when the server next looks, here when it has the lock."""
    conn = connect(on_interrupt="close")
    lock = f"'late {conn.thread_id()}'"
    watch.conn.execute(f"DO GET_LOCK({lock}, 0)")
    with pytest.raises(mizzle.OperationalError, match="COM_QUERY timed out") as caught:
        conn.execute(f"DO GET_LOCK({lock}, 60)", timeout=0.05)
    watch.conn.execute(f"DO RELEASE_LOCK({lock})")
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2013, True, False)
    assert not conn.open
    with pytest.raises(mizzle.errors.ConnectionClosed, match="timed out"):
        conn.ping()
    watch.until_gone(world, conn.thread_id())


def test_a_statement_longer_than_the_server_takes(connect: Connect, watch: Watch, world: World) -> None:
    conn = connect()
    [(allowed,)] = conn.execute("SELECT @@max_allowed_packet").fetchall()
    if allowed > 64 << 20:
        conn.execute("DO 0")
        watch.conn.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        conn = connect()
        with pytest.raises(mizzle.OperationalError) as caught:
            conn.execute(b"SELECT '" + b"x" * 20_000_000 + b"'")
        assert caught.value.errno in {1153, 2013}
        if caught.value.errno == 1153:
            assert "bigger than 'max_allowed_packet'" in caught.value.args[1]
        if not conn.open:
            watch.until_gone(world, conn.thread_id())
    finally:
        watch.conn.execute(f"SET GLOBAL max_allowed_packet = {allowed}")


def test_a_server_of_our_own(server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]) -> None:
    """Full, with an expired certificate, killed while we are connected, and back again: in all worlds at once."""
    settings = {"connect_timeout": PATIENCE, "timeout": PATIENCE, "ssl_mode": "disabled"}
    stocks = [Remains(world) for world in worlds.values()]
    server = start_server(server_family, arguments=["--max-connections=10"], tls="expired")
    conns = [world.connect(**server.connect_args(**settings)) for world in worlds.values()]
    spare = []
    with suppress(mizzle.OperationalError):
        for _ in range(12):  # ten, and one more for an administrator
            spare.append(mizzle.connect(world="threads", **server.connect_args(**settings)))
    for world in worlds.values():
        with pytest.raises(mizzle.OperationalError, match="Too many connections") as caught:
            world.connect(**server.connect_args(**settings))
        assert (caught.value.errno, caught.value.alive) == (1040, False)
        assert "max_connections" in (caught.value.hint or "")
    for conn in spare:
        conn.close()
    server.kill()
    for conn, world in zip(conns, worlds.values(), strict=True):
        with pytest.raises(mizzle.OperationalError, match=r"server closed|broke") as caught:
            conn.execute("SELECT 1")
        assert (caught.value.errno, caught.value.alive) == (2013, False)
        assert not conn.open
        with pytest.raises(mizzle.OperationalError, match="refused") as caught:
            world.connect(**server.connect_args(**settings))
        assert caught.value.errno == 2003
        with pytest.raises(mizzle.OperationalError) as caught:
            world.connect(unix_socket=server.unix_socket, **settings)
        assert caught.value.errno == 2002
    server.restart([])
    for world in worlds.values():
        for mode in ("verify_ca", "verify_identity"):
            with pytest.raises(mizzle.OperationalError, match="certificate has expired") as caught:
                world.connect(**server.connect_args(**{**settings, "ssl_mode": mode, "ssl_ca": server.ca_file}))
            assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2026, False, False)
        with world.connect(**server.connect_args(**settings)) as conn:
            assert conn.execute("SELECT 1").fetchall() == [(1,)]
    server.close()
    for stock in stocks:
        stock.nothing()
