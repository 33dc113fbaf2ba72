"""Sessions whose statements look harmless and are not: the server tells of what they change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pool.conftest import Admin, MakePool

pytestmark = pytest.mark.main_worlds

DEEDS = {
    "user variable": ("SET @left = 7", "SELECT @left"),
    "session variable": ("SET SESSION group_concat_max_len = 4321", "SELECT @@group_concat_max_len = 4321"),
    "temporary table": (
        "CREATE TEMPORARY TABLE IF NOT EXISTS left_behind (n INT)",
        "SELECT COUNT(*) FROM left_behind",
    ),
}


@pytest.fixture
def view(admin: Admin, table: str) -> Iterator[str]:
    """The name of a view over a function, both of which make() makes."""
    yield f"v_{table}"
    admin.execute(f"DROP VIEW IF EXISTS v_{table}")
    admin.execute(f"DROP FUNCTION IF EXISTS f_{table}")


def make(admin: Admin, view: str, body: str) -> None:
    function = view.replace("v_", "f_")
    admin.execute(f"CREATE FUNCTION {function}() RETURNS INT NO SQL DETERMINISTIC BEGIN {body}; RETURN 1; END")
    admin.execute(f"CREATE VIEW {view} AS SELECT {function}() AS n")


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize("what", DEEDS)
def test_a_view_over_a_function_that_changes_the_session(
    pool: MakePool, admin: Admin, view: str, what: str, prepare: bool
) -> None:
    deed, question = DEEDS[what]
    make(admin, view, deed)
    lending = pool(max_size=1)

    def answer(conn: object) -> object:
        try:
            return conn.execute(question).fetchall()  # type: ignore[attr-defined]
        except Exception as error:  # noqa: BLE001 - a table that is not there
            return error.args[0]

    with lending.connection() as conn:
        before = answer(conn)
    with lending.connection() as conn:
        number = conn.thread_id()
        assert conn.execute(f"SELECT n FROM {view}", prepare=prepare).fetchall() == [(1,)]
    with lending.connection() as conn:
        assert conn.thread_id() == number
        assert answer(conn) == before


def test_nothing_is_reset_behind_a_view_that_changes_nothing(pool: MakePool, admin: Admin, view: str) -> None:
    make(admin, view, "DO 1")
    lending = pool(max_size=1, prepare_threshold=1)

    sessions = set()
    for _ in range(3):
        with lending.connection() as conn:
            conn.execute(f"SELECT n FROM {view} WHERE n = %s", [1])
            sessions.add(conn._engine.session)
    assert len(sessions) == 1


def test_what_the_connection_knows_of_the_session_goes_with_the_reset(pool: MakePool) -> None:
    lending = pool(max_size=1, session_track_transaction_info="state")
    with lending.connection() as conn:
        database = conn.database
        conn.execute("SET NAMES latin1")
        conn.execute("SET time_zone = '+05:00'")
        conn.execute("USE mysql")
        assert (conn.database, conn.tracked_variables["time_zone"]) == ("mysql", "+05:00")
        assert conn.execute("SELECT %s, HEX(%s)", ["é", "é"]).fetchall() == [("é", "E9")]
    with lending.connection() as conn:
        assert conn.database == database
        assert conn.tracked_variables.get("time_zone", "SYSTEM") == "SYSTEM"
        assert conn.transaction_state is None
        assert conn.execute("SELECT %s, HEX(%s)", ["☂é", "é"]).fetchall() == [("☂é", "C3A9")]
        assert conn.database == database
        assert conn.tracked_variables["character_set_client"] == "utf8mb4"
