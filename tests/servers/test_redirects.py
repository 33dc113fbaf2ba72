"""A server that sends its clients to another one (MariaDB's redirect_url): who goes there, and who stays."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.servers import obtain

pytestmark = pytest.mark.text_only

Redirect = Callable[[str], None]


@pytest.fixture(scope="module")
def other() -> Iterator[Server]:
    """Where to go."""
    with obtain("mariadb118", tls=True) as made:
        yield made


@pytest.fixture
def redirect(admin: Any, server: Server) -> Iterator[Redirect]:
    """Have the server send its clients elsewhere, which is a URL."""
    if not server.is_mariadb or server.version < (11, 3):
        pytest.skip("this server does not redirect")
    yield lambda url: admin.execute("SET GLOBAL redirect_url = %s", [url]) and None
    admin.execute("SET GLOBAL redirect_url = ''")


def port_of(conn: Any) -> int:
    [(port,)] = conn.execute("SELECT @@port").fetchall()
    return int(port)


@pytest.mark.parametrize("wish", ["preferred", "enforced"])
@pytest.mark.feature("redirects")
def test_another_port_of_the_same_host(dial: Any, server: Server, other: Server, redirect: Redirect, wish: str) -> None:
    redirect(f"mysql://127.0.0.1:{other.port}")
    conn = dial(redirect=wish)
    assert (port_of(conn), conn.host_info) == (other.port, f"socket 127.0.0.1:{other.port}")
    assert conn.tls is not None
    assert port_of(dial()) == server.port  # who did not ask for it stays
    assert port_of(dial(redirect="off")) == server.port


def test_interrupts_go_to_the_server_that_was_gone_to(dial: Any, other: Server, redirect: Redirect) -> None:
    redirect(f"mysql://127.0.0.1:{other.port}")
    conn = dial(redirect="preferred")
    with pytest.raises(mizzle.OperationalError, match="timed out"):
        conn.execute("SELECT BENCHMARK(2000000000, MD5('x'))", timeout=0.2)
    assert port_of(conn) == other.port


def test_another_user(dial: Any, other: Server, redirect: Redirect) -> None:
    with mizzle.connect(**other.connect_args()) as conn:
        conn.execute("CREATE USER IF NOT EXISTS guest@'%%' IDENTIFIED BY %s", [other.password])
    redirect(f"mysql://guest@127.0.0.1:{other.port}")
    assert dial(redirect="enforced", database=None).execute("SELECT CURRENT_USER()").fetchone() == ("guest@%",)


def test_another_host_needs_a_certificate(dial: Any, server: Server, other: Server, redirect: Redirect) -> None:
    redirect(f"mysql://localhost:{other.port}")
    assert port_of(dial(redirect="preferred")) == server.port
    with pytest.raises(mizzle.OperationalError, match="not verified"):
        dial(redirect="enforced")
    # The first server's authority is not the second's: verified there too, it is not to be had.
    verified = {"ssl_mode": "verify_identity", "ssl_ca": server.ca_file}
    assert port_of(dial(redirect="preferred", **verified)) == server.port
    with pytest.raises(mizzle.OperationalError, match="not to be had"):
        dial(redirect="enforced", **verified)


def test_a_unix_socket_is_trusted(dial: Any, server: Server, other: Server, redirect: Redirect) -> None:
    redirect(f"mysql://localhost:{other.port}")
    conn = dial(redirect="enforced", unix_socket=server.unix_socket, host=None, port=None)
    assert port_of(conn) == other.port
    assert conn.tls is not None  # nobody could listen to the first connection, so nobody may to the second


def test_what_was_encrypted_stays_encrypted(
    dial: Any, server: Server, redirect: Redirect, start_server: Callable[..., Server]
) -> None:
    plain = start_server("mariadb118", tls=False, arguments=["--skip-ssl"])
    redirect(f"mysql://127.0.0.1:{plain.port}")
    assert port_of(dial(redirect="preferred")) == server.port
    with pytest.raises(mizzle.OperationalError, match="demands TLS"):
        dial(redirect="enforced")
    assert port_of(dial(redirect="enforced", ssl_mode="disabled")) == plain.port


def test_only_one_hop(dial: Any, server: Server, other: Server, redirect: Redirect) -> None:
    redirect(f"mysql://127.0.0.1:{other.port}")
    with mizzle.connect(**other.connect_args()) as conn:
        conn.execute("SET GLOBAL redirect_url = %s", [f"mysql://127.0.0.1:{server.port}"])
        try:
            assert port_of(dial(redirect="enforced")) == other.port
        finally:
            conn.execute("SET GLOBAL redirect_url = ''")


def test_nobody_there(dial: Any, server: Server, redirect: Redirect) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        redirect(f"mysql://127.0.0.1:{closed.getsockname()[1]}")
        assert port_of(dial(redirect="preferred")) == server.port
        with pytest.raises(mizzle.OperationalError, match="not to be had"):
            dial(redirect="enforced")


def test_no_redirect(dial: Any, server: Server) -> None:
    assert port_of(dial(redirect="preferred")) == server.port
    with pytest.raises(mizzle.OperationalError, match="does not redirect"):
        dial(redirect="enforced")


def test_the_session_says_what_changes_in_it(dial: Any) -> None:
    """The OK packets of such a connection are longer."""
    conn = dial(redirect="preferred", autocommit=True)
    conn.execute("SET NAMES latin1")
    conn.execute("CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, n INT)")
    assert conn.execute("INSERT INTO v VALUES (1, 1), (2, 1)").rowcount == 2
    cursor = conn.execute("UPDATE v SET n = 2")
    assert (cursor.rowcount, cursor.info) == (2, "Rows matched: 2  Changed: 2  Warnings: 0")
    conn.execute("BEGIN")
    assert conn.in_transaction
    conn.rollback()
    assert conn.execute("SELECT COUNT(*) FROM v").fetchone() == (2,)
