"""A pool's connections, and the loan of one."""

from cpython.object cimport PyObject
from cpython.pythread cimport PyThread_type_lock

from mizzle.engine.conversations cimport Engine

cpdef double clock() noexcept
cpdef unsigned long thread_number() noexcept

cdef enum:
    BUCKETS = 48
    MOST_SLOTS = 40


cdef class Slots:
    cdef type _type
    cdef int _count
    cdef Py_ssize_t[MOST_SLOTS] _offsets

    cdef object make(self)
    cdef int copy(self, object source, object into) except -1


cdef class Lock:
    cdef PyThread_type_lock _lock

    cdef int acquire(self) except -1
    cdef int release(self) except -1


cdef class Lent:
    cdef readonly Shelf pool
    cdef readonly Member member


cdef class Member:
    cdef readonly object conn
    cdef readonly object channel
    cdef readonly Engine engine
    cdef readonly double since
    cdef readonly object pid
    cdef public double idle_since
    cdef public double expires
    cdef public double taken            # when; 0.0: it is here
    cdef public Lent lent               # None while it is away with the copy
    cdef public bint used               # by somebody whose traces may still be in the session
    cdef public bint dirty              # a transaction was open, which ends with the first command of the next user
    cdef public bint reported           # as one that is held for too long
    cdef Slots _slots
    cdef Py_ssize_t _lent_at, _channel_at, _state_at, _aborted_at
    cdef object _last, _former          # the copies that came back last
    cdef object _returned               # the channel of a copy that has come back
    cdef bint _has_more                 # `conn` has attributes of its own beside its slots
    cdef object _code                   # where it was taken last: code and instruction, or a whole stack
    cdef int _at
    cdef object _stack

    cpdef bint is_ours(self) except -1
    cdef bint is_ready(self) noexcept
    cpdef object take(self, double now, object taker)
    cdef object lend(self, double now)
    cdef object fresh_copy(self)
    cdef bint holds_locks(self) noexcept
    cdef int take_back(self, object copy) except -1


cdef class Histogram:
    cdef readonly double seconds
    cdef unsigned long long[BUCKETS] _counts

    cpdef int add(self, double seconds) except -1


cdef class Shelf:
    cdef public list _idle
    cdef public set _members
    cdef public object _queue           # of waiters, in the order of asking
    cdef public object _forgotten
    cdef public Lock _lock
    cdef public object _clock
    cdef public object _place           # the hub or loop that it belongs to
    cdef public object _where           # says in which one the caller is; None before the first use
    cdef public unsigned long _thread   # of that hub or loop
    cdef public object _look            # at an idle connection: has anything come?
    cdef public object _reset_hook
    cdef public object _pid
    cdef public Py_ssize_t _max_size
    cdef public bint _plain             # nothing is to be done before a loan
    cdef public bint _resets
    cdef public bint _closed
    cdef public bint _keeps_idle        # connections that nobody waits for stay open
    cdef public Histogram _usage        # from being lent to being returned

    cdef double now(self) except? -1
    cdef bint is_here(self) except -1
    cdef bint is_near(self) noexcept
    cpdef Member _take_idle(self, double now)
    cdef object take_at_once(self, frame)
    cdef int give_back(self, conn) except -1
    cpdef bint _settle(self, Member member) except -1
    cpdef Member _returned(self, conn)


cdef class Term:
    cdef readonly Shelf _pool
    cdef readonly object _timeout
    cdef readonly object _conn


cdef class Loan(Term):
    pass


cdef class AsyncLoan(Term):
    pass
