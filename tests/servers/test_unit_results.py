"""executemany() that says what became of each row: generated ids, affected rows."""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

pytestmark = pytest.mark.protocols("prepared", "zlib")


@pytest.fixture
def filled(conn: Any) -> Any:
    conn.execute("CREATE TEMPORARY TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE, t VARCHAR(20))")
    conn.execute("INSERT INTO v (id, n) VALUES (10, -1)")
    return conn


@pytest.mark.feature("generated id and affected rows of each row of executemany")
def test_generated_ids(filled: Any) -> None:
    with filled.cursor() as cursor:
        rows = [(number, "x") for number in range(200)]
        assert cursor.executemany("INSERT INTO v (n, t) VALUES (%s, %s)", rows, unit_results=True) == 200
        assert [unit.affected_rows for unit in cursor.unit_results] == [1] * 200
        ids = [unit.insert_id for unit in cursor.unit_results]
        assert filled.execute("SELECT id FROM v WHERE n >= 0 ORDER BY n").fetchall() == [(one,) for one in ids]
        assert ids[0] == 11


def test_affected_rows(filled: Any) -> None:
    with filled.cursor() as cursor:
        cursor.executemany("INSERT INTO v (n, t) VALUES (%s, %s)", [(number, "x") for number in range(10)])
        assert cursor.unit_results is None
        changes = [("a", 5), ("b", -5), ("c", 100), ("d", 9)]
        assert cursor.executemany("UPDATE v SET t = %s WHERE n >= %s", changes, unit_results=True) == 17
        assert cursor.unit_results == [(0, 5), (0, 11), (0, 0), (0, 1)]
        again = [(1, "y"), (50, "y"), (50, "z")]
        query = "INSERT INTO v (n, t) VALUES (%s, %s) ON DUPLICATE KEY UPDATE t = VALUES(t)"
        cursor.executemany(query, again, unit_results=True)
        assert [unit.affected_rows for unit in cursor.unit_results] == [2, 1, 2]


def test_rows_of_several_types_and_few_rows(filled: Any) -> None:
    with filled.cursor() as cursor:
        rows = [(1, "a"), ("2", None), (None, b"c"), (4.0, 5), (6, "d"), (7, ["a sequence"])]
        with pytest.raises(mizzle.Error) as raised:
            cursor.executemany("INSERT INTO v (n, t) VALUES (%s, %s)", [*rows, (1, "again")], unit_results=True)
        assert raised.value.row in {6, None}
        done = filled.execute("SELECT id FROM v WHERE id > 10 ORDER BY id").fetchall()
        assert [(unit.insert_id,) for unit in cursor.unit_results] == done
        cursor.executemany("INSERT INTO v (n) VALUES (%s)", [(100,)], unit_results=True)
        assert len(cursor.unit_results) == 1
        cursor.executemany("INSERT INTO v (n) VALUES (%s)", [], unit_results=True)
        assert cursor.unit_results == []


def test_returning(filled: Any, server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has no RETURNING")
    with filled.cursor() as cursor:
        rows = [(number,) for number in range(5)]
        cursor.executemany("INSERT INTO v (n) VALUES (%s) RETURNING id", rows, unit_results=True)
        assert len(cursor.unit_results) == 5
    assert filled.execute("SELECT COUNT(*) FROM v").fetchone() == (6,)


def test_in_a_pipeline_nobody_says(filled: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="exclude each other"):
        filled.cursor().executemany("INSERT INTO v (n) VALUES (%s)", [(1,)], unit_results=True, pipeline=True)
