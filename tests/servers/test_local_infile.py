"""LOAD DATA LOCAL INFILE: what the caller passed is sent, and nothing else ever."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.protocols("zlib", "zstd")

Connect = Callable[..., Any]
LOAD = "LOAD DATA LOCAL INFILE 'any name' INTO TABLE v CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' (id, s)"


@pytest.fixture
def loader(connect: Connect) -> Any:
    conn = connect(autocommit=True, local_infile=True)
    conn.execute("CREATE TEMPORARY TABLE v (id INT, s VARCHAR(200) CHARACTER SET utf8mb4)")
    return conn


def lines(count: int) -> Iterator[bytes]:
    return (f"{n},é{n}{'x' * 100}\n".encode() for n in range(count))


@pytest.mark.feature("LOAD DATA LOCAL from a stream")
def test_from_an_iterable(loader: Any) -> None:
    cur = loader.cursor()
    assert cur.execute(LOAD, infile=[b"1,", b"", b"one\n2,tw", b"o\n"]) == 2
    assert cur.info.startswith("Records: 2")
    assert loader.execute("SELECT * FROM v").fetchall() == [(1, "one"), (2, "two")]


@pytest.mark.feature("LOAD DATA LOCAL from a file")
def test_from_a_file(loader: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"".join(lines(1000)))
    cur = loader.cursor()
    for infile in (path, str(path), io.BytesIO(b"1,a\n")):
        cur.execute(LOAD, infile=infile)
    with path.open("rb") as file:
        assert cur.execute(LOAD, infile=file) == 1000
    assert loader.execute("SELECT COUNT(*), SUM(id) FROM v").fetchone() == (3001, 3 * 499_500 + 1)


@pytest.mark.parametrize("kind", [mizzle.Cursor, mizzle.StreamingCursor])
def test_several_megabytes(loader: Any, kind: Any) -> None:
    with loader.cursor(kind) as cur:
        assert cur.execute(LOAD, infile=lines(40_000)) == 40_000
    assert loader.execute("SELECT COUNT(*), SUM(LENGTH(s)) > 4000000 FROM v").fetchone() == (40_000, 1)


def test_in_one_piece(loader: Any) -> None:
    assert loader.cursor().execute(LOAD, infile=[b"".join(lines(30_000))]) == 30_000


def test_nothing_in_it(loader: Any) -> None:
    assert loader.cursor().execute(LOAD, infile=[]) == 0
    assert loader.cursor().execute(LOAD, infile=[b""]) == 0


def test_refused_when_nobody_offered_it(loader: Any) -> None:
    with pytest.raises(mizzle.OperationalError, match="'any name', which nobody offered") as caught:
        loader.execute(LOAD)
    assert caught.value.alive
    assert loader.execute("SELECT COUNT(*) FROM v").fetchone() == (0,)


def test_refused_by_a_connection_without_it(conn: Any) -> None:
    conn.execute("CREATE TEMPORARY TABLE v (id INT, s TEXT)")
    with pytest.raises(mizzle.ProgrammingError, match="local_infile=True") as refused:
        conn.execute(LOAD, infile=[b"1,a\n"])
    assert not refused.value.sent
    with pytest.raises(mizzle.Error) as caught:
        conn.execute(LOAD)
    assert caught.value.args[0] in {1148, 3948, 4166, 2068}
    assert caught.value.alive
    assert conn.execute("SELECT COUNT(*) FROM v").fetchone() == (0,)


def test_refused_by_the_server(loader: Any, admin: Any) -> None:
    admin.execute("SET GLOBAL local_infile = OFF")
    try:
        with pytest.raises(mizzle.Error) as caught:
            loader.execute(LOAD, infile=[b"1,a\n"])
    finally:
        admin.execute("SET GLOBAL local_infile = ON")
    assert caught.value.args[0] in {1148, 3948, 4166}
    assert caught.value.hint
    assert caught.value.alive
    loader.ping()


def test_an_error_of_the_server_after_the_file(loader: Any) -> None:
    sql = LOAD.replace("(id, s)", "(id, @s) SET s = (SELECT 1 UNION SELECT 2)")
    with pytest.raises(mizzle.OperationalError, match="1242") as caught:
        loader.execute(sql, infile=lines(10_000))
    assert caught.value.alive
    assert loader.cursor().execute("SELECT 1") == 1


def test_no_such_file(loader: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        loader.execute(LOAD, infile=tmp_path / "missing")
    loader.ping()


def test_a_source_that_fails_ends_the_connection(loader: Any) -> None:
    """Else the server would take half a file for the whole."""

    def failing() -> Iterator[bytes]:
        yield from lines(10_000)
        raise ArithmeticError("on purpose")

    with pytest.raises(ArithmeticError, match="on purpose"):
        loader.execute(LOAD, infile=failing())
    assert not loader.open
