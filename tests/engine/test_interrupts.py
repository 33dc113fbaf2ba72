"""What is left of a conversation that nobody waits for; commands in front of others; which server it is."""

from __future__ import annotations

from typing import Any

import login_client
import pytest
from dialogue import column, engine, err, feed, ok, packets, play, result_set, row
from login_client import Client, payload_of

from faults.handshakes import greeting
from mizzle.constants import capabilities, commands, status
from mizzle.constants import field_types as ft
from mizzle.engine import login
from mizzle.engine.conversations import WRITE, Conversation, Engine
from mizzle.engine.wire import ReceiveBuffer
from mizzle.errors import MalformedPacket, OperationalError

MORE = status.SERVER_MORE_RESULTS_EXISTS
TRANSACTION = status.SERVER_STATUS_IN_TRANS
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
ROWS = [row(b"1"), row(b"2"), row(b"3")]
TWO_RESULTS = result_set([NUMBER], ROWS, flags=2 | MORE) + result_set([NUMBER], ROWS, first=7)


def stop_after(conversation: Conversation[Any], data: bytes) -> None:
    """Let it have these bytes and wait for more."""
    with pytest.raises(EOFError):
        play(conversation, data)


def is_in_order(made: Engine) -> None:
    """The next command finds its own answer."""
    assert (made.settled, made.streaming, made.wire.unread) == (True, None, b"")
    assert play(made.query(b"NEXT"), result_set([NUMBER], [row(b"42")])).rows == [(42,)]


@pytest.mark.parametrize("start", ["query", "stream"])
def test_the_rest_is_dropped_wherever_it_was_interrupted(start: str) -> None:
    for length in range(len(TWO_RESULTS)):
        made = engine()
        conversation = getattr(made, start)(b"Q")
        try:
            play(conversation, TWO_RESULTS[:length])
        except EOFError:
            rest = conversation.drain()
            assert rest is not None
            assert rest.killable
            assert play(rest, TWO_RESULTS[length:], 3) is None
            assert conversation.drain() is None
            is_in_order(made)


def test_the_rest_of_a_streamed_result() -> None:
    """Interrupted in the middle of it: this result and those after it."""
    head = result_set([NUMBER], ROWS)[: -len(packets(ok(header=0xFE)))]
    made = engine()
    result = play(made.stream(b"Q"), head[: len(head) - 8])
    while (batch := made.fetch_batch(result)) is not None:
        try:
            play(batch, b"")
        except EOFError:
            break
    rest = batch.drain()
    assert rest is not None
    assert play(rest, TWO_RESULTS[len(head) - 8 :], 5) is None
    is_in_order(made)


def test_rows_that_nobody_waits_for_are_not_made() -> None:
    made: list[str] = []
    talking = engine(conv={ft.MYSQL_TYPE_LONG: made.append})
    conversation = talking.query(b"Q")
    stop_after(conversation, TWO_RESULTS[:30])
    rest = conversation.drain()
    assert rest is not None
    before = len(made)
    play(rest, TWO_RESULTS[30:])
    assert len(made) == before


def test_the_server_ends_it() -> None:
    head = result_set([NUMBER], [])[: -len(packets(ok(header=0xFE)))]
    for data, sequence in ((b"", 1), (head, 3)):
        made = engine()
        conversation = made.query(b"Q")
        stop_after(conversation, data)
        rest = conversation.drain()
        assert rest is not None
        assert play(rest, packets(err(1317, "Query execution was interrupted", "70100"), first=sequence)) is None
        assert rest.finished
        is_in_order(made)


def test_the_rest_may_be_wrong() -> None:
    made = engine()
    conversation = made.query(b"Q")
    stop_after(conversation, b"")
    rest = conversation.drain()
    assert rest is not None
    with pytest.raises(MalformedPacket):
        play(rest, packets(b"\x01", b"not a column"))
    assert (rest.finished, made.settled) == (False, False)


def test_what_cannot_be_gone_on_with() -> None:
    def drained(conversation: Conversation[Any], data: bytes = b"") -> object:
        stop_after(conversation, data)
        return conversation.drain()

    assert drained(engine().connect()) is None
    assert drained(engine().change_user("u", b"", None)) is None
    halfway = engine().query(b"LOAD DATA LOCAL", lambda _: iter([b"x" * 300_000] * 2))
    halfway.advance()
    halfway.wire.sent(len(halfway.wire.outgoing or b""))
    feed(halfway, ReceiveBuffer(), iter([packets(b"\xfbfile")]))
    assert halfway.advance() == WRITE
    assert halfway.drain() is None


def test_short_commands_are_drained_and_not_killed() -> None:
    made = engine()
    conversation = made.ping()
    stop_after(conversation, b"")
    rest = conversation.drain()
    assert rest is not None
    assert not rest.killable
    play(rest, packets(ok()))
    is_in_order(made)


@pytest.mark.parametrize("answer", [ok(flags=TRANSACTION), err(1317, "Query execution was interrupted", "70100")])
def test_a_late_kill_is_absorbed(answer: bytes) -> None:
    made = engine()
    assert play(made.absorb(), packets(answer)) is None
    assert made.in_transaction == answer.startswith(b"\0")
    is_in_order(made)


def test_an_overdue_statement_says_what_is_open() -> None:
    made = engine()
    play(made.query(b"BEGIN"), packets(ok(flags=TRANSACTION)))
    conversation = made.query(b"Q")
    stop_after(conversation, b"")
    error = conversation.overdue(TimeoutError("no answer within 3 s"))
    assert (error.errno, error.alive, error.sent) == (3024, True, True)
    assert str(error.args[1]) == "COM_QUERY timed out: no answer within 3 s"
    assert "still open" in (error.hint or "")
    assert conversation.drain() is not None


# -- commands in front of others -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize("command", ["query", "stream", "ping"])
def test_a_reset_goes_in_front_of_the_next_command(command: str, chunk: int | None) -> None:
    made = engine(autocommit=True, init_command="SET time_zone = '+00:00'")
    made.initial_status = status.SERVER_STATUS_AUTOCOMMIT
    made.status_flags |= status.SERVER_STATUS_NO_BACKSLASH_ESCAPES
    made.reset_later()
    assert not made.no_backslash_escapes
    conversation = made.ping() if command == "ping" else getattr(made, command)(b"Q")
    conversation.advance()
    mine = bytes((commands.COM_PING,)) if command == "ping" else b"\x03Q"
    assert conversation.wire.outgoing == (
        packets(b"\x1f", first=0)
        + packets(b"\x03SET NAMES utf8mb4, autocommit = 1", first=0)
        + packets(b"\x03SET time_zone = '+00:00'", first=0)
        + packets(mine, first=0)
    )
    conversation.wire.sent(len(conversation.wire.outgoing))
    answers = packets(ok()) * 3
    play(conversation, answers + (result_set([NUMBER], []) if command != "ping" else packets(ok())), chunk)
    if command != "stream":
        is_in_order(made)


@pytest.mark.parametrize("chunk", [None, 1])
def test_autocommit_is_switched_in_front_of_the_next_command(chunk: int | None) -> None:
    made = engine()
    made.status_flags, made.pristine = 0, True
    assert login.autocommit_later(made, True)
    assert (made.autocommit, made.pristine) == (True, False)
    conversation = made.query(b"Q")
    conversation.advance()
    assert conversation.wire.outgoing == packets(b"\x03SET autocommit=1", first=0) + packets(b"\x03Q", first=0)
    conversation.wire.sent(len(conversation.wire.outgoing))
    assert play(conversation, packets(ok()) + result_set([NUMBER], ROWS), chunk).rows
    is_in_order(made)


def test_autocommit_that_is_as_it_was_is_not_switched() -> None:
    made = engine()
    made.status_flags = 0
    for value in (True, False, True, False):
        assert login.autocommit_later(made, value)
        assert made.autocommit is value
    conversation = made.query(b"Q")
    conversation.advance()
    assert conversation.wire.outgoing == packets(b"\x03Q", first=0)


def test_autocommit_that_has_to_be_switched_at_once() -> None:
    made = engine()
    made.status_flags = status.SERVER_STATUS_IN_TRANS
    assert not login.autocommit_later(made, True)
    made = engine(client_flag=capabilities.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS)
    assert not login.autocommit_later(made, True)
    made = engine()
    made.query(b"Q").advance()
    assert not login.autocommit_later(made, True)
    assert made.in_front == []


def test_a_reset_makes_autocommit_as_it_was() -> None:
    made = engine()
    assert login.autocommit_later(made, True)
    made.reset_later()
    assert not made.autocommit
    conversation = made.query(b"Q")
    conversation.advance()
    assert b"SET autocommit=1" not in conversation.wire.outgoing


def test_an_answer_in_front_may_be_rows() -> None:
    made = engine()
    made.ahead(commands.COM_QUERY, b"FIRST")
    made.ahead(commands.COM_STMT_CLOSE, b"\x01\0\0\0", False)
    answers = result_set([NUMBER], ROWS) + result_set([NUMBER], [row(b"9")])
    assert play(made.query(b"Q"), answers, 4).rows == [(9,)]
    is_in_order(made)


def test_an_error_in_front_ends_the_connection() -> None:
    made = engine()
    made.ahead(commands.COM_RESET_CONNECTION, b"")
    conversation = made.query(b"Q")
    with pytest.raises(OperationalError, match="Unknown command") as caught:
        play(conversation, packets(err(1047, "Unknown command")) + result_set([NUMBER], ROWS))
    assert not caught.value.alive
    assert not conversation.finished


@pytest.mark.parametrize("command", ["reset_connection", "quit"])
def test_what_makes_a_reset_needless(command: str) -> None:
    made = engine()
    made.reset_later()
    conversation = getattr(made, command)()
    conversation.advance()
    assert conversation.wire.outgoing == packets(b"\x1f" if command == "reset_connection" else b"\x01", first=0)


def test_an_interrupt_while_answers_in_front_are_due() -> None:
    answers = packets(ok()) * 2 + result_set([NUMBER], ROWS)
    for length in range(len(answers)):
        made = engine()
        made.reset_later()
        conversation = made.query(b"Q")
        stop_after(conversation, answers[:length])
        rest = conversation.drain()
        assert rest is not None
        play(rest, answers[length:])
        is_in_order(made)


# -- which server it is ----------------------------------------------------------------------------------------------

IDENTITY = [
    column("@@hostname"),
    column("@@port", ft.MYSQL_TYPE_LONG, 63),
    column("@@server_id", ft.MYSQL_TYPE_LONG, 63),
]


@pytest.mark.parametrize(
    ("answer", "identity"),
    [
        (result_set(IDENTITY, [row(b"db1", b"3306", b"7")]), ("db1", 3306, 7)),
        (packets(err(1193, "Unknown system variable 'hostname'")), None),
        (packets(ok()), None),
    ],
)
def test_it_is_asked_in_the_flush_of_the_session_settings(answer: bytes, identity: object) -> None:
    made = login_client.engine(on_interrupt="kill")
    client = Client(made)
    client.log_in(greeting())
    said = client.hear(packets(ok(), first=2))
    asked = b"\x03SELECT @@hostname, @@port, @@server_id"
    assert said == packets(asked, first=0) + packets(b"\x03SET NAMES utf8mb4, autocommit = 0", first=0)
    client.hear(answer + packets(ok(flags=TRANSACTION)))
    assert client.done
    assert made.identity == identity
    assert made.in_transaction


def test_it_is_not_asked_where_nobody_wants_to_know() -> None:
    for changes in ({"on_interrupt": "drain"}, {"on_interrupt": "close"}, {"on_interrupt": "kill", "secure": True}):
        client = Client(login_client.engine(**changes))
        client.log_in(greeting())
        assert payload_of(client.hear(packets(ok(), first=2))).startswith(b"\x03SET NAMES")


def test_a_login_that_is_late_says_where_it_stands() -> None:
    client = Client(login_client.engine(connect_timeout=2.5))
    error = client.conversation.lost(TimeoutError("no answer within 2.49 s"))
    assert "connect timed out, waiting for the server's greeting: connect_timeout is 2.5 s" in str(error)
