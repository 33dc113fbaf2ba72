"""Results whose columns the server does not describe (CLIENT_OPTIONAL_RESULTSET_METADATA), byte by byte."""

from __future__ import annotations

import pytest
from dialogue import CAPABILITIES, column, engine, eof, err, ok, packets, play, row
from login_client import Client, greeting, response

from mizzle.constants import capabilities as cap
from mizzle.engine.conversations import Engine
from mizzle.errors import MalformedPacket, ProgrammingError

BARE = packets(b"\2\0", row(b"1", b"\xff"), row(None, b""), ok(header=0xFE))


def agreed(deprecate_eof: bool = True) -> Engine:
    made = engine(deprecate_eof=deprecate_eof)
    agreed_on = CAPABILITIES if deprecate_eof else CAPABILITIES & ~cap.CLIENT_DEPRECATE_EOF
    made.agree(agreed_on | cap.CLIENT_OPTIONAL_RESULTSET_METADATA)
    return made


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("results without their columns")
def test_values_are_bytes(chunk: int | None) -> None:
    result = play(agreed().query(b"SELECT"), BARE, chunk)
    assert result.rows == [(b"1", b"\xff"), (None, b"")]
    assert [name for name, *_ in result.description] == ["column_1", "column_2"]


def test_streamed() -> None:
    made = agreed()
    result = play(made.stream(b"SELECT"), BARE[:6])
    assert play(made.fetch_batch(result), BARE[6:]) == [(b"1", b"\xff"), (None, b"")]
    assert made.settled


def test_before_deprecate_eof() -> None:
    answer = packets(b"\1\0", eof(), row(b"1"), eof())
    assert play(agreed(False).query(b"SELECT"), answer, 1).rows == [(b"1",)]


def test_described_columns_are_what_they_are() -> None:
    answer = packets(b"\1\1", column("n", 3, 63), row(b"1"), ok(header=0xFE))
    assert play(agreed().query(b"SELECT"), answer, 1).rows == [(1,)]


def test_no_rows_and_errors() -> None:
    assert play(agreed().query(b"DO 1"), packets(ok(affected=3))).affected_rows == 3
    with pytest.raises(ProgrammingError):
        play(agreed().query(b"SELECT"), packets(err(1064, "no")))


def test_that_ends_at_every_byte() -> None:
    for length in range(len(BARE)):
        with pytest.raises(EOFError):
            play(agreed().query(b"SELECT"), BARE[:length])


@pytest.mark.parametrize("head", [b"\2", b"\2\0\0", b"\xfe\xff\xff\xff\0\0\0\0\0\0"])
def test_what_is_no_head(head: bytes) -> None:
    with pytest.raises(MalformedPacket, match="ColumnCount"):
        play(agreed().query(b"SELECT"), packets(head))


def test_it_is_asked_for_by_who_wants_it() -> None:
    offered = greeting(capabilities=CAPABILITIES | cap.CLIENT_PLUGIN_AUTH | cap.CLIENT_OPTIONAL_RESULTSET_METADATA)
    flag = cap.CLIENT_OPTIONAL_RESULTSET_METADATA
    assert not response(engine(), offered).capabilities & flag
    client = Client(engine(resultset_metadata="none"))
    client.hear(packets(offered, first=0))
    assert client.engine.capabilities & flag
    assert b"SET resultset_metadata = NONE" in client.hear(packets(ok(), first=2))
