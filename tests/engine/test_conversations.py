"""Commands as dialogues, without a server: whole, byte by byte, cut off at every byte, answered by errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dialogue import column, engine, eof, err, ok, packets, play, result_set, row

from mizzle.constants import commands, status
from mizzle.constants import field_types as ft
from mizzle.engine.conversations import READ, Engine
from mizzle.engine.wire import ReceiveBuffer
from mizzle.errors import (
    ConnectionClosed,
    DataError,
    Error,
    MalformedPacket,
    OperationalError,
    ProgrammingError,
)

MORE = status.SERVER_MORE_RESULTS_EXISTS
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
TEXT = column("s")
ROWS = [row(b"1", b"one"), row(b"2", None), row(b"3", b"x" * 400)]
VALUES = [(1, "one"), (2, None), (3, "x" * 400)]


@pytest.fixture(params=[True, False], ids=["deprecate_eof", "eof"])
def deprecate_eof(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("chunk", [None, 1, 2, 7, 100])
def test_query_in_chunks(deprecate_eof: bool, chunk: int | None) -> None:
    made = engine(deprecate_eof=deprecate_eof)
    result = play(made.query(b"Q"), result_set([NUMBER, TEXT], ROWS, deprecate_eof=deprecate_eof), chunk)
    assert result.rows == VALUES
    assert [c.name for c in result.columns] == ["n", "s"]
    assert (result.finished, result.next, made.settled, made.autocommit) == (True, None, True, True)


def test_query_that_ends_at_every_byte(deprecate_eof: bool) -> None:
    data = result_set([NUMBER, TEXT], ROWS[:2], deprecate_eof=deprecate_eof)
    for length in range(len(data)):
        made = engine(deprecate_eof=deprecate_eof)
        conversation = made.query(b"Q")
        with pytest.raises(EOFError):
            play(conversation, data[:length])
        error = conversation.lost(None)
        assert error.args[0] == 2013
        assert (error.alive, error.sent, conversation.finished, made.broken) == (False, True, False, error)


def test_query_with_a_tail_leaves_it_for_the_world_to_see() -> None:
    made = engine()
    play(made.query(b"Q"), result_set([NUMBER], [row(b"1")]) + packets(err(1927, "Connection was killed"), first=0))
    assert made.wire.unread
    error = made.unsolicited()
    assert (error.args[0], error.alive, error.sent) == (1927, False, False)


def test_what_is_sent() -> None:
    conversation = engine().query(b"SELECT 1")
    assert conversation.advance() == READ
    assert conversation.wire.outgoing == b"\x09\0\0\0\x03SELECT 1"


@pytest.mark.parametrize("length", [0xFFFFFF - 2, 0xFFFFFF - 1, 0xFFFFFF, 0xFFFFFF + 1])
def test_long_commands_are_split(length: int) -> None:
    conversation = engine().query(b"q" * length)
    conversation.advance()
    assert conversation.wire.outgoing == packets(bytes((commands.COM_QUERY,)) + b"q" * length, first=0)


def test_a_command_longer_than_allowed_is_refused_before_a_byte_is_sent() -> None:
    made = engine(max_allowed_packet=2000)
    conversation = made.query(b"q" * 2000)
    with pytest.raises(OperationalError, match="2001 bytes long, max_allowed_packet=2000") as caught:
        conversation.advance()
    assert (caught.value.sent, caught.value.alive, conversation.finished) == (False, True, True)
    conversation = made.query(b"q" * 1999)
    assert conversation.advance() == READ


def test_counts() -> None:
    result = play(engine().query(b"Q"), packets(ok(7, 1 << 40, 2, 3, b"Rows matched: 9")))
    assert (result.affected_rows, result.last_insert_id, result.warning_count) == (7, 1 << 40, 3)
    assert (result.info, result.rows, result.columns, result.description) == ("Rows matched: 9", None, None, None)


def test_state_follows_the_servers_flags() -> None:
    made = engine()
    assert (made.in_transaction, made.no_backslash_escapes) == (False, False)
    flags = status.SERVER_STATUS_IN_TRANS | status.SERVER_STATUS_NO_BACKSLASH_ESCAPES
    play(made.query(b"Q"), packets(ok(flags=flags)))
    assert (made.in_transaction, made.no_backslash_escapes, made.autocommit) == (True, True, False)


# -- several results -------------------------------------------------------------------------------------------------


def several(*last: bytes) -> bytes:
    first = result_set([NUMBER], [row(b"1")], flags=MORE)
    second = packets(ok(2, flags=MORE), first=5)
    return first + second + b"".join(last)


@pytest.mark.parametrize("chunk", [None, 1])
def test_several_results(chunk: int | None) -> None:
    made = engine()
    result = play(made.query(b"Q"), several(result_set([TEXT], [row(b"z")], first=6)), chunk)
    assert result.rows == [(1,)]
    assert result.next.affected_rows == 2
    assert result.next.next.rows == [("z",)]
    assert result.next.next.next is None
    assert made.settled


def test_an_error_in_a_later_statement_waits_for_its_turn() -> None:
    made = engine()
    conversation = made.query(b"Q")
    result = play(conversation, several(packets(err(1146, "no such table"), first=6)))
    assert isinstance(result.next.next, ProgrammingError)
    assert conversation.finished
    assert made.settled


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [None, 1])
def test_the_servers_error_leaves_the_connection_alive(chunk: int | None) -> None:
    made = engine()
    conversation = made.query(b"Q")
    with pytest.raises(ProgrammingError, match="syntax") as caught:
        play(conversation, packets(err(1064, "syntax", "42000")), chunk)
    assert (caught.value.sqlstate, conversation.finished, made.settled, made.broken) == ("42000", True, True, None)
    assert play(made.query(b"Q"), packets(ok(1))).affected_rows == 1


def test_an_error_among_the_rows(deprecate_eof: bool) -> None:
    made = engine(deprecate_eof=deprecate_eof)
    between = [] if deprecate_eof else [eof()]
    data = packets(b"\x01", NUMBER, *between, row(b"1"), err(1317, "interrupted"))
    conversation = made.query(b"Q")
    with pytest.raises(OperationalError, match="interrupted"):
        play(conversation, data)
    assert conversation.finished


def test_the_servers_last_words_end_the_connection() -> None:
    conversation = engine().query(b"Q")
    with pytest.raises(OperationalError) as caught:
        play(conversation, packets(err(1927, "Connection was killed"), first=0))
    assert (caught.value.alive, conversation.finished) == (False, False)


def test_a_value_that_cannot_be_made_costs_the_result_and_not_the_connection(deprecate_eof: bool) -> None:
    made = engine(deprecate_eof=deprecate_eof)
    data = result_set([TEXT], [row(b"a"), row(b"\xff"), row(b"b"), row(b"\xfe")], deprecate_eof=deprecate_eof)
    conversation = made.query(b"Q")
    with pytest.raises(UnicodeDecodeError, match="0xff"):
        play(conversation, data, 3)
    assert conversation.finished
    assert play(made.query(b"Q"), packets(ok(1))).affected_rows == 1


def test_an_error_of_a_converter_likewise() -> None:
    def refuse(text: str) -> object:
        raise DataError(1, f"not {text}")

    made = engine(conv={ft.MYSQL_TYPE_LONG: refuse})
    conversation = made.query(b"Q")
    with pytest.raises(DataError, match="not 1"):
        play(conversation, result_set([NUMBER], [row(b"1"), row(b"2")]))
    assert conversation.finished


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (packets(b""), "ColumnCount"),
        (packets(b"\xfe" + b"\xff" * 8), "columns"),
        (packets(b"\x01\x00"), "too many"),
        (packets(b"\x01", NUMBER[:-1]), "ColumnDefinition41"),
        (packets(b"\x01", err(1, "x")), "ColumnDefinition41"),
        (packets(b"\x01", NUMBER, b""), "row without"),
        (packets(b"\x01", NUMBER, row(b"1", b"2")), "too many"),
        (packets(b"\x01", NUMBER, b"\x05ab"), "announced"),
        (packets(b"\x01", NUMBER, b"\xfe\0\0"), "ResultsetEnd"),
    ],
)
def test_malformed_answers_end_the_connection(data: bytes, message: str) -> None:
    made = engine()
    conversation = made.query(b"Q")
    with pytest.raises(MalformedPacket, match=message) as caught:
        play(conversation, data)
    assert not caught.value.alive
    assert not conversation.finished
    assert made.broken is caught.value
    with pytest.raises(ConnectionClosed):
        play(made.query(b"Q"), b"")


def test_every_flipped_byte_is_an_answer_or_an_error() -> None:
    data = result_set([NUMBER, TEXT], ROWS[:2])
    for at in range(len(data)):
        for bit in (0x01, 0x80, 0xFF):
            broken = data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :]
            conversation = engine().query(b"Q")
            try:
                play(conversation, broken)
            except (Error, EOFError, ValueError):
                continue


def test_a_timeout_says_so() -> None:
    conversation = engine().query(b"Q")
    conversation.advance()
    error = conversation.lost(TimeoutError("no answer within 5 s"))
    assert "COM_QUERY timed out: no answer within 5 s" in error.args[1]
    assert not error.sent


def test_what_was_abandoned_is_lost() -> None:
    made = engine()
    conversation = made.query(b"Q")
    conversation.advance()
    interrupt = KeyboardInterrupt()
    conversation.abandon(interrupt)
    assert (made.broken, conversation.finished) == (interrupt, False)
    with pytest.raises(ConnectionClosed):
        made.ping().advance()
    with pytest.raises(RuntimeError, match="has ended"):
        conversation.advance()


# -- unasked for -----------------------------------------------------------------------------------------------------


def unasked(made: Engine, data: bytes) -> Error:
    space = made.wire.space(ReceiveBuffer())
    space[: len(data)] = data
    made.wire.received(len(data))
    return made.unsolicited()


def test_an_idle_connection_is_told_why_it_ends() -> None:
    made = engine()
    error = unasked(
        made, packets(err(4031, "The client was disconnected by the server because of inactivity."), first=0)
    )
    assert (error.args[0], error.alive, error.sent, made.broken) == (4031, False, False, error)


@pytest.mark.parametrize("data", [b"\x01", packets(ok(), first=0), packets(ok(), first=9)])
def test_other_bytes_on_an_idle_connection_break_it(data: bytes) -> None:
    assert unasked(engine(), data).args[0] == 2027


def test_the_end_of_an_idle_connection() -> None:
    made = engine()
    assert "idle connection" in made.lost_idle().args[1]
    assert "idle connection broke (reset)" in engine().lost_idle(ConnectionResetError("reset")).args[1]
    with pytest.raises(ConnectionClosed, match="idle"):
        made.query(b"Q").advance()


# -- streamed results ------------------------------------------------------------------------------------------------


def test_streaming(deprecate_eof: bool) -> None:
    made = engine(deprecate_eof=deprecate_eof)
    data = result_set([NUMBER, TEXT], ROWS, deprecate_eof=deprecate_eof)
    head, tail = data[:-400], data[-400:]
    result = play(made.stream(b"Q"), head)
    assert (result.rows, result.finished, made.streaming is result, made.settled) == ([], False, True, False)
    rows = play(made.fetch_batch(result), b"")
    assert rows == VALUES[: len(rows)]
    while batch := play(made.fetch_batch(result), tail, 50):
        rows += batch
        tail = b""
    assert rows == VALUES
    assert (result.finished, made.streaming, made.settled) == (True, None, True)
    assert play(made.fetch_batch(result), b"") == []


def test_a_second_command_while_streaming_is_refused_before_a_byte_is_sent() -> None:
    made = engine()
    result = play(made.stream(b"Q"), result_set([NUMBER], [row(b"1")]))
    conversation = made.query(b"other")
    with pytest.raises(ProgrammingError, match="streamed result is being read") as caught:
        conversation.advance()
    assert (caught.value.sent, conversation.finished, conversation.wire.outgoing) == (False, True, None)
    assert play(made.fetch_batch(result), b"") == [(1,)]


def test_skipping_the_rest() -> None:
    made = engine()
    result = play(made.stream(b"Q"), result_set([NUMBER, TEXT], ROWS))
    assert play(made.skip_rows(result), b"") == []
    assert made.settled
    assert play(made.query(b"Q"), packets(ok(1))).affected_rows == 1


def test_a_streamed_statement_without_rows() -> None:
    made = engine()
    result = play(made.stream(b"Q"), packets(ok(3)))
    assert (result.affected_rows, result.finished, made.settled) == (3, True, True)
    assert play(made.next_result(result), b"") is None


def test_streaming_several_results() -> None:
    made = engine()
    result = play(made.stream(b"Q"), several(result_set([TEXT], [row(b"z")], first=6)))
    assert play(made.fetch_batch(result), b"") == [(1,)]
    second = play(made.next_result(result), b"")
    assert second.affected_rows == 2
    third = play(made.next_result(second), b"")
    assert play(made.fetch_batch(third), b"") == [("z",)]
    assert play(made.next_result(third), b"") is None
    assert made.settled


def test_an_error_among_streamed_rows() -> None:
    made = engine()
    result = play(made.stream(b"Q"), packets(b"\x01", NUMBER, row(b"1"), err(1317, "interrupted")))
    conversation = made.fetch_batch(result)
    with pytest.raises(OperationalError, match="interrupted"):
        play(conversation, b"")
    assert (conversation.finished, made.settled, made.streaming) == (True, True, None)


def test_a_streamed_value_that_cannot_be_made() -> None:
    made = engine()
    result = play(made.stream(b"Q"), result_set([TEXT], [row(b"a"), row(b"\xff"), row(b"b")]))
    conversation = made.fetch_batch(result)
    with pytest.raises(UnicodeDecodeError):
        play(conversation, b"")
    assert conversation.finished


# -- short commands --------------------------------------------------------------------------------------------------

SHORT: list[tuple[str, Callable[[Engine], Any], bytes]] = [
    ("ping", lambda e: e.ping(), b"\x0e"),
    ("init_db", lambda e: e.init_db("bä"), b"\x02b\xc3\xa4"),
    ("set_option", lambda e: e.set_option(1), b"\x1b\x01\x00"),
]


@pytest.mark.parametrize(("name", "command", "sent"), SHORT)
@pytest.mark.parametrize("answer", [ok(), eof()], ids=["ok", "eof"])
def test_short_commands(name: str, command: Callable[[Engine], Any], sent: bytes, answer: bytes) -> None:
    made = engine()
    conversation = command(made)
    assert conversation.name == f"COM_{name.upper()}"
    conversation.advance()
    assert made.wire.outgoing == packets(sent, first=0)
    made = engine()
    play(command(made), packets(answer), 1)
    assert made.settled


@pytest.mark.parametrize("command", [case[1] for case in SHORT])
def test_short_commands_fail(command: Callable[[Engine], Any]) -> None:
    made = engine()
    with pytest.raises(OperationalError, match="Unknown database"):
        play(command(made), packets(err(1049, "Unknown database")))
    assert made.settled
    with pytest.raises(MalformedPacket):
        play(command(engine()), packets(b"\x05"))


def test_statistics() -> None:
    assert play(engine().statistics(), packets(b"Uptime: 1"), 1) == "Uptime: 1"


def test_reset_connection_settles_the_session_anew() -> None:
    made = engine(autocommit=True, sql_mode="ANSI")
    conversation = made.reset_connection()
    conversation.advance()
    assert conversation.wire.outgoing == packets(b"\x1f", first=0)
    conversation.wire.sent(5)
    space = conversation.wire.space(ReceiveBuffer())
    answer = packets(ok())
    space[: len(answer)] = answer
    conversation.wire.received(len(answer))
    assert conversation.advance() == READ
    assert conversation.wire.outgoing == packets(b"\x03SET NAMES utf8mb4, autocommit = 1, sql_mode = 'ANSI'", first=0)


def test_quit_waits_for_no_answer() -> None:
    made = engine()
    conversation = made.quit()
    assert play(conversation, b"") is None
    with pytest.raises(ConnectionClosed, match="COM_QUIT was sent"):
        made.ping().advance()


# -- LOCAL INFILE ----------------------------------------------------------------------------------------------------

REQUEST = b"\xfb/etc/passwd"


def sent_by(conversation: Any, *answers: bytes) -> bytes:
    """Everything that the conversation sends, given these answers in turn."""
    sent, wire, replies = b"", conversation.wire, list(answers)
    while want := conversation.advance():
        while wire.outgoing:
            sent += bytes(wire.outgoing)
            wire.sent(len(wire.outgoing))
        if want == READ:
            reply = replies.pop(0)
            space = wire.space(ReceiveBuffer())
            space[: len(reply)] = reply
            wire.received(len(reply))
    return sent


def test_local_infile() -> None:
    asked = []

    def source(filename: str) -> list[bytes]:
        asked.append(filename)
        return [b"a,1\n", b"", b"b,2\n", b"x" * 300_000]

    made = engine()
    conversation = made.query(b"LOAD", source)
    sent = sent_by(conversation, packets(REQUEST), packets(ok(2), first=4))
    data = b"a,1\nb,2\n" + b"x" * 300_000
    assert sent == packets(b"\x03LOAD", first=0) + packets(data, b"", first=2)
    assert asked == ["/etc/passwd"]
    assert conversation.result.affected_rows == 2


def test_local_infile_that_nobody_offered_gets_nothing() -> None:
    made = engine()
    conversation = made.query(b"SELECT 1")
    with pytest.raises(OperationalError, match=r"asked for the local file '/etc/passwd'.*nothing was sent"):
        play(conversation, packets(REQUEST) + packets(ok(), first=3))
    assert conversation.finished


def test_local_infile_whose_source_fails_breaks_the_connection() -> None:
    def source(_: str) -> Any:
        yield b"half of it"
        raise OSError("disk on fire")

    conversation = engine().query(b"LOAD", source)
    with pytest.raises(OSError, match="disk on fire"):
        play(conversation, packets(REQUEST))
    assert not conversation.finished
