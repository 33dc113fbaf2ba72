"""A throwaway server: the public face of this package.

Knows the order of things in a server's life. Must not know where programs come from or how a process is tied to us.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ._certificates import Certificates, make_certificates
from ._paths import copy_tree, make_server_folder
from ._process import HOST, ServerFailed, await_greeting, bind_port, end, launch, takes_sockets
from ._programs import Program, find_program
from ._templates import APP, DATABASE, Account, accounts_of, options_of, template_for

__all__ = ["Account", "Server", "ServerFailed"]

_PORT_TRIES = 5
_LOG_TAIL = 3000
_NO_TLS = {"mariadb": ("--skip-ssl",), "mysql": ("--tls-version=",)}


class Server:
    """A real server of your own, until the `with` block, or the process, ends.

        with Server.start("mariadb", arguments=["--max-connections=20"], tls=True) as server:
            connection = mizzle.connect(**server.connect_args(), ssl_ca=server.ca_file)

    It runs on a copy of a fresh data directory with the database `test`, the account `app` (password `app-pw`, every
    privilege, from everywhere) and `root` without a password over the Unix socket. `accounts` has more, one for each
    authentication plugin. The server's folder is removed by `close()`, which leaving the block calls.
    """

    host = HOST
    user = APP.user
    password = APP.password
    database = DATABASE

    program: Program
    port: int
    unix_socket: str
    certificates: Certificates | None
    """The certificate files when it was started with tls=True or tls="expired"."""
    accounts: Mapping[str, Account]
    """By client plugin (mysql_native_password, client_ed25519, caching_sha2_password …)."""

    def __init__(self, program: Program, folder: Path, owner_lock: int) -> None:
        """Use `Server.start()`."""
        self.program = program
        self.unix_socket = str(folder / "s.sock")
        self.accounts = accounts_of(program)
        self.certificates = None
        self._folder = folder
        self._owner_lock: int | None = owner_lock
        self._owner_pid = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._tls: list[str] = []
        self._arguments: list[str] = []
        self._timeout = 60.0
        self._too_slow = False

    @classmethod
    def start(
        cls,
        family: str = "mariadb",
        *,
        arguments: Iterable[str] = (),
        tls: bool | Literal["expired"] | None = None,
        timeout: float = 60.0,
    ) -> Server:
        """Start a server and return when it answers.

        family: what to run, see `find_program`: mariadb, mysql, one series such as mariadb118 or mysql97, or a path.
        arguments: more options for the server program; they win over ours.
        tls: True gives it a certificate for localhost and 127.0.0.1 (see `ca_file`; needs mizzle[testing]), "expired"
            one that ended long ago, False forbids TLS, None leaves it as the server does it unasked (MariaDB from
            11.4 and MySQL sign one themselves).
        timeout: seconds within which it must answer.

        Raises ServerNotFound when no such program is on this machine, ServerFailed when it does not start.
        """
        program = find_program(family)
        template = template_for(program)
        server = cls(program, *make_server_folder())
        atexit.register(server.close)
        try:
            copy_tree(template, server._folder / "data")
            server._tls = server._tls_arguments(tls)
            server._arguments = [*arguments]
            server._timeout = timeout
            server._run(None)
        except BaseException:
            server.close()
            raise
        return server

    @property
    def family(self) -> str:
        """The vendor and release series: mariadb1011, mariadb118, mysql97."""
        return self.program.family

    @property
    def version(self) -> tuple[int, int, int]:
        """The version as numbers: (10, 11, 14)."""
        return self.program.version

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB; MySQL otherwise."""
        return self.program.vendor == "mariadb"

    @property
    def url(self) -> str:
        """The address with account and database, for `mizzle.connect(url=…)`."""
        return f"mysql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    @property
    def ca_file(self) -> str | None:
        """The authority's certificate to verify the server by, for `ssl_ca=`; None unless started with tls."""
        return None if self.certificates is None else str(self.certificates.ca_file)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def connect_args(self, **changes: Any) -> dict[str, Any]:
        """Keywords for `mizzle.connect()` over TCP; `changes` replace or add."""
        args = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
        }
        return args | changes

    def log(self) -> str:
        """The server's error log since its last start."""
        path = self._folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def has_plugin(self, library: str) -> bool:
        """Whether the server can load the plugin library, such as auth_ed25519."""
        return self.program.has_plugin(library)

    def stop(self) -> None:
        """Shut it down in order. The data stays for `restart()`."""
        if self._process is not None:
            end(self._process, kindly=True)

    def kill(self) -> None:
        """End it at once, as a crash would. The data stays for `restart()`."""
        if self._process is not None:
            end(self._process, kindly=False)

    def restart(self, arguments: Iterable[str] | None = None) -> None:
        """Stop it if it runs; start it on the same data, port and socket. `arguments` replace the earlier ones."""
        if self._owner_lock is None:
            raise ServerFailed("this server was closed and its data removed: start another")
        self.stop()
        if arguments is not None:
            self._arguments = [*arguments]
        self._run(self.port)

    def close(self) -> None:
        """End it at once and remove its folder. Does nothing the second time, and nothing in a forked child."""
        if self._owner_lock is None or os.getpid() != self._owner_pid:
            return
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._owner_lock)
        self._owner_lock = None
        atexit.unregister(self.close)

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        version = ".".join(map(str, self.version))
        state = f"pid {self.pid} on {self.host}:{self.port}" if self.running else "not running"
        return f"<Server {self.program.vendor} {version}, {state}>"

    def _tls_arguments(self, tls: bool | Literal["expired"] | None) -> list[str]:
        if tls is None:
            return []
        if tls is False:
            return [*_NO_TLS[self.program.vendor]]
        self.certificates = made = make_certificates(self._folder / "tls", expired=tls == "expired")
        return [f"--ssl-ca={made.ca_file}", f"--ssl-cert={made.server_certificate}", f"--ssl-key={made.server_key}"]

    def _run(self, port: int | None) -> None:
        """Start the process on the given port, or on a free one."""
        deadline = time.monotonic() + self._timeout
        if takes_sockets(self.program):
            if self._attempt(port, deadline, pass_sockets=True):
                return
            if not self._port_was_taken():  # else: built without socket activation, it tried to bind what we hold
                raise self._failure()
        for _ in range(_PORT_TRIES):
            if self._attempt(port, deadline, pass_sockets=False):
                return
            if not self._port_was_taken():
                break
        raise self._failure()

    def _attempt(self, port: int | None, deadline: float, *, pass_sockets: bool) -> bool:
        Path(self.unix_socket).unlink(missing_ok=True)
        (self._folder / "server.log").unlink(missing_ok=True)
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(bind_port(port))
            self.port = tcp.getsockname()[1]
            sockets = []
            if pass_sockets:
                unix = stack.enter_context(socket.socket(socket.AF_UNIX))
                unix.bind(self.unix_socket)
                sockets = [tcp, unix]
                for listening in sockets:
                    listening.listen(256)
            else:
                tcp.close()
            log = self._folder / "server.log"
            self._process = launch(
                self.program, self._command_arguments(), folder=self._folder, sockets=sockets, output=log
            )
        if await_greeting(self._process, self.unix_socket, deadline):
            return True
        self._too_slow = self.running
        self.kill()
        return False

    def _command_arguments(self) -> list[str]:
        folder = self._folder
        return [
            *options_of(self.program),
            f"--datadir={folder / 'data'}",
            f"--tmpdir={folder}",
            f"--socket={self.unix_socket}",
            f"--pid-file={folder / 'pid'}",
            f"--log-error={folder / 'server.log'}",
            f"--bind-address={HOST}",
            f"--port={self.port}",
            "--skip-name-resolve",
            *self._tls,
            *self._arguments,
        ]

    def _port_was_taken(self) -> bool:
        return "Bind on TCP/IP port" in self.log()

    def _failure(self) -> ServerFailed:
        status = None if self._process is None else self._process.returncode
        how = f"did not answer within {self._timeout:g} s" if self._too_slow else f"ended with status {status}"
        return ServerFailed(f"{self.program.path} {how}; the end of its log:\n{self.log()[-_LOG_TAIL:]}")
