"""Prepared statements as conversations ("Prepared Statements" in the manual's protocol chapter).

As conversations.pyx is for the other commands: each a generator, in the order in which things happen on the wire. What
comes back for an execution is read there, for it is what comes back for a query, its rows apart.
"""

from itertools import chain

from mizzle.engine import infile as infiles
from mizzle.engine.constants cimport *
from mizzle.engine.conversations cimport SHORT, STATEMENT, DECISIVE, Conversation, Engine
from mizzle.engine.packets import build_stmt_fetch, build_stmt_id, build_stmt_send_long_data
from mizzle.engine.parameters cimport Parameters
from mizzle.engine.prepared cimport Prepared
from mizzle.engine.results cimport ROWS_END, ROWS_ERR, ROWS_MORE, Result, RowsEnd
from mizzle.engine.wire cimport Wire, frames_in
from mizzle.errors import Error

READ, WRITE = 1, 2
cdef object _READ = READ
cdef bytes LAST_PREPARED = b"\xff\xff\xff\xff"

cdef enum:
    ERR = 0xFF


def prepare(Engine engine not None, Prepared statement not None) -> Conversation:
    """COM_STMT_PREPARE."""
    return engine.conversation(_prepare(engine, statement), "COM_STMT_PREPARE", SHORT)


def _prepare(Engine engine, Prepared statement):
    engine.begin(COM_STMT_PREPARE, statement.sql)
    yield from _read_prepared(engine, statement)
    engine.settled = True


def _read_prepared(Engine engine, Prepared statement):
    cdef Wire wire = engine.wire
    if engine._unanswered:
        yield from engine._pass_ahead()
    while not wire.next_packet():
        yield _READ
    if wire.packet_length and wire.packet[0] == ERR:
        statement.refused = True
        raise engine.server_error()
    statement.read_head(wire)
    while not statement.drain_definitions(wire, engine._decoding, not engine._deprecate_eof):
        yield _READ
    statement.session = engine.session


def forget(Engine engine not None, Prepared statement not None):
    """COM_STMT_CLOSE, in front of the next command."""
    if statement.session == engine.session:
        engine.ahead(COM_STMT_CLOSE, build_stmt_id(statement.statement_id), False)
    statement.session = 0


def execute(
    Engine engine not None, Prepared statement not None, Parameters parameters not None, args,
    int flags=0, tuple streamed=(), attributes=None, bint stream=False,
) -> Conversation:
    """COM_STMT_EXECUTE, behind COM_STMT_PREPARE where this session has not prepared the statement yet.

    `args`, `flags`, `streamed` and `attributes` are as in Parameters.execute(), which may raise NotBindable. `stream`
    is as in Engine.stream(): up to the first row.
    """
    cdef bytes payload = parameters.execute(
        statement.statement_id, statement.template, args, flags, streamed, attributes
    )
    run = engine._stream if stream else engine._run
    if not engine.is_mariadb and statement.types_changed(payload):
        forget(engine, statement)
    if statement.session == engine.session:
        steps = run(COM_STMT_EXECUTE, payload, statement, None)
    else:
        steps = _prepare_and_execute(engine, statement, payload, run)
    return engine.conversation(steps, "COM_STMT_EXECUTE", STATEMENT)


def _prepare_and_execute(Engine engine, Prepared statement, bytes payload, run):
    """In one round trip with MariaDB, where statement -1 is the one prepared last; in two with MySQL."""
    cdef Wire wire = engine.wire
    cdef int prepared, answer
    rest = payload[4:]
    if not engine.is_mariadb or engine.server_version_info < (10, 2):
        yield from _prepare(engine, statement)
        return (yield from run(COM_STMT_EXECUTE, <bytes>build_stmt_id(statement.statement_id) + rest, statement, None))
    engine.begin(COM_STMT_PREPARE, statement.sql)
    prepared = wire.sequence            # a command of several frames has used several numbers
    wire.begin(COM_STMT_EXECUTE, LAST_PREPARED + rest)
    answer, wire.sequence = wire.sequence, prepared
    try:
        yield from _read_prepared(engine, statement)
    except Error as error:
        if not error.alive:
            raise
        yield from _skip_refusal(engine, answer)
        raise
    wire.sequence = answer
    return (yield from run(COM_STMT_EXECUTE, None, statement, None))


def _skip_refusal(Engine engine, int sequence):
    """The statement could not be prepared, so its execution is refused as well: there is none (1243)."""
    engine.settled = False
    engine.wire.sequence = sequence
    try:
        yield from engine.expect_ok()
    except Error as error:
        if not error.alive:
            raise


def send_long_data(Engine engine not None, Prepared statement not None, dict sources not None) -> Conversation:
    """COM_STMT_SEND_LONG_DATA: what the execution after this takes as the values of these parameters, by position.

    If a source raises, what was sent of it is dropped (COM_STMT_RESET) and the connection lives.
    """
    return engine.conversation(_send_long_data(engine, statement, sources), "COM_STMT_SEND_LONG_DATA", DECISIVE)


def _send_long_data(Engine engine, Prepared statement, dict sources):
    if statement.session != engine.session:
        yield from _prepare(engine, statement)
    try:
        for position, source in sources.items():
            for piece in chain((b"",), infiles.gathered(source)):       # a value without a piece would be none
                engine.begin(
                    COM_STMT_SEND_LONG_DATA, build_stmt_send_long_data(statement.statement_id, position, piece)
                )
                if engine._unanswered:
                    yield from engine._pass_ahead()
                engine.settled = True                   # there is no answer
                if len(engine.wire.outgoing or b"") >= infiles.HIGH_WATER:
                    yield WRITE
    except Exception:
        if engine.settled:
            yield from engine._simple(COM_STMT_RESET, build_stmt_id(statement.statement_id))
        raise


def pipeline(Engine engine not None, Prepared statement not None, bytes packets not None, Py_ssize_t count) -> Conversation:
    """`count` COM_STMT_EXECUTE in their frames (see parameters.Executions), sent together, answered in turn.

    Its result is how many rows they affected, and a list of (which, error). An error does not keep the server from what
    is behind it.
    """
    return engine.conversation(_pipeline(engine, statement, packets, count), "COM_STMT_EXECUTE", STATEMENT)


def _pipeline(Engine engine, Prepared statement, bytes packets, Py_ssize_t count):
    cdef Result result
    cdef Py_ssize_t i
    cdef unsigned long long affected = 0
    failures = []
    engine.check_idle(COM_STMT_EXECUTE, len(packets))
    engine.settled = False
    engine.wire.begin_framed(packets)
    if engine._unanswered:
        yield from engine._pass_ahead()
    for i in range(count):
        engine.settled = False
        engine.wire.sequence = 1 if count > 1 else frames_in(packets)
        try:
            result = yield from engine._run(COM_STMT_EXECUTE, None, statement, None)
            affected += result.affected_rows if result.format is None else <unsigned long long>len(result.rows)
        except Exception as error:
            if not engine.settled:
                raise
            failures.append((i, error))
    return affected, failures


def execute_bulk(
    Engine engine not None, Prepared statement not None, bytes payload not None, bint unit_results=False
) -> Conversation:
    """COM_STMT_BULK_EXECUTE: see parameters.BulkExecutions.

    With `unit_results` the rows are the generated id and the affected rows of each execution.
    """
    if unit_results:        # which are no rows of this statement
        statement = Prepared(statement.template, statement.query)
    return engine.conversation(
        engine._run(COM_STMT_BULK_EXECUTE, payload, statement, None), "COM_STMT_BULK_EXECUTE", STATEMENT
    )


def fetch(Engine engine not None, Prepared statement not None, Result result not None, Py_ssize_t count) -> Conversation:
    """COM_STMT_FETCH: the next rows of a result that the server keeps; SERVER_STATUS_LAST_ROW_SENT after the last."""
    return engine.conversation(_fetch(engine, statement, result, count), "COM_STMT_FETCH", STATEMENT)


def _fetch(Engine engine, Prepared statement, Result result, Py_ssize_t count):
    cdef RowsEnd end
    engine.begin(COM_STMT_FETCH, build_stmt_fetch(statement.statement_id, count))
    if engine._unanswered:
        yield from engine._pass_ahead()
    result.rows = []
    result.finished = False
    end = engine.drain_rows(result, True)
    while end == ROWS_MORE:
        yield _READ
        end = engine.drain_rows(result, True)
    if end == ROWS_ERR:
        raise engine.server_error()
    engine.settle(result)
    engine.progress.spoil(result)
    rows, result.rows = result.rows, []
    if result.error is not None:
        error, result.error = result.error, None
        raise error
    return rows
