"""Framing: sequence numbers, long packets, the shared buffer and the wire's own store, limits."""

from __future__ import annotations

import pytest
from dialogue import err, packets
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzle.engine.wire import ReceiveBuffer, Wire
from mizzle.errors import OperationalError

FULL = 0xFFFFFF


def receive(wire: Wire, buffer: ReceiveBuffer, data: bytes) -> None:
    while data:
        space = wire.space(buffer)
        n = min(len(space), len(data))
        space[:n] = data[:n]
        wire.received(n)
        data = data[n:]
        if data:
            wire.keep()


def wire_at(sequence: int, **options: int) -> Wire:
    wire = Wire(**options)
    wire.sequence = sequence
    return wire


@given(
    payloads=st.lists(st.binary(max_size=3000), max_size=8),
    size=st.integers(min_value=1, max_value=4000),
    keep=st.booleans(),
)
@settings(max_examples=60)
def test_whatever_the_chunks_the_packets_are_the_same(payloads: list[bytes], size: int, keep: bool) -> None:
    wire, buffer, taken = wire_at(1), ReceiveBuffer(1024), []
    data = packets(*payloads)
    for start in range(0, len(data), size):
        receive(wire, buffer, data[start : start + size])
        while (payload := wire.take()) is not None:
            taken.append(payload)
        if keep or start + size < len(data):
            wire.keep()
    assert taken == payloads
    assert wire.unread == b""


@pytest.mark.parametrize("length", [FULL - 1, FULL, FULL + 1, 2 * FULL, 2 * FULL + 5])
def test_packets_of_several_frames(length: int) -> None:
    payload = bytes(range(256)) * (length // 256) + bytes(length % 256)
    wire, buffer = wire_at(1), ReceiveBuffer(1 << 20)
    receive(wire, buffer, packets(payload, b"next"))
    assert wire.take() == payload
    assert wire.take() == b"next"

    sender = wire_at(1)
    sender.write_packet(payload)
    sender.write_packet(b"next")
    assert sender.outgoing == packets(payload, b"next")


def test_a_long_packet_is_not_taken_before_its_last_frame() -> None:
    data = packets(bytes(FULL + 10))
    wire, buffer = wire_at(1), ReceiveBuffer(1 << 20)
    receive(wire, buffer, data[: FULL + 4])
    assert wire.take() is None
    wire.keep()
    receive(wire, buffer, data[FULL + 4 : -1])
    assert wire.take() is None
    wire.keep()
    receive(wire, buffer, data[-1:])
    assert len(wire.take() or b"") == FULL + 10


def test_sequence_numbers_wrap_around() -> None:
    wire, buffer = wire_at(250), ReceiveBuffer()
    receive(wire, buffer, packets(*[b"x"] * 20, first=250))
    assert [wire.take() for _ in range(20)] == [b"x"] * 20
    assert wire.sequence == (250 + 20) % 256


def test_a_wrong_sequence_number_is_refused_before_the_packet_is_whole() -> None:
    wire, buffer = wire_at(1), ReceiveBuffer()
    receive(wire, buffer, b"HTTP/1.1 400 Bad Request")
    with pytest.raises(OperationalError, match="out of order: sequence number 1 expected, 80 received") as caught:
        wire.take()
    assert not caught.value.alive


@pytest.mark.parametrize("sequence", [0, 7, 255])
def test_an_err_packet_is_taken_with_any_sequence_number(sequence: int) -> None:
    wire, buffer = wire_at(1), ReceiveBuffer()
    payload = err(1927, "Connection was killed")
    receive(wire, buffer, packets(payload, first=sequence)[:4])
    assert wire.take() is None
    wire.keep()
    receive(wire, buffer, packets(payload, first=sequence)[4:])
    assert wire.take() == payload


def test_a_packet_longer_than_allowed_is_refused_by_its_header() -> None:
    wire, buffer = wire_at(1, max_packet=1000), ReceiveBuffer()
    receive(wire, buffer, (1001).to_bytes(3, "little") + b"\x01")
    with pytest.raises(OperationalError, match="1001 bytes or more, 1000 are allowed: raise max_allowed_packet"):
        wire.take()


def test_frames_that_add_up_to_more_than_allowed_are_refused() -> None:
    wire, buffer = wire_at(1, max_packet=FULL + 5), ReceiveBuffer(1 << 20)
    receive(wire, buffer, packets(bytes(FULL + 6))[: FULL + 8])
    with pytest.raises(OperationalError, match="are allowed"):
        wire.take()


def test_an_announced_length_costs_no_memory() -> None:
    wire, buffer = wire_at(1), ReceiveBuffer(4096)
    receive(wire, buffer, b"\xfe\xff\xff\x01" + bytes(10))
    assert wire.take() is None
    wire.keep()
    assert len(wire.space(buffer)) < 3 * 4096


def test_connections_share_a_buffer() -> None:
    buffer = ReceiveBuffer(1024)
    one, other = wire_at(1), wire_at(1)
    data = packets(b"of one")
    receive(one, buffer, data[:6])
    assert one.take() is None
    one.keep()
    receive(other, buffer, packets(b"of the other" * 50))
    receive(one, buffer, data[6:])
    assert one.take() == b"of one"


def test_an_idle_wire_holds_no_buffer() -> None:
    buffer = ReceiveBuffer(1024)
    wire = wire_at(1)
    receive(wire, buffer, packets(b"a"))
    wire.take()
    wire.keep()
    assert wire.space(buffer).obj is wire_at(1).space(buffer).obj


def test_partial_sends() -> None:
    wire = wire_at(0)
    wire.write_packet(b"abcdef")
    sent = b""
    assert not wire.any_sent
    while wire.outgoing:
        sent += bytes(wire.outgoing[:4])
        wire.sent(min(4, len(wire.outgoing)))
        assert wire.any_sent
    assert sent == packets(b"abcdef", first=0)
    assert wire.outgoing is None


def test_what_is_queued_twice_goes_out_in_order() -> None:
    wire = wire_at(0)
    wire.write_packet(b"a")
    wire.sent(2)
    wire.write_packet(b"b")
    assert bytes(wire.outgoing or b"") == packets(b"a", b"b", first=0)[2:]


class Rot13:
    """A filter that turns each byte, and holds one back until the next comes: what TLS records do, in small."""

    def __init__(self) -> None:
        self.held = b""

    def receive(self, data: memoryview) -> bytes:
        plain = self.held + bytes((byte - 13) & 0xFF for byte in data)
        self.held = plain[-1:] if len(plain) > 1 else b""
        return plain[:-1] if len(plain) > 1 else plain

    def send(self, data: bytes) -> bytes:
        return bytes((byte + 13) & 0xFF for byte in data)


def test_a_filter_stands_between_packets_and_link() -> None:
    wire, buffer = wire_at(1), ReceiveBuffer(1024)
    wire.filter = Rot13()
    payloads = [b"first", b"x" * 5000, b"last"]
    data = Rot13().send(packets(*payloads) + b"\0")
    taken = []
    for start in range(0, len(data), 700):
        receive(wire, buffer, data[start : start + 700])
        while (payload := wire.take()) is not None:
            taken.append(payload)
        wire.keep()
    assert taken == payloads
    wire.write_packet(b"p")
    assert Rot13().receive(memoryview(wire.outgoing or b""))[:4] == b"\x01\0\0\x04"


def test_a_buffer_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="1024 at least"):
        ReceiveBuffer(100)
