"""executemany, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.protocols("prepared", "zlib", "zstd")

Connect = Callable[..., Any]
COLUMNS = "id INT PRIMARY KEY AUTO_INCREMENT, k INT UNIQUE, v VARCHAR(200)"


@pytest.fixture
def filled(conn: Any) -> Any:
    """A connection with a table of its own in which are three rows."""
    conn.execute(f"CREATE TEMPORARY TABLE v ({COLUMNS})")
    conn.execute("INSERT INTO v (k, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    return conn


def contents(conn: Any) -> list[Any]:
    return list(conn.execute("SELECT k, v FROM v ORDER BY k").fetchall())


def questions(conn: Any) -> int:
    """How many statements the session has run."""
    return int(conn.execute("SHOW SESSION STATUS LIKE 'Questions'").fetchone()[1])


def test_insert(filled: Any) -> None:
    cur = filled.cursor()
    before = questions(filled)
    assert cur.executemany("INSERT INTO v (k, v) VALUES (%s, %s)", [(4, "d"), (5, None), (6, "%s")]) == 3
    assert cur.rowcount == 3
    assert cur.lastrowid == 4
    assert questions(filled) == before + 2
    assert contents(filled)[3:] == [(4, "d"), (5, None), (6, "%s")]


def test_mappings_and_generators(filled: Any) -> None:
    cur = filled.cursor()
    sql = "insert into `v` (k, v) values (%(k)s, concat(%(v)s, 100 %% 7))"
    assert cur.executemany(sql, ({"k": n, "v": "x"} for n in range(10, 12))) == 2
    assert contents(filled)[3:] == [(10, "x2"), (11, "x2")]


def test_replace(filled: Any) -> None:
    cur = filled.cursor()
    assert cur.executemany("REPLACE INTO v (k, v) VALUES (%s, %s)", [(1, "new"), (9, "z")]) == 3
    assert contents(filled) == [(1, "new"), (2, "b"), (3, "c"), (9, "z")]


def test_on_duplicate_key(filled: Any) -> None:
    cur = filled.cursor()
    sql = "INSERT INTO v (k, v) VALUES (%s, %s) ON DUPLICATE KEY UPDATE v = CONCAT(v, VALUES(v))"
    assert cur.executemany(sql, [(1, "+"), (2, "+"), (7, "z")]) == 5
    assert contents(filled) == [(1, "a+"), (2, "b+"), (3, "c"), (7, "z")]


def test_insert_ignore(filled: Any) -> None:
    cur = filled.cursor()
    assert cur.executemany("INSERT IGNORE INTO v (k, v) VALUES (%s, %s)", [(1, "no"), (8, "yes"), (2, "no")]) == 1
    assert contents(filled)[3:] == [(8, "yes")]
    assert cur.warning_count == 2


def test_a_duplicate_undoes_its_statement(filled: Any) -> None:
    with pytest.raises(mizzle.IntegrityError, match="1062"):
        filled.cursor().executemany("INSERT INTO v (k, v) VALUES (%s, %s)", [(5, "x"), (1, "no")])
    assert len(contents(filled)) == 3


def test_few_updates_and_deletes_go_one_by_one(filled: Any) -> None:
    cur = filled.cursor()
    before = questions(filled)
    assert cur.executemany("UPDATE v SET v = %s WHERE k = %s", [("x", 1), ("y", 2), ("z", 99)]) == 2
    assert questions(filled) == before + 4
    assert cur.executemany("DELETE FROM v WHERE k = %s", [[1], [3]]) == 2
    assert contents(filled) == [(2, "y")]


def test_no_rows_at_all(filled: Any) -> None:
    cur = filled.cursor()
    assert cur.executemany("INSERT INTO v (k) VALUES (%s)", []) == 0
    assert cur.executemany("UPDATE v SET k = %s", iter(())) == 0
    assert len(contents(filled)) == 3


def test_ten_thousand_rows(filled: Any) -> None:
    cur = filled.cursor()
    rows = [(n, "é'\\" * 50) for n in range(1000, 11_000)]
    before = questions(filled)
    assert cur.executemany("INSERT INTO v (k, v) VALUES (%s, %s)", rows) == 10_000
    assert 3 < questions(filled) - before < 50  # of 3 MB
    assert contents(filled)[3:] == rows


def test_statements_are_as_long_as_the_server_takes(connect: Connect, admin: Any) -> None:
    [(usual,)] = admin.execute("SELECT @@global.max_allowed_packet")
    admin.execute("SET GLOBAL max_allowed_packet = 65536")
    try:
        conn = connect(autocommit=True)
        conn.execute(f"CREATE TEMPORARY TABLE v ({COLUMNS})")
        rows = [(n, "x" * 100) for n in range(2000)]
        before = questions(conn)
        assert conn.cursor().executemany("INSERT INTO v (k, v) VALUES (%s, %s)", rows) == 2000
        assert questions(conn) - before <= 7
        assert contents(conn) == rows
    finally:
        admin.execute("SET GLOBAL max_allowed_packet = %s", [usual])


def test_a_row_that_does_not_fit_is_named(filled: Any) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="row 2"):
        filled.cursor().executemany("INSERT INTO v (k, v) VALUES (%s, %s)", [(5, "x"), (6,)])
    with pytest.raises(mizzle.ProgrammingError, match="row 3"):
        filled.cursor().executemany("INSERT INTO v (k, v) VALUES (%s, %s)", [(5, "x"), (6, "y"), (7, {})])
    assert len(contents(filled)) == 3


def test_changed_rows_are_counted(filled: Any) -> None:
    cur = filled.cursor()
    assert cur.execute("UPDATE v SET v = 'a'") == 2
    assert cur.info.startswith("Rows matched: 3  Changed: 2")
    assert cur.execute("UPDATE v SET v = 'a'") == 0
    assert cur.execute("INSERT INTO v (k, v) VALUES (1, 'a') ON DUPLICATE KEY UPDATE v = 'a'") == 0


def test_matched_rows_are_counted_with_found_rows(connect: Connect) -> None:
    conn = connect(autocommit=True, found_rows=True)
    conn.execute(f"CREATE TEMPORARY TABLE v ({COLUMNS})")
    cur = conn.cursor()
    assert cur.execute("INSERT INTO v (k, v) VALUES (1, 'a'), (2, 'b')") == 2
    assert cur.execute("UPDATE v SET v = 'a'") == 2
    assert cur.execute("UPDATE v SET v = 'a'") == 2
    assert cur.execute("UPDATE v SET v = 'a' WHERE k > 5") == 0


def test_lastrowid(filled: Any) -> None:
    cur = filled.cursor()
    cur.execute("INSERT INTO v (k) VALUES (20), (21)")
    assert cur.lastrowid == filled.insert_id() == 4
    cur.execute("INSERT INTO v (id, k) VALUES (70, 22)")
    assert cur.lastrowid == 70
    cur.execute("UPDATE v SET id = LAST_INSERT_ID(id + 100) WHERE k = 22")
    assert cur.lastrowid == 170
    cur.execute("UPDATE v SET v = 'x'")
    assert cur.lastrowid == 0
    cur.execute("ALTER TABLE v AUTO_INCREMENT = 4000000000")
    cur.execute("SELECT 1")
    assert cur.lastrowid is None


def test_lastrowid_of_64_bits(conn: Any) -> None:
    conn.execute("CREATE TEMPORARY TABLE v (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT)")
    cur = conn.cursor()
    cur.execute("INSERT INTO v VALUES (%s)", [2**64 - 3])
    cur.execute("INSERT INTO v VALUES (NULL)")
    assert cur.lastrowid == 2**64 - 2
