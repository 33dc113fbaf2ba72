"""Connection objects: PEP 249's part of them, and what PyMySQL's have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import mizzle
from mizzle.testing import Server

Connect = Callable[..., mizzle.Connection]


def test_commit_and_rollback(conn: mizzle.Connection, connect: Connect, booze: str) -> None:
    other = connect(autocommit=True)
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('gin')")
    assert conn.in_transaction
    assert other.execute(f"SELECT COUNT(*) FROM {booze}").fetchone() == (0,)
    conn.rollback()
    assert not conn.in_transaction
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('rum')")
    conn.commit()
    assert other.execute(f"SELECT name FROM {booze}").fetchall() == [("rum",)]


def test_closing_rolls_back(connect: Connect, booze: str) -> None:
    with connect() as conn:
        conn.execute(f"INSERT INTO {booze} (name) VALUES ('gin')")
    assert not conn.open
    assert connect().execute(f"SELECT COUNT(*) FROM {booze}").fetchone() == (0,)


def test_autocommit(conn: mizzle.Connection, connect: Connect) -> None:
    assert conn.get_autocommit() is False
    conn.autocommit(True)
    assert conn.get_autocommit() is True
    assert conn.execute("SELECT @@autocommit").fetchone() == (1,)
    conn.autocommit(False)
    assert conn.execute("SELECT @@autocommit").fetchone() == (0,)
    assert connect(autocommit=True).get_autocommit() is True


def test_close_twice_and_use_after(conn: mizzle.Connection) -> None:
    cur = conn.cursor()
    conn.close()
    conn.close()
    assert not conn.open
    assert conn.broken is None
    for use in (conn.commit, conn.rollback, conn.ping, conn.begin, lambda: cur.execute("SELECT 1")):
        with pytest.raises(mizzle.InterfaceError, match="already closed"):
            use()


def test_abort(conn: mizzle.Connection) -> None:
    conn.abort()
    conn.abort()
    assert not conn.open
    with pytest.raises(mizzle.InterfaceError):
        conn.ping()
    conn.close()


def test_what_is_known_of_the_server(conn: mizzle.Connection, server: Server) -> None:
    (version, thread_id) = conn.execute("SELECT VERSION(), CONNECTION_ID()").fetchone()
    assert conn.server_version == conn.get_server_info() == version
    assert conn.server_version_info == server.version
    assert conn.is_mariadb is server.is_mariadb
    assert conn.thread_id() == thread_id
    assert conn.host_info == f"socket {server.host}:{server.port}"
    assert conn.get_proto_info() == 10
    assert conn.character_set_name() == "utf8mb4"
    assert conn.fileno() >= 0
    assert "Uptime" in conn.stat()
    assert f"thread_id={thread_id}" in repr(conn)


def test_unix_socket(connect: Connect, server: Server) -> None:
    conn = connect(unix_socket=server.unix_socket)
    conn.ping()
    assert conn.host_info == "Localhost via UNIX socket"


def test_begin(connect: Connect) -> None:
    conn = connect(autocommit=True)
    conn.begin()
    assert conn.in_transaction
    conn.rollback()
    assert not conn.in_transaction


def test_ping_finds_a_killed_connection(conn: mizzle.Connection, connect: Connect) -> None:
    conn.ping()
    connect().kill(conn.thread_id())
    with pytest.raises(mizzle.Error) as caught:
        conn.ping()
    assert not caught.value.alive
    assert not conn.open
    with pytest.raises(mizzle.Error):
        conn.ping()


def test_kill_wants_a_number(conn: mizzle.Connection) -> None:
    with pytest.raises(TypeError):
        conn.kill("1; DROP TABLE x")


def test_select_db(conn: mizzle.Connection) -> None:
    conn.select_db("information_schema")
    assert conn.execute("SELECT DATABASE()").fetchone() == ("information_schema",)
    with pytest.raises(mizzle.OperationalError) as caught:
        conn.select_db("no such database")
    assert caught.value.args[0] == 1049
    assert caught.value.alive
    conn.ping()


def test_escape(conn: mizzle.Connection) -> None:
    assert conn.escape("it's") == conn.literal("it's") == "'it''s'"
    assert conn.escape_string("it's") == "it''s"
    assert conn.escape(None) == "NULL"
    assert conn.escape(7) == "7"
    conn.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
    assert conn.execute("SELECT " + conn.escape("back\\slash")).fetchone() == ("back\\slash",)
    for value in (b"it's", b"\xff\0'\\", bytearray(b"\xff"), memoryview(b"\xff")):
        assert conn.execute("SELECT " + conn.escape(value)).fetchone() == (bytes(value),)
    with pytest.raises(UnicodeDecodeError):
        conn.escape([b"\xff"])


def test_numbers_of_the_last_statement(conn: mizzle.Connection, booze: str) -> None:
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('gin'), ('rum')")
    assert conn.affected_rows() == 2
    assert conn.insert_id() == 1
    assert conn.warning_count == 0


def test_warnings(conn: mizzle.Connection) -> None:
    cur = conn.execute("SELECT CAST('1x' AS SIGNED)")
    assert cur.warning_count == conn.warning_count == 1
    ((level, code, message),) = conn.show_warnings()
    assert (level, code) == ("Warning", 1292)
    assert "1x" in message


def test_reset(conn: mizzle.Connection) -> None:
    conn.execute("SET @x = 1")
    conn.begin()
    conn.reset()
    assert not conn.in_transaction
    assert conn.get_autocommit() is False
    assert conn.execute("SELECT @x, @@character_set_client, @@autocommit").fetchone() == (None, "utf8mb4", 0)


def test_change_user(conn: mizzle.Connection, server: Server) -> None:
    conn.execute("SET @x = 1")
    conn.change_user(server.user, server.password, "information_schema")
    assert conn.execute("SELECT @x, DATABASE()").fetchone() == (None, "information_schema")


def test_set_charset(conn: mizzle.Connection) -> None:
    conn.set_charset("latin1")
    assert conn.character_set_name() == "latin1"
    assert conn.execute("SELECT @@character_set_client, %s, HEX('ö')", ["größe"]).fetchone() == (
        "latin1",
        "größe",
        "F6",
    )


def test_init_command(connect: Connect) -> None:
    assert connect(init_command="SET @x = 'ä'").execute("SELECT @x").fetchone() == ("ä",)


def test_cursorclass_and_row_factory(connect: Connect) -> None:
    conn = connect(cursorclass=mizzle.DictCursor)
    assert conn.execute("SELECT 1 AS a").fetchone() == {"a": 1}
    assert conn.cursor(mizzle.Cursor).execute("SELECT 1") == 1
    conn = connect(row_factory=mizzle.rows.scalar_row)
    assert conn.execute("SELECT 1 AS a").fetchone() == 1
    assert conn.cursor(mizzle.DictCursor).row_factory is mizzle.rows.dict_row


def test_connection_class(server: Server) -> None:
    class Mine(mizzle.Connection):
        pass

    with mizzle.connect(connection_class=Mine, **server.connect_args()) as conn:
        assert type(conn) is Mine


def test_password_callable_is_asked_at_each_connection(connect: Connect, server: Server) -> None:
    asked = []

    def password() -> str:
        asked.append(1)
        return server.password

    for _ in range(2):
        connect(password=password).ping()
    assert len(asked) == 2


def test_timeout_of_a_call(connect: Connect) -> None:
    conn = connect(timeout=30)
    assert conn.timeout == 30
    with pytest.raises(mizzle.OperationalError, match="timed out") as caught:
        conn.cursor().execute("SELECT SLEEP(20)", timeout=0.05)
    assert caught.value.args[0] == 3024
    assert caught.value.alive
    conn.ping()


def test_timeout_of_the_connection(connect: Connect) -> None:
    assert connect(read_timeout=7, write_timeout=3).timeout is None
    conn = connect(timeout=0.05)
    with pytest.raises(mizzle.OperationalError, match="timed out"):
        conn.execute("SELECT SLEEP(20)")


def test_wrong_password(connect: Connect) -> None:
    with pytest.raises(mizzle.OperationalError) as caught:
        connect(password="wrong")
    assert caught.value.args[0] == 1045


def test_unknown_database(connect: Connect) -> None:
    with pytest.raises(mizzle.OperationalError) as caught:
        connect(database="no_such_database")
    assert caught.value.args[0] == 1049


def test_unclosed_connection_warns_and_ends(connect: Connect, server: Server) -> None:
    conn = mizzle.connect(**server.connect_args())
    thread_id = conn.thread_id()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del conn
    # KILL on what is gone or going is answered at once; 1094 says that there is no such session.
    watcher = connect()
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = %s AND command <> 'Killed'"
    for _ in range(1000):
        if watcher.execute(query, [thread_id]).fetchone() == (0,):
            break
    else:
        pytest.fail("the server still has the session")
