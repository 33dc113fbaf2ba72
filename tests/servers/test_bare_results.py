"""Results without a word on their columns, on request (MySQL's resultset_metadata)."""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

pytestmark = [pytest.mark.text_only]


def test_values_are_bytes_where_the_server_can_leave_columns_out(connect: Any, server: Server) -> None:
    conn = connect(resultset_metadata="none", autocommit=True)
    conn.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, t VARCHAR(9))")
    rows = [(number, "é") for number in range(300)]
    assert conn.cursor().executemany("INSERT INTO v VALUES (%s, %s)", rows) == 300
    query = "SELECT id, t, NULL FROM v ORDER BY id LIMIT 2"
    wanted = [(0, "é", None), (1, "é", None)]
    if not server.is_mariadb:
        wanted = [(b"0", "é".encode(), None), (b"1", "é".encode(), None)]
    assert conn.execute(query).fetchall() == wanted
    with conn.cursor(mizzle.StreamingCursor) as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == wanted
    conn.reset()
    assert conn.execute("SELECT 1").fetchone() == ((1,) if server.is_mariadb else (b"1",))


@pytest.mark.feature("results without their columns")
def test_such_a_connection_prepares_nothing(connect: Any, server: Server) -> None:
    if server.is_mariadb:
        pytest.skip("MariaDB always says what columns are")
    conn = connect(resultset_metadata="none", prepare_threshold=1)
    assert conn.execute("SELECT %s", ("a",)).fetchone() == (b"a",)
    for refused in (lambda: conn.prepare("SELECT 1"), lambda: conn.execute("SELECT %s + 1", (1,), prepare=True)):
        with pytest.raises(mizzle.NotSupportedError, match="resultset_metadata"):
            refused()
    assert conn.execute("SELECT 1").fetchone() == (b"1",)
