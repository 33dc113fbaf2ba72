"""Query attributes, read back by MySQL; MariaDB has none, and takes statements that come with some."""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

pytestmark = pytest.mark.protocols("prepared", "zlib")

READ = "mysql_query_attribute_string"


@pytest.fixture
def component(admin: Any, server: Server) -> None:
    """The server's function that reads them."""
    if server.is_mariadb:
        pytest.skip("MariaDB has no query attributes")
    if not admin.execute("SELECT 1 FROM mysql.component WHERE component_urn = 'file://component_query_attributes'"):
        admin.execute("INSTALL COMPONENT 'file://component_query_attributes'")


@pytest.mark.usefixtures("component")
@pytest.mark.feature("query attributes")
def test_attributes_are_read_back(conn: Any) -> None:
    query = f"SELECT {READ}('trace'), {READ}('n'), {READ}('é'), CONCAT(%s, '')"
    for attributes, read in (
        ({"trace": "00-é'\\", "n": 5, "é": 1.5}, ("00-é'\\", "5", "1.5")),
        ({"trace": None, "n": b"ab"}, (None, "ab", None)),
        ({}, (None, None, None)),
        (None, (None, None, None)),
    ):
        for value in ("a", None):
            assert conn.execute(query, (value,), attributes=attributes).fetchall() == [(*read, value)]
    assert conn.execute(f"SELECT {READ}('x')", attributes={"x": "y" * 300}).fetchall() == [("y" * 300,)]
    assert conn.execute(f"SELECT {READ}('x')").fetchall() == [(None,)]


@pytest.mark.usefixtures("component")
def test_other_ways_to_execute(conn: Any) -> None:
    """Each sends the attributes of this statement, and none of the one before."""
    query, given = f"SELECT {READ}('a')", {"a": "x"}
    for kind in (mizzle.StreamingCursor, mizzle.ServerCursor):
        cursor = conn.cursor(kind)
        cursor.execute(query, attributes=given)
        assert cursor.fetchall() == [("x",)]
        cursor.execute(query)
        assert cursor.fetchall() == [(None,)]
    statement = conn.prepare(f"SELECT {READ}('a'), %s + 1")
    assert statement.execute((1,), attributes=given).fetchall() == [("x", 2)]
    assert statement.execute((2,)).fetchall() == [(None, 3)]


def test_statements_without_attributes_mean_what_they_always_did(conn: Any) -> None:
    """Every command that carries a statement, on a connection that could have some."""
    conn.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, t LONGTEXT)")
    cursor = conn.cursor()
    assert cursor.executemany("INSERT INTO v VALUES (%s, %s)", [(number, "x") for number in range(50)]) == 50
    changes = [("y", number) for number in range(50)]
    assert cursor.executemany("UPDATE v SET t = %s WHERE id = %s", changes, pipeline=True) == 50
    assert conn.execute("SELECT COUNT(*) FROM v WHERE t = %s", ("y",), prepare=True).fetchone() == (50,)
    conn.reset()
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_server_without_them_leaves_them_out(conn: Any, server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has them")
    for prepare in (None, True):
        assert conn.execute("SELECT %s + 1", (1,), attributes={"a": "x"}, prepare=prepare).fetchone() == (2,)


@pytest.mark.usefixtures("component")
def test_a_value_that_cannot_be_sent(conn: Any) -> None:
    for prepare in (False, True):
        with pytest.raises(mizzle.ProgrammingError) as raised:
            conn.execute("SELECT %s", (1,), attributes={"a": {}}, prepare=prepare)
        assert raised.value.sent is False
    assert conn.execute("SELECT 1").fetchone() == (1,)
