"""LOAD DATA LOCAL INFILE: the server asks for a file in the middle of COM_QUERY ("Protocol::LOCAL_INFILE_Request").

What is sent is what the caller gave with the statement, never what the server names: a server may ask for any file at
any time, and that must give it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING

from mizzle.constants.errnos import CR_LOAD_DATA_LOCAL_INFILE_REJECTED
from mizzle.engine.packets import parse_local_infile_request
from mizzle.errors import Error, OperationalError

if TYPE_CHECKING:
    from mizzle.engine.conversations import Engine

WRITE = 2
PACKET = 64 * 1024  # bytes gathered before a packet is made of them
HIGH_WATER = 256 * 1024  # bytes queued before the world is asked to send

Infile = Callable[[str], Iterable[bytes]]


def send(engine: Engine, request: bytes, infile: Infile | None) -> Generator[int, None, None]:
    """Send what the caller gave; without it, decline and raise once the server has answered.

    An exception out of the caller's iterable breaks the connection: the server must not take half a file for the whole.
    """
    filename = parse_local_infile_request(request).decode("utf8", "replace")
    wire = engine.wire
    if infile is None:
        yield from decline(engine, filename)
    else:
        engine.sending_file = True
        for piece in gathered(infile(filename)):
            wire.write_packet(piece)
            if len(wire.outgoing or b"") >= HIGH_WATER:
                yield WRITE
        wire.write_packet(b"")
        engine.sending_file = False


def decline(engine: Engine, filename: str) -> Generator[int, None, None]:
    engine.wire.write_packet(b"")
    try:
        yield from engine.expect_ok()
    except Error as error:
        if not error.alive:
            raise
    raise OperationalError(
        CR_LOAD_DATA_LOCAL_INFILE_REJECTED,
        f"The server asked for the local file {filename!r}, which nobody offered: nothing was sent",
        hint="Connect with local_infile=True and give the data with the statement: execute(sql, infile=...).",
    )


def gathered(chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same bytes in pieces of a good size; none is empty, for an empty packet ends the file."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        if len(pending) >= PACKET:
            yield bytes(pending)
            pending.clear()
    if pending:
        yield bytes(pending)
