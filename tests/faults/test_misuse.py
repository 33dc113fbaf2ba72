"""Connections and cursors used wrongly: an error before a byte is sent, and nothing changes for whoever uses them."""

from __future__ import annotations

import decimal
import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
import mizzle.aio
from engine.dialogue import column, ok, packets, row
from faults.hostile import PATIENCE, Link, Peer
from mizzle.constants import field_types as ft
from plugins.worlds import World

Talk = Callable[..., Any]
RESULT = (b"\x01", column("n", ft.MYSQL_TYPE_LONG, 63), row(b"1"), row(b"2"), ok(header=0xFE))


def answering(link: Link) -> None:
    """Answers everything with the same two rows, or OK."""
    while (command := link.hear()) is not None:
        if command[:1] == b"\x01":  # COM_QUIT
            return
        link.say(packets(*RESULT) if command.startswith(b"\x03SELECT") else packets(ok(1)))


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def conn(talk: Talk, heard: list[bytes]) -> Any:
    def part(link: Link) -> None:
        original = link.hear

        def hear() -> bytes | None:
            command = original()
            if command is not None:
                heard.append(command)
            return command

        link.hear = hear  # type: ignore[method-assign]
        answering(link)

    return talk(part)


# -- two at once -------------------------------------------------------------------------------------------------------

GREEN = r"\w+ 0x[0-9a-f]+"
USERS = {"threads": "thread '.+'", "eventlet": GREEN, "gevent": GREEN, "asyncio": "task '.+'", "trio": "task '.+'"}


def test_two_at_once(world: World, talk: Talk, peers: list[Peer]) -> None:
    def part(link: Link) -> None:
        link.hear()
        link.signal("heard")
        link.wait_for("answer")
        link.say(packets(*RESULT))
        answering(link)

    conn = talk(part)
    first = world.spawn(lambda: conn.execute("SELECT 1").fetchall())
    end = time.monotonic() + PATIENCE
    while not peers[-1].event("heard").is_set():
        assert time.monotonic() < end
        world.sleep(0)
    user = USERS[world.kind]
    words = f"(?i)^.*{user} waits for COM_QUERY on this connection, so that {user} cannot run COM_(QUERY|PING)"
    for use in (lambda: conn.execute("SELECT 2"), conn.ping, lambda: world.spawn(conn.ping).result()):
        with pytest.raises(mizzle.InterfaceError, match=words) as caught:
            use()
        assert (caught.value.sent, caught.value.alive) == (False, True)
    assert conn.open
    peers[-1].event("answer").set()
    assert first.result() == [(1,), (2,)]
    assert conn.execute("SELECT 3").fetchall() == [(1,), (2,)]


# -- after the end -----------------------------------------------------------------------------------------------------

CONNECTION: dict[str, Callable[[Any], Any]] = {
    "autocommit": lambda c: c.autocommit(not c.get_autocommit()),
    "begin": lambda c: c.begin(),
    "change_user": lambda c: c.change_user("bob", "b"),
    "commit": lambda c: c.commit(),
    "cursor": lambda c: c.cursor().execute("SELECT 1"),
    "execute": lambda c: c.execute("SELECT 1"),
    "kill": lambda c: c.kill(1),
    "ping": lambda c: c.ping(),
    "prepare": lambda c: c.prepare("SELECT 1"),
    "reset": lambda c: c.reset(),
    "rollback": lambda c: c.rollback(),
    "select_db": lambda c: c.select_db("other"),
    "set_server_option": lambda c: c.set_server_option(0),
    "set_character_set": lambda c: c.set_character_set("latin1"),
    "set_charset": lambda c: c.set_charset("latin1"),
    "show_warnings": lambda c: c.show_warnings(),
    "stat": lambda c: c.stat(),
    "transaction": lambda c: c.transaction().__enter__(),
}
#: What needs no server goes on to work.
HARMLESS = {
    "abort", "affected_rows", "broken", "character_set_name", "close", "compression", "database", "encoding", "escape",
    "escape_string", "fileno", "get_autocommit", "get_host_info", "get_proto_info", "get_server_info", "host_info",
    "in_transaction", "insert_id", "is_mariadb", "last_gtids", "literal", "on_progress", "open", "server_version",
    "server_version_info", "state_changes", "thread_id", "tls", "tracked_variables", "transaction_characteristics",
    "transaction_state", "warning_count",
}  # fmt: skip
#: What a program sets.
ATTRIBUTES = {"cursorclass", "row_factory", "timeout"}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_all_of_a_connection_is_looked_at() -> None:
    exceptions = {name for name, value in inspect.getmembers(mizzle.Connection) if isinstance(value, type)}
    assert public(mizzle.Connection) - exceptions == CONNECTION.keys() | HARMLESS | ATTRIBUTES


@pytest.mark.parametrize("name", CONNECTION)
@pytest.mark.parametrize("ended", ["closed", "aborted"])
def test_a_connection_after_its_end(conn: Any, heard: list[bytes], name: str, ended: str) -> None:
    if ended == "closed":
        conn.close()
    else:
        conn.abort()
    before = list(heard)
    with pytest.raises(
        mizzle.errors.ConnectionClosed, match=r"connection is already closed: .*(close|abort)"
    ) as caught:
        CONNECTION[name](conn)
    assert (caught.value.sent, caught.value.alive) == (False, False)
    assert heard[: len(before)] == before
    assert not any(command[:1] != b"\x01" for command in heard[len(before) :])


def test_what_needs_no_server_works_after_the_end(conn: Any) -> None:
    conn.close()
    for name in sorted(HARMLESS - {"escape", "escape_string", "literal"}):
        value = getattr(conn, name)
        if callable(value):
            value()
    assert conn.escape("it's") == conn.literal("it's")
    assert conn.escape_string("a") == "a"
    assert (conn.open, conn.broken, conn.fileno()) == (False, None, -1)
    assert "closed" in repr(conn)


def test_leaving_with_closes(conn: Any) -> None:
    with conn:
        conn.ping()
    with pytest.raises(mizzle.errors.ConnectionClosed):
        conn.ping()


CURSOR: dict[str, Callable[[Any], Any]] = {
    "callproc": lambda c: c.callproc("p"),
    "execute": lambda c: c.execute("SELECT 1"),
    "executemany": lambda c: c.executemany("INSERT INTO t VALUES (%s)", [(1,)]),
    "fetchall": lambda c: c.fetchall(),
    "fetchmany": lambda c: c.fetchmany(2),
    "fetchone": lambda c: c.fetchone(),
    "iteration": list,
    "mogrify": lambda c: c.mogrify("SELECT %s", (1,)),
    "nextset": lambda c: c.nextset(),
    "scroll": lambda c: c.scroll(1),
}
HARMLESS_CURSOR = {
    "arraysize", "close", "connection", "description", "info", "lastrowid", "max_stmt_length", "row_factory",
    "rowcount", "rownumber", "setinputsizes", "setoutputsize", "setoutputsizes", "unit_results", "warning_count",
}  # fmt: skip


def test_all_of_a_cursor_is_looked_at(conn: Any) -> None:
    names = public(mizzle.Cursor) | public(type(conn.cursor())) | {"connection", "rowcount"}
    assert {name for name in names if name != "run"} >= CURSOR.keys() - {"iteration"}
    assert public(mizzle.Cursor) | {"connection", "rowcount"} == (CURSOR.keys() - {"iteration"}) | HARMLESS_CURSOR


@pytest.mark.parametrize("name", CURSOR)
@pytest.mark.parametrize("kind", [mizzle.Cursor, mizzle.StreamingCursor])
def test_a_closed_cursor(conn: Any, heard: list[bytes], name: str, kind: Any) -> None:
    cur = conn.cursor(kind)
    cur.execute("SELECT 1")
    cur.fetchone()
    known = cur.rowcount, cur.lastrowid  # what stays: SQLAlchemy closes a cursor before it asks
    cur.close()
    cur.close()
    del heard[:]
    with pytest.raises(mizzle.Error, match="cursor is already closed") as caught:
        CURSOR[name](cur)
    assert caught.value.sent is False
    assert caught.value.errno == 0
    assert (cur.description, cur.connection) == (None, None)
    assert (cur.rowcount, cur.lastrowid) == known
    cur.setinputsizes(1)
    cur.setoutputsize(1)
    assert not heard
    assert conn.execute("SELECT 1").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("name", ["execute", "executemany", "callproc"])
def test_a_cursor_of_a_closed_connection(conn: Any, name: str) -> None:
    cur = conn.cursor()
    cur.execute("SELECT 1")
    conn.close()
    assert cur.fetchone() == (1,)  # what was read is there
    with pytest.raises(mizzle.errors.ConnectionClosed):
        CURSOR[name](cur)
    cur.close()


def test_a_stream_of_a_closed_connection(conn: Any) -> None:
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute("SELECT 1")
    conn.close()
    with pytest.raises(mizzle.errors.ConnectionClosed):
        cur.fetchall()
    cur.close()


def test_another_statement_while_streaming(conn: Any) -> None:
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute("SELECT 1")
    with pytest.raises(mizzle.InterfaceError, match="not fetched all of its rows") as caught:
        conn.execute("SELECT 2")
    assert (caught.value.sent, caught.value.alive) == (False, True)
    assert "close()" in (caught.value.hint or "")
    assert cur.fetchall() == [(1,), (2,)]
    conn.ping()


# -- parameters --------------------------------------------------------------------------------------------------------


class Odd:
    """Nothing that SQL has a literal for."""


PARAMETERS: dict[str, tuple[Any, Any, str]] = {
    "too few": ("SELECT %s, %s", (1,), "(?i)2.*1|not enough|parameters"),
    "too many": ("SELECT %s", (1, 2), "(?i)1.*2|not all|parameters"),
    "some where none belong": ("SELECT 1", (1,), "(?i)parameters|placeholder"),
    "none where some belong": ("SELECT %s", (), "(?i)parameters|placeholder|not enough"),
    "a name that is missing": ("SELECT %(a)s, %(b)s", {"a": 1}, "'?b'?"),
    "a sequence for names": ("SELECT %(a)s", (1,), "(?i)mapping|name"),
    "names for a sequence": ("SELECT %s", {"a": 1}, "(?i)mapping|sequence|name|dict"),
    "an unknown type": ("SELECT %s", (Odd(),), "Odd"),
    "a type": ("SELECT %s", (int,), "type"),
    "a dict": ("SELECT %s", ({"a": 1},), "dict"),
    "not a number": ("SELECT %s", (float("nan"),), "(?i)nan"),
    "infinite": ("SELECT %s", (decimal.Decimal("inf"),), "(?i)inf"),
    "an empty IN": ("SELECT 1 WHERE 1 IN %s", ([],), "(?i)empty"),
    "another placeholder": ("SELECT %d", (1,), "%d"),
    "a lone percent": ("SELECT 5 % 3, %s", (1,), "%"),
    "a surrogate": ("SELECT %s", ("\ud800",), "(?i)surrogate|encode"),
}


@pytest.mark.parametrize("case", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_that_will_not_do(conn: Any, heard: list[bytes], case: tuple[Any, Any, str]) -> None:
    query, args, words = case
    del heard[:]
    for use in (conn.execute, conn.cursor(mizzle.StreamingCursor).execute):
        with pytest.raises((mizzle.Error, TypeError, ValueError), match=words) as caught:
            use(query, args)
        if isinstance(caught.value, mizzle.Error):
            assert (caught.value.sent, caught.value.alive) == (False, True)
            assert not isinstance(caught.value, mizzle.OperationalError)
    assert not heard
    assert conn.execute("SELECT 1").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("query", [None, 5, ["SELECT 1"], object()])
def test_queries_that_are_none(conn: Any, heard: list[bytes], query: Any) -> None:
    del heard[:]
    with pytest.raises((TypeError, mizzle.Error)):
        conn.execute(query)
    assert not heard
    conn.ping()


def test_rows_of_executemany_that_will_not_do(conn: Any, heard: list[bytes]) -> None:
    del heard[:]
    with pytest.raises((mizzle.Error, TypeError), match="Odd"), conn.cursor() as cur:
        cur.executemany("INSERT INTO t VALUES (%s)", [(1,), (Odd(),)])
    with pytest.raises((mizzle.Error, TypeError)), conn.cursor() as cur:
        cur.executemany("INSERT INTO t VALUES (%s, %s)", [(1, 2), (1,)])
    assert not heard
    conn.ping()


def test_an_iterator_of_rows_that_fails(conn: Any) -> None:
    def rows() -> Iterator[tuple[int]]:
        yield (1,)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), conn.cursor() as cur:
        cur.executemany("INSERT INTO t VALUES (%s)", rows())
    conn.ping()
