"""A server's half of a dialogue, made of bytes, and a way to play it to the engine in pieces of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mizzle.constants import capabilities as cap
from mizzle.constants import field_types, status
from mizzle.engine.conversations import DONE, READ, Conversation, Engine
from mizzle.engine.packets import build_lenenc_int
from mizzle.engine.wire import ReceiveBuffer
from mizzle.options import connect_options

UTF8MB4 = 45
BINARY = 63
CAPABILITIES = cap.CLIENT_PROTOCOL_41 | cap.CLIENT_SECURE_CONNECTION | cap.CLIENT_DEPRECATE_EOF


def engine(*, deprecate_eof: bool = True, **options: Any) -> Engine:
    """An engine behind its connection phase."""
    made = Engine(replace(connect_options(user="u", password="", ssl_mode="disabled"), **options))
    made.agree(CAPABILITIES if deprecate_eof else CAPABILITIES & ~cap.CLIENT_DEPRECATE_EOF)
    made.status_flags = status.SERVER_STATUS_AUTOCOMMIT
    return made


def play(conversation: Conversation[Any], incoming: bytes, chunk: int | None = None, buffer: int = 1024) -> Any:
    """Step it with `incoming` in chunks; its result. EOFError where it wants more than there is."""
    wire = conversation.wire
    receive = ReceiveBuffer(buffer)
    pieces = pieces_of(incoming, chunk or max(len(incoming), 1))
    while (want := conversation.advance()) != DONE:
        if wire.outgoing:
            wire.sent(len(wire.outgoing))
        if want == READ:
            feed(conversation, receive, pieces)
    return conversation.result


def feed(conversation: Conversation[Any], receive: ReceiveBuffer, pieces: Iterator[bytes]) -> None:
    piece = next(pieces, None)
    if piece is None:
        raise EOFError
    while piece:
        space = conversation.wire.space(receive)
        n = min(len(space), len(piece))
        space[:n] = piece[:n]
        conversation.wire.received(n)
        piece = piece[n:]
        if piece:
            conversation.wire.keep()


def pieces_of(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def packets(*payloads: bytes, first: int = 1) -> bytes:
    """Payloads in frames, their sequence numbers counted from `first`."""
    framed = b""
    sequence = first
    for payload in payloads:
        rest = payload
        while True:
            frame, rest = rest[:0xFFFFFF], rest[0xFFFFFF:]
            framed += len(frame).to_bytes(3, "little") + bytes((sequence & 0xFF,)) + frame
            sequence += 1
            if len(frame) < 0xFFFFFF:
                break
    return framed


def lenenc(value: bytes | None) -> bytes:
    return b"\xfb" if value is None else build_lenenc_int(len(value)) + value


def ok(
    affected: int = 0, insert_id: int = 0, flags: int = status.SERVER_STATUS_AUTOCOMMIT, warnings: int = 0,
    info: bytes = b"", header: int = 0x00,
) -> bytes:  # fmt: skip
    return (
        bytes((header,))
        + build_lenenc_int(affected)
        + build_lenenc_int(insert_id)
        + flags.to_bytes(2, "little")
        + warnings.to_bytes(2, "little")
        + (lenenc(info) if info else b"")
    )


def eof(flags: int = status.SERVER_STATUS_AUTOCOMMIT, warnings: int = 0) -> bytes:
    return b"\xfe" + warnings.to_bytes(2, "little") + flags.to_bytes(2, "little")


def err(errno: int, message: str, sqlstate: str | None = "HY000") -> bytes:
    marker = f"#{sqlstate}" if sqlstate else ""
    return b"\xff" + errno.to_bytes(2, "little") + (marker + message).encode()


def column(
    name: str = "c", type_code: int = field_types.MYSQL_TYPE_VAR_STRING, charset: int = UTF8MB4, flags: int = 0,
    length: int = 255, decimals: int = 0, extended: bytes | None = None,
) -> bytes:  # fmt: skip
    """`extended`: MariaDB's extended metadata, where that was agreed on."""
    texts = (b"def", b"db", b"t", b"ot", name.encode(), b"oc")
    return (
        b"".join(map(lenenc, texts))
        + (b"" if extended is None else lenenc(extended))
        + b"\x0c"
        + charset.to_bytes(2, "little")
        + length.to_bytes(4, "little")
        + bytes((type_code,))
        + flags.to_bytes(2, "little")
        + bytes((decimals, 0, 0))
    )


def row(*values: bytes | None) -> bytes:
    return b"".join(map(lenenc, values))


def result_set(
    columns: list[bytes], rows: list[bytes], *, deprecate_eof: bool = True, flags: int = 2, first: int = 1
) -> bytes:
    """A text result set from its column count to its end."""
    between = [] if deprecate_eof else [eof()]
    end = ok(flags=flags, header=0xFE) if deprecate_eof else eof(flags)
    return packets(bytes((len(columns),)), *columns, *between, *rows, end, first=first)
