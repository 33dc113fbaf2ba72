"""Servers of the toy protocol: a real listening socket, and a native thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from toy import frame

from mizzle.worlds import Endpoint

PATIENCE = 20  # seconds after which a test has failed; nothing ever waits for them to pass


class Link:
    """A peer's end of one connection."""

    def __init__(self, peer: Peer, sock: socket.socket) -> None:
        self.peer, self.sock = peer, sock
        self._input = b""

    def hear(self) -> bytes | None:
        """The next frame; None when the client has gone."""
        while len(self._input) < 4 or len(self._input) < 4 + struct.unpack_from("<I", self._input)[0]:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._input += data
        end = 4 + struct.unpack_from("<I", self._input)[0]
        payload, self._input = self._input[4:end], self._input[end:]
        return payload

    def say(self, *answers: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(b"".join(frame(answer) for answer in answers))

    def signal(self, name: str) -> None:
        self.peer.event(name).set()

    def wait_for(self, name: str) -> None:
        assert self.peer.event(name).wait(PATIENCE), f"{name} never came"

    def wait_for_end(self) -> None:
        """Until the client closes."""
        assert self.hear() is None

    def reset(self) -> None:
        """Close so that the client gets an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def echo(link: Link) -> None:
    """Answers each frame with itself."""
    while (question := link.hear()) is not None:
        link.say(question)


class Peer:
    """Listens until the end of its `with`, which raises what a handler raised."""

    def __init__(
        self, handler: Callable[[Link], None] = echo, unix: Path | None = None, receive_room: int | None = None
    ) -> None:
        self._handler = handler
        self._events: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._links: list[Link] = []
        self._failures: list[BaseException] = []
        self._listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        if receive_room is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_room)
        self._listener.bind(str(unix) if unix else ("127.0.0.1", 0))
        self._listener.listen(64)
        if unix:
            self.endpoint = Endpoint(unix_socket=str(unix))
        else:
            self.endpoint = Endpoint(host="127.0.0.1", port=self._listener.getsockname()[1])

    def event(self, name: str) -> threading.Event:
        return self._events.setdefault(name, threading.Event())

    def accept_no_more(self) -> None:
        """End the thread that accepts. While that waits, Linux has a descriptor's number reserved for it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            link = Link(self, sock)
            self._links.append(link)
            self._start(self._serve, link)

    def _serve(self, link: Link) -> None:
        try:
            self._handler(link)
        except BaseException as failure:  # noqa: BLE001 - raised by __exit__
            self._failures.append(failure)
        finally:
            link.sock.close()

    def _start(self, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args)
        self._threads.append(thread)
        thread.start()

    def __enter__(self) -> Peer:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.accept_no_more()
        self._listener.close()
        for link in list(self._links):
            with contextlib.suppress(OSError):
                link.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a peer hangs"
        if self._failures and kind is None:
            raise self._failures[0]
