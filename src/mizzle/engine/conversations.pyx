"""Commands as conversations: each a generator, written in the order in which things happen on the wire.

A conversation yields READ when it needs bytes that have not come, WRITE when much is queued, and nothing else; it
yields for bytes, never for packets. It knows no socket, clock, lock, thread or loop: a world steps it (see
mizzle.worlds). "Command Phase" in the manual's protocol chapter; the connection phase is in login.py.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF

from mizzle.constants.errnos import CR_COMMANDS_OUT_OF_SYNC, CR_MALFORMED_PACKET, CR_NET_PACKET_TOO_LARGE
from mizzle.engine import conversions, infile as infiles, interrupts, login
from mizzle.engine.constants cimport *
from mizzle.engine.packets cimport OkFields, read_eof, read_err, read_ok
from mizzle.engine.prepared cimport Prepared
from mizzle.engine.progress cimport Reports
from mizzle.engine.reader cimport Reader, malformed, reader_over
from mizzle.engine.results cimport ALWAYS, OPTIONAL, ROWS_END, ROWS_ERR, ROWS_MORE, UNLESS_KNOWN, Result, RowsEnd
from mizzle.engine.text_rows cimport Decoding
from mizzle.engine.tracking cimport Tracked
from mizzle.engine.traces cimport leaves_no_trace
from mizzle.engine.wire cimport Wire
from mizzle.errors import Error, OperationalError, ProgrammingError, connection_closed, connection_lost, timed_out

cdef extern from "Python.h":
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    PySendResult PyIter_Send(object gen, object arg, PyObject **result) except PYGEN_ERROR

DONE, READ, WRITE = 0, 1, 2
cdef object _READ = READ
cdef bytes NO_ATTRIBUTES = b"\0\1"      # parameter_count [lenenc], parameter_set_count [lenenc]

cdef enum:
    OK = 0x00
    LOCAL_INFILE = 0xFB
    EOF = 0xFE
    ERR = 0xFF


cdef class Conversation:
    """One exchange with the server. `result` is valid once advance() has answered DONE.

    `finished` says whether the connection stands between commands again: then it can be used further, also after
    advance() raised the server's error. When it is False after an exception, the stream is lost and so is the
    connection. `killable` says that it is a statement, which KILL QUERY ends.
    """

    @property
    def killable(self) -> bool:
        return self._kind == STATEMENT

    cpdef int advance(self) except -1:
        """Go on until bytes are needed (READ), should be sent (WRITE), or all is said (DONE); raises what ended it."""
        cdef PyObject *value = NULL
        cdef PySendResult outcome
        if self._steps is None:
            raise RuntimeError(f"{self.name} has ended already")
        try:
            outcome = PyIter_Send(self._steps, None, &value)
        except BaseException as error:
            self._end()
            if not self.finished:
                self.engine.broken = error
            raise
        if outcome == PYGEN_NEXT:
            self.wire.keep()
            step = <int>(<object>value)
            Py_DECREF(<object>value)
            return step
        self.result = <object>value
        Py_DECREF(<object>value)
        self._end()
        return 0

    cdef int _end(self) except -1:
        self._steps = None
        self.finished = self.engine.settled or self.engine.streaming is not None
        return self.wire.keep()

    def lost(self, cause=None):
        """The link ended while this ran: EOF (None), an OSError, or a TimeoutError. Returns what is to be raised."""
        if isinstance(cause, TimeoutError):
            what = self._late(cause)
            cause = None
        elif cause is None:
            what = f"the server closed the connection during {self.name}"
        else:
            what = f"the connection broke during {self.name}"
        error = connection_lost(what, cause=cause, sent=self.wire.any_sent)
        self.abandon(error)
        return error

    def overdue(self, cause):
        """A deadline passed, and the connection may outlive it: what is to be raised. Changes nothing."""
        return timed_out(self._late(cause), sent=self.wire.any_sent, in_transaction=self.engine.in_transaction)

    def _late(self, cause):
        if self.engine.phase:
            return f"connect timed out, {self.engine.phase}: connect_timeout is {self.engine.options.connect_timeout:g} s"
        return f"{self.name} timed out: {cause}"

    def drain(self):
        """Nobody waits for this any more: the conversation that reads the rest of the answer and drops it.

        None if it cannot be gone on with: it has ended, it is a login, half a file is on its way, or what came is wrong.
        """
        cdef object steps = self._steps
        if steps is None or self._kind == DECISIVE or self.engine.sending_file or self.wire.damaged:
            return None
        self._steps = None
        return self.engine.conversation(interrupts.drain(self.engine, steps), f"the rest of {self.name}", self._kind)

    def abandon(self, cause):
        """Nobody goes on with this: the stream stands in the middle of an answer, the engine is broken."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None
        self.finished = False
        self.engine.settled = False
        self.engine.broken = cause
        self.wire.keep()


cdef class Engine:
    """One connection's end of the protocol: what both sides agreed on, and the commands.

    `options` has the attributes of mizzle.options.ConnectOptions; `secure` says that the link is one nobody can listen
    to (a Unix socket), `password` replaces that of the options.
    """

    def __init__(self, options not None, *, bint secure=False, ssl_context=None, bytes password=None):
        self.options = options
        self.secure = secure
        self.ssl_context = ssl_context
        self.password = options.password if password is None else password
        self.wire = Wire(options.max_allowed_packet)
        self.progress = Reports()
        self.tracked = Tracked()
        self.charset = self.initial_charset = login.charset_of(options)
        self._decoding = conversions.decoding_for(options, self.charset)
        self.server_version = ""
        self.server_version_info = ()
        self.session = 1
        self.settled = True
        self.phase = ""
        self.in_front = []
        self.writers = ()
        self.watches = options.session_track_state_change

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """Did the server, in its last answer, say that a transaction is open?"""
        return (self.status_flags & SERVER_STATUS_IN_TRANS) != 0

    @property
    def autocommit(self) -> bool:
        return (self.status_flags & SERVER_STATUS_AUTOCOMMIT) != 0

    @property
    def no_backslash_escapes(self) -> bool:
        return (self.status_flags & SERVER_STATUS_NO_BACKSLASH_ESCAPES) != 0

    @property
    def tls(self):
        """The connection's ssl.SSLObject, or None without TLS."""
        return None if self.wire.filter is None else self.wire.filter.ssl_object

    @property
    def compression(self) -> str | None:
        """The algorithm in use."""
        return None if self.wire.compression is None else self.wire.compression.algorithm

    @property
    def max_allowed_packet(self) -> int:
        return self.wire.max_packet

    def agree(self, unsigned long long capabilities):
        """The capabilities that both sides have, once they are known."""
        self.capabilities = capabilities
        self._deprecate_eof = (capabilities & CLIENT_DEPRECATE_EOF) != 0
        optional = OPTIONAL if capabilities & CLIENT_OPTIONAL_RESULTSET_METADATA else ALWAYS
        self._definitions = UNLESS_KNOWN if capabilities & MARIADB_CLIENT_CACHE_METADATA else optional
        self.progress.agreed = (capabilities & MARIADB_CLIENT_PROGRESS) != 0
        self._no_attributes = NO_ATTRIBUTES if capabilities & CLIENT_QUERY_ATTRIBUTES else None
        self.set_charset(self.charset)

    def set_charset(self, charset not None):
        """The session speaks another character set now (SET NAMES): decode what it sends by that."""
        self.charset = charset
        extended = (self.capabilities & MARIADB_CLIENT_EXTENDED_METADATA) != 0
        self._decoding = conversions.decoding_for(self.options, charset, extended)

    def unsolicited(self):
        """Bytes came while no command ran (`wire.unread`): returns the error that they mean; the connection is over."""
        cdef Reader reader
        error = OperationalError(
            CR_MALFORMED_PACKET, "The server sent a packet that nobody asked for", sent=False, alive=False
        )
        self.wire.sequence = 0
        try:
            if self.wire.next_packet() and self.wire.packet_length and self.wire.packet[0] == ERR:
                reader = reader_over(self.wire.packet, self.wire.packet_length, "ERR")
                error = read_err(&reader)
                error.alive = error.sent = False
        except OperationalError as unreadable:
            error.__cause__ = unreadable
        self.broken = error
        self.settled = False
        return error

    def lost_idle(self, cause=None):
        """The link ended while no command ran. Returns the error; the connection is not to be used again."""
        what = "the server closed the idle connection" if cause is None else "the idle connection broke"
        self.broken = connection_lost(what, cause=cause, sent=False)
        self.settled = False
        return self.broken

    # -- steps that conversations share ---------------------------------------------------------------------------

    cdef Conversation conversation(self, steps, str name, Kind kind=SHORT):
        cdef Conversation made = Conversation.__new__(Conversation)
        made._steps = steps
        made._kind = kind
        made.engine = self
        made.wire = self.wire
        made.name = name
        return made

    cpdef int begin(self, int command, bytes payload, bytes attributes=None) except -1:
        """Queue a command, if the wire stands between two. `attributes` go before a COM_QUERY."""
        self.check_idle(command, len(payload))
        self.settled = False
        if self.pristine and not leaves_no_trace(command, payload):
            self.pristine = False
        if command == COM_QUERY and attributes is None:
            attributes = self._no_attributes
        return self.wire.begin(command, payload, attributes)

    cdef int check_idle(self, int command, Py_ssize_t length) except -1:
        """The wire stands between two commands, or this raises. What goes in front of this command is queued."""
        if not self.settled:
            if self.streaming is not None:
                raise ProgrammingError(
                    CR_COMMANDS_OUT_OF_SYNC,
                    "A streamed result is being read on this connection: read it to its end or close its cursor first",
                    sent=False,
                )
            raise connection_closed(str(self.broken) if self.broken is not None else "a command did not finish")
        if self.wire.anything_left():   # it came behind the last answer, and would be taken for this command's
            raise self.unsolicited()
        if length >= self.wire.max_packet:
            raise OperationalError(
                CR_NET_PACKET_TOO_LARGE,
                f"The command is {length + 1} bytes long, max_allowed_packet={self.wire.max_packet} was given",
                sent=False,
            )
        if self.in_front:
            self._queue_ahead(command)
        self.commands += 1
        return 0

    cdef object server_error(self):
        """The ERR packet that the wire has taken. It ends the command, and sometimes the connection."""
        cdef Reader reader = reader_over(self.wire.packet, self.wire.packet_length, "ERR")
        error = read_err(&reader)
        self.settled = error.alive
        self.streaming = None
        self.progress.forget()
        return error

    cdef int settle(self, Result result) except -1:
        """A statement is over: remember what the server said of the session."""
        if result.session_state is not None:
            if self.tracked.take(result.session_state):
                self.pristine = False
            if self.tracked.charset_told:
                login.follow_charset(self, result.format is None)
        self.status_flags = result.status_flags
        self.settled = not result.status_flags & SERVER_MORE_RESULTS_EXISTS
        return 0

    # -- commands in front of others ------------------------------------------------------------------------------

    def ahead(self, int command, bytes payload not None, bint answered=True):
        """Send this command in front of the next one, in the same flush: it costs no round trip of its own.

        Its answer is read and dropped before that one's. An error in it ends the connection: what the next command
        was to stand on is not there.
        """
        self.in_front.append((command, payload, answered))

    def reset_later(self):
        """The session is to be as after the login when the next command runs (COM_RESET_CONNECTION, ahead of it)."""
        self.session += 1
        login.speak(self, self.initial_charset)
        if self._anew is None:
            self._anew = login.commands_anew(self)
        self.in_front = self._anew.copy()
        self.tracked.begin_anew(self.options.database is not None, self.options.database)
        self.status_flags = self.initial_status
        self.pristine = True

    cdef int _queue_ahead(self, int command) except -1:
        # These leave nothing of the session as it was.
        if command not in (COM_QUIT, COM_RESET_CONNECTION, COM_CHANGE_USER):
            for before, payload, answered in self.in_front:
                self.wire.begin(before, payload, self._no_attributes if before == COM_QUERY else None)
                self._unanswered += answered
        self.in_front.clear()
        return 0

    def _answers_ahead(self):
        """The answers to the commands that went in front of the one just begun: each a Result or an Error."""
        cdef Wire wire = self.wire
        cdef int sequence = wire.sequence, count = self._unanswered
        cdef bint pristine = self.pristine      # whatever these change in the session
        cdef list answers = []
        self._unanswered = 0
        for _ in range(count):
            wire.sequence = 1
            self.settled = False
            answers.append((yield from self._answer()))
        wire.sequence = sequence
        self.settled = False
        self.pristine = pristine
        return answers

    def _answer(self):
        """What a command gave that has been sent: its Result, or an Error that leaves the connection in order."""
        try:
            return (yield from self._run(COM_QUERY, None, None, None))
        except Error as error:
            if not self.settled:
                raise
            return error

    def _pass_ahead(self):
        for answer in (yield from self._answers_ahead()):
            if isinstance(answer, Error):
                answer.alive = False
                raise answer

    # -- queries --------------------------------------------------------------------------------------------------

    def query(self, bytes sql not None, infile=None, bytes attributes=None) -> Conversation:
        """COM_QUERY, all results read. Its result is the first statement's Result, which leads to the others.

        `attributes` are what Parameters.attributes() made.
        """
        return self.conversation(self._run(COM_QUERY, sql, None, infile, attributes), "COM_QUERY", STATEMENT)

    def _run(self, int command, bytes payload, Prepared statement, infile, bytes attributes=None):
        """A statement and all its results; `payload` None: the command has been sent."""
        cdef Wire wire = self.wire
        cdef Result first = None, last = None, result
        cdef RowsEnd end = ROWS_END
        if payload is not None:
            self.begin(command, payload, attributes)
        if self._unanswered:
            yield from self._pass_ahead()
        while not self.settled:
            while not self.next_answer():
                yield _READ
            if wire.packet_length and wire.packet[0] == LOCAL_INFILE:
                yield from self._send_infile(infile)
            result = Result.__new__(Result)
            result.statement = statement
            if wire.packet_length and wire.packet[0] == ERR:
                end = ROWS_ERR
            else:
                result.read_head(wire, self._definitions)
                if not result.finished:
                    while not result.drain_columns(wire, self._decoding, not self._deprecate_eof):
                        yield _READ
                    end = self.drain_rows(result, True)
                    while end == ROWS_MORE:
                        yield _READ
                        end = self.drain_rows(result, True)
            if end == ROWS_ERR:
                error = self.server_error()
                if first is None:
                    raise error
                last.next = error
                break
            self.settle(result)
            if first is None:
                first = result
            else:
                last.next = result if result.error is None else result.error
            last = result
        return self.progress.unspoiled(first)

    def _send_infile(self, infile):
        """The packet that was taken asks for a file: send it, and take the one that answers it."""
        yield from infiles.send(self, self.wire.take_again(), infile)
        while not self.next_answer():
            yield _READ

    def stream(self, bytes sql not None, infile=None, bytes attributes=None) -> Conversation:
        """COM_QUERY, read up to its first row: go on with fetch_batch(), skip_rows() and next_result()."""
        return self.conversation(self._stream(COM_QUERY, sql, None, infile, attributes), "COM_QUERY", STATEMENT)

    def _stream(self, int command, bytes payload, Prepared statement, infile, bytes attributes=None):
        if payload is not None:
            self.begin(command, payload, attributes)
        if self._unanswered:
            yield from self._pass_ahead()
        return (yield from self._open_result(statement, infile))

    def _open_result(self, Prepared statement, infile):
        cdef Wire wire = self.wire
        cdef Result result = Result.__new__(Result)
        result.statement = statement
        while not self.next_answer():
            yield _READ
        if wire.packet_length and wire.packet[0] == LOCAL_INFILE:
            yield from self._send_infile(infile)
        if wire.packet_length and wire.packet[0] == ERR:
            raise self.server_error()
        result.read_head(wire, self._definitions)
        if not result.finished:
            while not result.drain_columns(wire, self._decoding, not self._deprecate_eof):
                yield _READ
        if result.finished:
            self.settle(result)
        self.streaming = None if self.settled else result
        return self.progress.unspoiled(result) if self.settled else result

    def fetch_batch(self, Result result not None) -> Conversation:
        """The rows of a streamed result that come next, as many as one read brings; none at its end."""
        return self.conversation(self._fetch_batch(result, True), "fetch", STATEMENT)

    def skip_rows(self, Result result not None) -> Conversation:
        """Read a streamed result to its end and drop the rows."""
        return self.conversation(self._fetch_batch(result, False), "fetch", STATEMENT)

    def _fetch_batch(self, Result result, bint keep):
        cdef RowsEnd end = ROWS_END
        if result.finished:
            return []
        self.check_streaming(result)
        self.streaming = None           # until the rows have proved to be such: see Conversation._end
        while True:
            end = self.drain_rows(result, keep)
            if end != ROWS_MORE or result.rows or result.error is not None and keep:
                break
            yield _READ
        if end == ROWS_ERR:
            raise self.server_error()
        if end == ROWS_END:
            self.settle(result)
            self.progress.spoil(result)
        self.streaming = None if self.settled else result
        rows, result.rows = result.rows, []
        if keep and result.error is not None:
            error, result.error = result.error, None
            raise error
        return rows

    def next_result(self, Result result not None) -> Conversation:
        """The result after a streamed one that was read to its end; None if there is none."""
        return self.conversation(self._next_result(result), "next result", STATEMENT)

    def _next_result(self, Result result):
        if not result.status_flags & SERVER_MORE_RESULTS_EXISTS:
            return None
        self.check_streaming(result)
        if result.next is None:
            self.streaming = None
            result.next = yield from self._open_result(result.statement, None)
        return result.next

    # -- after an interrupt ---------------------------------------------------------------------------------------

    def absorb(self) -> Conversation:
        """A statement for a KILL QUERY that may have come too late: that ends this one, and no other."""
        return self.conversation(interrupts.absorb(self), "the statement after KILL QUERY")

    # -- answers, past what MariaDB reports of its progress ----------------------------------------------------------

    cdef bint next_answer(self) except -1:
        """Take the next packet that is an answer, past reports of progress; False if it is not there."""
        while self.wire.next_packet():
            if not self.progress.took(self.wire, self.discarding):
                return True
        return False

    cdef RowsEnd drain_rows(self, Result result, bint keep) except ROWS_RAISED:
        """Result.drain_rows(), past reports of progress: CHECK TABLE gives rows meanwhile."""
        cdef RowsEnd end = result.drain_rows(self.wire, keep and not self.discarding, self._deprecate_eof)
        while end == ROWS_ERR and self.progress.took(self.wire, self.discarding):
            end = result.drain_rows(self.wire, keep and not self.discarding, self._deprecate_eof)
        return end

    def check_streaming(self, Result result):
        if self.streaming is not result:
            raise connection_closed(
                str(self.broken) if self.broken is not None else "its connection has gone on to another statement",
                "result",
            )

    # -- short commands -------------------------------------------------------------------------------------------

    def ping(self) -> Conversation:
        """COM_PING."""
        return self.conversation(self._simple(COM_PING, b""), "COM_PING")

    def init_db(self, str database not None) -> Conversation:
        """COM_INIT_DB: the default database from now on."""
        return self.conversation(self._simple(COM_INIT_DB, database.encode("utf8")), "COM_INIT_DB")

    def set_option(self, int option) -> Conversation:
        """COM_SET_OPTION: MYSQL_OPTION_MULTI_STATEMENTS_ON or _OFF."""
        return self.conversation(self._simple(COM_SET_OPTION, option.to_bytes(2, "little")), "COM_SET_OPTION")

    def reset_connection(self) -> Conversation:
        """COM_RESET_CONNECTION, then the database and the session settings of the options again."""
        return self.conversation(login.reset_connection(self), "COM_RESET_CONNECTION")

    def change_user(self, str user not None, bytes password not None, str database) -> Conversation:
        """COM_CHANGE_USER, then the session settings of the options again."""
        return self.conversation(
            login.change_user(self, user, password, database or ""), "COM_CHANGE_USER", DECISIVE
        )

    def connect(self) -> Conversation:
        """The connection phase: greeting, TLS, authentication, session settings."""
        return self.conversation(login.connect(self), "connect", DECISIVE)

    def quit(self) -> Conversation:
        """COM_QUIT: the server closes; no answer comes."""
        return self.conversation(self._quit(), "COM_QUIT", DECISIVE)

    def _quit(self):
        self.begin(COM_QUIT, b"")
        self.broken = connection_closed("COM_QUIT was sent")
        yield WRITE

    def statistics(self) -> Conversation:
        """COM_STATISTICS: a line of text."""
        return self.conversation(self._statistics(), "COM_STATISTICS")

    def _statistics(self):
        cdef Wire wire = self.wire
        self.begin(COM_STATISTICS, b"")
        if self._unanswered:
            yield from self._pass_ahead()
        while not wire.next_packet():
            yield _READ
        if wire.packet_length and wire.packet[0] == ERR:
            raise self.server_error()
        self.settled = True
        return wire.take_again().decode("utf8", "replace")

    def _simple(self, int command, bytes payload):
        """A command that is answered with OK (or EOF, by servers without CLIENT_DEPRECATE_EOF)."""
        self.begin(command, payload)
        if self._unanswered:
            yield from self._pass_ahead()
        return (yield from self.expect_ok())

    def run_together(self, list statements):
        """Statements in one flush, as part of another conversation; returns what each gave, a Result or an Error."""
        *before, last = statements
        for sql in before:
            self.ahead(COM_QUERY, sql)
        self.begin(COM_QUERY, last)
        answers: list = yield from self._answers_ahead()
        answers.append((yield from self._answer()))
        return answers

    def expect_ok(self):
        """Read the packet that ends a command: OK, EOF or ERR."""
        cdef Wire wire = self.wire
        cdef Result result = Result.__new__(Result)
        cdef OkFields ok
        cdef Reader reader
        while not self.next_answer():
            yield _READ
        if wire.packet_length and wire.packet[0] == ERR:
            raise self.server_error()
        reader = reader_over(wire.packet, wire.packet_length, "OK")
        if wire.packet_length == 5 and wire.packet[0] == EOF:
            read_eof(&reader, &ok)
        elif wire.packet_length and wire.packet[0] in (OK, EOF):
            read_ok(&reader, &ok)
        else:
            malformed(&reader, "OK, EOF or ERR expected")
        result.finish(&ok)
        self.settle(result)
        return result


