"""Transactions: what is seen, what stays, and what the connection says about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.protocols("prepared")

Connect = Callable[..., Any]


@pytest.fixture
def name(table: Callable[[str], str]) -> str:
    return table("id INT PRIMARY KEY")


@pytest.fixture
def ids(admin: Any, name: str) -> Callable[[], list[int]]:
    """What everybody sees."""
    return lambda: [number for (number,) in admin.execute(f"SELECT id FROM {name} ORDER BY id")]


def add(conn: Any, name: str, number: int) -> None:
    conn.execute(f"INSERT INTO {name} VALUES (%s)", [number])


def test_commit_and_rollback(connect: Connect, name: str, ids: Any) -> None:
    conn = connect()
    assert not conn.get_autocommit()
    assert not conn.in_transaction
    add(conn, name, 1)
    assert conn.in_transaction
    assert ids() == []
    conn.commit()
    assert not conn.in_transaction
    assert ids() == [1]
    add(conn, name, 2)
    conn.rollback()
    assert not conn.in_transaction
    assert ids() == [1]


def test_closing_rolls_back(connect: Connect, name: str, ids: Any, admin: Any) -> None:
    with connect() as conn:
        add(conn, name, 1)
    admin.until(lambda: admin.sessions("id = %s", [conn.thread_id()]) == 0)
    assert ids() == []


def test_autocommit(connect: Connect, name: str, ids: Any) -> None:
    conn = connect(autocommit=True)
    assert conn.get_autocommit()
    add(conn, name, 1)
    assert not conn.in_transaction
    assert ids() == [1]
    conn.autocommit(False)
    assert not conn.get_autocommit()
    add(conn, name, 2)
    assert ids() == [1]
    conn.autocommit(True)
    assert ids() == [1, 2]
    conn.execute("SET autocommit = 0")
    assert not conn.get_autocommit()


def commands(conn: Any) -> int:
    """How many it has begun."""
    return int(conn._engine.commands)


def test_autocommit_is_switched_without_a_round_trip(connect: Connect, name: str, ids: Any) -> None:
    conn = connect(autocommit=True)

    def switch(value: bool) -> None:
        before = commands(conn)
        conn.autocommit(value)
        assert (commands(conn), conn.get_autocommit()) == (before, value)

    for number in (1, 2):
        switch(False)
        add(conn, name, number)
        assert conn.in_transaction
        assert number not in ids()
        conn.commit()
        switch(True)
    assert ids() == [1, 2]
    assert conn.execute("SELECT @@autocommit").fetchone() == (1,)


def test_autocommit_is_not_switched_beside_a_stream(connect: Connect) -> None:
    """Its end will say what the server thinks of autocommit now."""
    conn = connect(autocommit=True)
    cursor = conn.cursor(mizzle.StreamingCursor)
    cursor.execute("SELECT 1 UNION SELECT 2")
    with pytest.raises(mizzle.InterfaceError, match="not fetched all"):
        conn.autocommit(False)
    assert sorted(cursor.fetchall()) == [(1,), (2,)]
    assert conn.get_autocommit()
    conn.autocommit(False)
    assert conn.execute("SELECT @@autocommit").fetchone() == (0,)


def test_autocommit_ends_what_a_failed_statement_began(connect: Connect, name: str) -> None:
    """Its error says nothing of the transaction, which has a lock on the row."""
    conn, other = connect(), connect(autocommit=True)
    add(conn, name, 1)
    conn.commit()
    with pytest.raises(mizzle.IntegrityError):
        add(conn, name, 1)
    conn.autocommit(True)
    assert other.execute(f"DELETE FROM {name} WHERE id = 1", timeout=10).rowcount == 1


def test_autocommit_of_one_who_may_have_to_change_a_password(connect: Connect) -> None:
    """There a SET fails, and must not take the next statement with it."""
    conn = connect(can_handle_expired_passwords=True)
    before = commands(conn)
    conn.autocommit(True)
    assert commands(conn) == before + 1


def test_autocommit_left_to_the_server(connect: Connect) -> None:
    assert connect(autocommit=None).get_autocommit()


def test_begin(conn: Any, name: str, ids: Any) -> None:
    conn.begin()
    assert conn.in_transaction
    add(conn, name, 1)
    conn.rollback()
    conn.begin()
    add(conn, name, 2)
    conn.commit()
    assert ids() == [2]


@pytest.mark.feature("in_transaction behind an implicit commit")
def test_ddl_commits(conn: Any, name: str, ids: Any) -> None:
    conn.begin()
    add(conn, name, 1)
    conn.execute(f"ALTER TABLE {name} COMMENT 'x'")
    assert not conn.in_transaction
    conn.rollback()
    assert ids() == [1]


def test_a_block_commits(conn: Any, name: str, ids: Any) -> None:
    with conn.transaction():
        assert conn.in_transaction
        add(conn, name, 1)
        assert ids() == []
    assert not conn.in_transaction
    assert ids() == [1]


def test_an_exception_rolls_a_block_back(conn: Any, name: str, ids: Any) -> None:
    def fail() -> None:
        with conn.transaction():
            add(conn, name, 1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not conn.in_transaction
    assert ids() == []


def test_blocks_in_blocks_are_savepoints(conn: Any, name: str, ids: Any) -> None:
    def fail(number: int) -> None:
        with conn.transaction():
            add(conn, name, number)
            with conn.transaction():
                add(conn, name, number + 1)
            raise LookupError

    with conn.transaction():
        add(conn, name, 1)
        with pytest.raises(LookupError):
            fail(10)
        with conn.transaction():
            add(conn, name, 2)
            with pytest.raises(LookupError):
                fail(20)
        with pytest.raises(mizzle.IntegrityError), conn.transaction():
            add(conn, name, 1)
        assert ids() == []
    assert ids() == [1, 2]


def test_the_whole_is_undone_with_its_parts(conn: Any, name: str, ids: Any) -> None:
    def fail() -> None:
        with conn.transaction():
            with conn.transaction():
                add(conn, name, 1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert ids() == []


@pytest.mark.parametrize(
    ("level", "sees_change", "sees_uncommitted"),
    [("read uncommitted", True, True), ("read committed", True, False), ("repeatable read", False, False)],
)
def test_isolation(connect: Connect, name: str, level: str, sees_change: bool, sees_uncommitted: bool) -> None:
    reader, writer = connect(autocommit=True), connect()

    def seen() -> bool:
        return bool(reader.execute(f"SELECT id FROM {name}").fetchall())

    with reader.transaction(isolation=level):
        assert not seen()
        add(writer, name, 1)
        assert seen() == sees_uncommitted
        writer.commit()
        assert seen() == sees_change
    assert seen()


def test_serializable_readers_lock(connect: Connect, name: str) -> None:
    reader = connect(autocommit=True)
    writer = connect(init_command="SET innodb_lock_wait_timeout = 1")
    add(writer, name, 1)
    writer.commit()
    with reader.transaction(isolation="serializable"):
        reader.execute(f"SELECT * FROM {name} WHERE id = 1")
        with pytest.raises(mizzle.OperationalError, match="1205"):
            writer.execute(f"DELETE FROM {name} WHERE id = 1")


def test_read_only(conn: Any, name: str) -> None:
    with conn.transaction(readonly=True):
        with pytest.raises(mizzle.OperationalError, match="1792") as caught:
            add(conn, name, 1)
        assert caught.value.alive
        assert conn.execute(f"SELECT * FROM {name}").fetchall() == []


def test_what_a_block_does_not_allow(conn: Any) -> None:
    with conn.transaction():
        for forbidden in (conn.commit, conn.rollback, conn.begin, conn.reset, lambda: conn.autocommit(False)):
            with pytest.raises(mizzle.ProgrammingError, match=r"transaction\(\) block"):
                forbidden()
    with pytest.raises(mizzle.ProgrammingError, match="isolation"):
        conn.transaction(isolation="chaos")
    conn.begin()
    with pytest.raises(mizzle.ProgrammingError, match="already open"):
        conn.transaction().__enter__()


def test_a_rollback_behind_another_end_sends_nothing(connect: Connect, name: str, ids: Any) -> None:
    def sent() -> int:
        [(_, count)] = conn.execute("SHOW SESSION STATUS LIKE 'Com_rollback'").fetchall()
        return int(count)

    conn = connect()
    before = sent()
    for number, end in ((1, conn.commit), (2, conn.rollback)):
        add(conn, name, number)
        end()
        conn.rollback()
        conn.rollback()
    assert sent() == before + 1
    assert ids() == [1]
    with pytest.raises(mizzle.IntegrityError):
        add(conn, name, 1)  # which keeps a lock on the row
    conn.rollback()
    assert sent() == before + 2
    conn.execute("SET completion_type = 'CHAIN'")
    conn.commit()
    assert conn.in_transaction
    conn.rollback()
    assert sent() == before + 3
    conn.abort()
    with pytest.raises(mizzle.ConnectionClosed):
        conn.rollback()
