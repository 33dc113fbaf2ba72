"""What turns values and statements into the bytes of a query."""

from mizzle.engine.placeholders cimport Template
from mizzle.engine.sql_buffer cimport Buffer


cdef class Literals:
    cdef readonly str codec
    cdef public bint no_backslash_escapes
    cdef readonly dict encoders         # None: there are none
    cdef int _escaping

    cpdef bytes literal(self, object value)
    cpdef bytes encode(self, object sql)
    cpdef bytes assemble(self, object sql, object args)
    cdef int _scan(self, Buffer *out, object sql, object args) except -1
    cdef int _misfit(self, Buffer *out, object sql, object args) except -1
    cdef int _fill(self, Buffer *out, Template template, object args) except -1
    cdef int _write(self, Buffer *out, object value, int depth) except -1
    cdef int _write_known(self, Buffer *out, object value, int depth, bint encoded) except -1
    cdef int _write_subclass(self, Buffer *out, object value, int depth, bint encoded) except -1
    cdef int _write_number_like(self, Buffer *out, object value) except -1
    cdef int _write_str(self, Buffer *out, object value) except -1
    cdef int _write_charwise(self, Buffer *out, object value) except -1
    cdef int _write_bytes(self, Buffer *out, object value) except -1
    cdef int _write_sequence(self, Buffer *out, object items, int depth) except -1


cdef class Batches:
    cdef Literals _literals
    cdef bytes _prefix
    cdef Template _template
    cdef bytes _suffix
    cdef object _rows
    cdef Py_ssize_t _limit
    cdef Py_ssize_t _number             # of rows taken so far
    cdef bytes _carry                   # the row that did not fit the last statement

    cdef int _add_rows(self, Buffer *out) except -1
