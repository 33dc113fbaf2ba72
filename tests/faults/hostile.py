"""Peers that misbehave: a real listening socket, and for each connection a native thread that plays a part in bytes.

A part is a function of a `Link`. Nothing here ever waits for time to pass: PATIENCE bounds waits that a defect would
make endless.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType

import trustme

from engine.dialogue import ok, packets
from faults.handshakes import COMMON, greeting
from mizzle.constants import capabilities as cap

PATIENCE = 30
TLS_GREETING = packets(greeting(capabilities=COMMON | cap.CLIENT_SSL), first=0)
SSL_REQUEST = 36  # its length on the wire

Part = Callable[["Link"], None]


class Link:
    """The peer's end of one connection."""

    def __init__(self, peer: Peer, sock: socket.socket) -> None:
        self.peer, self.sock = peer, sock
        self._input = b""
        sock.settimeout(PATIENCE)

    def say(self, *data: bytes) -> bool:
        """Send these bytes as they are; False when the client has gone."""
        try:
            self.sock.sendall(b"".join(data))
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def hear(self) -> bytes | None:
        """The client's next packet; None when it has gone."""
        while len(self._input) < 4 or len(self._input) < 4 + int.from_bytes(self._input[:3], "little"):
            data = self.hear_bytes()
            if not data:
                return None
            self._input += data
        end = 4 + int.from_bytes(self._input[:3], "little")
        payload, self._input = self._input[4:end], self._input[end:]
        return payload

    def hear_bytes(self) -> bytes:
        """Whatever comes; b"" when the client has gone."""
        try:
            return self.sock.recv(65536)
        except ConnectionResetError:
            return b""

    def until_end(self) -> None:
        """Take everything, until the client closes."""
        while self.hear_bytes():
            pass

    def reset(self) -> None:
        """Close so that the client gets an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    # -- a server as it should be ---------------------------------------------------------------------------------

    def greet(self, payload: bytes | None = None) -> bytes:
        """Greet, and hear the answer."""
        self.say(packets(greeting() if payload is None else payload, first=0))
        answer = self.hear()
        assert answer is not None
        return answer

    def let_in(self) -> None:
        """The whole connection phase, session settings included."""
        self.greet()
        self.say(packets(ok(), first=2))
        self.answer(ok())

    def answer(self, *payloads: bytes, first: int = 1) -> bytes | None:
        """Hear a command and answer it; the command, or None when the client has gone instead."""
        command = self.hear()
        if command is not None:
            self.say(packets(*payloads, first=first))
        return command

    # -- talking with the test ------------------------------------------------------------------------------------

    def signal(self, name: str) -> None:
        self.peer.event(name).set()

    def wait_for(self, name: str) -> None:
        assert self.peer.event(name).wait(PATIENCE), f"{name} never came"


class Peer:
    """Listens until the end of its `with`, which raises what a part raised."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._events: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._links: list[Link] = []
        self._failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def event(self, name: str) -> threading.Event:
        return self._events.setdefault(name, threading.Event())

    def close(self) -> None:
        """Hang up on everybody; raises what a part raised."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in list(self._links):
            with contextlib.suppress(OSError):
                link.sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a peer hangs"
        if self._failures:
            raise self._failures[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            link = Link(self, sock)
            self._links.append(link)
            self._start(self._play, link)

    def _play(self, link: Link) -> None:
        try:
            self._part(link)
        except BaseException as failure:  # noqa: BLE001 - raised by close()
            self._failures.append(failure)
        finally:
            link.sock.close()

    def _start(self, function: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def encrypted(link: Link, certificate: trustme.LeafCert) -> None:
    """Greet, and put TLS around the link."""
    link.say(TLS_GREETING)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    link.sock.setblocking(True)
    request = b""
    while len(request) < SSL_REQUEST:
        request += link.sock.recv(SSL_REQUEST - len(request))
    link.sock = context.wrap_socket(link.sock, server_side=True)
