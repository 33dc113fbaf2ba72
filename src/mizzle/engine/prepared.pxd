"""A prepared statement, filled from the wire."""

from mizzle.engine.literals cimport Literals
from mizzle.engine.placeholders cimport Template
from mizzle.engine.text_rows cimport Decoding, RowFormat
from mizzle.engine.wire cimport Wire


cdef class Prepared:
    cdef readonly bytes sql
    cdef readonly Template template
    cdef public object query                # as it was given
    cdef readonly unsigned int statement_id
    cdef public unsigned int session        # the engine's session that it is prepared in; 0: in none
    cdef public bint refused                # the server does not prepare it
    cdef public double expires              # when it has lived long enough, in its user's time
    cdef Decoding _decoding
    cdef RowFormat format                   # what the server said last of its columns
    cdef bytes _parameters                  # their definitions, as they came
    cdef tuple _parsed
    cdef int _parameter_count
    cdef int _column_count
    cdef int _phase
    cdef bytearray _types                   # those of its first execution

    cdef Py_ssize_t column_count(self) noexcept
    cdef bint types_changed(self, bytes payload) except -1
    cdef int read_head(self, Wire wire) except -1
    cdef bint drain_definitions(self, Wire wire, Decoding decoding, bint eof_follows) except -1


cdef class Kept:
    cdef readonly dict statements
    cdef public bint expire                 # they have to be looked at more closely

    cpdef Prepared ready(self, query, Literals writer)
