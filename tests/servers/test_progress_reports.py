"""MariaDB says how far a long statement is, in every world; MySQL never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mizzle.testing import Server

pytestmark = pytest.mark.protocols("prepared", "zlib")


class Oops(Exception):
    pass


class Listener:
    """What hears of the progress."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def __call__(self, progress: Any) -> None:
        self.heard.append(progress)
        assert 1 <= progress.stage <= progress.max_stage
        assert 0 <= progress.progress <= 100
        assert progress.info


@pytest.fixture
def long_alter(table: Callable[[str], str], conn: Any) -> str:
    """A statement that MariaDB reports of: the first report comes at once, further ones each second."""
    name = table("id INT PRIMARY KEY, s VARCHAR(20)")
    rows = [(number, "x" * 20) for number in range(500)]
    conn.cursor().executemany(f"INSERT INTO {name} VALUES (%s, %s)", rows)
    return f"ALTER TABLE {name} FORCE, ALGORITHM=COPY"


def test_of_one_statement(conn: Any, long_alter: str, server: Server) -> None:
    said = Listener()
    conn.execute(long_alter, on_progress=said)
    assert bool(said.heard) is server.is_mariadb
    before = len(said.heard)
    conn.execute(long_alter)
    assert len(said.heard) == before
    assert conn.on_progress is None


def test_of_all_statements(connect: Callable[..., Any], long_alter: str, server: Server) -> None:
    of_all, of_one = Listener(), Listener()
    conn = connect(on_progress=of_all)
    assert conn.on_progress is of_all
    conn.execute(long_alter)
    assert bool(of_all.heard) is server.is_mariadb
    before = len(of_all.heard)
    conn.execute(long_alter, on_progress=of_one)
    assert (len(of_all.heard), bool(of_one.heard)) == (before, server.is_mariadb)
    conn.execute(long_alter)
    assert (len(of_all.heard) > before) is server.is_mariadb
    conn.on_progress = None
    before = len(of_all.heard)
    conn.execute(long_alter)
    assert len(of_all.heard) == before


@pytest.mark.feature("progress reports")
def test_between_rows(conn: Any, tables: list[str], server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL reports nothing")
    name = "progress_aria"
    tables.append(name)
    conn.execute(f"CREATE TABLE {name} ENGINE=Aria AS SELECT seq, REPEAT('x', 50) FROM seq_1_to_500")
    said = Listener()
    rows = conn.execute(f"CHECK TABLE {name} EXTENDED", on_progress=said).fetchall()
    assert [row[1:] for row in rows] == [("check", "status", "OK")]
    assert [one.info for one in said.heard] == ["Checking keys", "Checking data"]


@pytest.mark.feature("progress reports")
def test_an_error_in_the_callback_leaves_the_connection_in_order(conn: Any, long_alter: str, server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL reports nothing")
    calls = []

    def fail(progress: Any) -> None:
        calls.append(progress)
        raise Oops

    with pytest.raises(Oops):
        conn.execute(long_alter, on_progress=fail)
    assert len(calls) == 1
    assert conn.open
    assert conn.execute("SELECT 1").fetchone() == (1,)
    conn.execute(long_alter)


def test_a_statement_that_fails(conn: Any, long_alter: str) -> None:
    said = Listener()
    with pytest.raises(Exception, match="nowhere"):
        conn.execute(long_alter.replace("FORCE", "DROP COLUMN nowhere"), on_progress=said)
    assert said.heard == []
    assert conn.execute("SELECT 1").fetchone() == (1,)
