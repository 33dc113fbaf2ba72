"""Conversations and the engine that begins them."""

from mizzle.engine.results cimport Result
from mizzle.engine.text_rows cimport Decoding
from mizzle.engine.wire cimport Wire


cdef class Conversation:
    cdef object _steps                      # the generator; None once it has ended
    cdef readonly Engine engine
    cdef readonly Wire wire
    cdef readonly object result
    cdef readonly bint finished
    cdef readonly str name

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
    cdef public unsigned int session        # how often it was settled: prepared statements belong to one
    cdef public bytes nonce
    cdef public object ssl_context
    cdef public bytes password
    cdef public object broken
    cdef public bint settled                # the wire stands between two commands
    cdef readonly Result streaming          # the streamed result that is not read to its end
    cdef bytes _in_front                    # packets that go before the next command and have no answer
    cdef bint _deprecate_eof
    cdef Decoding _decoding

    cpdef int begin(self, int command, bytes payload) except -1
    cdef int _send_in_front(self) except -1
    cdef int _check(self, Py_ssize_t length) except -1
    cdef object server_error(self)
    cdef int settle(self, Result result) except -1
    cdef Conversation conversation(self, steps, str name)
