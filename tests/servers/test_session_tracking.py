"""What the servers say of the session: default database, variables, transactions, character sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
from mizzle.constants.capabilities import CLIENT_MULTI_STATEMENTS
from mizzle.testing import Server

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]

IN_USE = "SELECT @@character_set_client, @@character_set_results"


@pytest.fixture
def name(table: Callable[[str], str]) -> str:
    return table("id INT PRIMARY KEY")


@pytest.fixture
def procedure(admin: Any, name: str) -> Iterator[Callable[[str], str]]:
    """Make a procedure of these statements; its name."""

    def make(body: str) -> str:
        admin.execute(f"CREATE PROCEDURE p_{name}() BEGIN {body}; END")
        return f"p_{name}"

    yield make
    admin.execute(f"DROP PROCEDURE IF EXISTS p_{name}")


@pytest.mark.feature("tracked: schema")
def test_the_default_database(dial: Connect, server: Server, admin: Any, name: str) -> None:
    conn = dial()
    assert conn.database == server.database
    conn.execute("USE mysql")
    assert conn.database == "mysql"
    conn.select_db(server.database)
    assert conn.database == server.database
    conn.select_db("mysql")
    conn.reset()
    assert conn.database == server.database
    admin.execute(f"CREATE DATABASE d_{name}")
    conn.execute(f"USE d_{name}")
    assert conn.database == f"d_{name}"
    conn.execute(f"DROP DATABASE d_{name}")
    assert conn.database is None
    conn.change_user(server.user, server.password, "mysql")
    assert conn.database == "mysql"
    conn.change_user(server.user, server.password)
    assert conn.database is None
    assert dial(database=None).database is None


@pytest.mark.feature("tracked: system variables")
def test_the_variables_that_are_tracked_unasked(dial: Connect) -> None:
    conn = dial()
    assert conn.tracked_variables["autocommit"] == "OFF"
    before = conn.tracked_variables
    conn.autocommit(True)
    conn.execute("SET time_zone = '+05:00'")
    assert before["autocommit"] == "OFF"
    assert [conn.tracked_variables[name] for name in ("autocommit", "time_zone")] == ["ON", "+05:00"]
    assert conn.transaction_state is None
    assert conn.transaction_characteristics is None
    assert conn.last_gtids is None
    assert conn.state_changes == 0
    with pytest.raises(TypeError):
        conn.tracked_variables["autocommit"] = "ON"
    conn.reset()
    assert conn.tracked_variables["autocommit"] == "OFF"
    assert conn.tracked_variables.get("time_zone", "SYSTEM") == "SYSTEM"


@pytest.mark.protocols("prepared")
def test_further_variables(connect: Connect, procedure: Callable[[str], str]) -> None:
    body = "SET SESSION group_concat_max_len = 4321; SELECT 1; SET SESSION lock_wait_timeout = 77"
    call = f"CALL {procedure(body)}()"
    names = "group_concat_max_len, sql_mode,lock_wait_timeout"
    conn = connect(session_track_system_variables=names, sql_mode="STRICT_ALL_TABLES")
    for _ in range(2):
        assert conn.tracked_variables["autocommit"] == "OFF"
        assert conn.tracked_variables["sql_mode"] == "STRICT_ALL_TABLES"
        conn.execute("SET SESSION group_concat_max_len = 1234")
        assert conn.tracked_variables["group_concat_max_len"] == "1234"
        assert conn.execute(call).fetchall() == [(1,)]
        found = conn.tracked_variables
        assert (found["group_concat_max_len"], found["lock_wait_timeout"]) == ("4321", "77")
        conn.reset()


def test_all_variables(dial: Connect) -> None:
    conn = dial(session_track_system_variables="*")
    conn.execute("SET SESSION sort_buffer_size = 262144")
    assert conn.tracked_variables["sort_buffer_size"] == "262144"


def test_several_results(dial: Connect, server: Server) -> None:
    conn = dial(client_flag=CLIENT_MULTI_STATEMENTS)
    cursor = conn.execute("SET time_zone = '+01:00'; USE mysql; SELECT 1; SET time_zone = '+02:00'")
    assert (conn.database, conn.tracked_variables["time_zone"]) == ("mysql", "+02:00")
    cursor.close()
    cursor = conn.cursor(mizzle.StreamingCursor)
    cursor.execute(f"USE {server.database}; SELECT 1; SET time_zone = '+03:00'")
    assert (conn.database, conn.tracked_variables["time_zone"]) == (server.database, "+02:00")
    cursor.nextset()
    assert cursor.fetchall() == [(1,)]
    cursor.nextset()
    assert conn.tracked_variables["time_zone"] == "+03:00"


def test_state_changes(dial: Connect, name: str) -> None:
    conn = dial(session_track_state_change=True, autocommit=True)

    def changes(sql: str) -> int:
        before: int = conn.state_changes
        conn.execute(sql)
        return int(conn.state_changes) - before

    for sql in (
        "SELECT 1",
        "BEGIN",
        f"INSERT INTO {name} VALUES (1)",
        "COMMIT",
        f"SELECT * FROM {name}",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    ):
        assert changes(sql) == 0, sql
    for sql in (
        "SET @x = 1",
        "SET SESSION sort_buffer_size = 262144",
        "USE mysql",
        "USE test",
        "CREATE TEMPORARY TABLE tt (n INT)",
        "DROP TEMPORARY TABLE tt",
    ):
        assert changes(sql) == 1, sql


@pytest.mark.protocols("prepared")
@pytest.mark.feature("tracked: transaction state")
def test_transaction_states(connect: Connect, name: str) -> None:
    conn = connect(session_track_transaction_info="state", autocommit=True)

    def state(sql: str) -> Any:
        conn.execute(sql)
        found = conn.transaction_state
        assert found.is_open == conn.in_transaction
        return found

    assert state("BEGIN").explicit
    assert not conn.transaction_state.result_set
    assert state(f"SELECT * FROM {name}").read_transactional
    assert conn.transaction_state.result_set
    assert not conn.transaction_state.wrote
    assert state(f"INSERT INTO {name} VALUES (1)").wrote_transactional
    assert not any(state("COMMIT"))
    state("SET autocommit = 0")
    implicit = state(f"INSERT INTO {name} VALUES (2)")
    assert (implicit.implicit, implicit.explicit, implicit.wrote) == (True, False, True)
    assert not any(state("ROLLBACK"))
    assert state(f"LOCK TABLES {name} READ").locked_tables
    assert not state("UNLOCK TABLES").locked_tables
    assert conn.transaction_characteristics is None
    conn.reset()
    assert not conn.transaction_state or not any(conn.transaction_state)


@pytest.mark.protocols("prepared")
@pytest.mark.feature("in_transaction behind an implicit commit")
def test_implicit_commits(connect: Connect, name: str, procedure: Callable[[str], str], admin: Any) -> None:
    """in_transaction is right behind each; a statement that fails after its commit says so with the next answer."""
    ends = f"CALL {procedure(f'ALTER TABLE {name} ENGINE=InnoDB')}()"
    conn = connect(session_track_transaction_info="state", autocommit=True)
    deeds = (f"ALTER TABLE {name} COMMENT 'x'", "SET autocommit = 1", f"LOCK TABLES {name} WRITE", ends)
    for number, deed in enumerate(deeds):
        conn.execute("SET autocommit = 0") if "autocommit" in deed else conn.begin()
        conn.execute(f"INSERT INTO {name} VALUES (%s)", [number])
        assert conn.in_transaction
        assert conn.transaction_state.wrote
        conn.execute(deed)
        assert not conn.in_transaction, deed
        assert not conn.transaction_state.wrote, deed
        conn.execute("UNLOCK TABLES")
        assert admin.execute(f"SELECT COUNT(*) FROM {name}") == [(number + 1,)]
    conn.begin()
    conn.execute(f"INSERT INTO {name} VALUES (10)")
    with pytest.raises(mizzle.OperationalError, match="1050"):
        conn.execute(f"CREATE TABLE {name} (n INT)")
    conn.ping()
    assert not conn.in_transaction
    assert admin.execute(f"SELECT COUNT(*) FROM {name}") == [(len(deeds) + 1,)]


@pytest.mark.feature("tracked: transaction characteristics")
def test_transaction_characteristics(dial: Connect, name: str) -> None:
    conn = dial(session_track_transaction_info="characteristics", autocommit=True)
    with conn.transaction(isolation="serializable", readonly=True):
        assert conn.execute(f"SELECT * FROM {name}").fetchall() == []
        sql = conn.transaction_characteristics
        assert conn.transaction_state.explicit
    assert conn.transaction_characteristics == ""
    assert "SERIALIZABLE" in sql
    other = dial(autocommit=True)
    for statement in sql.split(";"):
        if statement.strip():
            other.execute(statement)
    assert other.in_transaction
    with pytest.raises(mizzle.OperationalError, match="1792"):
        other.execute(f"INSERT INTO {name} VALUES (1)")
    other.rollback()


TEXT = "é"


@pytest.mark.protocols("prepared")
def test_set_names_is_followed(connect: Connect) -> None:
    """Text is written and read as the session has it."""
    conn = connect()
    assert conn.execute("SELECT %s, HEX(%s)", [TEXT, TEXT]).fetchall() == [(TEXT, "C3A9")]
    for _ in range(2):
        conn.execute("SET NAMES latin1")
        assert (conn.character_set_name(), conn.encoding, conn.escape(TEXT)) == ("latin1", "cp1252", f"'{TEXT}'")
        assert conn.execute("SELECT %s, HEX(%s)", [TEXT, TEXT]).fetchall() == [(TEXT, "E9")]
        assert conn.execute(f"SELECT '{TEXT}' AS {TEXT}, HEX('{TEXT}')").fetchall() == [(TEXT, "E9")]
        with pytest.raises(UnicodeEncodeError):
            conn.execute("SELECT %s", ["☂"])
        conn.execute("SET NAMES utf8mb4")
        assert conn.execute("SELECT %s, HEX(%s)", ["☂", TEXT]).fetchall() == [("☂", "C3A9")]
        conn.execute("SET NAMES latin1")
        conn.reset()
        assert conn.execute("SELECT %s, HEX(%s)", ["☂", TEXT]).fetchall() == [("☂", "C3A9")]


@pytest.mark.parametrize("body", ["SET NAMES latin1", "SET NAMES latin1; SELECT 1", "SELECT 1; SET NAMES latin1"])
def test_set_names_in_a_procedure(dial: Connect, procedure: Callable[[str], str], body: str) -> None:
    """The servers restore at its end what the client writes in, and nothing else."""
    conn = dial(autocommit=True)
    conn.execute(f"CALL {procedure(body)}()").close()
    assert conn.execute(IN_USE).fetchall() == [("utf8mb4", "latin1")]
    assert conn.execute(f"SELECT %s AS {TEXT}, HEX(%s)", [TEXT, TEXT]).fetchall() == [(TEXT, "C3A9")]
    assert conn.execute(f"SELECT 1 AS {TEXT}").description[0][0] == TEXT


def test_what_is_escaped_is_escaped_for_the_session(dial: Connect) -> None:
    """The trap of SET NAMES in other drivers: in gbk and sjis a backslash may be half of a character."""
    conn = dial()
    for charset, text in (("gbk", "誠'"), ("sjis", "表'"), ("big5", "功'")):
        conn.execute(f"SET NAMES {charset}")
        assert conn.execute("SELECT %s", [text]).fetchall() == [(text,)]


def test_one_direction_alone(dial: Connect) -> None:
    conn = dial()
    conn.execute("SET character_set_results = latin1")
    assert conn.execute("SELECT %s, HEX(%s)", [TEXT, TEXT]).fetchall() == [(TEXT, "C3A9")]
    conn.execute("SET character_set_results = NULL")
    assert conn.execute("SELECT _latin1 x'E9', %s", [TEXT]).fetchall() == [(TEXT, TEXT)]
    conn.execute("SET character_set_client = latin1")
    conn.execute("SET @text = %s", [TEXT])
    conn.execute("SET NAMES utf8mb4")
    assert conn.execute("SELECT @text").fetchall() == [(TEXT,)]


def test_the_init_commands_character_set(dial: Connect) -> None:
    conn = dial(init_command="SET NAMES latin1")
    for _ in range(2):
        assert conn.execute("SELECT %s, HEX(%s)", [TEXT, TEXT]).fetchall() == [(TEXT, "E9")]
        conn.execute("SET NAMES utf8mb4")
        conn.reset()


def test_set_charset_and_its_statements(dial: Connect) -> None:
    conn = dial()
    statement = conn.prepare("SELECT HEX(%s)")
    assert statement.execute([TEXT]).fetchall() == [("C3A9",)]
    for how in (lambda: conn.set_charset("latin1"), lambda: conn.execute("SET NAMES latin1")):
        how()
        assert conn.execute("SELECT HEX(%s)", [TEXT], prepare=True).fetchall() == [("E9",)]
        conn.execute("SET NAMES utf8mb4")
        assert conn.execute("SELECT HEX(%s)", [TEXT], prepare=True).fetchall() == [("C3A9",)]
