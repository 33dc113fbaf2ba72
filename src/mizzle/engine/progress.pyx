"""MariaDB's reports of how far a statement is, which come before its answer and between its rows.

Knows what becomes of them: a user's callback. Must not know conversations or results' packets.
"""

from mizzle.engine.packets cimport is_progress, read_progress
from mizzle.engine.reader cimport Reader, reader_over
from mizzle.engine.results cimport Result
from mizzle.engine.wire cimport Wire


cdef class Reports:
    """One connection's. An error in the callback is raised when the statement is over: see unspoiled()."""

    cdef bint took(self, Wire wire, bint discarding) except -1:
        """Is the packet that the wire has taken a report? Then the callback has it, unless nobody waits any more."""
        cdef Reader reader
        if not self.agreed or not is_progress(wire.packet, wire.packet_length):
            return False
        reader = reader_over(wire.packet, wire.packet_length, "Progress")
        progress = read_progress(&reader)
        if self.callback is not None and not discarding and self._error is None:
            try:
                self.callback(progress)
            except Exception as error:
                self._error = error
        return True

    cpdef int forget(self) noexcept:
        """The statement has ended in another way."""
        self._error = None
        return 0

    cdef int spoil(self, Result result) except -1:
        """All is read: what the callback raised is an error of this result, if it has none."""
        if self._error is not None:
            if result.error is None:
                result.error = self._error
            self._error = None
        return 0

    cdef Result unspoiled(self, Result result):
        """Raise what stood in the way of a row's values, or what the callback raised, now that the whole answer is read."""
        self.spoil(result)
        if result.error is not None:
            raise result.error
        return result
