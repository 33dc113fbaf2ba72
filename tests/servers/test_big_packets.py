"""Values and statements over 16 MiB, where a packet takes more than one frame; and over what either side accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle

pytestmark = pytest.mark.protocols("prepared", "zlib", "zstd")

Connect = Callable[..., Any]
FRAME = 0xFFFFFF
MEGABYTE = 1 << 20
ALL_BYTES = bytes(range(256))
#: The bytes of COM_QUERY around the value in `SELECT LENGTH('...')`: its own, and the statement's.
AROUND = len("\x03SELECT LENGTH('')")


@pytest.mark.bytes_alone
@pytest.mark.parametrize("megabytes", [17, 40])
@pytest.mark.feature("packets over 16 MiB")
def test_there_and_back(conn: Any, megabytes: int) -> None:
    value = ALL_BYTES * (megabytes * 4096)
    [(found,)] = conn.execute("SELECT %s", [value]).fetchall()
    assert len(found) == len(value)
    assert found == value
    assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_statements_as_long_as_a_frame(conn: Any, extra: int) -> None:
    size = FRAME + extra - AROUND
    assert conn.execute(f"SELECT LENGTH('{'x' * size}')").fetchall() == [(size,)]


@pytest.mark.parametrize("extra", [-5, -4, -3])
def test_rows_as_long_as_a_frame(conn: Any, extra: int) -> None:
    """Four bytes of the row are the value's length."""
    size = FRAME + extra
    [(value,), (last,)] = conn.execute(f"SELECT REPEAT('x', {size}) UNION ALL SELECT 'end'").fetchall()
    assert value.count("x") == size
    assert last == "end"


def test_streamed(conn: Any) -> None:
    with conn.cursor(mizzle.StreamingCursor) as cur:
        cur.execute(f"SELECT 1, REPEAT('x', {20 * MEGABYTE}) UNION ALL SELECT 2, 'y'")
        assert [(n, len(text)) for n, text in cur] == [(1, 20 * MEGABYTE), (2, 1)]


@pytest.fixture
def narrow_server(admin: Any) -> Iterator[None]:
    """The server takes a megabyte from those who connect now."""
    [(usual,)] = admin.execute("SELECT @@global.max_allowed_packet")
    admin.execute("SET GLOBAL max_allowed_packet = %s", [MEGABYTE])
    yield
    admin.execute("SET GLOBAL max_allowed_packet = %s", [usual])


@pytest.mark.usefixtures("narrow_server")
@pytest.mark.parametrize("megabytes", [2, 20])
def test_more_than_the_server_takes(connect: Connect, megabytes: int) -> None:
    """It says so and hangs up, or hangs up before anybody could read what it says."""
    conn = connect()
    with pytest.raises(mizzle.OperationalError) as caught:
        conn.execute("SELECT LENGTH(%s)", ["x" * (megabytes * MEGABYTE)])
    error = caught.value
    assert error.args[0] in {1153, 2013}
    if error.args[0] == 1153:
        assert "max_allowed_packet" in error.args[1]
        assert "max_allowed_packet" in str(error.hint)
    assert error.sent
    assert not error.alive
    assert not conn.open
    with pytest.raises(mizzle.InterfaceError, match="already closed"):
        conn.execute("SELECT 1")


@pytest.mark.usefixtures("narrow_server")
def test_a_value_longer_than_the_server_makes(connect: Connect) -> None:
    conn = connect()
    cur = conn.cursor()
    cur.execute(f"SELECT REPEAT('x', {3 * MEGABYTE})")
    assert cur.fetchall() == [(None,)]
    assert conn.show_warnings()[0][1] == 1301
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_more_than_we_take(connect: Connect) -> None:
    conn = connect(max_allowed_packet=MEGABYTE)
    assert len(conn.execute(f"SELECT REPEAT('x', {MEGABYTE - 1000})").fetchone()[0]) == MEGABYTE - 1000
    with pytest.raises(mizzle.OperationalError, match="max_allowed_packet") as caught:
        conn.execute(f"SELECT REPEAT('x', {2 * MEGABYTE})")
    assert not caught.value.alive
    assert not conn.open
