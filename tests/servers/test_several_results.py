"""Several statements in one, stored procedures: more than one result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
from mizzle.constants.capabilities import CLIENT_MULTI_STATEMENTS

pytestmark = pytest.mark.protocols("prepared", "zlib", "zstd")

PROCEDURE = """
CREATE PROCEDURE several(IN a INT, OUT b VARCHAR(20), INOUT c INT)
BEGIN
  SELECT a AS given;
  SELECT 1 AS one, 'x' AS x UNION SELECT 2, 'y';
  SET b = CONCAT('got ', a), c = c + a;
END
"""
FAILING = """
CREATE PROCEDURE failing()
BEGIN
  SELECT 1;
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'on purpose', MYSQL_ERRNO = 1644;
END
"""

with_procedures = pytest.mark.usefixtures("procedures")
kinds = pytest.mark.parametrize("kind", [mizzle.Cursor, mizzle.StreamingCursor])


@pytest.fixture
def multi(connect: Callable[..., Any]) -> Any:
    return connect(autocommit=True, client_flag=CLIENT_MULTI_STATEMENTS)


@pytest.fixture
def procedures(admin: Any) -> Iterator[None]:
    for sql in (PROCEDURE, FAILING):
        admin.execute(sql)
    yield
    for name in ("several", "failing"):
        admin.execute(f"DROP PROCEDURE {name}")


def every_result(cur: Any) -> list[Any]:
    found = [cur.fetchall() if cur.description else cur.rowcount]
    while cur.nextset():
        found.append(cur.fetchall() if cur.description else cur.rowcount)
    return found


@kinds
@pytest.mark.feature("several statements in one COM_QUERY")
def test_statements_in_one(multi: Any, kind: Any) -> None:
    multi.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, n INT)")
    with multi.cursor(kind) as cur:
        cur.execute("INSERT INTO v (n) VALUES (1), (2); SELECT n FROM v; SELECT id, n FROM v WHERE n > %s; DO 1", [1])
        assert cur.lastrowid == 1
        assert every_result(cur) == [2, [(1,), (2,)], [(2, 2)], 0]
        assert cur.nextset() is None
    assert multi.execute("SELECT 1").fetchall() == [(1,)]


@kinds
def test_description_of_each_result(multi: Any, kind: Any) -> None:
    with multi.cursor(kind) as cur:
        cur.execute("SELECT 1 AS a; SELECT 'x' AS b, 2 AS c")
        assert [column[0] for column in cur.description] == ["a"]
        assert cur.nextset()
        assert [column[0] for column in cur.description] == ["b", "c"]
        assert cur.fetchone() == ("x", 2)


@kinds
def test_results_that_nobody_reads(multi: Any, kind: Any) -> None:
    with multi.cursor(kind) as cur:
        cur.execute("SELECT 1; SELECT 2; SELECT 3")
        cur.nextset()
        cur.execute("SELECT 4; SELECT 5")
        assert cur.fetchall() == [(4,)]
    assert multi.execute("SELECT 6").fetchall() == [(6,)]


@kinds
def test_an_error_in_the_second_statement(multi: Any, kind: Any) -> None:
    cur = multi.cursor(kind)
    cur.execute("SELECT 1; SELECT * FROM nope; SELECT 3")
    assert cur.fetchall() == [(1,)]
    with pytest.raises(mizzle.ProgrammingError, match="nope") as caught:
        cur.nextset()
    assert caught.value.alive
    assert cur.nextset() is None
    assert multi.execute("SELECT 4").fetchall() == [(4,)]
    cur.close()


def test_an_error_that_nobody_asked_for_is_raised_all_the_same(multi: Any) -> None:
    cur = multi.cursor()
    cur.execute("DO 1; SELECT * FROM nope")
    with pytest.raises(mizzle.ProgrammingError, match="nope"):
        cur.execute("SELECT 1")
    cur.execute("DO 1; SELECT * FROM nope")
    with pytest.raises(mizzle.ProgrammingError, match="nope"):
        cur.close()
    multi.ping()


def test_an_error_in_the_first_statement(multi: Any) -> None:
    cur = multi.cursor()
    with pytest.raises(mizzle.ProgrammingError, match="nope"):
        cur.execute("SELECT * FROM nope; SELECT 2")
    assert cur.nextset() is None
    cur.execute("SELECT 3")
    assert cur.fetchall() == [(3,)]


@with_procedures
@kinds
@pytest.mark.feature("procedures with results")
def test_callproc(conn: Any, kind: Any) -> None:
    with conn.cursor(kind) as cur:
        assert cur.callproc("several", [5, None, 2]) == [5, None, 2]
        assert every_result(cur) == [[(5,)], [(1, "x"), (2, "y")], 0]
        cur.execute("SELECT @_several_0, @_several_1, @_several_2")
        assert cur.fetchall() == [(5, "got 5", 7)]


@with_procedures
def test_callproc_by_a_longer_name(conn: Any) -> None:
    conn.select_db("information_schema")
    cur = conn.cursor()
    cur.callproc("test.several", (1, "", 1))
    assert cur.fetchall() == [(1,)]


@with_procedures
@kinds
def test_a_procedure_that_fails_after_a_result(conn: Any, kind: Any) -> None:
    cur = conn.cursor(kind)
    cur.callproc("failing")
    assert cur.fetchall() == [(1,)]
    with pytest.raises(mizzle.OperationalError) as caught:
        cur.nextset()
    assert caught.value.args == (1644, "on purpose")
    assert caught.value.sqlstate == "45000"
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_callproc_of_what_is_none(conn: Any) -> None:
    with pytest.raises(mizzle.OperationalError, match="1305"):
        conn.cursor().callproc("no`such", [1])
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_many_results(multi: Any) -> None:
    cur = multi.execute(";".join(f"SELECT {n}" for n in range(300)))
    assert every_result(cur) == [[(n,)] for n in range(300)]
