"""Code written for PyMySQL, on mizzle: names, arguments, results, patching and subclassing, reconnecting."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import mizzle
from mizzle.testing import Server

Connect = Callable[..., Any]

# Names

KINDS = ("CLIENT", "COMMAND", "CR", "ER", "FIELD_TYPE", "FLAG", "SERVER_STATUS")
#: Names in PyMySQL's modules that are no part of its interface: what it imports, its packets, its patterns.
PRIVATE = {
    "pymysql": {"sys", "optionfile", "protocol"},
    "pymysql.cursors": {"err", "RE_INSERT_VALUES"},
    "pymysql.err": {"struct", "error_map", "raise_mysql_exception"},
    "pymysql.converters": {"warnings", "ProgrammingError", "escape_bytes_prefixed", "escape_not_supported"}
    | {"DATETIME_RE", "TIMEDELTA_RE", "TIME_RE"},
    "pymysql.times": {"date", "time", "timedelta", "localtime"},
}
#: A command that there never was; errors to which PyMySQL gives numbers that no server gives them.
OTHERWISE = {"COM_END", "USERNAME", "HOSTNAME", "WRONG_STRING_LENGTH"}
REAL = """
import importlib, json
constants = {kind: {name: value for name, value in vars(importlib.import_module(f"pymysql.constants.{kind}")).items()
                    if name.isupper()} for kind in %r}
names = {module: [name for name in vars(importlib.import_module(module)) if not name.startswith("_")]
         for module in %r}
from pymysql import Connection, cursors
classes = {name: [key for key in dir(cls) if not key.startswith("_")]
           for name, cls in [("Connection", Connection), *((name, getattr(cursors, name)) for name in %r)]}
print(json.dumps([constants, names, classes]))
"""
CURSORS = ("Cursor", "SSCursor", "DictCursor", "SSDictCursor")


@pytest.fixture(scope="module")
def real() -> Any:
    """The names that the real PyMySQL has, read in another process."""
    json = importlib.import_module("json")
    program = REAL % (KINDS, tuple(PRIVATE), CURSORS)
    return json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)


@pytest.mark.usefixtures("pymysql")
def test_all_constants_are_there(real: Any) -> None:
    for kind, constants in real[0].items():
        ours = vars(importlib.import_module(f"pymysql.constants.{kind}"))
        same = [name for name in constants if name not in OTHERWISE]
        assert {name: ours.get(name) for name in same} == {name: constants[name] for name in same}


@pytest.mark.usefixtures("pymysql")
def test_all_public_names_are_there(real: Any) -> None:
    for module, names in real[1].items():
        ours = vars(importlib.import_module(module))
        assert {name for name in names if name not in ours} <= PRIVATE[module], module


def test_all_methods_and_attributes_are_there(pymysql: ModuleType, real: Any) -> None:
    for name, attributes in real[2].items():
        cls = pymysql.Connection if name == "Connection" else getattr(pymysql.cursors, name)
        assert {key for key in attributes if not hasattr(cls, key)} <= {"write_packet"}, name


@pytest.mark.usefixtures("places")
def test_taking_the_place_of_a_module_in_use_warns() -> None:
    importlib.import_module("pymysql")
    with pytest.warns(mizzle.Warning, match="pymysql was imported before"):
        mizzle.install_as_pymysql()
    mizzle.install_as_pymysql()
    assert sys.modules["pymysql.cursors"].__name__ == "mizzle.compat.pymysql.cursors"


# Arguments and results


def test_positions_and_old_names(pymysql: ModuleType, server: Server) -> None:
    place = (server.host, server.user, server.password, server.database, server.port)
    with pymysql.Connection(*place) as conn:
        assert (conn.host, conn.user, conn.db, conn.port) == (server.host, server.user, server.database, server.port)
    given = {"host": server.host, "port": server.port, "user": server.user}
    with pymysql.connect(**given, passwd=server.password, db=server.database) as conn:
        assert conn.open
        assert not conn._closed
    assert conn._closed
    with pytest.raises(TypeError, match="host twice"):
        pymysql.connect(server.host, host=server.host)


def test_rows_and_lists_of_rows(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    with conn.cursor() as cur:
        assert cur.execute("SELECT %s UNION ALL SELECT 'b'", "a") == 2
        assert cur._executed == "SELECT 'a' UNION ALL SELECT 'b'"
        assert cur.fetchall() == (("a",), ("b",))
        assert cur.fetchall() == ()
        cur.execute("SELECT 1 IN %s", ((1, 2),))
        assert cur.fetchmany(1) == ((1,),)
        assert iter(cur) is cur
        assert cur.executemany("INSERT INTO nowhere VALUES (%s)", []) is None
        cur.execute("SELECT _binary %s", (b"\xff",))
        assert cur.fetchone() == (b"\xff",)
    with conn.cursor(pymysql.cursors.DictCursor) as cur:
        cur.execute("SELECT 1 AS a")
        assert cur.fetchall() == [{"a": 1}]
    with conn.cursor(pymysql.cursors.SSDictCursor) as cur:
        cur.execute("SELECT 1 AS a UNION ALL SELECT 2")
        assert cur.fetchmany(1) == [{"a": 1}]
        assert list(cur.fetchall_unbuffered()) == [{"a": 2}]


def test_query_of_the_connection(connect: Connect) -> None:
    conn = connect()
    assert conn.query("CREATE TEMPORARY TABLE t (a INT AUTO_INCREMENT PRIMARY KEY)") == 0
    assert conn.query("INSERT INTO t VALUES (), ()") == 2
    assert (conn.affected_rows(), conn.insert_id()) == (2, 1)


def test_an_abandoned_stream_is_dropped_with_a_warning(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    cur = conn.cursor(pymysql.cursors.SSCursor)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
    cur.execute(f"{numbers} SELECT i, REPEAT('x', 999) FROM n")
    assert cur.fetchone()[0] == 1
    other = conn.cursor()
    with pytest.warns(UserWarning, match="left incomplete"):
        other.execute("SELECT 1")
    assert other.fetchone() == (1,)


def test_after_a_failed_nextset_there_are_no_rows(connect: Connect, pymysql: ModuleType) -> None:
    cur = connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS).cursor()
    cur.execute("SELECT 1; xyzzy")
    with pytest.raises(pymysql.ProgrammingError):
        cur.nextset()
    assert cur.fetchall() == []
    assert cur.fetchone() is None


def test_load_data_local_sends_the_file_that_the_statement_names(
    connect: Connect, pymysql: ModuleType, tmp_path: Path
) -> None:
    file = tmp_path / "it's.csv"
    file.write_text("1\n2\n")
    name = str(file).replace("'", "\\'")
    with connect(local_infile=True).cursor() as cur:
        cur.execute("CREATE TEMPORARY TABLE loaded (a INT)")
        assert cur.execute(f"LOAD DATA LOCAL INFILE '{name}' INTO TABLE loaded") == 2
        with pytest.raises(pymysql.OperationalError, match="1017"):
            cur.execute("LOAD DATA LOCAL INFILE '/nowhere/at/all' INTO TABLE loaded")
    with connect().cursor() as cur, pytest.raises(pymysql.Error):
        cur.execute(f"LOAD DATA LOCAL INFILE '{name}' INTO TABLE {'loaded'}")


# Converters


class Shout(str):
    __slots__ = ()


def test_changed_conversions(connect: Connect, pymysql: ModuleType) -> None:
    types, converters = pymysql.constants.FIELD_TYPE, pymysql.converters
    conv = converters.conversions.copy()
    conv[types.NEWDECIMAL] = float
    del conv[types.LONGLONG]
    conv[Shout] = lambda value, mapping: converters.escape_str(value.upper(), mapping)
    with connect(conv=conv).cursor() as cur:
        cur.execute("SELECT 1.5, 10000000000, %s, %s", (Shout("it's"), Decimal("0.1")))
        assert cur.fetchone() == (1.5, "10000000000", "IT'S", 0.1)


def test_encoders_of_a_connection_can_be_changed(connect: Connect) -> None:
    conn = connect()
    conn.encoders[Shout] = lambda *_: "7.50"
    assert conn.escape([Shout("x")], conn.encoders) == "(7.50)"
    with conn.cursor() as cur:
        cur.execute("SELECT %s", (Shout("x"),))
        assert cur.fetchone() == (Decimal("7.50"),)


def test_an_encoder_cannot_write_sql(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    conn.encoders[Shout] = lambda *_: "NOW()"
    with conn.cursor() as cur, pytest.raises(pymysql.NotSupportedError, match="an encoder of conv= gave"):
        cur.execute("SELECT %s", (Shout("x"),))


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1),
        ("-1.50", Decimal("-1.50")),
        ("1e3", 1000.0),
        ("NULL", None),
        ("true", True),
        ("'a\\nb''c\\\\'", "a\nb'c\\"),
        ("_binary'\\0x'", b"\0x"),
    ],
)
def test_values_of_literals(literal: str, value: object) -> None:
    from mizzle.compat.pymysql.converters import value_of  # noqa: PLC0415 (nothing else needs it)

    assert value_of(literal) == value


# Patched and subclassed


def test_subclassed_cursors(connect: Connect, pymysql: ModuleType) -> None:
    class Counting(pymysql.cursors.Cursor):  # type: ignore[misc, name-defined]
        executed = 0

        def execute(self, query: str, args: Any = None) -> Any:
            type(self).executed += 1
            return super().execute(query, args)

    class Ordered(pymysql.cursors.DictCursorMixin, pymysql.cursors.Cursor):  # type: ignore[misc, name-defined]
        dict_type = OrderedDict

    conn = connect(cursorclass=Counting)
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    assert Counting.executed == 1
    with conn.cursor(Ordered) as cur:
        cur.execute("SELECT 1 AS a")
        assert type(cur.fetchone()) is OrderedDict


def test_methods_can_be_patched(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    gone = mock.patch.object(pymysql.Connection, "ping", side_effect=pymysql.OperationalError(2006, "gone"))
    with gone, pytest.raises(pymysql.OperationalError):
        conn.ping()
    conn.ping()


# Connecting again


def test_defer_connect(pymysql: ModuleType, server: Server) -> None:
    conn = pymysql.connect(**server.connect_args(defer_connect=True))
    assert not conn.open
    with pytest.raises(pymysql.InterfaceError, match="defer_connect"):
        conn.cursor().execute("SELECT 1")
    conn.connect()
    with conn:
        assert conn.open


def ping_until_it_fails(conn: Any) -> None:
    while True:
        conn.ping()


def lose(conn: Any, connect: Connect, pymysql: ModuleType) -> None:
    connect().kill(conn.thread_id())
    with pytest.raises(pymysql.OperationalError):
        ping_until_it_fails(conn)


def test_ping_reconnects_only_when_it_is_told_to(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect(autocommit=True)
    conn.select_db("mysql")
    before = conn.thread_id()
    lose(conn, connect, pymysql)
    with pytest.raises(pymysql.InterfaceError):
        conn.ping()
    conn.ping(reconnect=True)
    assert conn.thread_id() != before
    assert conn.get_autocommit()
    with conn.cursor() as cur:
        cur.execute("SELECT DATABASE()")
        assert cur.fetchone() == ("mysql",)
    conn.close()
    conn.ping(True)
    assert conn.open


def test_reconnecting_says_that_a_transaction_was_lost(connect: Connect, pymysql: ModuleType) -> None:
    conn = connect()
    conn.begin()
    lose(conn, connect, pymysql)
    with pytest.warns(mizzle.Warning, match="with a transaction open"):
        conn.ping(reconnect=True)


# MySQLdb


def test_mysqldb(mysqldb: ModuleType, server: Server) -> None:
    client = importlib.import_module("MySQLdb.constants.CLIENT")
    errors = importlib.import_module("MySQLdb.constants.CR")
    cursors = importlib.import_module("MySQLdb.cursors")
    given = {"host": server.host, "port": server.port, "user": server.user, "charset": "utf8mb4"}
    with mysqldb.connect(
        **given,
        passwd=server.password,
        db=server.database,
        client_flag=client.FOUND_ROWS,
        cursorclass=cursors.DictCursor,
    ) as conn:
        cur = conn.cursor()
        cur.execute("SELECT %s AS a", ["x"])
        assert cur.fetchall() == ({"a": "x"},)
    assert mysqldb.escape_string("it's") in {b"it''s", b"it\\'s"}
    assert errors.SERVER_LOST == 2013
    assert mysqldb._exceptions.OperationalError is mizzle.OperationalError
    assert mysqldb.version_info >= (2, 2, 1)
