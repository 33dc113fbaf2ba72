"""Prepared statements as dialogues, without a server: whole, byte by byte, cut off at every byte, refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from dialogue import column, engine, eof, err, ok, packets, play, row
from test_binary_rows import binary_row

from mizzle.constants import capabilities as cap
from mizzle.constants import commands, errnos, status
from mizzle.constants import field_types as ft
from mizzle.engine import statements
from mizzle.engine.conversations import READ, Engine
from mizzle.engine.packets import parse_stmt_prepare_ok
from mizzle.engine.parameters import Executions, Parameters
from mizzle.engine.placeholders import Template
from mizzle.engine.prepared import Prepared
from mizzle.errors import MalformedPacket, OperationalError, ProgrammingError

NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
QUESTION = column("?", ft.MYSQL_TYPE_VAR_STRING)
ROWS = [(1, "one"), (2, None), (3, "x" * 300)]
CURSOR = status.SERVER_STATUS_AUTOCOMMIT | status.SERVER_STATUS_CURSOR_EXISTS


@pytest.fixture(params=[True, False], ids=["deprecate_eof", "eof"])
def deprecate_eof(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def prepared(sql: str = "SELECT %s, %s") -> Prepared:
    return Prepared(Template(sql), sql)


def prepare_ok(statement_id: int = 9, columns: int = 2, parameters: int = 2) -> bytes:
    return b"\0" + struct.pack("<IHHBH", statement_id, columns, parameters, 0, 0)


def prepare_answer(
    *, deprecate_eof: bool = True, statement_id: int = 9, columns: int = 2, parameters: int = 2
) -> bytes:
    ends = [] if deprecate_eof else [eof()]
    return packets(
        prepare_ok(statement_id, columns, parameters),
        *[QUESTION] * parameters,
        *(ends if parameters else []),
        *[NUMBER, column("s")][:columns],
        *(ends if columns else []),
    )


def rows_answer(rows: Any = ROWS, *, deprecate_eof: bool = True, first: int = 1, flags: int = 2) -> bytes:
    encoded = [
        binary_row(struct.pack("<i", number), None if text is None else lenenc(text.encode())) for number, text in rows
    ]
    between = [] if deprecate_eof else [eof()]
    end = ok(flags=flags, header=0xFE) if deprecate_eof else eof(flags)
    return packets(b"\2", NUMBER, column("s"), *between, *encoded, end, first=first)


def lenenc(data: bytes) -> bytes:
    return bytes((len(data),)) + data if len(data) < 251 else b"\xfc" + struct.pack("<H", len(data)) + data


def execution(statement: Prepared, values: Any = (1, "a"), flags: int = 0) -> bytes:
    return Parameters().execute(statement.statement_id, statement.template, values, flags)


def execute(made: Engine, statement: Prepared, values: Any = (1, "a"), flags: int = 0, stream: bool = False) -> Any:
    return statements.execute(made, statement, Parameters(), values, flags, stream=stream)


def mariadb(**options: Any) -> Engine:
    made = engine(**options)
    made.is_mariadb, made.server_version_info = True, (11, 8, 2)
    return made


def sent(conversation: Any) -> bytes:
    assert conversation.advance() == READ
    out = bytes(conversation.wire.outgoing)
    conversation.wire.sent(len(out))
    return out


def command(number: int, payload: bytes) -> bytes:
    return packets(bytes((number,)) + payload, first=0)


@pytest.mark.parametrize("chunk", [None, 1, 3, 50])
@pytest.mark.parametrize(("columns", "parameters"), [(2, 2), (0, 2), (2, 0), (0, 0)])
def test_prepare(deprecate_eof: bool, chunk: int | None, columns: int, parameters: int) -> None:
    made, statement = engine(deprecate_eof=deprecate_eof), prepared(f"SELECT {', '.join(['%s'] * parameters) or 1}")
    answer = prepare_answer(deprecate_eof=deprecate_eof, columns=columns, parameters=parameters)
    play(statements.prepare(made, statement), answer, chunk)
    assert (statement.statement_id, statement.session, made.settled) == (9, made.session, True)
    assert [each.name for each in statement.columns or ()] == ["n", "s"][:columns]
    assert [each.name for each in statement.parameters] == ["?"] * parameters
    assert (statement.description is None) == (columns == 0)


def test_prepare_that_ends_at_every_byte(deprecate_eof: bool) -> None:
    answer = prepare_answer(deprecate_eof=deprecate_eof)
    for length in range(len(answer)):
        statement = prepared()
        with pytest.raises(EOFError):
            play(statements.prepare(engine(deprecate_eof=deprecate_eof), statement), answer[:length])
        assert statement.session == 0


def test_prepare_ok_at_every_length() -> None:
    assert parse_stmt_prepare_ok(prepare_ok(2**32 - 1, 3, 4)) == (2**32 - 1, 3, 4, 0)
    for length in range(len(prepare_ok())):
        with pytest.raises(MalformedPacket, match="StmtPrepareOk"):
            parse_stmt_prepare_ok(prepare_ok()[:length])
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        parse_stmt_prepare_ok(prepare_ok() + b"x")
    with pytest.raises(MalformedPacket, match="0x00 expected"):
        parse_stmt_prepare_ok(b"\1" + prepare_ok()[1:])


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_execute(deprecate_eof: bool, chunk: int | None) -> None:
    made, statement = engine(deprecate_eof=deprecate_eof), prepared()
    play(statements.prepare(made, statement), prepare_answer(deprecate_eof=deprecate_eof))
    result = play(execute(made, statement), rows_answer(deprecate_eof=deprecate_eof), chunk)
    assert result.rows == ROWS
    assert made.settled


def test_execute_that_ends_at_every_byte() -> None:
    answer = rows_answer(ROWS[:2])
    for length in range(len(answer)):
        made, statement = engine(), prepared()
        play(statements.prepare(made, statement), prepare_answer())
        with pytest.raises(EOFError):
            play(execute(made, statement), answer[:length])
        assert not made.settled


def test_mysql_prepares_in_a_round_trip_of_its_own() -> None:
    made, statement = engine(), prepared()
    conversation = execute(made, statement)
    assert sent(conversation) == command(commands.COM_STMT_PREPARE, b"SELECT ?, ?")
    feed(conversation, prepare_answer())
    assert sent(conversation) == command(commands.COM_STMT_EXECUTE, execution(statement))
    assert play(conversation, rows_answer()).rows == ROWS


@pytest.mark.parametrize("chunk", [None, 1, 11])
def test_mariadb_prepares_and_executes_in_one_round_trip(deprecate_eof: bool, chunk: int | None) -> None:
    made, statement = mariadb(deprecate_eof=deprecate_eof), prepared()
    conversation = execute(made, statement)
    last = b"\xff" * 4 + execution(statement)[4:]
    assert sent(conversation) == (
        command(commands.COM_STMT_PREPARE, b"SELECT ?, ?") + command(commands.COM_STMT_EXECUTE, last)
    )
    both = prepare_answer(deprecate_eof=deprecate_eof) + rows_answer(deprecate_eof=deprecate_eof)
    assert play(conversation, both, chunk).rows == ROWS
    assert (statement.statement_id, statement.session, made.settled) == (9, made.session, True)


def test_a_long_command_is_answered_with_its_next_number() -> None:
    made, statement = mariadb(), prepared()
    conversation = execute(made, statement, (1, "x" * 0x1000000))
    assert play(conversation, prepare_answer() + rows_answer(first=2)).rows == ROWS


@pytest.mark.parametrize("chunk", [None, 1])
def test_a_statement_that_cannot_be_prepared(chunk: int | None) -> None:
    made, statement = mariadb(), prepared()
    answers = packets(err(1064, "no")) + packets(err(errnos.ER_UNKNOWN_STMT_HANDLER, "unknown"))
    with pytest.raises(ProgrammingError, match="no"):
        play(execute(made, statement), answers, chunk)
    assert (statement.refused, statement.session, made.settled, made.wire.unread) == (True, 0, True, b"")


def test_the_end_of_the_connection_instead_of_an_answer() -> None:
    made, statement = mariadb(), prepared()
    with pytest.raises(OperationalError) as killed:
        play(execute(made, statement), packets(err(1927, "killed")))
    assert not killed.value.alive
    assert not made.settled


def test_a_reset_session_has_no_prepared_statements() -> None:
    made, statement = mariadb(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    play(made.reset_connection(), packets(ok()) * 2, len(packets(ok())))
    assert statement.session != made.session
    statements.forget(made, statement)
    conversation = execute(made, statement)
    assert sent(conversation).startswith(command(commands.COM_STMT_PREPARE, b"SELECT ?, ?"))


def test_forgetting_costs_no_round_trip() -> None:
    made, statement = engine(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    statements.forget(made, statement)
    statements.forget(made, statement)
    ping = made.ping()
    assert sent(ping) == command(commands.COM_STMT_CLOSE, b"\x09\0\0\0") + command(commands.COM_PING, b"")
    play(ping, packets(ok()))


def test_mysql_is_asked_anew_for_other_types() -> None:
    made, statement = engine(), prepared("SELECT %s")
    one = prepare_answer(columns=1, parameters=1)
    play(execute(made, statement, (1,)), one + packets(ok()), len(one))
    for same in (2, None, 3):
        play(execute(made, statement, (same,)), packets(ok()))
    conversation = execute(made, statement, ("x",))
    assert sent(conversation) == (
        command(commands.COM_STMT_CLOSE, b"\x09\0\0\0") + command(commands.COM_STMT_PREPARE, b"SELECT ?")
    )
    play(conversation, prepare_answer(statement_id=10, columns=1, parameters=1) + packets(ok()), len(one))
    play(execute(made, statement, ("y",)), packets(ok()))
    assert statement.statement_id == 10


def test_streamed() -> None:
    made, statement = mariadb(), prepared()
    whole = prepare_answer() + rows_answer()
    result = play(execute(made, statement, stream=True), whole)
    assert made.streaming is result
    assert play(made.fetch_batch(result), b"") == ROWS
    assert made.settled


# -- definitions that are not sent again -------------------------------------------------------------------------------


def caching(**options: Any) -> Engine:
    made = mariadb(**options)
    made.agree(made.capabilities | cap.MARIADB_CLIENT_CACHE_METADATA)
    return made


def cached_answer(deprecate_eof: bool = True, rows: Any = ROWS) -> bytes:
    encoded = [
        binary_row(struct.pack("<i", number), None if text is None else lenenc(text.encode())) for number, text in rows
    ]
    ends = [ok(flags=2, header=0xFE)] if deprecate_eof else [eof(2)]
    return packets(b"\2\0", *([] if deprecate_eof else [eof()]), *encoded, *ends)


@pytest.mark.parametrize("chunk", [None, 1, 9])
@pytest.mark.feature("column definitions cached by the client")
def test_cached_definitions(deprecate_eof: bool, chunk: int | None) -> None:
    made, statement = caching(deprecate_eof=deprecate_eof), prepared()
    play(statements.prepare(made, statement), prepare_answer(deprecate_eof=deprecate_eof))
    for _ in range(2):
        assert play(execute(made, statement), cached_answer(deprecate_eof), chunk).rows == ROWS
    between = [] if deprecate_eof else [eof()]
    end = ok(flags=2, header=0xFE) if deprecate_eof else eof(2)
    other = packets(b"\1\1", column("other"), *between, binary_row(lenenc(b"x")), end)
    result = play(execute(made, statement), other, chunk)
    assert ([each.name for each in result.columns], result.rows) == (["other"], [("x",)])
    again = packets(b"\1\0", *between, binary_row(lenenc(b"y")), end)
    assert play(execute(made, statement), again, chunk).rows == [("y",)]


def test_text_has_its_definitions_always() -> None:
    answer = packets(b"\1\1", column("s"), row(b"x"), ok(flags=2, header=0xFE))
    assert play(caching().query(b"Q"), answer).rows == [("x",)]


def test_definitions_that_were_never_sent() -> None:
    with pytest.raises(MalformedPacket, match="never defined"):
        play(caching().query(b"Q"), packets(b"\1\0", row(b"x"), ok(flags=2, header=0xFE)))
    made, statement = caching(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    with pytest.raises(MalformedPacket, match="never defined"):
        play(execute(made, statement), packets(b"\3\0"))
    with pytest.raises(MalformedPacket, match="ColumnCount"):
        play(caching().query(b"Q"), packets(b"\1"))


# -- long data ---------------------------------------------------------------------------------------------------------


def test_long_data() -> None:
    made, statement = engine(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    conversation = statements.send_long_data(made, statement, {0: [b"ab", b"cd"], 1: []})
    assert conversation.advance() == 0
    pieces = [b"\0\0", b"\0\0abcd", b"\1\0"]
    assert bytes(conversation.wire.outgoing or b"") == b"".join(
        command(commands.COM_STMT_SEND_LONG_DATA, b"\x09\0\0\0" + piece) for piece in pieces
    )
    assert made.settled


def test_long_data_is_dropped_if_its_source_fails() -> None:
    def source() -> Iterator[bytes]:
        yield b"a" * 70000
        raise ArithmeticError

    made, statement = engine(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    conversation = statements.send_long_data(made, statement, {0: source()})
    assert sent(conversation).endswith(command(commands.COM_STMT_RESET, b"\x09\0\0\0"))
    with pytest.raises(ArithmeticError):
        play(conversation, packets(ok()))
    assert made.settled


# -- many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("pipelined executions")
def test_pipeline(chunk: int | None) -> None:
    made, statement = engine(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    rows = [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    [(data, count)] = Executions(Parameters(), 9, statement.template, rows, 1 << 20)
    answers = packets(ok(1)) + packets(err(1062, "twice")) + rows_answer() + packets(ok(5))
    affected, failures = play(statements.pipeline(made, statement, data, count), answers, chunk)
    assert affected == 1 + len(ROWS) + 5
    assert [(which, error.args[0]) for which, error in failures] == [(1, 1062)]
    assert made.settled


def test_pipeline_that_breaks() -> None:
    made, statement = engine(), prepared()
    play(statements.prepare(made, statement), prepare_answer())
    [(data, count)] = Executions(Parameters(), 9, statement.template, [(1, "a")] * 3, 1 << 20)
    with pytest.raises(OperationalError) as killed:
        play(statements.pipeline(made, statement, data, count), packets(ok()) + packets(err(1927, "killed"), first=0))
    assert not killed.value.alive
    assert not made.settled


# -- cursors -----------------------------------------------------------------------------------------------------------


def cursor_answer(deprecate_eof: bool) -> bytes:
    end = ok(flags=CURSOR, header=0xFE) if deprecate_eof else eof(CURSOR)
    return packets(b"\2", NUMBER, column("s"), end)


def fetched(rows: Any, flags: int, deprecate_eof: bool) -> bytes:
    encoded = [binary_row(struct.pack("<i", number), lenenc(text.encode())) for number, text in rows]
    return packets(*encoded, ok(flags=flags, header=0xFE) if deprecate_eof else eof(flags))


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("server cursors (COM_STMT_FETCH)")
def test_a_cursor_of_the_server(deprecate_eof: bool, chunk: int | None) -> None:
    made, statement = engine(deprecate_eof=deprecate_eof), prepared()
    play(statements.prepare(made, statement), prepare_answer(deprecate_eof=deprecate_eof))
    opened = execute(made, statement, flags=1)
    result = play(opened, cursor_answer(deprecate_eof), chunk)
    assert (result.rows, made.settled, bool(result.status_flags & status.SERVER_STATUS_CURSOR_EXISTS)) == (
        [],
        True,
        True,
    )
    fetch = statements.fetch(made, statement, result, 2)
    assert sent(fetch) == command(commands.COM_STMT_FETCH, b"\x09\0\0\0\2\0\0\0")
    assert play(fetch, fetched([(1, "a"), (2, "b")], CURSOR, deprecate_eof), chunk) == [(1, "a"), (2, "b")]
    play(made.ping(), packets(ok()))
    last = fetched([(3, "c")], CURSOR | status.SERVER_STATUS_LAST_ROW_SENT, deprecate_eof)
    assert play(statements.fetch(made, statement, result, 2), last, chunk) == [(3, "c")]
    assert result.status_flags & status.SERVER_STATUS_LAST_ROW_SENT
    with pytest.raises(OperationalError):
        play(statements.fetch(made, statement, result, 2), packets(err(1421, "no open cursor")), chunk)
    assert made.settled


def feed(conversation: Any, data: bytes) -> None:
    from mizzle.engine.wire import ReceiveBuffer  # noqa: PLC0415

    space = conversation.wire.space(ReceiveBuffer(4096))
    space[: len(data)] = data
    conversation.wire.received(len(data))


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("a result for each row of a bulk execution")
def test_unit_results_are_no_rows_of_the_statement(chunk: int | None) -> None:
    made, statement = mariadb(), prepared("INSERT INTO t VALUES (%s)")
    play(statements.prepare(made, statement), prepare_answer(columns=0, parameters=1))
    big = {"type_code": ft.MYSQL_TYPE_LONGLONG, "charset": 63}
    columns = [column("Id", **big), column("Affected_rows", **big)]
    rows = [binary_row(struct.pack("<q", number), struct.pack("<q", 1)) for number in (7, 8)]
    conversation = statements.execute_bulk(made, statement, b"payload", True)
    result = play(conversation, packets(b"\2", *columns, *rows, ok(header=0xFE)), chunk)
    assert result.rows == [(7, 1), (8, 1)]
    assert statement.columns is None
