"""Values in statements: sequences, quoting in both modes of backslashes, percent signs."""

from __future__ import annotations

import decimal
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.protocols("prepared")

NASTY = ["'", "\\", "\\'", "''", '"', "\\\\'; DROP TABLE x; -- ", "%s", "%", "\0\x1a\n\r", "\\%\\_", "`"]


def test_sequences_for_in(conn: Any) -> None:
    sql = "SELECT 2 IN %s, 'b' IN %s, 9 NOT IN %s"
    assert conn.execute(sql, [[1, 2], ("a", "b"), frozenset([7])]).fetchone() == (1, 1, 1)
    assert conn.execute("SELECT (1, 'x') IN %s", [[(1, "x"), (2, "y")]]).fetchone() == (1,)
    assert conn.execute("SELECT 1 IN %(ids)s", {"ids": [3, None, 1]}).fetchone() == (1,)


def test_an_empty_sequence_is_refused(conn: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="empty") as refused:
        conn.execute("SELECT 1 IN %s", [[]])
    assert not refused.value.sent
    assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("value", [{"a": 1}, object(), float("nan"), float("inf"), decimal.Decimal("NaN")])
def test_what_has_no_literal_is_refused(conn: Any, value: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError) as refused:
        conn.execute("SELECT %s", [value])
    assert not refused.value.sent
    conn.ping()


@pytest.mark.bytes_alone
def test_nasty_text_and_bytes(conn: Any) -> None:
    data = [text.encode() for text in NASTY]
    assert list(conn.execute(f"SELECT {', '.join(['%s'] * len(NASTY))}", NASTY).fetchone()) == NASTY
    assert list(conn.execute(f"SELECT {', '.join(['%s'] * len(data))}", data).fetchone()) == data


def test_backslashes_follow_the_sql_mode_of_the_moment(conn: Any) -> None:
    sql = f"SELECT {', '.join(['%s'] * len(NASTY))}"
    for mode in ("NO_BACKSLASH_ESCAPES", "", "ANSI,NO_BACKSLASH_ESCAPES", "ANSI"):
        conn.execute("SET sql_mode = %s", [mode])
        assert list(conn.execute(sql, NASTY).fetchone()) == NASTY
        assert conn.escape("\\") == ("'\\'" if "NO_" in mode else "'\\\\'")
        cur = conn.cursor()
        conn.execute("CREATE TEMPORARY TABLE v (id INT, s TEXT, b BLOB)")
        rows = [(number, text, text.encode()) for number, text in enumerate(NASTY)]
        cur.executemany("INSERT INTO v VALUES (%s, %s, %s)", rows)
        assert conn.execute("SELECT * FROM v ORDER BY id").fetchall() == rows
        conn.execute("DROP TEMPORARY TABLE v")


def test_backslashes_follow_the_mode_of_the_options(connect: Callable[..., Any]) -> None:
    conn = connect(sql_mode="NO_BACKSLASH_ESCAPES")
    assert conn.execute("SELECT %s, LENGTH(%s)", ["\\", b"\\\\"]).fetchone() == ("\\", 2)


def test_percent_signs(conn: Any) -> None:
    assert conn.execute("SELECT '100%', 'a' LIKE '%', '%s'").fetchone() == ("100%", 1, "%s")
    assert conn.execute("SELECT '100%%', 'a' LIKE '%%', %s", ["%s"]).fetchone() == ("100%", 1, "%s")
    assert conn.execute("SELECT '%%', 7 %% 4", ()).fetchone() == ("%", 3)
    assert conn.execute("SELECT 7 % 4").fetchone() == (3,)


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("SELECT %s, %s", [1]),
        ("SELECT %s", [1, 2]),
        ("SELECT %(a)s", {"b": 1}),
        ("SELECT %s", {"a": 1}),
        ("SELECT %(a)s", [1]),
        ("SELECT '%'", ()),
    ],
)
def test_parameters_that_do_not_fit_their_placeholders(conn: Any, sql: str, args: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError) as refused:
        conn.execute(sql, args)
    assert not refused.value.sent
    assert refused.value.alive
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_sql_as_bytes(conn: Any) -> None:
    assert conn.execute(b"SELECT '\xc3\xa9', _binary'\xff'").fetchone() == ("é", b"\xff")


@pytest.mark.bytes_alone
def test_encoders_of_the_connection(connect: Callable[..., Any]) -> None:
    conn = connect(conv={uuid.UUID: lambda value: value.bytes, complex: lambda value: f"{value.real}'{value.imag}"})
    value = uuid.uuid4()
    assert conn.execute("SELECT %s, %s", [value, 1 + 2j]).fetchone() == (value.bytes, "1.0'2.0")


def test_decoders_of_the_connection(connect: Callable[..., Any]) -> None:
    conn = connect(conv={246: float, 253: lambda value: value.upper()})
    assert conn.execute("SELECT 1.25, 'abc', 7, _binary'x'").fetchone() == (1.25, "ABC", 7, b"X")


def test_a_decoder_that_fails_leaves_the_connection_in_order(connect: Callable[..., Any]) -> None:
    def fail(text: str) -> Any:
        raise ArithmeticError(text)

    conn = connect(conv={246: fail})
    for kind in (mizzle.Cursor, mizzle.StreamingCursor):
        with pytest.raises(ArithmeticError, match=r"1\.25"):
            read_all(conn.cursor(kind), "SELECT 1.25 UNION ALL SELECT 2.5")
    assert conn.execute("SELECT 7").fetchone() == (7,)


def read_all(cursor: Any, sql: str) -> Any:
    with cursor:
        cursor.execute(sql)
        return cursor.fetchall()
