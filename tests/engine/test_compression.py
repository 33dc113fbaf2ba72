"""The compressed protocol: frames both ways, cut off anywhere; what is no frame, or would never end."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from contextlib import suppress
from typing import Any

import pytest
from dialogue import column, engine, packets, play, result_set, row
from hypothesis import given
from hypothesis import strategies as st
from login_client import engine as fresh_engine
from login_client import response

from faults.handshakes import COMMON, greeting
from mizzle.constants import capabilities as cap
from mizzle.engine import compression
from mizzle.engine.compression import Compression, zstd_module
from mizzle.engine.conversations import Engine
from mizzle.errors import MalformedPacket, NotSupportedError, OperationalError

ALGORITHMS = ("zlib", "zstd")
MAX = 1 << 24


def made(
    algorithm: str = "zlib", *, level: int | None = None, threshold: int = 150, max_packet: int = MAX
) -> Compression:
    return Compression(algorithm, level, threshold, max_packet)


def deflate(algorithm: str, data: bytes) -> bytes:
    return zlib.compress(data) if algorithm == "zlib" else bytes(zstd_module().compress(data))


def frame(body: bytes, declared: int = 0, sequence: int = 0) -> bytes:
    return len(body).to_bytes(3, "little") + bytes((sequence,)) + declared.to_bytes(3, "little") + body


def all_of(filter: Compression) -> bytes:
    pieces = []
    while piece := filter.next():
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.binary(max_size=2000) | st.binary(max_size=20).map(lambda piece: piece * 500), chunk=st.integers(1, 300))
def test_there_and_back(algorithm: str, data: bytes, chunk: int) -> None:
    sender, receiver = made(algorithm), made(algorithm)
    framed = sender.send(data)
    pieces = []
    for start in range(0, len(framed), chunk):
        receiver.receive(framed[start : start + chunk])
        pieces.append(all_of(receiver))
    assert b"".join(pieces) == data


def test_short_and_incompressible_bytes_go_as_they_are() -> None:
    assert made().send(b"x" * 149) == frame(b"x" * 149)
    assert made().send(b"x" * 150) == frame(zlib.compress(b"x" * 150, 6), 150)
    noise = bytes(range(256))
    assert made().send(noise) == frame(noise)
    assert made(threshold=0).send(b"") == b""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("level", [1, 9])
def test_levels(algorithm: str, level: int) -> None:
    receiver = made(algorithm)
    receiver.receive(made(algorithm, level=level).send(b"abc" * 1000))
    assert all_of(receiver) == b"abc" * 1000


def test_frames_are_numbered_from_the_commands_beginning() -> None:
    sender = made()
    assert [sender.send(b"x")[3] for _ in range(3)] == [0, 1, 2]
    sender.begin()
    assert sender.send(b"x")[3] == 0
    sender.receive(frame(b"answer", sequence=1))
    assert sender.next() == b"answer"
    assert sender.send(b"x")[3] == 2
    long = made(threshold=1 << 30).send(bytes(0xFFFFFF + 5))
    assert (long[:7], long[0xFFFFFF + 7 :][:7]) == (b"\xff\xff\xff\0\0\0\0", b"\5\0\0\1\0\0\0")


# -- a hostile server --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_bomb_is_not_inflated(algorithm: str) -> None:
    """Never more than was declared."""
    bomb = deflate(algorithm, bytes(50_000_000))
    filter = made(algorithm)
    filter.receive(frame(bomb, 100))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedPacket, match="CompressedPacket"):
            filter.next()
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_many_bombs_are_inflated_one_at_a_time(algorithm: str) -> None:
    """Each is as long as it declares: memory for one of them, however many came with one read."""
    size = 4_000_000
    bombs = frame(deflate(algorithm, bytes(size)), size) * 50
    filter = made(algorithm, max_packet=size)
    filter.receive(bombs)
    tracemalloc.start()
    try:
        assert [len(filter.next()) for _ in range(50)] == [size] * 50
        assert tracemalloc.get_traced_memory()[1] < 3 * size
    finally:
        tracemalloc.stop()
    assert filter.next() == b""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("declared", [1, 299, 301, 5000])
def test_another_length_than_declared(algorithm: str, declared: int) -> None:
    filter = made(algorithm)
    filter.receive(frame(deflate(algorithm, b"x" * 300), declared))
    with pytest.raises(MalformedPacket):
        filter.next()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_cannot_be_inflated(algorithm: str) -> None:
    whole = deflate(algorithm, b"some text " * 30)
    for body in (
        b"noise, noise, noise",
        whole + b"x",
        *[whole[:length] for length in range(len(whole))],
    ):
        filter = made(algorithm)
        filter.receive(frame(body, 300))
        with pytest.raises(MalformedPacket):
            filter.next()


def test_frames_longer_than_any_packet_allowed() -> None:
    for header in (
        frame(b"")[:3] + b"\0" + (200_000).to_bytes(3, "little"),
        (200_000).to_bytes(3, "little") + bytes(4),
    ):
        filter = made(max_packet=100_000)
        filter.receive(header)
        with pytest.raises(OperationalError, match="max_allowed_packet") as refused:
            filter.next()
        assert not refused.value.alive


@given(st.binary(max_size=200))
def test_noise(noise: bytes) -> None:
    filter = made()
    filter.receive(noise)
    with suppress(MalformedPacket):
        all_of(filter)


# -- under the wire ----------------------------------------------------------------------------------------------------


def compressed_engine(algorithm: str = "zlib", **options: Any) -> Engine:
    ready = engine(**options)
    ready.wire.compression = made(algorithm)
    return ready


ROWS = [row(b"x" * 300) for _ in range(20)]
ANSWER = result_set([column("s")], ROWS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("chunk", [None, 1, 7])
@pytest.mark.parametrize("piece", [50, 1000, 1 << 20])
@pytest.mark.feature("zlib compression", "zstd compression")
def test_a_query(algorithm: str, chunk: int | None, piece: int) -> None:
    """Frames end anywhere in packets."""
    server = made(algorithm)
    answer = b"".join(server.send(ANSWER[start : start + piece]) for start in range(0, len(ANSWER), piece))
    ready = compressed_engine(algorithm)
    conversation = ready.query(b"SELECT " + b"x" * 500)
    assert play(conversation, answer, chunk).rows == [("x" * 300,)] * 20
    assert ready.settled
    assert ready.wire.unread == b""


def test_a_query_that_ends_at_every_byte() -> None:
    answer = made().send(ANSWER)
    for length in range(len(answer)):
        with pytest.raises(EOFError):
            play(compressed_engine().query(b"Q"), answer[:length])


def test_what_is_sent() -> None:
    conversation = compressed_engine().query(b"x" * 500)
    conversation.advance()
    sent = bytes(conversation.wire.outgoing or b"")
    receiver = made()
    receiver.receive(sent)
    assert receiver.next() == packets(b"\x03" + b"x" * 500, first=0)
    assert len(sent) < 100


def test_a_bomb_in_an_answer_ends_the_connection() -> None:
    ready = compressed_engine()
    with pytest.raises(MalformedPacket, match="CompressedPacket"):
        play(ready.query(b"Q"), frame(zlib.compress(bytes(10_000_000)), 9))
    assert not ready.settled


def test_bytes_on_an_idle_connection_are_seen() -> None:
    ready = compressed_engine()
    play(ready.query(b"Q"), made().send(ANSWER) + made().send(packets(b"\xff\x87\x07killed", first=0)))
    assert ready.wire.unread
    assert ready.unsolicited().args[0] == 1927


# -- what is agreed on -------------------------------------------------------------------------------------------------

BOTH = cap.CLIENT_COMPRESS | cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM


@pytest.mark.parametrize(
    ("wish", "offered", "algorithm"),
    [
        (None, BOTH, None),
        ("zlib", BOTH, "zlib"),
        ("zstd", BOTH, "zstd"),
        ("best", BOTH, "zstd"),
        ("best", cap.CLIENT_COMPRESS, "zlib"),
        ("best", 0, None),
    ],
)
def test_which_algorithm(wish: str | None, offered: int, algorithm: str | None) -> None:
    assert compression.chosen(wish, offered) == algorithm


@pytest.mark.parametrize(("wish", "offered"), [("zlib", 0), ("zstd", cap.CLIENT_COMPRESS)])
def test_an_algorithm_that_the_server_has_not(wish: str, offered: int) -> None:
    with pytest.raises(OperationalError, match="does not offer it") as refused:
        compression.chosen(wish, offered)
    assert (refused.value.args[0], refused.value.alive) == (2066, False)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert compression.chosen("best", BOTH) == "zlib"
    with pytest.raises(NotSupportedError, match="needs a package") as refused:
        compression.chosen("zstd", BOTH)
    assert "mizzle[zstd]" in str(refused.value.hint)


def test_the_handshake() -> None:
    offer = greeting("9.7.0", capabilities=COMMON | BOTH)
    assert not response(fresh_engine(), offer).capabilities & BOTH
    assert response(fresh_engine(compress="zlib"), offer).capabilities & BOTH == cap.CLIENT_COMPRESS
    assert response(fresh_engine(compress="zstd"), offer).capabilities & BOTH == cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM
