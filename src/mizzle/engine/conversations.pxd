"""Conversations and the engine that begins them."""

from mizzle.engine.progress cimport Reports
from mizzle.engine.results cimport ROWS_RAISED, Definitions, Result, RowsEnd
from mizzle.engine.text_rows cimport Decoding
from mizzle.engine.tracking cimport Tracked
from mizzle.engine.wire cimport Wire


cdef enum Kind:
    SHORT               # the server answers by itself, soon
    STATEMENT           # KILL QUERY ends it
    DECISIVE            # a login, or the end: what comes after it depends on it


cdef class Conversation:
    cdef object _steps                      # the generator; None once it has ended
    cdef readonly Engine engine
    cdef readonly Wire wire
    cdef readonly object result
    cdef readonly bint finished
    cdef readonly str name
    cdef Kind _kind

    cpdef int advance(self) except -1
    cdef int _end(self) except -1


cdef class Engine:
    cdef readonly object options
    cdef readonly Wire wire
    cdef readonly bint secure
    cdef public str server_version
    cdef public tuple server_version_info
    cdef public bint is_mariadb
    cdef public unsigned long long connection_id
    cdef public unsigned long long capabilities
    cdef public int status_flags
    cdef public object charset
    cdef readonly unsigned long long commands   # how many were begun
    cdef public unsigned int session        # how often it was settled: prepared statements belong to one
    cdef public bytes nonce
    cdef public object ssl_context
    cdef public bytes password
    cdef public object broken
    cdef public bint settled                # the wire stands between two commands
    cdef readonly Result streaming          # the streamed result that is not read to its end
    cdef public str phase                   # what the login is doing; empty after it
    cdef public bint sending_file
    cdef public tuple identity              # which server this is, for KILL QUERY on another connection; None: unknown
    cdef public int initial_status          # the status flags after the login
    cdef public object initial_charset      # and the character set
    cdef public bint pristine               # nothing has left a trace in the session; looked after once it was set
    cdef readonly list in_front             # commands that go before the next one
    cdef list _anew                         # those that make the session as after the login
    cdef int _unanswered                    # how many of them have been sent and wait for an answer
    cdef public bint discarding             # rows are read and dropped
    cdef bint _deprecate_eof
    cdef Definitions _definitions
    cdef bytes _no_attributes               # what goes before a COM_QUERY without attributes; None: the server has none
    cdef readonly Reports progress
    cdef readonly Tracked tracked           # what the server says of the session
    cdef public object writers              # Literals that write for this connection: they follow its character set
    cdef public bint watches                # is the server asked to tell of every change of the session?
    cdef public str redirect                # where the server wants its clients to go, as it said at the login
    cdef Decoding _decoding

    cpdef int begin(self, int command, bytes payload, bytes attributes=*) except -1
    cdef int check_idle(self, int command, Py_ssize_t length) except -1
    cdef object server_error(self)
    cdef bint next_answer(self) except -1
    cdef RowsEnd drain_rows(self, Result result, bint keep) except ROWS_RAISED
    cdef int settle(self, Result result) except -1
    cdef int _queue_ahead(self, int command) except -1
    cdef Conversation conversation(self, steps, str name, Kind kind=*)
