"""Cursor objects: PEP 249's part of them, and what PyMySQL's have."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import mizzle
from mizzle import rows

Connect = Callable[..., mizzle.Connection]


@pytest.fixture
def cur(conn: mizzle.Connection) -> mizzle.Cursor:
    return conn.cursor()


@pytest.fixture
def filled(conn: mizzle.Connection, booze: str) -> str:
    """The table with five rows, seen by the same connection only."""
    conn.cursor().executemany(f"INSERT INTO {booze} (name) VALUES (%s)", [[name] for name in "abcde"])
    return booze


def test_before_execute(cur: mizzle.Cursor) -> None:
    assert cur.rowcount == -1
    assert cur.description is None
    assert cur.lastrowid is None
    assert cur.warning_count == 0
    assert cur.arraysize == 1
    for fetch in (cur.fetchone, cur.fetchmany, cur.fetchall, lambda: list(cur), lambda: cur.scroll(1)):
        with pytest.raises(mizzle.ProgrammingError, match=r"execute\(\)"):
            fetch()


def test_description(cur: mizzle.Cursor, booze: str) -> None:
    cur.execute(f"SELECT id, name, 1.50 AS price FROM {booze}")
    assert [column[0] for column in cur.description] == ["id", "name", "price"]
    assert all(len(column) == 7 for column in cur.description)
    assert cur.description[0][1] == mizzle.NUMBER
    assert cur.description[1][1] == mizzle.STRING
    assert [column[6] for column in cur.description] == [False, True, False]
    cur.execute(f"DELETE FROM {booze}")
    assert cur.description is None


def test_rowcount(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    assert cur.execute(f"SELECT * FROM {filled}") == cur.rowcount == 5
    assert cur.execute(f"UPDATE {filled} SET name = CONCAT(name, 'x') WHERE id <= 3") == cur.rowcount == 3
    assert cur.info.startswith("Rows matched: 3  Changed: 3")
    assert cur.execute(f"UPDATE {filled} SET name = name") == 0
    assert cur.execute("DO 1") == 0


def test_rowcount_of_found_rows(connect: Connect, booze: str) -> None:
    conn = connect(found_rows=True, autocommit=True)
    conn.execute(f"INSERT INTO {booze} (name) VALUES ('gin')")
    assert conn.cursor().execute(f"UPDATE {booze} SET name = name") == 1


def test_lastrowid(cur: mizzle.Cursor, booze: str) -> None:
    cur.execute(f"INSERT INTO {booze} (name) VALUES ('gin')")
    assert cur.lastrowid == 1
    cur.execute(f"UPDATE {booze} SET id = LAST_INSERT_ID(id + 41)")
    assert cur.lastrowid == 42
    cur.execute("SELECT 1")
    assert cur.lastrowid is None


def test_parameters(cur: mizzle.Cursor) -> None:
    cur.execute("SELECT %s, %s", ["a", 1])
    assert cur.fetchone() == ("a", 1)
    cur.execute("SELECT %(a)s, %(b)s, %(a)s", {"a": "x", "b": None})
    assert cur.fetchone() == ("x", None, "x")


def test_percent(cur: mizzle.Cursor) -> None:
    cur.execute("SELECT '%', '%%'")
    assert cur.fetchone() == ("%", "%%")
    for nothing in ((), [], {}):
        cur.execute("SELECT '%%'", nothing)
        assert cur.fetchone() == ("%",)


def test_wrong_number_of_parameters(cur: mizzle.Cursor) -> None:
    with pytest.raises(mizzle.ProgrammingError, match="2 placeholders, 1 parameter was given") as caught:
        cur.execute("SELECT %s, %s", [1])
    assert caught.value.alive
    assert not caught.value.sent
    assert cur.execute("SELECT 1") == 1


def test_fetchone(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    cur.execute(f"SELECT name FROM {filled} ORDER BY id")
    assert [cur.fetchone() for _ in range(6)] == [("a",), ("b",), ("c",), ("d",), ("e",), None]
    assert cur.fetchone() is None


def test_fetchmany(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    cur.execute(f"SELECT name FROM {filled} ORDER BY id")
    assert cur.fetchmany() == [("a",)]
    assert cur.fetchmany(2) == [("b",), ("c",)]
    cur.arraysize = 3
    assert cur.fetchmany() == [("d",), ("e",)]
    assert cur.fetchmany() == []


def test_fetchall(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    cur.execute(f"SELECT name FROM {filled} ORDER BY id")
    cur.fetchone()
    assert cur.fetchall() == [("b",), ("c",), ("d",), ("e",)]
    assert cur.fetchall() == []
    cur.execute(f"SELECT name FROM {filled} WHERE id < 0")
    assert cur.fetchall() == []


def test_a_statement_without_rows_has_none_to_fetch(cur: mizzle.Cursor) -> None:
    cur.execute("DO 1")
    assert cur.fetchone() is None
    assert cur.fetchmany() == []
    assert cur.fetchall() == []
    assert list(cur) == []


def test_ways_of_fetching_share_one_position(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    cur.execute(f"SELECT name FROM {filled} ORDER BY id")
    assert cur.rownumber == 0
    assert cur.fetchone() == ("a",)
    assert cur.rownumber == 1
    for row in cur:
        assert row == ("b",)
        break
    assert cur.rownumber == 2
    assert cur.fetchmany(1) == [("c",)]
    assert next(cur) == ("d",)
    assert list(cur) == [("e",)]
    with pytest.raises(StopIteration):
        next(cur)
    assert cur.rownumber == 5


@pytest.mark.parametrize("row_factory", [None, rows.dict_row])
def test_scroll(conn: mizzle.Connection, filled: str, row_factory: object) -> None:
    cur = conn.cursor(row_factory=row_factory)
    cur.execute(f"SELECT name FROM {filled} ORDER BY id")
    all_rows = cur.fetchall()
    cur.scroll(0, mode="absolute")
    assert cur.fetchone() == all_rows[0]
    cur.scroll(2)
    assert cur.rownumber == 3
    assert cur.fetchone() == all_rows[3]
    cur.scroll(-1)
    assert cur.fetchone() == all_rows[3]
    for value, mode in ((5, "absolute"), (-1, "absolute"), (1, "relative"), (-5, "relative")):
        with pytest.raises(IndexError):
            cur.scroll(value, mode)
    assert cur.rownumber == 4
    with pytest.raises(mizzle.ProgrammingError):
        cur.scroll(0, "sideways")


def test_cursors_of_one_connection_do_not_disturb_each_other(conn: mizzle.Connection) -> None:
    first, second = conn.cursor(), conn.cursor()
    first.execute("SELECT 1 UNION SELECT 2")
    assert first.fetchone() == (1,)
    second.execute("SELECT 3")
    assert first.fetchone() == (2,)
    assert second.fetchone() == (3,)


def test_close(conn: mizzle.Connection) -> None:
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    cur.close()
    assert cur.connection is None
    for use in (lambda: cur.execute("SELECT 1"), cur.fetchone, cur.fetchall, cur.nextset, lambda: cur.mogrify("")):
        with pytest.raises(mizzle.Error, match="already closed"):
            use()
    conn.ping()


def test_server_errors(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    cur.execute("SELECT 1")
    with pytest.raises(mizzle.ProgrammingError) as caught:
        cur.execute("SELEKT")
    assert caught.value.args[0] == 1064
    assert len(caught.value.args) == 2
    assert caught.value.sqlstate == "42000"
    assert caught.value.alive
    assert cur.rowcount == -1
    with pytest.raises(mizzle.ProgrammingError):
        cur.fetchone()
    with pytest.raises(mizzle.IntegrityError) as caught:
        cur.execute(f"INSERT INTO {filled} (name) VALUES ('a')")
    assert caught.value.args[0] == 1062
    with pytest.raises(mizzle.ProgrammingError) as caught:
        cur.execute("SELECT * FROM no_such_table")
    assert caught.value.args[0] == 1146
    assert cur.execute("SELECT 1") == 1


def test_executemany_folds_inserts(conn: mizzle.Connection, booze: str) -> None:
    cur = conn.cursor()
    before = questions(conn)
    assert cur.executemany(f"INSERT INTO {booze} (name) VALUES (%s)", ([str(n)] for n in range(5000))) == 5000
    assert cur.rowcount == 5000
    assert questions(conn) - before < 10
    cur.execute(f"SELECT COUNT(*), COUNT(DISTINCT name) FROM {booze}")
    assert cur.fetchone() == (5000, 5000)


def questions(conn: mizzle.Connection) -> int:
    return int(conn.execute("SHOW SESSION STATUS LIKE 'Questions'").fetchone()[1])


def test_executemany_makes_as_many_statements_as_needed(conn: mizzle.Connection, booze: str) -> None:
    class Small(mizzle.Cursor):
        max_stmt_length = 500

    cur = conn.cursor(Small)
    names = [[f"name {n} %"] for n in range(200)]
    sql = f"INSERT INTO {booze} (name) VALUES (%s) ON DUPLICATE KEY UPDATE name = CONCAT(name, '%%')"
    assert cur.executemany(sql, names) == 200
    assert [list(row) for row in conn.execute(f"SELECT name FROM {booze} ORDER BY id")] == names


def test_executemany_one_by_one(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor()
    assert cur.executemany(f"UPDATE {filled} SET name = %s WHERE id = %s", [("x1", 1), ("x2", 1), ("y", 9)]) == 2
    assert cur.rowcount == 2
    assert cur.executemany(f"DELETE FROM {filled} WHERE id = %(id)s", [{"id": 2}, {"id": 3}]) == 2


def test_executemany_of_nothing(conn: mizzle.Connection, booze: str) -> None:
    cur = conn.cursor()
    assert cur.executemany(f"INSERT INTO {booze} (name) VALUES (%s)", []) == 0
    assert cur.rowcount == 0


def test_nextset(connect: Connect) -> None:
    cur = connect(client_flag=1 << 16).cursor()
    cur.execute("SELECT 1; DO 1; SELECT 2 UNION SELECT 3")
    assert cur.fetchall() == [(1,)]
    assert cur.nextset() is True
    assert cur.description is None
    assert cur.nextset() is True
    assert cur.rowcount == 2
    assert cur.fetchall() == [(2,), (3,)]
    assert cur.nextset() is None


def test_nextset_raises_a_later_statements_error(connect: Connect) -> None:
    conn = connect(client_flag=1 << 16)
    cur = conn.cursor()
    cur.execute("SELECT 1; SELEKT; SELECT 2")
    assert cur.fetchall() == [(1,)]
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.nextset()
    assert cur.nextset() is None
    conn.ping()


def test_an_error_nobody_looked_at_is_raised_by_the_next_use(connect: Connect) -> None:
    cur = connect(client_flag=1 << 16).cursor()
    cur.execute("SELECT 1; SELECT 2; SELEKT")
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.execute("SELECT 3")
    assert cur.execute("SELECT 3") == 1
    cur.execute("SELECT 1; SELEKT")
    with pytest.raises(mizzle.ProgrammingError, match="SELEKT"):
        cur.close()
    cur.close()


def test_an_exception_in_a_with_block_is_not_hidden_by_an_unread_error(connect: Connect) -> None:
    conn = connect(client_flag=1 << 16)
    with pytest.raises(ZeroDivisionError), conn.cursor() as cur:  # noqa: PT012 (the block is what is tested)
        cur.execute("SELECT 1; SELEKT")
        raise ZeroDivisionError


def test_callproc(conn: mizzle.Connection, booze: str) -> None:
    name = f"{booze}`proc"
    quoted = "`" + name.replace("`", "``") + "`"
    cur = conn.cursor()
    cur.execute(f"CREATE PROCEDURE {quoted} (IN a INT, OUT b INT) BEGIN SET b = a + 1; SELECT a; SELECT a * 2; END")
    try:
        assert cur.callproc(name, (5, 0)) == (5, 0)
        assert cur.fetchall() == [(5,)]
        assert cur.nextset() is True
        assert cur.fetchall() == [(10,)]
        assert cur.nextset() is True
        assert cur.fetchall() == []
        assert cur.nextset() is None
        variable = "`" + f"_{name}_1".replace("`", "``") + "`"
        cur.execute(f"SELECT @{variable}")
        assert cur.fetchone() == (6,)
    finally:
        cur.execute(f"DROP PROCEDURE {quoted}")


def test_mogrify(cur: mizzle.Cursor) -> None:
    assert cur.mogrify("SELECT %s, %%", ["it's"]) == "SELECT 'it''s', %"
    assert cur.mogrify("SELECT %%") == "SELECT %%"


def test_setinputsizes_and_setoutputsize(cur: mizzle.Cursor) -> None:
    cur.setinputsizes([10])
    cur.setoutputsize(10, 1)


class Named(NamedTuple):
    id: int
    name: str


def test_row_factories(conn: mizzle.Connection) -> None:
    def first(row_factory: object) -> object:
        cur = conn.cursor(row_factory=row_factory)
        cur.execute("SELECT 1 AS id, 'a' AS name")
        return cur.fetchone()

    assert first(rows.tuple_row) == (1, "a")
    assert first(rows.dict_row) == {"id": 1, "name": "a"}
    assert first(rows.namedtuple_row).name == "a"
    assert first(rows.class_row(Named)) == Named(1, "a")
    assert first(rows.args_row(Named)) == Named(1, "a")
    assert first(rows.scalar_row) == 1


def test_a_row_factory_is_called_once_for_each_result(conn: mizzle.Connection, filled: str) -> None:
    calls = []

    def factory(columns: object) -> Callable[[tuple[object, ...]], object]:
        calls.append([column.name for column in columns])
        return list

    cur = conn.cursor(row_factory=factory)
    cur.execute(f"SELECT id FROM {filled}")
    assert cur.fetchall() == [[1], [2], [3], [4], [5]]
    assert calls == [["id"]]


def test_dict_rows_with_the_same_name_twice(conn: mizzle.Connection, filled: str) -> None:
    cur = conn.cursor(mizzle.DictCursor)
    cur.execute(f"SELECT a.id, b.id, b.name FROM {filled} a JOIN {filled} b ON b.id = a.id + 1 WHERE a.id = 1")
    assert cur.fetchone() == {"id": 1, "b.id": 2, "name": "b"}


def test_conn_execute(conn: mizzle.Connection) -> None:
    assert conn.execute("SELECT %s", [5]).fetchall() == [(5,)]


def test_local_infile(connect: Connect, booze: str, tmp_path: Path) -> None:
    conn = connect(local_infile=True, autocommit=True)
    sql = f"LOAD DATA LOCAL INFILE 'whatever' INTO TABLE {booze} (name)"
    path = tmp_path / "names"
    path.write_bytes(b"a\nb\n")
    cur = conn.cursor()
    assert cur.execute(sql, infile=path) == 2
    assert cur.execute(sql, infile=io.BytesIO(b"c\nd\ne\n")) == 3
    assert cur.execute(sql, infile=(f"n{n}\n".encode() for n in range(1000))) == 1000
    assert cur.execute(sql, infile=[]) == 0


def test_local_infile_is_refused_unless_passed(connect: Connect, conn: mizzle.Connection, booze: str) -> None:
    sql = f"LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE {booze} (name)"
    allowed = connect(local_infile=True)
    with pytest.raises(mizzle.OperationalError, match="nobody offered"):
        allowed.execute(sql)
    allowed.ping()
    with pytest.raises(mizzle.ProgrammingError, match="local_infile=True"):
        conn.execute(sql, infile=[b"x\n"])
    with pytest.raises(mizzle.Error):
        conn.execute(sql)
    with pytest.raises(FileNotFoundError):
        allowed.execute(sql, infile="/no/such/file")
    allowed.ping()


def test_subclassing(conn: mizzle.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(mizzle.Cursor):
        count = 0

        def execute(self, *args: object, **keywords: object) -> int:
            self.count += 1
            return super().execute(*args, **keywords)

    cur = conn.cursor(Counting)
    cur.execute("SELECT 1")
    assert cur.count == 1

    def refuse(_: mizzle.Connection) -> None:
        raise mizzle.OperationalError(2013, "patched")

    monkeypatch.setattr(mizzle.Connection, "ping", refuse)
    with pytest.raises(mizzle.OperationalError, match="patched"):
        conn.ping()
