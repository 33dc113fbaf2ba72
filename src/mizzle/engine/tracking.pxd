"""What a server says of the session."""

from mizzle.engine.reader cimport Reader


cdef class Tracked:
    cdef readonly str schema                # the default database; None: there is none, or nothing was said of it
    cdef readonly dict variables            # name: value; never changed, but replaced
    cdef readonly str gtids
    cdef readonly str transaction_state
    cdef readonly str transaction_characteristics
    cdef readonly unsigned long long changes    # how often it said that something has changed (state_change)
    cdef readonly bint charset_told         # is a character set among what was said last?
    cdef dict _at_login                     # the variables then

    cpdef bint take(self, bytes state) except -1
    cdef int _take_change(self, int kind, Reader *data) except -1
    cdef int _take_variable(self, str name, str value) except -1
    cpdef int keep(self) noexcept
    cpdef int begin_anew(self, bint another_schema, str schema=*) except -1
