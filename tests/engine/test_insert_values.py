"""INSERT … VALUES: which statements are folded, where they are cut, and the statements of many rows."""

from __future__ import annotations

import datetime as dt
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzle.engine.insert_values import Folded, fold, fold_insert
from mizzle.engine.literals import Literals
from mizzle.errors import ProgrammingError

# «…» marks the row
FOLDED = [
    "INSERT INTO t VALUES «(%s)»",
    "insert t value«(%s, %s)»",
    "REPLACE INTO db.t (a, b) VALUES «(%s, %s)» ;",
    "INSERT LOW_PRIORITY IGNORE INTO `d``b` . `t(` (`a)`, b) VALUES «(%(a)s, %(b)s)»",
    "INSERT HIGH_PRIORITY t () VALUES «()»",
    'INSERT INTO "t" ("a") VALUES «(%s)»',
    "INSERT INTO t PARTITION (p0, p1) (a) VALUES «(%s)»",
    "INSERT INTO größe (straße) VALUES «(%s)»",
    "/* from a service */ INSERT /*+ SET_VAR(a=1) */ INTO t VALUES «(%s)» -- the end; (",
    "-- first\nINSERT INTO t # (\n VALUES «(%s /* ) */, 'a)')»--\t)",
    "INSERT /*!80000 IGNORE */ INTO t VALUES «(%s)»",
    "INSERT /*M!100000 IGNORE */ INTO t VALUES «(%s /*!, 5 */)»",
    "INSERT INTO t VALUES «(%s, NOW(6), CONCAT('(', %s, \")\"), (SELECT max(x) FROM u WHERE y = %s))»",
    "INSERT INTO t VALUES «(%s, DEFAULT, NULL, -1.5e3, 0xFF, x'00', _utf8mb4'é', @variable, 5 %% 3)»",
    "INSERT INTO t VALUES «('it''s', '''', 'a''b)', '%%')»",
    "INSERT INTO t VALUES «(5--%s)»",
    "INSERT INTO t VALUES «(%s)» ON DUPLICATE KEY UPDATE a = VALUES(a), b = '50%%'",
    "INSERT INTO t (a) VALUES «(%s)» AS new ON DUPLICATE KEY UPDATE a = new.a",
    "INSERT INTO t (a) VALUES «(%s)» AS `new` (x) ON DUPLICATE KEY UPDATE a = x;",
    "INSERT INTO t (a) VALUES «(%s)» RETURNING id, (SELECT 1)",
    "INSERT INTO t (a) VALUES «(%s)» ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id) RETURNING id",
    "INSERT INTO t VALUES «('%s')»",
    "INSERT INTO ignored_table VALUES «(%s)»",
]

NOT_FOLDED = [
    "",
    ";",
    "SELECT 1",
    "UPDATE t SET a = %s",
    "EXPLAIN INSERT INTO t VALUES (%s)",
    "REPLACE(%s, 'a', 'b')",
    "INSERT",
    "INSERT INTO",
    "INSERT INTO t",
    "INSERT INTO t VALUES",
    "INSERT INTO t VALUES (",
    "INSERT INTO t VALUES (%s",
    "INSERT INTO t VALUES %s",
    "INSERT INTO t VALUES (%s))",
    "INSERT INTO t VALUES (%s) x",
    "INSERT INTO t VALUES (%s), (%s)",
    "INSERT INTO t VALUES (1), (%s)",
    "INSERT INTO t VALUES ROW(%s)",
    "INSERT INTO t SET a = %s",
    "INSERT INTO t SELECT %s",
    "INSERT INTO t (a) SELECT a FROM u WHERE a = %s",
    "INSERT INTO t (SELECT a FROM u WHERE a = %s)",
    "INSERT INTO t TABLE u",
    "INSERT INTO %s VALUES (%s)",
    "INSERT INTO t PARTITION (%s) VALUES (%s)",
    "INSERT INTO t (a /* %s */) VALUES (%s)",
    "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = %s",
    "INSERT INTO t VALUES (%(a)s) ON DUPLICATE KEY UPDATE a = %(a)s",
    "INSERT INTO t VALUES (%s) -- %s",
    "INSERT INTO t VALUES (%s); DELETE FROM t",
    "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = 1; DELETE FROM t",
    "INSERT INTO t VALUES (%s);;",
    "INSERT INTO t VALUES (%s; %s)",
    "INSERT INTO t VALUES (%s, 'open)",
    "INSERT INTO t VALUES (%s, `open)",
    "INSERT INTO t VALUES (%s /* open)",
    "INSERT INTO t VALUES (%s /*! open)",
    "INSERT INTO t VALUES (%s -- )",
    "INSERT INTO t VALUES (%s) /*!, (1) */",
    "INSERT INTO t VALUES (%s) /*! SELECT */ ON DUPLICATE KEY UPDATE a = 1",
    "INSERT INTO t /*! VALUES (1), */ VALUES (%s)",
    "INSERT INTO t VALUES (/*!50000 %s), */ (%s)",
    "INSERT INTO t VALUES (%d)",
    "INSERT INTO t VALUES (%s, %(a)s)",
    "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = a % 5",
    "INSERT INTO t VALUES (%s, LAST_INSERT_ID())",
    "INSERT INTO t VALUES (%s, row_count())",
    "INSERT INTO t VALUES (%s, @n := @n + 1)",
    "INSERT INTO t VALUES (%s, (SELECT max(id) FROM t))",
    "INSERT INTO db.`T` VALUES (%s, (SELECT max(id) FROM db.t))",
    "INSERT INTO `` VALUES (%s)",
]


@pytest.mark.parametrize("marked", FOLDED)
def test_statements_that_are_folded(marked: str) -> None:
    prefix, rest = marked.split("«")
    row, suffix = rest.split("»")
    assert fold_insert(prefix + row + suffix) == Folded(prefix, row, suffix)


@pytest.mark.parametrize("sql", NOT_FOLDED)
def test_statements_that_are_not(sql: str) -> None:
    assert fold_insert(sql) is None


def test_a_string_whose_end_depends_on_the_sql_mode() -> None:
    escaped = r"INSERT INTO t VALUES (%s, 'it\'s)')"
    assert fold_insert(escaped) is None
    assert fold_insert(escaped, no_backslash_escapes=False) == ("INSERT INTO t VALUES ", r"(%s, 'it\'s)')", "")
    assert fold_insert(escaped, no_backslash_escapes=True) is None
    plain = r"INSERT INTO t VALUES ('\', %s)"
    assert fold_insert(plain) is None
    assert fold_insert(plain, no_backslash_escapes=False) is None
    assert fold_insert(plain, no_backslash_escapes=True) == ("INSERT INTO t VALUES ", r"('\', %s)", "")
    for either in (r"INSERT INTO t VALUES ('C:\\dir', %s)", r"INSERT INTO t VALUES ('a\nb', %s)"):
        assert fold_insert(either) is not None
    # within double quotes a backslash escapes only where they hold a string: ANSI_QUOTES is not known
    assert fold_insert(r'INSERT INTO t VALUES ("a\"b", %s)', no_backslash_escapes=False) is None


def test_long_statements_are_taken_apart_but_not_kept() -> None:
    before = fold_insert("INSERT INTO t VALUES (%s)")
    sql = "INSERT INTO t VALUES (%s, '" + "x" * 1_000_000 + "')"
    references = sys.getrefcount(sql)
    folded = fold_insert(sql)
    assert folded is not None
    assert folded.row.endswith("x')")
    assert sys.getrefcount(sql) == references
    assert fold_insert("INSERT INTO t VALUES (%s)") is before


PIECES = [
    "VALUES",
    "(",
    ")",
    ",",
    "'",
    '"',
    "`",
    "\\",
    "-- ",
    "\n",
    "#",
    "/*",
    "*/",
    "/*!",
    ";",
    "%s",
    "%%",
    "AS",
    "ON",
    "x",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES)))
def test_whatever_is_folded_is_the_statement(parts: list[str]) -> None:
    sql = "INSERT INTO t VALUES (" + " ".join(parts)
    folded = fold_insert(sql)
    assert folded is None or "".join(folded) == sql


# ---------------------------------------------------------------------------------------------------------------- rows


def statements(sql: str, rows: Any, max_bytes: int = 1_000_000, literals: Literals | None = None) -> list[bytes]:
    folded = fold_insert(sql)
    assert folded is not None
    return list(fold(literals or Literals(), folded, rows, max_bytes))


def test_rows_are_listed_after_each_other() -> None:
    sql = "INSERT INTO t VALUES (%s, UPPER(%s)) ON DUPLICATE KEY UPDATE a = a %% 5"
    expected = b"INSERT INTO t VALUES (1, UPPER('a')),(2, UPPER(NULL)) ON DUPLICATE KEY UPDATE a = a % 5"
    assert statements(sql, [(1, "a"), [2, None]]) == [expected]


def test_rows_of_mappings_and_of_single_values() -> None:
    rows = [{"a": 1, "b": "x"}, {"b": "y", "a": 2, "c": object()}]
    assert statements("INSERT INTO t VALUES (%(b)s, %(a)s)", rows) == [b"INSERT INTO t VALUES ('x', 1),('y', 2)"]
    assert statements("INSERT INTO t VALUES (%s)", "ab") == [b"INSERT INTO t VALUES ('a'),('b')"]


def test_no_rows_no_statement() -> None:
    assert statements("INSERT INTO t VALUES (%s)", []) == []
    assert statements("INSERT INTO t VALUES (%s)", iter(())) == []


@pytest.mark.parametrize("max_bytes", range(1, 120))
def test_no_statement_is_longer_than_allowed_but_for_a_row_alone(max_bytes: int) -> None:
    prefix, suffix = b"INSERT INTO t VALUES ", b" RETURNING id"
    rows = [(number, "x" * (number * 7 % 13)) for number in range(30)]
    found = statements("INSERT INTO t VALUES (%s,%s) RETURNING id", iter(rows), max_bytes)
    written = []
    for number, statement in enumerate(found):
        assert statement.startswith(prefix)
        assert statement.endswith(suffix)
        body = statement.removeprefix(prefix).removesuffix(suffix)
        written.append(body)
        assert len(statement) <= max_bytes or b"),(" not in body
        if number:  # and none is shorter than it has to be
            first = body.split(b"),(")[0] + b")" * (b"),(" in body)
            assert len(found[number - 1]) + 1 + len(first) > max_bytes
    assert b",".join(written) == b",".join(b"(%d,'%s')" % (number, text.encode()) for number, text in rows)


def test_a_long_row_between_short_ones_goes_alone() -> None:
    found = statements("INSERT INTO t VALUES (%s)", [("a",), ("b",), ("x" * 5000,), ("c",)], 100)
    assert [len(statement) for statement in found] == [len(b"INSERT INTO t VALUES ('a'),('b')"), 5025, 26]


def test_rows_are_taken_as_they_are_needed() -> None:
    taken = 0

    def rows() -> Iterator[tuple[str]]:
        nonlocal taken
        while True:
            taken += 1
            yield ("x" * 20,)

    folded = fold_insert("INSERT INTO t VALUES (%s)")
    assert folded is not None
    batches = fold(Literals(), folded, rows(), 1000)
    assert taken == 0
    first = next(batches)
    assert taken == first.count(b"xxx'") + 1
    assert next(batches).count(b"(") == first.count(b"(")


def test_an_endless_load_holds_one_statement() -> None:
    folded = fold_insert("INSERT INTO t VALUES (%s, %s)")
    assert folded is not None
    batches = fold(Literals(), folded, ((number, "x" * 50) for number in range(20_000)), 10_000)
    next(batches)
    tracemalloc.start()
    try:
        assert sum(len(statement) for statement in batches) > 1_000_000
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


ROW_ERRORS = [
    ((1,), 2034, "row 3: the statement has 2 placeholders, 1 parameter was given"),
    ((1, 2, 3), 2034, "row 3: the statement has 2 placeholders, 3 parameters were given"),
    ({"a": 1}, 2034, "row 3: the placeholders are %s, but the parameters are a dict"),
    ((1, {}), 2036, "row 3: parameter 2: a value of type dict"),
    ((float("nan"), 1), 2036, "row 3: parameter 1: MySQL has no such number: nan"),
    ((1, (2, [])), 2036, "row 3: parameter 2: an empty list"),
    (None, 2034, "row 3: the statement has 2 placeholders, 1 parameter was given"),
]


@pytest.mark.parametrize(("row", "errno", "message"), ROW_ERRORS)
@pytest.mark.parametrize("max_bytes", [10, 1000])
def test_an_error_names_its_row(row: Any, errno: int, message: str, max_bytes: int) -> None:
    folded = fold_insert("INSERT INTO t VALUES (%s, %s)")
    assert folded is not None
    batches = fold(Literals(), folded, [(1, 2), (1, 2), row, (1, 2)], max_bytes)
    with pytest.raises(ProgrammingError) as caught:
        list(batches)
    assert caught.value.args[0] == errno
    assert caught.value.args[1].startswith(message)
    assert list(batches) == []


def test_an_error_names_row_and_name() -> None:
    with pytest.raises(ProgrammingError, match=r"row 2: parameter %\(a\)s: "):
        statements("INSERT INTO t VALUES (%(a)s)", [{"a": 1}, {"a": {}}])
    with pytest.raises(ProgrammingError, match=r"row 2: no value was given for the placeholder %\(a\)s"):
        statements("INSERT INTO t VALUES (%(a)s)", [{"a": 1}, {"b": 2}])
    with pytest.raises(ProgrammingError, match="row 1: the placeholders are named"):
        statements("INSERT INTO t VALUES (%(a)s)", [(1,)])


def test_errors_of_the_rows_themselves_escape() -> None:
    def rows() -> Iterator[tuple[int]]:
        yield (1,)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        statements("INSERT INTO t VALUES (%s)", rows())
    with pytest.raises(TypeError, match="not iterable"):
        statements("INSERT INTO t VALUES (%s)", 5)
    with pytest.raises(UnicodeEncodeError):
        statements("INSERT INTO t VALUES (%s)", ["\ud800"])


def test_other_charsets_and_modes() -> None:
    literals = Literals("gbk")
    literals.no_backslash_escapes = True
    found = statements("INSERT INTO 表 VALUES (%s, '功')", [("功\\'",), (b"\xbf'",)], literals=literals)
    assert found == ["INSERT INTO 表 VALUES ('功\\''', '功'),(_binary X'BF27', '功')".encode("gbk")]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(), st.text(max_size=9), st.binary(max_size=9), st.dates()), min_size=1, max_size=20),
    st.integers(1, 400),
)
def test_folded_rows_are_what_each_row_alone_would_be(
    rows: list[tuple[int, str, bytes, dt.date]], max_bytes: int
) -> None:
    try:
        alone = [Literals().assemble("(%s,%s,%s,%s)", row) for row in rows]
    except UnicodeEncodeError:
        return
    found = statements("INSERT INTO t VALUES (%s,%s,%s,%s)", rows, max_bytes)
    assert b",".join(statement.removeprefix(b"INSERT INTO t VALUES ") for statement in found) == b",".join(alone)
