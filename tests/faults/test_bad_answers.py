"""Servers that answer a query with what is no answer: the connection ends, and says afterwards why it did."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import mizzle
from engine.dialogue import column, eof, err, lenenc, ok, packets, result_set, row
from faults.handshakes import auth_switch
from faults.hostile import PATIENCE, Link, Part
from mizzle.constants import field_types as ft
from mizzle.constants import status

Talk = Callable[..., Any]
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
TEXT = column("s")
ANSWER = result_set([NUMBER, TEXT], [row(b"1", b"one"), row(b"2", b"two" * 50), row(b"3", None)])
HEAD = packets(b"\x02", NUMBER, TEXT)
FIRST_ROW = packets(row(b"1", b"one"), first=4)


def answers(data: bytes, *, and_then: str = "waits") -> Part:
    """Hears a query, says this, and then waits for the client to go, closes or resets."""

    def part(link: Link) -> None:
        assert (link.hear() or b"").startswith(b"\x03SELECT")
        link.say(data)
        if and_then == "waits":
            link.until_end()
        elif and_then == "resets":
            link.reset()

    return part


def pours(endless: bytes, head: bytes = HEAD, sequence: int = 4) -> Part:
    """Answers with the same packet again and again, until the client has gone."""

    def part(link: Link) -> None:
        link.hear()
        link.say(head)
        numbers = itertools.count(sequence)
        at_once = max(30_000 // len(endless), 1)
        while link.say(b"".join(packets_of(endless, next(numbers)) for _ in range(at_once))):
            pass

    return part


def packets_of(frame: bytes, number: int) -> bytes:
    return len(frame).to_bytes(3, "little") + bytes((number & 0xFF,)) + frame


def read(conn: Any, cursor: Any, **keywords: Any) -> list[Any]:
    with conn.cursor(cursor) as cur:
        cur.execute("SELECT n, s FROM t", **keywords)
        rows: list[Any] = cur.fetchall()
        return rows


@pytest.fixture(params=[mizzle.Cursor, mizzle.StreamingCursor], ids=["buffered", "streamed"])
def cursor(request: pytest.FixtureRequest) -> Any:
    return request.param


def is_over(conn: Any, words: str) -> None:
    """It says that it is closed, and why."""
    assert not conn.open
    assert conn.fileno() == -1
    assert conn.broken is not None
    for use in (conn.ping, lambda: conn.execute("SELECT 1")):
        with pytest.raises(mizzle.errors.ConnectionClosed, match=f"(?s)already closed.*{words}") as caught:
            use()
        assert (caught.value.sent, caught.value.alive) == (False, False)


class Case(NamedTuple):
    part: Part
    errno: int
    words: str
    max_allowed_packet: int = 1 << 30


CLOSED, RESET = "server closed the connection during", "connection broke during .*reset by peer"
MALFORMED = {
    "out of order": Case(answers(packets(ok(), first=5)), 2027, "sequence number 1 expected, 5 received"),
    "rows out of order": Case(
        answers(HEAD + packets(row(b"1", b"x"), first=9)), 2027, "sequence number 4 expected, 9 received"
    ),
    "columns out of order": Case(
        answers(packets(b"\x02", NUMBER) + packets(TEXT, first=9)), 2027, "sequence number 3 expected, 9 received"
    ),
    "millions of columns": Case(answers(packets(b"\xfd\x00\x00\x80")), 2027, "8388608 columns"),
    "all the columns there are": Case(answers(packets(b"\xfe" + b"\xff" * 8)), 2027, "18446744073709551615 columns"),
    "endless columns": Case(
        pours(column("n" * 1000), packets(b"\xfc\xff\xff"), 2), 2020, "1048576 are allowed", 1 << 20
    ),
    "an endless packet": Case(pours(b"x" * 0xFFFFFF, b"", 1), 2020, "max_allowed_packet", 40_000_000),
    "a packet longer than allowed": Case(
        answers(HEAD + b"\x01\x10\x00\x04"), 2020, "4097 bytes or more, 4096 are allowed", 4096
    ),
    "a column longer than allowed": Case(
        answers(packets(b"\x01") + b"\x01\x10\x00\x02"), 2020, "4097 bytes or more", 4096
    ),
    "a column of nonsense": Case(answers(packets(b"\x01", b"nonsense")), 2027, "ColumnDefinition41"),
    "too few values": Case(answers(HEAD + packets(row(b"1"), first=4)), 2027, "TextResultsetRow|Row"),
    "too many values": Case(answers(HEAD + packets(row(b"1", b"2", b"3"), first=4)), 2027, "too many"),
    "a value longer than its packet": Case(answers(HEAD + packets(b"\x011\x7fab", first=4)), 2027, "announced"),
    "a value of astronomic length": Case(
        answers(HEAD + packets(b"\x011\xfe" + b"\xff" * 8, first=4)), 2027, "announced|bytes"
    ),
    "an empty row": Case(answers(HEAD + packets(b"", first=4)), 2027, "without a value"),
    "an end cut short": Case(answers(HEAD + packets(b"\xfe\0\0", first=4)), 2027, "ResultsetEnd"),
    "an empty answer": Case(answers(packets(b"")), 2027, "ColumnCount"),
    "an OK cut short": Case(answers(packets(b"\0\0")), 2027, "OK"),
    "an ERR cut short": Case(answers(packets(b"\xff\x01")), 2027, "ERR"),
    "another greeting": Case(answers(packets(auth_switch("mysql_native_password"))), 2027, "ColumnCount"),
    "HTTP": Case(answers(b"HTTP/1.1 500 Oh no\r\n\r\n"), 2027, "out of order"),
}
LOST = {
    "closes": Case(answers(b"", and_then="closes"), 2013, CLOSED),
    "resets": Case(answers(b"", and_then="resets"), 2013, RESET),
    **{
        f"closes {where}": Case(answers(data, and_then="closes"), 2013, CLOSED)
        for where, data in {
            "in a header": ANSWER[:3],
            "in a column": HEAD[:30],
            "between columns": packets(b"\x02", NUMBER),
            "before the rows": HEAD,
            "in a row's header": HEAD + FIRST_ROW[:2],
            "in a row": HEAD + FIRST_ROW[:-2],
            "between rows": HEAD + FIRST_ROW,
            "before the end": ANSWER[:-3],
        }.items()
    },
}


@pytest.mark.parametrize("case", [*MALFORMED.values(), *LOST.values()], ids=[*MALFORMED, *LOST])
def test_no_answer(talk: Talk, cursor: Any, case: Case) -> None:
    conn = talk(case.part, max_allowed_packet=case.max_allowed_packet)
    with pytest.raises(mizzle.OperationalError, match=f"(?s){case.words}") as caught:
        read(conn, cursor)
    error = caught.value
    assert error.errno == case.errno
    assert (error.alive, error.sent) == (False, True)
    if isinstance(error, mizzle.errors.MalformedPacket):
        assert error.packet
        assert error.offset >= 0
    is_over(conn, case.words)


def test_reset_among_the_rows(talk: Talk, cursor: Any) -> None:
    """Whether what came before is still read is the kernel's choice; that it is an error is not."""
    conn = talk(answers(HEAD + FIRST_ROW, and_then="resets"))
    with pytest.raises(mizzle.OperationalError, match="Lost connection") as caught:
        read(conn, cursor)
    assert (caught.value.errno, caught.value.alive, caught.value.sent) == (2013, False, True)
    is_over(conn, "broke|closed")


def test_every_byte_may_be_the_last(talk: Talk) -> None:
    """A result set cut off anywhere is a lost connection, never rows."""
    for end in range(0, len(ANSWER), 7):
        conn = talk(answers(ANSWER[:end], and_then="closes"))
        with pytest.raises(mizzle.OperationalError, match=CLOSED) as caught:
            conn.execute("SELECT n, s FROM t")
        assert caught.value.errno == 2013


@pytest.mark.parametrize("sequence", [0, 5])
@pytest.mark.parametrize("errno", [1317, 3024])
def test_an_error_among_the_rows_leaves_the_connection(talk: Talk, cursor: Any, sequence: int, errno: int) -> None:
    """Servers count some of their errors from 0."""

    def part(link: Link) -> None:
        link.hear()
        link.say(HEAD, FIRST_ROW, packets(err(errno, "Query execution was interrupted", "70100"), first=sequence))
        link.answer(ok(3))
        link.until_end()

    conn = talk(part)
    with pytest.raises(mizzle.OperationalError, match="interrupted") as caught:
        read(conn, cursor)
    assert (caught.value.errno, caught.value.sqlstate, caught.value.alive) == (errno, "70100", True)
    assert conn.execute("DELETE").rowcount == 3


@pytest.mark.parametrize("errno", [1927, 4031, 1053])
def test_last_words_among_the_rows(talk: Talk, cursor: Any, errno: int) -> None:
    def part(link: Link) -> None:
        link.hear()
        link.say(HEAD, FIRST_ROW, packets(err(errno, "that was all", "08S01"), first=0))

    conn = talk(part)
    with pytest.raises(mizzle.OperationalError, match="that was all") as caught:
        read(conn, cursor)
    assert caught.value.errno == errno
    if not caught.value.alive:
        is_over(conn, "that was all")


def test_last_words_in_a_later_result(talk: Talk) -> None:
    more = status.SERVER_MORE_RESULTS_EXISTS

    def part(link: Link) -> None:
        link.hear()
        link.say(packets(ok(1, flags=more)), packets(err(1927, "Connection was killed", "70100"), first=2))

    conn = talk(part)
    cur = conn.execute("DELETE; DELETE")
    assert cur.rowcount == 1
    with pytest.raises(mizzle.OperationalError, match="was killed") as caught:
        cur.nextset()
    assert not caught.value.alive
    with pytest.raises(mizzle.Error) as again:
        conn.ping()
    assert not again.value.alive
    is_over(conn, "")


def test_a_tail_is_not_the_next_answer(talk: Talk) -> None:
    """Bytes behind an answer belong to no command: the next one must not take them for its own."""
    conn = talk(answers(packets(ok(1)) + packets(ok(99))))
    assert conn.execute("SELECT 1").rowcount == 1
    with pytest.raises(mizzle.Error, match="nobody asked for") as caught:
        conn.execute("SELECT 2")
    assert (caught.value.errno, caught.value.alive, caught.value.sent) == (2027, False, False)
    is_over(conn, "nobody asked for")


def test_last_words_behind_an_answer(talk: Talk) -> None:
    conn = talk(answers(packets(ok(1)) + packets(err(4031, "disconnected because of inactivity"), first=0)))
    conn.execute("SELECT 1")
    with pytest.raises(mizzle.OperationalError, match="inactivity") as caught:
        conn.execute("SELECT 2")
    assert (caught.value.errno, caught.value.alive, caught.value.sent) == (4031, False, False)
    is_over(conn, "inactivity")


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("verdict", [ok(), err(1290, "no")], ids=["OK", "ERR"])
def test_a_file_asked_for_unasked(talk: Talk, cursor: Any, allowed: bool, verdict: bytes) -> None:
    """A hostile server answers SELECT with a request for a file: it gets an empty one, whatever was allowed."""
    got = []

    def part(link: Link) -> None:
        link.answer(b"\xfb/etc/passwd")
        got.append(link.hear())
        link.say(packets(verdict, first=3))
        link.answer(ok(3))
        link.until_end()

    conn = talk(part, local_infile=allowed)
    with pytest.raises(mizzle.OperationalError, match=r"asked for the local file '/etc/passwd'") as caught:
        read(conn, cursor)
    assert caught.value.errno == 2068
    assert got == [b""]
    assert caught.value.alive
    assert conn.execute("DELETE").rowcount == 3


def test_values_that_are_none_cost_the_result_and_not_the_connection(talk: Talk, cursor: Any) -> None:
    def part(link: Link) -> None:
        link.hear()
        link.say(HEAD, packets(row(b"1", b"\xff\xfe"), row(b"x", b"y"), ok(header=0xFE), first=4))
        link.answer(ok(3))
        link.until_end()

    conn = talk(part)
    with pytest.raises((UnicodeDecodeError, ValueError, mizzle.Error)):
        read(conn, cursor)
    assert conn.execute("DELETE").rowcount == 3


def test_silence(talk: Talk, cursor: Any) -> None:
    conn = talk(answers(HEAD + FIRST_ROW[:-1]))
    with pytest.raises(mizzle.OperationalError, match="timed out") as caught:
        read(conn, cursor, timeout=0.1)
    assert (caught.value.errno, caught.value.alive, caught.value.sent) == (2013, False, True)
    is_over(conn, "timed out")


def test_a_peer_that_takes_nothing(talk: Talk) -> None:
    """A command that the server does not take runs into its deadline too."""

    over = threading.Event()
    conn = talk(lambda _: over.wait(PATIENCE))
    with pytest.raises(mizzle.OperationalError, match="timed out") as caught:
        conn.execute(b"x" * 30_000_000, timeout=0.3)
    over.set()
    assert caught.value.errno == 2013
    is_over(conn, "timed out")


def test_a_refusal_in_the_middle_of_a_long_command(talk: Talk) -> None:
    """A server that finds the packet too long says so and closes, without reading the rest."""

    def part(link: Link) -> None:
        link.sock.recv(1000)
        link.say(packets(err(1153, "Got a packet bigger than 'max_allowed_packet' bytes", "08S01")))
        link.until_end()

    conn = talk(part)
    with pytest.raises(mizzle.OperationalError, match="bigger than") as caught:
        conn.execute(b"x" * 20_000_000)
    assert caught.value.errno == 1153


def test_a_database_named_in_the_wrong_charset(talk: Talk) -> None:
    """What a server says in its errors may be of any charset."""
    conn = talk(answers(packets(b"\xff\x19\x04#42000Unknown database '\xe4\xff'")))
    with pytest.raises(mizzle.OperationalError, match="Unknown database '\ufffd\ufffd'"):
        conn.execute("SELECT 1")


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\0", b"x" * 70000])
def test_columns_with_any_name(talk: Talk, name: bytes) -> None:
    named = NUMBER.replace(lenenc(b"n"), lenenc(name))
    conn = talk(answers(packets(b"\x01", named, row(b"1"), ok(header=0xFE))))
    cur = conn.execute("SELECT 1")
    assert cur.fetchall() == [(1,)]
    assert cur.description[0][0] == name.decode("utf8", "replace")


def test_a_server_without_deprecate_eof_that_forgets_its_end(talk: Talk) -> None:
    conn = talk(answers(HEAD + FIRST_ROW + packets(eof(), first=5), and_then="closes"))
    with pytest.raises(mizzle.OperationalError, match="ResultsetEnd"):
        conn.execute("SELECT n, s FROM t")
