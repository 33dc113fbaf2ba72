"""The usual course of a conversation on a blocking socket: send, receive, done.

Knows send(2), recv(2) and SO_RCVTIMEO. Must not know states, deadlines and what an error means: whatever is unusual it
leaves to mizzle.worlds.threads. Compiled, for it is on the way of every statement: a quarter of a point select's
instructions.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from libc.errno cimport EINTR, errno

from mizzle.engine.conversations cimport Conversation
from mizzle.engine.wire cimport ReceiveBuffer, Wire

cdef extern from "<sys/time.h>" nogil:
    ctypedef long time_t
    ctypedef long suseconds_t
    struct timeval:
        time_t tv_sec
        suseconds_t tv_usec

cdef extern from "<sys/socket.h>" nogil:
    int SOL_SOCKET, SO_RCVTIMEO
    int setsockopt(int fd, int level, int name, const void *value, unsigned int size)
    ssize_t c_send "send"(int fd, const void *data, size_t size, int flags)
    ssize_t c_receive "recv"(int fd, void *space, size_t size, int flags)

cdef enum:
    DONE, READ, WRITE
UNSENT, AGAIN = 3, 4


cpdef int exchange(object conversation, int fd, int send_flags, ReceiveBuffer buffer, bint once) except? -1:
    """Go on with a conversation for as long as the socket takes what is sent at once, and gives something in time.

    DONE; or READ, WRITE: what it needs next, if it is more than that; or UNSENT: done, but for the rest of `outgoing`; or
    AGAIN: it was to receive `once`, for the time that is left has to be looked at before that is done again; or below
    zero: the number of the error that a receive ended with.
    """
    cdef Conversation usual
    cdef Wire wire
    cdef Py_ssize_t n
    cdef int want
    cdef bint heard = False
    if type(conversation) is not Conversation:
        return conversation.advance() or UNSENT     # somebody's own: step by step
    usual = <Conversation>conversation
    wire = usual.wire
    while True:
        want = usual.advance()
        if wire._outgoing is not None and not send_all(wire, fd, send_flags):
            return want or UNSENT
        if want == DONE:
            return DONE
        if want == READ:
            if heard and once:
                return AGAIN
            if wire.space(buffer) is not buffer._view:      # a packet that is larger than the buffer
                return READ
            n = receive(fd, buffer)
            if n < 0:
                return <int>n
            if n == 0:
                return READ                     # the end, which the next receive meets again
            wire.received(n)
            heard = True


cpdef int arm(int fd, long long microseconds) except -1:
    """Let a receive end after that time (SO_RCVTIMEO); 0: never. Python's own setsockopt() takes ten times as long."""
    cdef timeval limit
    limit.tv_sec = <time_t>(microseconds // 1_000_000)
    limit.tv_usec = <suseconds_t>(microseconds % 1_000_000)
    if setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0:
        PyErr_SetFromErrno(OSError)
    return 0


cdef bint send_all(Wire wire, int fd, int flags) except -1:
    """Send `outgoing`. False if something is left of it, for whatever reason: who tries again will be told."""
    cdef const char *data
    cdef Py_ssize_t size, n
    if type(wire._outgoing) is not bytes:
        return False
    data, size = PyBytes_AS_STRING(wire._outgoing), len(<bytes>wire._outgoing)
    with nogil:
        n = c_send(fd, data, size, flags)
    if n > 0:
        wire.sent(n)
    return wire._outgoing is None


cdef Py_ssize_t receive(int fd, ReceiveBuffer buffer) except? -1:
    """How many bytes came; below zero the number of an error."""
    cdef unsigned char *data = buffer._data
    cdef Py_ssize_t size = buffer.size, n
    while True:
        PyErr_CheckSignals()                    # also of what came while we were sending
        with nogil:
            n = c_receive(fd, data, size, 0)
            if n < 0:
                n = -errno
        if n != -EINTR:
            return n
