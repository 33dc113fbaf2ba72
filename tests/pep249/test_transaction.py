"""transaction(): whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import mizzle

Connect = Callable[..., mizzle.Connection]


class Stop(BaseException):
    """Not an Exception: like a cancellation."""


@pytest.fixture
def conn(connect: Connect) -> mizzle.Connection:
    return connect(autocommit=True)


@pytest.fixture
def names(connect: Connect, booze: str) -> Callable[[], list[str]]:
    """What another connection sees in the table."""
    other = connect(autocommit=True)
    return lambda: [name for (name,) in other.execute(f"SELECT name FROM {booze} ORDER BY id")]


def test_commit(conn: mizzle.Connection, booze: str, names: Callable[[], list[str]]) -> None:
    with conn.transaction():
        assert conn.in_transaction
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
        assert names() == []
    assert not conn.in_transaction
    assert names() == ["a"]


@pytest.mark.parametrize("error", [ZeroDivisionError, Stop, KeyboardInterrupt])
def test_rollback(
    conn: mizzle.Connection, booze: str, names: Callable[[], list[str]], error: type[BaseException]
) -> None:
    with pytest.raises(error), conn.transaction():  # noqa: PT012 (the block is what is tested)
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
        raise error
    assert not conn.in_transaction
    assert names() == []
    conn.ping()


def test_savepoints(conn: mizzle.Connection, booze: str, names: Callable[[], list[str]]) -> None:
    def insert(name: str) -> None:
        conn.execute(f"INSERT INTO {booze} (name) VALUES (%s)", [name])

    with conn.transaction():
        insert("a")
        with conn.transaction():
            insert("b")
            with pytest.raises(ZeroDivisionError), conn.transaction():  # noqa: PT012
                insert("c")
                raise ZeroDivisionError
        with pytest.raises(mizzle.IntegrityError), conn.transaction():  # noqa: PT012
            insert("d")
            insert("a")
        insert("e")
        assert names() == []
    assert names() == ["a", "b", "e"]


def test_an_outer_rollback_takes_the_inner_blocks_along(
    conn: mizzle.Connection, booze: str, names: Callable[[], list[str]]
) -> None:
    with pytest.raises(ZeroDivisionError), conn.transaction():  # noqa: PT012
        with conn.transaction():
            conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
        raise ZeroDivisionError
    assert names() == []


@pytest.mark.parametrize("level", ["read uncommitted", "READ-COMMITTED", "repeatable_read", "serializable"])
def test_isolation(conn: mizzle.Connection, connect: Connect, booze: str, level: str) -> None:
    other = connect(autocommit=True)
    count = f"SELECT COUNT(*) FROM {booze}"
    with conn.transaction(isolation=level):
        assert conn.execute(count).fetchone() == (0,)
        if level != "serializable":
            other.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
            assert conn.execute(count).fetchone() == ((0,) if level == "repeatable_read" else (1,))


def test_unknown_isolation(conn: mizzle.Connection) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="serializable"):
        conn.transaction(isolation="none; DROP TABLE x")


def test_readonly(conn: mizzle.Connection, booze: str) -> None:
    with pytest.raises(mizzle.Error) as caught, conn.transaction(readonly=True):
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
    assert caught.value.args[0] == 1792
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")


def test_commands_that_would_end_it_are_refused(conn: mizzle.Connection) -> None:
    with conn.transaction():
        for use in (conn.commit, conn.rollback, conn.begin, conn.reset, lambda: conn.autocommit(False)):
            with pytest.raises(mizzle.ProgrammingError, match="inside a transaction"):
                use()
        assert conn.in_transaction


def test_it_does_not_commit_what_others_began(connect: Connect, booze: str, names: Callable[[], list[str]]) -> None:
    conn = connect(autocommit=False)
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
    with pytest.raises(mizzle.ProgrammingError, match="already open"), conn.transaction():
        pass
    assert names() == []
    conn.commit()
    with conn.transaction():
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('b')")
    assert names() == ["a", "b"]


def test_a_block_is_used_once(conn: mizzle.Connection) -> None:
    block = conn.transaction()
    with block:
        pass
    with pytest.raises(mizzle.ProgrammingError, match="once"), block:
        pass


def test_implicit_commit(conn: mizzle.Connection, booze: str, names: Callable[[], list[str]]) -> None:
    ddl = f"ALTER TABLE {booze} COMMENT 'implicit'"
    with conn.transaction():
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('a')")
        conn.execute(ddl)
    assert names() == ["a"]

    def fail() -> None:
        with conn.transaction():
            conn.execute(f"INSERT INTO {booze} (name) VALUES ('b')")
            conn.execute(ddl)
            raise ZeroDivisionError

    with pytest.warns(mizzle.Warning, match="implicit commit"), pytest.raises(ZeroDivisionError):
        fail()
    assert names() == ["a", "b"]
    with conn.transaction():
        conn.execute(ddl)
        with pytest.raises(mizzle.ProgrammingError, match="has ended"), conn.transaction():
            pass


def test_a_streaming_cursor_left_open(conn: mizzle.Connection, booze: str, names: Callable[[], list[str]]) -> None:
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('a'), ('b')")
    with conn.transaction():
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('c')")
        cur = conn.cursor(mizzle.StreamingCursor)
        cur.execute(f"SELECT * FROM {booze}")
        cur.fetchone()
    assert names() == ["a", "b", "c"]


def test_a_lost_connection(conn: mizzle.Connection, connect: Connect) -> None:
    other = connect()
    with pytest.raises(mizzle.OperationalError) as caught, conn.transaction():  # noqa: PT012
        other.kill(conn.thread_id())
        conn.execute("SELECT 1")
    assert not caught.value.alive
    assert not conn.open


def test_a_deadlock_in_an_inner_block_ends_the_outer_one(connect: Connect, booze: str) -> None:
    first, second = connect(autocommit=True), connect(autocommit=True)
    first.execute(f"INSERT INTO {booze} (name) VALUES ('a'), ('b'), ('c')")
    lock = f"SELECT * FROM {booze} WHERE id = %s FOR UPDATE"
    second.begin()
    # The server rolls back who has changed less: that shall be `first`.
    second.execute(f"UPDATE {booze} SET name = CONCAT(name, 'x') WHERE id >= 2")
    second.execute(f"INSERT INTO {booze} (name) VALUES ('d'), ('e'), ('f')")
    waiting = threading.Thread(target=lambda: (second.execute(lock, [1]), second.commit()))
    with pytest.raises(mizzle.OperationalError, match="rolled this") as caught, first.transaction():  # noqa: PT012
        with pytest.raises(mizzle.OperationalError) as deadlock, first.transaction():  # noqa: PT012
            first.execute(lock, [1])
            waiting.start()
            first.execute(lock, [2])
        assert deadlock.value.args[0] == 1213
    waiting.join()
    assert caught.value.args[0] == 1213
    assert caught.value.__cause__ is deadlock.value
    assert not first.in_transaction
    first.ping()
