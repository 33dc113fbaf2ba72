"""The life of a throwaway server; seen through PyMySQL, for mizzle.testing must not need the driver."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymysql
import pytest

from mizzle.testing import Server, ServerFailed, ServerNotFound, find_program

Start = Callable[..., Server]


def ask(server: Server, sql: str, **changes: Any) -> Any:
    """The first value of the first row."""
    with contextlib.closing(pymysql.connect(**server.connect_args(**changes))) as connection:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone()
        connection.commit()
    return row[0] if row else None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def wait_for_end(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        try:
            assert select.select([fd], [], [], 20)[0], f"process {pid} lives on"
        finally:
            os.close(fd)


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mz") as folder:
        yield Path(folder)


def test_it_answers_at_the_addresses_it_names(server: Server) -> None:
    version = ".".join(map(str, server.version))
    assert ask(server, "SELECT VERSION()").startswith(version)
    assert ask(server, "SELECT CURRENT_USER()") == "app@%"
    assert ask(server, "SELECT DATABASE()") == "test"
    assert ask(server, "SELECT @@port") == server.port
    assert ask(server, "SELECT @@socket") == server.unix_socket
    assert (
        ask(server, "SELECT CURRENT_USER()", unix_socket=server.unix_socket, user="root", password="")
        == "root@localhost"
    )
    assert server.url == f"mysql://app:app-pw@127.0.0.1:{server.port}/test"
    assert server.is_mariadb == server.family.startswith("mariadb")
    assert len(server.unix_socket) < 100


def test_nobody_else_is_let_in(server: Server) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        ask(server, "SELECT 1", user="somebody", password="")
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        ask(server, "SELECT 1", password="wrong")


def test_every_account_uses_the_plugin_it_is_listed_by(server: Server) -> None:
    names = {"client_ed25519": "ed25519"}
    for plugin, account in server.accounts.items():
        sql = f"SELECT plugin FROM mysql.user WHERE user = '{account.user}'"
        assert ask(server, sql) == names.get(plugin, plugin)
    known = {"caching_sha2_password", "sha256_password"} if not server.is_mariadb else {"mysql_native_password"}
    assert known <= server.accounts.keys()
    assert ("client_ed25519" in server.accounts) == server.has_plugin("auth_ed25519")


def test_its_certificate_is_verified_by_name(server: Server) -> None:
    cipher = "SHOW STATUS LIKE 'Ssl_cipher'"
    for host in ("127.0.0.1", "localhost"):
        with (
            contextlib.closing(
                pymysql.connect(**server.connect_args(host=host, ssl_ca=server.ca_file, ssl_verify_identity=True))
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(cipher)
            assert cursor.fetchone()[1]
    with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(server, "SELECT 1", ssl={"ca": None, "check_hostname": True, "verify_mode": True})


def test_a_client_certificate_is_accepted(server: Server) -> None:
    assert server.certificates is not None
    ask(
        server,
        "CREATE OR REPLACE USER x509@'%' REQUIRE X509" if server.is_mariadb else "CREATE USER x509@'%' REQUIRE X509",
    )
    try:
        tls = {
            "ssl_ca": server.ca_file,
            "ssl_cert": str(server.certificates.client_certificate),
            "ssl_key": str(server.certificates.client_key),
        }
        assert ask(server, "SELECT 1", user="x509", password="", database=None, **tls) == 1
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            ask(server, "SELECT 1", user="x509", password="", database=None, ssl_ca=server.ca_file)
    finally:
        ask(server, "DROP USER x509@'%'")


def test_an_expired_certificate_is_refused(server_family: str, start_server: Start) -> None:
    server = start_server(server_family, tls="expired")
    with pytest.raises(pymysql.err.OperationalError, match="certificate has expired"):
        ask(server, "SELECT 1", ssl_ca=server.ca_file, ssl_verify_identity=True)


def test_tls_can_be_forbidden(server_family: str, start_server: Start) -> None:
    server = start_server(server_family, tls=False)
    assert server.ca_file is None
    with pytest.raises((pymysql.err.OperationalError, ssl.SSLError), match="SSL"):
        ask(server, "SELECT 1", ssl={"ssl": True})


def test_it_comes_back_with_its_committed_rows(server_family: str, start_server: Start) -> None:
    server = start_server(server_family, arguments=["--max-connections=17"])
    port, first = server.port, server.pid
    ask(server, "CREATE TABLE kept (n INT PRIMARY KEY) ENGINE=InnoDB")
    for number, end in enumerate((server.kill, server.stop)):
        ask(server, f"INSERT INTO kept VALUES ({number})")
        end()
        assert not server.running
        assert server.pid is None
        with pytest.raises(ConnectionRefusedError), socket.create_connection((server.host, port)):
            pass
        server.restart()
        assert server.port == port
        assert ask(server, "SELECT COUNT(*) FROM kept") == number + 1
    assert server.pid != first
    assert ask(server, "SELECT @@max_connections") == 17
    server.restart(["--max-connections=23"])
    assert ask(server, "SELECT @@max_connections") == 23


def test_it_leaves_nothing_behind(server_family: str, start_server: Start) -> None:
    server = start_server(server_family)
    pid, folder = server.pid, Path(server.unix_socket).parent
    assert pid is not None
    assert folder.exists()
    server.close()
    server.close()
    assert not alive(pid)
    assert not folder.exists()
    with pytest.raises(ServerFailed, match="closed"):
        server.restart()


CHILD = """
import sys, time
from mizzle.testing import Server
server = Server.start(sys.argv[1])
print(server.pid, server.unix_socket, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["exits", "is killed"])
def test_it_ends_with_the_process_that_started_it(server: Server, how: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.family], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        pid, unix_socket = child.stdout.readline().split()
        assert alive(int(pid))
        if how == "is killed":
            child.send_signal(signal.SIGKILL)
        child.stdin.close()
        child.wait(30)
        wait_for_end(int(pid))
    folder = Path(unix_socket).parent
    if how == "is killed":  # nobody was there to remove it: the next start does
        assert folder.exists()
        with Server.start(server.family):
            assert not folder.exists()
    assert not folder.exists()


def test_a_server_outlives_the_thread_that_started_it(server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        mine = pool.submit(Server.start, server.family).result()
    with mine:
        assert ask(mine, "SELECT 1") == 1


@pytest.mark.filterwarnings("ignore:Using fork")  # eventlet's, where another test has imported it
def test_a_forked_child_leaves_it_alone(server: Server) -> None:
    with Server.start(server.family) as mine:
        pid = os.fork()
        if pid == 0:
            mine.close()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert ask(mine, "SELECT 1") == 1


def test_many_at_once_with_an_empty_cache(server: Server, short_tmp: Path) -> None:
    script = "import sys; from mizzle.testing import Server\nwith Server.start(sys.argv[1]) as s: print(s.port)"
    environment = os.environ | {"MIZZLE_CACHE": str(short_tmp)}
    program = str(find_program(server.family).path)
    if find_program(server.family).private:  # a private program cannot run without what its prefix says
        prefixes = short_tmp / "prefixes"
        prefixes.mkdir()
        (prefixes / server.family).symlink_to(Path(program[: program.index("/root/usr/")]))
        program = server.family
    children = [
        subprocess.Popen([sys.executable, "-c", script, program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ports = [child.communicate(timeout=120)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(set(ports)) == 3
    assert len([path for path in (short_tmp / "templates").iterdir() if path.is_dir()]) == 1


def test_a_refused_option_is_reported_with_the_log(server: Server) -> None:
    with pytest.raises(ServerFailed, match="no-such-option"):
        Server.start(server.family, arguments=["--no-such-option=1"])


def test_a_server_that_is_too_slow_is_ended(server: Server) -> None:
    with pytest.raises(ServerFailed, match=r"did not answer within 0\.01 s"):
        Server.start(server.family, timeout=0.01)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown server family 'postgres'"):
        find_program("postgres")


def test_a_missing_program_is_reported_with_the_remedy() -> None:
    with pytest.raises(ServerNotFound, match=r"tools\.lab fetch mariadb99"):
        find_program("mariadb99")
    with pytest.raises(ServerNotFound, match="not a program"):
        find_program("/nowhere/mariadbd")
    with pytest.raises(ServerNotFound, match="not a MariaDB or MySQL server"):
        find_program("/bin/echo")


GREEN = """
import eventlet
eventlet.monkey_patch()
import sys
from mizzle.testing import Server
server = eventlet.spawn(Server.start, sys.argv[1]).wait()
eventlet.sleep(0)
assert server.running
"""


def test_it_starts_in_a_patched_eventlet_program(server: Server) -> None:
    command = [sys.executable, "-W", "ignore", "-c", GREEN, server.family]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
