"""The options of connect(), as the server sees them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mizzle
from mizzle import rows
from mizzle.constants.capabilities import CLIENT_INTERACTIVE, CLIENT_SSL_VERIFY_SERVER_CERT
from mizzle.testing import Server
from plugins.worlds import World

Connect = Callable[..., Any]


def test_init_command(connect: Connect) -> None:
    conn = connect(init_command="SET @greeting = 'hé 100%', time_zone = '+03:00'")
    assert conn.execute("SELECT @greeting, @@time_zone").fetchone() == ("hé 100%", "+03:00")


def test_an_init_command_that_fails(connect: Connect) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="1064"):
        connect(init_command="SELEKT")


def test_sql_mode(connect: Connect) -> None:
    for mode in ("ANSI_QUOTES,PIPES_AS_CONCAT", "STRICT_ALL_TABLES", ""):
        found = connect(sql_mode=mode).execute("SELECT @@sql_mode").fetchone()[0]
        assert sorted(found.split(",")) == sorted(mode.split(","))
    with pytest.raises(mizzle.OperationalError, match="1231"):
        connect(sql_mode="NO_SUCH_MODE")


def test_autocommit(connect: Connect) -> None:
    for given, found in ((True, 1), (False, 0), (None, 1)):
        conn = connect(autocommit=given)
        assert conn.execute("SELECT @@autocommit").fetchone() == (found,)
        assert conn.get_autocommit() == bool(found)


def test_client_flags(connect: Connect, admin: Any) -> None:
    """An interactive client has a timeout of its own."""
    [(interactive,)] = admin.execute("SELECT @@global.interactive_timeout")
    admin.execute("SET GLOBAL interactive_timeout = 12345")
    try:
        conn = connect(client_flag=CLIENT_INTERACTIVE)
    finally:
        admin.execute(f"SET GLOBAL interactive_timeout = {interactive}")
    assert conn.execute("SELECT @@wait_timeout").fetchone() == (12345,)
    assert connect().execute("SELECT @@wait_timeout").fetchone() != (12345,)


@pytest.mark.feature("CLIENT_SSL_VERIFY_SERVER_CERT")
def test_a_flag_that_verifies(dial: Connect, server: Server) -> None:
    for flag in (CLIENT_SSL_VERIFY_SERVER_CERT, CLIENT_SSL_VERIFY_SERVER_CERT | CLIENT_INTERACTIVE):
        conn = dial(client_flag=flag, ssl_ca=server.ca_file)
        assert conn.tls.context.check_hostname


def test_database(connect: Connect, server: Server) -> None:
    assert connect().execute("SELECT DATABASE()").fetchone() == (server.database,)
    conn = connect(database=None)
    assert conn.execute("SELECT DATABASE()").fetchone() == (None,)
    with pytest.raises(mizzle.OperationalError, match="1046"):
        conn.execute("CREATE TABLE nowhere (id INT)")


def test_collation(connect: Connect) -> None:
    row = connect(collation="utf8mb4_unicode_ci").execute("SELECT @@collation_connection, 'ß' = 'ss'").fetchone()
    assert row == ("utf8mb4_unicode_ci", 1)
    assert connect(charset="utf8").character_set_name() == "utf8mb3"
    assert connect(charset="utf8mb4").execute("SELECT @@character_set_connection").fetchone() == ("utf8mb4",)


@pytest.mark.feature("connection attributes")
def test_attributes(connect: Connect, admin: Any) -> None:
    conn = connect(program_name="tést", connect_attrs={"shift": "night", "long": "x" * 100})
    sql = "SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs WHERE processlist_id = %s"
    found = dict(admin.execute(sql, [conn.thread_id()]))
    assert found["_client_name"] == "mizzle"
    assert found["_client_version"] == mizzle.__version__
    assert found["_pid"] == str(os.getpid())
    assert (found["program_name"], found["shift"], found["long"]) == ("tést", "night", "x" * 100)


def test_url(dial: Connect, server: Server) -> None:
    conn = dial(url=f"{server.url}?charset=latin1&autocommit=true&ssl_mode=required")
    row = conn.execute("SELECT DATABASE(), @@character_set_client, @@autocommit").fetchone()
    assert row == (server.database, "latin1", 1)
    assert conn.tls is not None
    assert dial(url=server.url, database="mysql").execute("SELECT DATABASE()").fetchone() == ("mysql",)
    by_socket = dial(url=f"mysql://{server.user}:{server.password}@localhost/?unix_socket={server.unix_socket}")
    assert by_socket.host_info == "Localhost via UNIX socket"


def test_option_file(world: World, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "my.cnf"
    path.write_text(
        f"[client]\nhost = {server.host}\nport = {server.port}\nuser = {server.user}\npassword = 'wrong'\n"
        f"ssl-ca = {server.ca_file}\n"
        f'[night]\npassword = "{server.password}"\ndatabase = {server.database}\n'
    )
    with world.connect(read_default_file=str(path), read_default_group="night") as conn:
        assert conn.execute("SELECT DATABASE()").fetchone() == (server.database,)
        assert conn.tls is not None
    with world.connect(read_default_file=str(path), password=server.password, ssl_mode="disabled") as conn:
        assert conn.tls is None
    with pytest.raises(mizzle.OperationalError, match="1045"):
        world.connect(read_default_file=str(path))


def test_names_of_hosts(world: World, server: Server) -> None:
    arguments = server.connect_args(host="localhost", ssl_mode="verify_identity", ssl_ca=server.ca_file)
    with world.connect(**arguments) as conn:
        assert conn.host_info == f"socket localhost:{server.port}"


def test_rows_and_cursors_by_default(connect: Connect) -> None:
    sql = "SELECT 1 AS a"
    assert connect(cursorclass=mizzle.DictCursor).execute(sql).fetchall() == [{"a": 1}]
    assert connect(row_factory=rows.scalar_row).execute(sql).fetchall() == [1]
    with connect(cursorclass=mizzle.StreamingCursor).cursor() as cur:
        cur.execute(sql)
        assert cur.rowcount == -1


def test_timeouts(connect: Connect) -> None:
    conn = connect(timeout=0.05)
    assert conn.timeout == 0.05
    assert conn.execute("SELECT SLEEP(0.1)", timeout=10).fetchall() == [(0,)]
    with pytest.raises(mizzle.OperationalError, match="timed out") as caught:
        conn.execute("SELECT SLEEP(10)")
    assert caught.value.args[0] == 3024
    assert caught.value.sent
    assert caught.value.alive


def test_the_timeout_is_told_to_the_server(connect: Connect, server: Server) -> None:
    conn = connect(timeout=7.5, timeout_on_server=True)
    variable, value = ("max_statement_time", 7.5) if server.is_mariadb else ("max_execution_time", 7500)
    assert conn.execute(f"SELECT @@{variable}").fetchall() == [(value,)]
    conn.reset()
    assert conn.execute(f"SELECT @@{variable}").fetchall() == [(value,)]


def test_bind_address(connect: Connect) -> None:
    conn = connect(bind_address="127.0.0.3")
    host = conn.execute("SELECT host FROM information_schema.processlist WHERE id = CONNECTION_ID()").fetchone()[0]
    assert host.startswith("127.0.0.3:")


def test_nobody_listens(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(mizzle.OperationalError) as caught:
        connect(port=1)
    assert caught.value.args[0] == 2003
    with pytest.raises(mizzle.OperationalError) as caught:
        connect(unix_socket=tmp_path / "none.sock")
    assert caught.value.args[0] == 2002
    assert not caught.value.sent


@pytest.mark.feature("interactive sessions")
def test_interactive_sessions_have_their_own_timeout(connect: Connect) -> None:
    query = "SELECT @@wait_timeout = @@interactive_timeout, @@global.wait_timeout = @@wait_timeout"
    admin = connect(autocommit=True)
    [(before,)] = admin.execute("SELECT @@global.interactive_timeout").fetchall()
    admin.execute("SET GLOBAL interactive_timeout = 12345")
    try:
        assert connect(interactive=True).execute("SELECT @@wait_timeout").fetchone() == (12345,)
        assert connect().execute(query).fetchone() == (0, 1)
    finally:
        admin.execute("SET GLOBAL interactive_timeout = %s", (before,))


def test_compression_in_use(dial: Connect, server: Server) -> None:
    assert dial().compression is None
    assert dial(compress="zlib").compression == "zlib"
    assert dial(compress=True).compression == ("zlib" if server.is_mariadb else "zstd")
