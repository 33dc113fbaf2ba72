"""Addresses, socket options and the deadline of connecting: what is the same in every world.

Knows sockets; must not wait for anything (but for the one resolver call that says so) and knows no loop and no hub.
Sockets are those of the C module `_socket`, which monkey patching leaves alone.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from mizzle.worlds import Endpoint

#: What is offered to the kernel in one call: it is copied there, while a hub or loop stands still.
SEND_AT_ONCE = 262144

#: For one attempt, whether or not the socket is a blocking one.
DONT_WAIT = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)

_Socket = TypeVar("_Socket", bound=_socket.socket)


class Address(NamedTuple):
    """One place to connect to."""

    family: int
    sockaddr: Any

    def __str__(self) -> str:
        return str(self.sockaddr) if self.family == socket.AF_UNIX else "{}:{}".format(*self.sockaddr[:2])


class Deadline:
    """How long connecting may still take. `timeout` None: as long as the system lets it."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self, phase: str, address: Address | None = None) -> float | None:
        """The seconds that are left for `phase`; TimeoutError when there are none."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.missed(phase if address is None else f"{phase} {address}")
        return left

    def missed(self, phase: str) -> TimeoutError:
        return TimeoutError(errno.ETIMEDOUT, f"timed out after {self._timeout:g} s, while {phase}")


def known_addresses(endpoint: Endpoint) -> list[Address] | None:
    """The addresses for which nobody has to be asked: a Unix socket's, a numeric one. None: use a resolver."""
    if endpoint.unix_socket is not None:
        return [Address(socket.AF_UNIX, endpoint.unix_socket)]
    if is_ipv4(endpoint.host):  # spares most of what getaddrinfo() takes
        return [Address(socket.AF_INET, (endpoint.host, endpoint.port))]
    try:
        return found(_socket.getaddrinfo(*question(endpoint), 0, socket.AI_NUMERICHOST))
    except socket.gaierror:
        return None


def is_ipv4(host: str) -> bool:
    """Is it an address in the usual notation, four decimal numbers?"""
    try:
        return bool(_socket.inet_pton(socket.AF_INET, host))
    except OSError:
        return False


def question(endpoint: Endpoint) -> tuple[str, int, int, int]:
    """What to ask a resolver: the first arguments of any getaddrinfo()."""
    return endpoint.host, endpoint.port, 0, socket.SOCK_STREAM


def found(answers: Sequence[tuple[Any, ...]]) -> list[Address]:
    """A resolver's answer as addresses, each once."""
    return list(dict.fromkeys(Address(int(family), sockaddr) for family, _, _, _, sockaddr in answers))


def resolve_blocking(endpoint: Endpoint) -> list[Address]:
    """Ask the system's resolver, and wait for it."""
    return found(_socket.getaddrinfo(*question(endpoint)))


def attempts(addresses: list[Address], deadline: Deadline) -> Iterator[tuple[Address, float | None]]:
    """Each address with its share of the time: one that is silent leaves as much to each that follows."""
    for tried, address in enumerate(addresses):
        left = deadline.left("connecting to", address)
        yield address, None if left is None else left / (len(addresses) - tried)


def make(factory: type[_Socket], address: Address, endpoint: Endpoint) -> _Socket:
    """A socket with our options, bound if that was asked for, not yet connected."""
    sock = factory(address.family, socket.SOCK_STREAM)
    try:
        if address.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.keepalive:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if endpoint.bind_address is not None:
                sock.bind((endpoint.bind_address, 0))
    except BaseException:
        sock.close()
        raise
    return sock


def unreachable(failures: list[tuple[Address, OSError]]) -> OSError:
    """One exception for all addresses that were tried: the only one's own, or one that tells of each."""
    if not failures:
        return socket.gaierror(socket.EAI_NONAME, "the name has no address")
    _, last = failures[-1]
    if len(failures) == 1:
        return last
    told = "; ".join(f"{address}: {failure.strerror or failure}" for address, failure in failures)
    error = OSError(last.errno or errno.ETIMEDOUT, told)  # OSError makes the subclass that belongs to the number
    error.__cause__ = last
    return error


def shut_down(sock: _socket.socket) -> None:
    """End both directions: who waits on the socket wakes, here and at the other end."""
    with contextlib.suppress(OSError):  # the other side may have been first
        sock.shutdown(socket.SHUT_RDWR)


def unpatched(name: str) -> ModuleType:
    """A standard module as it was before eventlet or gevent replaced what is in it."""
    original = sys.modules.get(f"__original_module_{name}")
    if original is not None:
        return original
    module = __import__(name)
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched(name):
        patched, module = module, ModuleType(name)
        vars(module).update({**vars(patched), **monkey.saved[name]})
    return module


class _Process:
    """This process's id, without a system call for each command."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.pid = os.getpid()


process = _Process()
