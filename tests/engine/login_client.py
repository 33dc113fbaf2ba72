"""The client's half of a login, stepped by what is said to it, and what passwords become on the way."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any

import trustme

from engine.dialogue import packets
from faults.handshakes import NONCE, Response, greeting, parse_response
from mizzle.engine.conversations import READ, Engine
from mizzle.engine.wire import ReceiveBuffer
from mizzle.options import connect_options

PASSWORD = "secret"


def engine(*, secure: bool = False, ssl_context: Any = None, **options: Any) -> Engine:
    settings = {
        "user": "ann",
        "password": PASSWORD,
        "ssl_mode": "disabled",
        "host": "db.example",
        "on_interrupt": "drain",  # "kill" asks one thing more
    }
    settings |= options
    return Engine(connect_options(**settings), secure=secure, ssl_context=ssl_context)


class Client:
    """The client's half: a connect() that is stepped by what is said to it."""

    def __init__(self, made: Engine, chunk: int | None = None, conversation: Any = None) -> None:
        self.engine = made
        self.conversation = conversation or made.connect()
        self.done = False
        self._chunk = chunk
        self._buffer = ReceiveBuffer()
        self._step()

    def hear(self, data: bytes) -> bytes:
        """Say this to it, in chunks; what it says in turn."""
        said = b""
        for start in range(0, len(data), self._chunk or max(len(data), 1)):
            piece = data[start : start + (self._chunk or len(data))]
            space = self.conversation.wire.space(self._buffer)
            space[: len(piece)] = piece
            self.conversation.wire.received(len(piece))
            said += self._step()
        return said

    def _step(self) -> bytes:
        wire = self.conversation.wire
        self.done = self.conversation.advance() != READ
        said = bytes(wire.outgoing or b"")
        if said:
            wire.sent(len(said))
        return said

    def log_in(self, first: bytes, *answers: bytes) -> list[bytes]:
        """A greeting and payloads that follow, each numbered as the dialogue has it; what the client said, payloads."""
        said = [self.hear(packets(first, first=0))]
        for answer in answers:
            said.append(self.hear(packets(answer, first=said[-1][3] + 1 if said[-1] else self._next)))
            self._next = (said[-2][3] + 2 if said[-2] else self._next + 1) & 0xFF
        return [payload_of(frame) for frame in said]

    _next = 0


def payload_of(frame: bytes) -> bytes:
    assert not frame or len(frame) == 4 + int.from_bytes(frame[:3], "little")
    return frame[4:]


def response(made: Engine, first: bytes = b"") -> Response:
    """What the client answers to a greeting."""
    return parse_response(Client(made).log_in(first or greeting())[0])


def native(password: str = PASSWORD, nonce: bytes = NONCE) -> bytes:
    once = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


def sha2(password: str = PASSWORD, nonce: bytes = NONCE) -> bytes:
    once = hashlib.sha256(password.encode()).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))


class TLSServer:
    """The server's end of TLS, in memory."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def shake_hands(self, client: Client, said: bytes) -> bytes:
        """Until the client has said something under TLS; its payload."""
        for _ in range(5):
            self._incoming.write(said)
            try:
                self._tls.do_handshake()
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                said = client.hear(self._outgoing.read())
        raise AssertionError("the handshake has no end")

    def say(self, client: Client, *payloads: bytes, first: int) -> bytes:
        self._tls.write(packets(*payloads, first=first))
        self._incoming.write(client.hear(self._outgoing.read()))
        try:
            return self._tls.read(65536)
        except ssl.SSLWantReadError:
            return b""
