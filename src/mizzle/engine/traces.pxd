"""Which commands leave no trace in the session."""

cdef bint leaves_no_trace(int command, bytes payload) except -1
