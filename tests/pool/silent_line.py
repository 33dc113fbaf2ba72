"""A link that goes silent in the middle and comes back, and what users of a pool go through meanwhile.

Silent: nothing arrives any more, in either direction, and nobody is told. Nothing is lost for good either, for TCP
sends again once the link is back.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

import mizzle
from plugins.worlds import PATIENCE, World

USERS = 6
MEMBERS = 3
#: Seconds: how long a call, a KILL and a login may take.
LIMITS = {"timeout": 0.3, "interrupt_timeout": 0.3, "connect_timeout": 0.5}


class Line(Protocol):
    """What lies between the client and the server."""

    def silence(self) -> None: ...
    def speak(self) -> None: ...


class Relay:
    """Forwards each connection to a server while it is not silent. One thread, until the end of its `with`."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._ends: dict[socket.socket, socket.socket] = {}
        self._wake, self._woken = socket.socketpair()
        self._wanted = self._forwards = True
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def native_id(self) -> int:
        """The system's number for the thread."""
        assert self._thread.native_id is not None
        return self._thread.native_id

    def silence(self) -> None:
        """From now on nothing is forwarded, and nobody let in."""
        self._change(False)

    def speak(self) -> None:
        """Forward again, also what has come meanwhile."""
        self._change(True)

    def _change(self, forwards: bool | None) -> None:
        self._changed.clear()
        self._wanted = bool(forwards)
        self._wake.send(b"x" if forwards is not None else b"q")
        assert self._changed.wait(PATIENCE)

    def _run(self) -> None:
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                sock: Any = key.fileobj
                if sock is self._woken:
                    if sock.recv(1) == b"q":
                        self._changed.set()
                        return
                    self._obey()
                    break  # what else was ready may not be any more
                if sock is self._listener:
                    self._let_in()
                elif sock in self._ends:
                    self._forward(sock)

    def _obey(self) -> None:
        if self._wanted != self._forwards:
            self._forwards = self._wanted
            for sock in (self._listener, *self._ends):
                if self._forwards:
                    self._selector.register(sock, selectors.EVENT_READ)
                else:
                    self._selector.unregister(sock)
        self._changed.set()

    def _let_in(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _forward(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
            if data:
                self._ends[sock].sendall(data)
                return
        except OSError:
            pass  # an end like another
        other = self._ends.pop(sock)
        del self._ends[other]
        for end in (sock, other):
            self._selector.unregister(end)
            end.close()

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._change(None)
        self._thread.join(PATIENCE)
        for sock in (self._listener, self._wake, self._woken, *self._ends):
            sock.close()
        self._selector.close()


class Users:
    """They ask again and again, each for its own number, through one pool."""

    def __init__(self, world: World, lending: Any) -> None:
        self.answers: Counter[int] = Counter()
        self.sessions: set[int] = set()
        self.errors: dict[int, list[BaseException]] = {number: [] for number in range(USERS)}
        self._world, self._lending = world, lending
        self._stopped = False
        self._tasks = [world.spawn(self._work, number) for number in range(USERS)]

    def _work(self, number: int) -> None:
        while not self._stopped:
            try:
                with self._lending.connection() as conn:
                    assert conn.execute("SELECT %s", [number]).fetchone() == (number,)
                    self.sessions.add(conn.thread_id())
                    self.answers[number] += 1
            except mizzle.Error as error:
                self.errors[number].append(error)
            self._world.sleep(0.001)

    def forget(self) -> None:
        """Count from now."""
        self.answers.clear()
        self.sessions.clear()
        for errors in self.errors.values():
            errors.clear()

    def stop(self) -> None:
        self._stopped = True
        for task in self._tasks:
            task.result()


def suffer(world: World, lending: Any, line: Line) -> None:
    """The link goes silent under load: every user is told in time, and when it is back all is well again by itself."""

    def until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, lending.get_stats()
            world.sleep(0.002)

    lending.wait()
    users = Users(world, lending)
    until(lambda: len(users.answers) == USERS and len(users.sessions) == MEMBERS)
    before = set(users.sessions)
    line.silence()
    users.forget()
    until(lambda: all(users.errors.values()))  # each statement that was on its way, and who waits for a connection
    until(lambda: lending.get_stats()["pool_size"] == 0)
    until(lambda: lending.get_stats()["connections_errors"] > 0)  # it has tried to replace them
    told = [error for errors in users.errors.values() for error in errors]
    assert any(getattr(error, "sent", False) and "timed out" in str(error) for error in told), told
    line.speak()
    users.forget()
    until(lambda: len(users.answers) == USERS)
    until(lambda: lending.get_stats()["pool_size"] == MEMBERS)
    users.stop()
    until(lambda: lending.get_stats()["pool_available"] == MEMBERS)
    assert not users.sessions & before
