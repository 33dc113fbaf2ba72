"""One server process: its sockets, its start, its readiness, its end.

Knows processes and sockets. Must not know data directories, accounts or the protocol beyond "the server speaks first".
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ._programs import Program, environment_of

HOST = "127.0.0.1"
_PORTS_FROM = 20000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LAUNCHER = Path(__file__).with_name("_launcher.py")
_TICK = 0.02
_STOP_DEADLINE = 30.0


class ServerFailed(RuntimeError):
    """A server program did not do as it was told; the message holds the end of its log."""


def takes_sockets(program: Program) -> bool:
    """Whether it takes bound sockets from its parent, as systemd passes them: MariaDB 10.6 and later on Linux."""
    return program.vendor == "mariadb" and program.version >= (10, 6, 0) and sys.platform == "linux"


def bind_port(port: int | None = None) -> socket.socket:
    """Bind a TCP port of the loopback interface, below those that outgoing connections use, or the one given."""
    candidates: Iterator[int] = iter((port,)) if port is not None else _random_ports()
    for candidate in candidates:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, candidate))
        except OSError:
            bound.close()
        else:
            return bound
    raise ServerFailed(f"port {port} of {HOST} is taken" if port is not None else f"no free port on {HOST}")


def _random_ports() -> Iterator[int]:
    try:
        end = int(_EPHEMERAL_RANGE.read_text().split()[0])
    except OSError:
        end = 32768
    if end <= _PORTS_FROM:
        end = 65536
    for _ in range(200):
        yield random.randrange(_PORTS_FROM, end)


def launch(
    program: Program, arguments: list[str], *, folder: Path, sockets: list[socket.socket], output: Path
) -> subprocess.Popen[bytes]:
    """Start the program as a process that ends with this one, passing it bound sockets."""
    passed = [bound.fileno() for bound in sockets]
    order = {
        "parent": os.getpid(),
        "command": [*program.command, *arguments],
        "environment": environment_of(program),
        "sockets": passed,
    }
    command = [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(order)]

    def start() -> subprocess.Popen[bytes]:
        with output.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                pass_fds=passed,
            )

    # The kernel ends the server with the thread that started it, not with the process: so only with one that stays.
    if sys.platform != "linux" or threading.get_native_id() == os.getpid():
        return start()
    return _lasting_thread(os.getpid()).submit(start).result()


@functools.cache
def _lasting_thread(pid: int) -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix=f"mizzle-testing-{pid}")


def await_greeting(process: subprocess.Popen[bytes], unix_socket: str, deadline: float) -> bool:
    """Wait until the server speaks on its socket; False when it ended or the deadline (monotonic) passed."""
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(unix_socket)
            except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK)
                continue
            if _speaks(probe, process, deadline):
                return True
    return False


def _speaks(probe: socket.socket, process: subprocess.Popen[bytes], deadline: float) -> bool:
    """Wait on one connection for the greeting: with a passed socket it is accepted long before the server is ready."""
    probe.settimeout(_TICK)
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return bool(probe.recv(1))
        except TimeoutError:
            continue
        except ConnectionError:
            return False
    return False


def end(process: subprocess.Popen[bytes], *, kindly: bool) -> None:
    """End the process and wait for it: asked to shut down and killed only if it does not, or killed at once."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM if kindly else signal.SIGKILL)
    process.send_signal(signal.SIGCONT)  # a frozen one could not answer
    try:
        process.wait(_STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_DEADLINE)
