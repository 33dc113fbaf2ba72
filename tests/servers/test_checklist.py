"""What has no other test of its own: each plugin of an ordinary login, and each capability that a server agrees to."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import mizzle
from mizzle.constants import capabilities as cap
from mizzle.constants.field_types import MYSQL_TYPE_VECTOR
from mizzle.testing import Server

Connect = Callable[..., Any]


@pytest.fixture
def dial(server: Server) -> Iterator[Connect]:
    """Connect from a thread: what is looked at here is the engine's."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(mizzle.connect(**server.connect_args(**changes)))


def marked(*names: str) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.feature(name)) for name in names]


@pytest.mark.parametrize(
    "plugin", marked("mysql_native_password", "sha256_password", "caching_sha2_password", "client_ed25519", "parsec")
)
def test_a_login_with(dial: Connect, server: Server, plugin: str) -> None:
    if plugin not in server.accounts:
        pytest.skip("no account can have it")
    account = server.accounts[plugin]
    for mode in ("disabled", "required"):
        conn = dial(user=account.user, password=account.password, ssl_mode=mode)
        assert conn.execute("SELECT CURRENT_USER()").fetchone() == (f"{account.user}@%",)


AGREED = {
    "no EOF packets (DEPRECATE_EOF)": cap.CLIENT_DEPRECATE_EOF,
    "several results of a prepared statement": cap.CLIENT_PS_MULTI_RESULTS,
    "MariaDB's extended capabilities": cap.MARIADB_CLIENT_STMT_BULK_OPERATIONS,
    "column definitions cached by the client": cap.MARIADB_CLIENT_CACHE_METADATA,
    "extended column types": cap.MARIADB_CLIENT_EXTENDED_METADATA,
    "a result for each row of a bulk execution": cap.MARIADB_CLIENT_BULK_UNIT_RESULTS,
}


@pytest.mark.parametrize("name", marked(*AGREED))
def test_what_is_agreed_on(dial: Connect, name: str) -> None:
    """What is used all the time is only seen in its absence: rows, prepared statements and bulk work with it."""
    conn = dial(autocommit=True)
    conn.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY AUTO_INCREMENT, n INT, j JSON)")
    rows = [(number, None) for number in range(300)]
    with conn.cursor() as cursor:
        cursor.executemany("INSERT INTO v (n, j) VALUES (%s, %s)", rows, unit_results=True)
        assert [unit.insert_id for unit in cursor.unit_results] == list(range(1, 301))
    for prepare in (False, True, True):
        assert conn.execute("SELECT n, j FROM v WHERE id > %s", (0,), prepare=prepare).fetchall() == rows
    if not conn._engine.capabilities & AGREED[name]:
        pytest.skip("this server does not offer it, and all works without")


@pytest.mark.feature("bulk execution of prepared statements")
def test_a_bulk(dial: Connect, server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has no COM_STMT_BULK_EXECUTE: rows go one by one, or in a pipeline")
    conn = dial(autocommit=True)
    conn.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, n INT)")
    conn.cursor().executemany("INSERT INTO v VALUES (%s, %s)", [(number, 0) for number in range(1000)])
    changes = [(number if number % 3 else None, number) for number in range(1000)]
    before = commands(conn)
    assert conn.cursor().executemany("UPDATE v SET n = %s WHERE id = %s", changes) == 1000
    assert commands(conn) - before < 10
    assert conn.execute("SELECT n, id FROM v ORDER BY id").fetchall() == changes


def commands(conn: Any) -> int:
    """How many statements the server has had of this session; a bulk is one."""
    return int(conn.execute("SHOW SESSION STATUS LIKE 'Questions'").fetchone()[1])


@pytest.mark.parametrize("feature", marked("zlib compression", "zstd compression"))
def test_compressed(dial: Connect, server: Server, feature: str) -> None:
    algorithm = feature.partition(" ")[0]
    if algorithm == "zstd" and server.is_mariadb:
        pytest.skip("MariaDB compresses by zlib only")
    for level in (1, 9):
        conn = dial(compress=algorithm, compress_level=level, autocommit=True)
        assert conn.compression == algorithm
        assert conn.execute("SHOW SESSION STATUS LIKE 'Compression'").fetchone() == ("Compression", "ON")
        text = "drizzle " * 300_000
        assert conn.execute("SELECT %s, REPEAT('x', 3000000)", [text]).fetchone() == (text, "x" * 3_000_000)
        schema = "information_schema.session_status" if server.is_mariadb else "performance_schema.session_status"
        [(sent,)] = conn.execute(f"SELECT variable_value FROM {schema} WHERE variable_name = 'Bytes_sent'").fetchall()
        assert int(sent) < 1_000_000


@pytest.mark.feature("VECTOR told by the server (type 0xF2)")
def test_a_vector_is_told(dial: Connect, server: Server) -> None:
    if server.is_mariadb:
        pytest.skip("MariaDB sends vectors, where it has them, as VARBINARY")
    conn = dial(vector="array", autocommit=True)
    conn.execute("CREATE TEMPORARY TABLE v (v VECTOR(3), b VARBINARY(12))")
    value = array("f", [1, 2.5, -3e-20])
    conn.execute("INSERT INTO v VALUES (%s, %s)", [value, value])
    for prepare in (False, True):
        cursor = conn.execute("SELECT v, b FROM v", (), prepare=prepare)
        assert cursor.fetchall() == [(value, value.tobytes())]
        assert cursor.description[0].type_code == MYSQL_TYPE_VECTOR
