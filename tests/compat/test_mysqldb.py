"""Code written for mysqlclient, on mizzle: what it does otherwise than PyMySQL."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest

from mizzle.testing import Server

Connect = Callable[..., Any]


@pytest.fixture
def connect(mysqldb: ModuleType, server: Server) -> Iterator[Connect]:
    """MySQLdb.connect to the server; closed at the end of the test."""
    with ExitStack() as stack:

        def connect(**keywords: Any) -> Any:
            return stack.enter_context(mysqldb.connect(**server.connect_args(**keywords)))

        yield connect


def test_names(mysqldb: ModuleType) -> None:
    _mysql = importlib.import_module("MySQLdb._mysql")
    assert mysqldb._mysql is _mysql
    assert mysqldb._exceptions.OperationalError is _mysql.OperationalError
    assert importlib.import_module("MySQLdb.connections").Connection is mysqldb.Connection
    assert mysqldb.escape_string("it's") == b"it\\'s"
    assert mysqldb.string_literal(b'"') == b"'\\\"'"
    assert importlib.import_module("MySQLdb.constants.ER").DUP_ENTRY == 1062


@pytest.mark.parametrize("kind", ["Cursor", "SSCursor", "DictCursor", "SSDictCursor"])
def test_rows_are_in_tuples_and_statements_are_bytes(connect: Connect, mysqldb: ModuleType, kind: str) -> None:
    with connect().cursor(getattr(mysqldb.cursors, kind)) as cur:
        assert cur._executed is None
        cur.execute("SELECT %s AS a UNION ALL SELECT 'b' UNION ALL SELECT 'c'", ("\N{SNOWMAN}",))
        assert cur._executed == "SELECT '\N{SNOWMAN}' AS a UNION ALL SELECT 'b' UNION ALL SELECT 'c'".encode()
        row: Any = (lambda text: {"a": text}) if "Dict" in kind else (lambda text: (text,))
        assert cur.fetchmany(2) == (row("\N{SNOWMAN}"), row("b"))
        assert cur.fetchall() == (row("c"),)


def test_several_statements_unless_told_otherwise(connect: Connect, mysqldb: ModuleType) -> None:
    cur = connect().cursor()
    cur.execute("SELECT 1; SELECT 2")
    assert cur.fetchall() == ((1,),)
    assert cur.nextset()
    assert cur.fetchall() == ((2,),)
    with pytest.raises(mysqldb.ProgrammingError):
        connect(multi_statements=False).cursor().execute("SELECT 1; SELECT 2")


def test_results_of_query(connect: Connect) -> None:
    conn = connect()
    conn.query("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' UNION ALL SELECT 3, 'z'")
    result = conn.store_result()
    assert (result.num_rows(), result.num_fields(), result.describe()[1][0]) == (3, 2, "b")
    assert result.fetch_row() == ((1, "x"),)
    assert result.fetch_row(1, 1) == ({"a": 2, "b": "y"},)
    assert result.fetch_row(0) == ((3, "z"),)
    assert result.fetch_row(0) == ()
    conn.query("DO 1")
    assert conn.use_result() is None


def test_settings_of_a_session(connect: Connect) -> None:
    conn = connect(binary_prefix=True)
    conn.set_sql_mode("ANSI_QUOTES")
    cur = conn.cursor()
    cur.execute(b"SELECT @@sql_mode, " + conn.literal("it's"))
    assert cur.fetchone() == ("ANSI_QUOTES", "it's")
    assert not conn.closed
    conn.abort()
    assert conn.closed


def test_bytes_and_bools_are_escaped_to_bytes(connect: Connect) -> None:
    conn = connect()
    assert conn.escape(b"it's") == b"'it\\'s'"
    assert (conn.escape(True, conn.encoders), conn.escape(False)) == (b"1", b"0")
    assert (conn.escape(7), conn.escape("x")) == ("7", "'x'")
    cur = conn.cursor()
    cur.execute(f"SELECT {conn.escape(bytes([255]))}, {conn.escape(True)}")
    assert cur.fetchall() == ((b"\xff", 1),)
    cur.execute(b"SELECT " + conn.literal(b"\xff") + b", 1 IN " + conn.literal((True, b"x")))
    assert cur.fetchall() == ((b"\xff", 1),)


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        ("Date_or_None", "2015-12-13", datetime.date(2015, 12, 13)),
        ("Date_or_None", "2015-12-40", None),
        ("Time_or_None", "01:02:03.5", datetime.time(1, 2, 3, 500000)),
        ("Time_or_None", "24:00:00", None),
        ("DateTime_or_None", "2015-12-13", datetime.date(2015, 12, 13)),
        ("DateTime_or_None", "2015-12-13T01:02", datetime.datetime(2015, 12, 13, 1, 2)),
        ("DateTime_or_None", "0000-00-00 00:00:00", None),
        ("TimeDelta_or_None", "-838:59:59.5", -datetime.timedelta(hours=838, minutes=59, seconds=59.5)),
        ("TimeDelta_or_None", "0", None),
        ("DateTime2literal", datetime.datetime(15, 2, 3, 4, 5, 6), b"'0015-02-03 04:05:06'"),
    ],
)
@pytest.mark.usefixtures("mysqldb")
def test_times(function: str, text: Any, value: object) -> None:
    times = importlib.import_module("MySQLdb.times")
    given = (text, None) if function.endswith("literal") else (text,)
    assert getattr(times, function)(*given) == value


def test_spans_are_written_as_the_servers_read_them(connect: Connect) -> None:
    times = importlib.import_module("MySQLdb.times")
    cur = connect().cursor()
    for span in (datetime.timedelta(hours=-1, seconds=-1), datetime.timedelta(days=3, microseconds=7)):
        cur.execute(b"SELECT CAST(" + times.DateTimeDelta2literal(span, None) + b" AS TIME(6))")
        assert cur.fetchone() == (span,)
