"""Servers that answer prepared statements, and connections that are compressed, with more than anybody can take."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import mizzle
from engine.dialogue import column, ok, packets
from faults.handshakes import COMMON, greeting
from faults.hostile import Link, Part, Peer
from mizzle.constants import capabilities as cap
from mizzle.constants import field_types as ft
from mizzle.engine.compression import zstd_module

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]
Talk = Callable[..., Any]
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
FILE = b"\xfb/etc/passwd"
PREPARE, EXECUTE = 0x16, 0x17


def prepared(parameters: int = 1, columns: int = 1) -> bytes:
    return b"\0" + struct.pack("<IHHBH", 5, columns, parameters, 0, 0)


PREPARED = packets(prepared(), column("?"), NUMBER)


class Hostile(NamedTuple):
    """What it says to each command, and how that ends."""

    answers: dict[int, bytes]
    errno: int
    words: str


SERVERS = {
    "a file for a statement": Hostile({PREPARE: packets(FILE)}, 2027, "StmtPrepareOk"),
    "a file for its rows": Hostile({PREPARE: PREPARED, EXECUTE: packets(FILE)}, 2068, "'/etc/passwd'"),
    "a file for a column": Hostile(
        {PREPARE: PREPARED, EXECUTE: packets(b"\1", FILE, b"\0")}, 2027, "ColumnDefinition41"
    ),
    "millions of columns": Hostile(
        {PREPARE: PREPARED, EXECUTE: packets(b"\xfd\x00\x00\x80")}, 2027, "8388608 columns"
    ),
    "all the columns there are": Hostile(
        {PREPARE: PREPARED, EXECUTE: packets(b"\xfe" + b"\xff" * 8)}, 2027, "18446744073709551615 columns"
    ),
    "a value of astronomic length": Hostile(
        {PREPARE: packets(prepared(), column("?"), column("s")),
         EXECUTE: packets(b"\1", column("s"), b"\0\0\xfe" + b"\xff" * 8)},
        2027, "announced|bytes",
    ),
    "a row of nothing": Hostile({PREPARE: PREPARED, EXECUTE: packets(b"\1", NUMBER, b"\0")}, 2027, "Row|bytes"),
}  # fmt: skip


@pytest.mark.parametrize("hostile", SERVERS.values(), ids=SERVERS)
def test_prepared_statements(talk: Talk, peers: list[Peer], hostile: Hostile) -> None:
    heard: list[bytes] = []

    def part(link: Link) -> None:
        while (command := link.hear()) is not None:
            heard.append(command)
            link.say(hostile.answers.get(command[0] if command else 0, packets(ok(), first=3)))

    conn = talk(part, local_infile=True)
    with pytest.raises(mizzle.Error, match=f"(?s){hostile.words}") as caught:
        conn.execute("SELECT n FROM t WHERE n = %s", [7], prepare=True)
    assert caught.value.errno == hostile.errno
    conn.close()
    peers[0].close()
    assert b"root:" not in b"".join(heard)


def test_definitions_without_end(talk: Talk) -> None:
    """As many parameters as can be counted, each as long as it may be: bounded by max_allowed_packet."""
    long = column("n" * 4000)

    def part(link: Link) -> None:
        link.hear()
        link.say(packets(prepared(65535, 0)))
        numbers = itertools.count(2)
        while link.say(b"".join(packets(long, first=next(numbers) & 0xFF) for _ in range(20))):
            pass

    conn = talk(part, max_allowed_packet=1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(mizzle.Error) as caught:
            conn.prepare("SELECT %s")
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert not caught.value.alive


ALGORITHMS = {"zlib": cap.CLIENT_COMPRESS, "zstd": cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("declared", [100, 0xFFFFFF])
def test_a_bomb_in_a_compressed_frame(
    peer: Callable[[Part], Peer], connect: Connect, algorithm: str, declared: int
) -> None:
    """It inflates to more than it says, or says more than any packet may have: no more is made than was allowed."""

    def frame(data: bytes, length: int, number: int) -> bytes:
        return len(data).to_bytes(3, "little") + bytes((number,)) + length.to_bytes(3, "little") + data

    bomb = zlib.compress(bytes(50_000_000)) if algorithm == "zlib" else zstd_module().compress(bytes(50_000_000))

    def part(link: Link) -> None:
        link.greet(greeting(capabilities=COMMON | ALGORITHMS[algorithm]))
        link.say(packets(ok(), first=2))
        assert link.hear_bytes()
        link.say(frame(packets(ok()), 0, 1))
        assert link.hear_bytes()
        link.say(frame(bomb, declared, 1))
        link.until_end()

    peer(part)
    conn = connect(compress=algorithm, max_allowed_packet=1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(mizzle.Error) as caught:
            conn.execute("SELECT 1")
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.errno in {2020, 2027}
    assert not caught.value.alive
    assert not conn.open
