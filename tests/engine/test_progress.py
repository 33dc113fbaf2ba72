"""MariaDB's reports of progress: the packet byte by byte, and where in a dialogue it may come."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from dialogue import CAPABILITIES, column, engine, err, lenenc, ok, packets, play, result_set, row
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import capabilities as cap
from mizzle.engine.conversations import READ, Engine
from mizzle.engine.packets import Progress, parse_progress
from mizzle.errors import MalformedPacket, OperationalError, ProgrammingError


def report(stage: int = 1, max_stage: int = 2, thousandths: int = 12_500, info: bytes = b"copy to tmp table") -> bytes:
    return b"\xff\xff\xff\1" + bytes((stage, max_stage)) + thousandths.to_bytes(3, "little") + lenenc(info)


def test_the_packet() -> None:
    assert parse_progress(report()) == Progress(1, 2, 12.5, "copy to tmp table")
    assert parse_progress(report(3, 3, 100_000, b"")) == (3, 3, 100.0, "")


def test_truncated_at_every_length_and_with_a_tail() -> None:
    whole = report()
    for length in range(3, len(whole)):
        with pytest.raises(MalformedPacket):
            parse_progress(whole[:length])
    with pytest.raises(MalformedPacket):
        parse_progress(whole + b"x")


@given(st.binary(max_size=30))
def test_noise_is_a_report_or_malformed(noise: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        assert 0 <= parse_progress(b"\xff\xff\xff" + noise).stage < 256


def agreed(callback: Any = None) -> Engine:
    made = engine()
    made.agree(CAPABILITIES | cap.MARIADB_CLIENT_PROGRESS)
    made.progress.callback = callback
    return made


@pytest.mark.parametrize("chunk", [None, 1])
def test_before_an_answer(chunk: int | None) -> None:
    said: list[Any] = []
    made = agreed(said.append)
    result = play(made.query(b"ALTER"), packets(report(1), report(2, info=b"x"), ok(affected=3)), chunk)
    assert (result.affected_rows, [one.stage for one in said], said[1].info) == (3, [1, 2], "x")
    assert made.settled


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.feature("progress reports")
def test_between_rows(streamed: bool) -> None:
    said: list[Any] = []
    made = agreed(said.append)
    whole = [b"\1", column(), report(1), row(b"a"), report(2), report(3), row(b"b"), report(4), ok(header=0xFE)]
    if not streamed:
        assert play(made.query(b"CHECK"), packets(*whole), 1).rows == [("a",), ("b",)]
    else:
        result = play(made.stream(b"CHECK"), packets(*whole[:2]))
        rows = play(made.fetch_batch(result), packets(*whole[2:], first=3))
        assert rows == [("a",), ("b",)]
        assert made.settled
    assert [one.stage for one in said] == [1, 2, 3, 4]


def test_before_an_error() -> None:
    said: list[Any] = []
    made = agreed(said.append)
    with pytest.raises(OperationalError, match="no"):
        play(made.query(b"ALTER"), packets(report(), err(1317, "no")))
    assert (len(said), made.settled) == (1, True)


def test_nobody_wants_to_know() -> None:
    made = agreed()
    assert play(made.query(b"ALTER"), packets(report(), ok(affected=1))).affected_rows == 1


def test_without_the_capability_it_is_an_error() -> None:
    made = engine()
    with pytest.raises(Exception, match=r"\(65535"):
        play(made.query(b"ALTER"), packets(report()))


class Oops(Exception):
    pass


def fail(progress: Progress) -> None:
    raise Oops(progress)


@pytest.mark.parametrize("rows", [False, True])
def test_an_error_in_the_callback_is_raised_when_all_is_read(rows: bool) -> None:
    calls = []

    def callback(progress: Progress) -> None:
        calls.append(progress)
        raise Oops

    made = agreed(callback)
    rest = [b"\1", column(), report(2), row(b"a"), ok(header=0xFE)] if rows else [report(2), ok()]
    with pytest.raises(Oops):
        play(made.query(b"CHECK"), packets(report(), *rest), 1)
    assert made.settled
    assert len(calls) == 1
    assert play(made.query(b"SELECT"), result_set([column()], [row(b"x")])).rows == [("x",)]


def test_an_error_in_the_callback_during_a_stream_is_raised_at_its_end() -> None:
    made = agreed(fail)
    result = play(made.stream(b"CHECK"), packets(report(), b"\1", column()))
    assert play(made.fetch_batch(result), packets(row(b"a"), first=4)) == [("a",)]
    with pytest.raises(Oops):
        play(made.fetch_batch(result), packets(report(), ok(header=0xFE), first=5))
    assert made.settled
    assert play(made.query(b"SELECT"), result_set([column()], [row(b"x")])).rows == [("x",)]


def test_the_servers_error_goes_before_the_callbacks() -> None:
    made = agreed(fail)
    with pytest.raises(ProgrammingError):
        play(made.query(b"ALTER"), packets(report(), err(1064, "no")))
    assert play(made.query(b"SELECT"), packets(ok(affected=2))).affected_rows == 2


def test_what_nobody_waits_for_is_not_reported() -> None:
    said: list[Any] = []
    made = agreed(said.append)
    conversation = made.query(b"ALTER")
    assert conversation.advance() == READ
    rest = conversation.drain()
    assert rest is not None
    play(rest, packets(report(), report(), err(1317, "interrupted")))
    assert (said, made.settled) == ([], True)
