"""MariaDB's reports of how far a statement is."""

from mizzle.engine.results cimport Result
from mizzle.engine.wire cimport Wire


cdef class Reports:
    cdef public bint agreed                 # does the server send them? (MARIADB_CLIENT_PROGRESS)
    cdef public object callback             # called with each Progress; None: nobody wants to know
    cdef object _error                      # what that raised

    cdef bint took(self, Wire wire, bint discarding) except -1
    cpdef int forget(self) noexcept
    cdef int spoil(self, Result result) except -1
    cdef Result unspoiled(self, Result result)
