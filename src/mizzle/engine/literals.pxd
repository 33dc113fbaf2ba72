"""What turns values and statements into the bytes of a query."""

from mizzle.engine.placeholders cimport Template
from mizzle.engine.sql_buffer cimport Buffer


cdef class Literals:
    """`_write` and the two after it decide what a Python value is; the methods from `_write_null` on how it is written,
    which parameters.Parameters does in another way."""
    cdef readonly str codec
    cdef public bint no_backslash_escapes
    cdef readonly dict encoders         # None: there are none
    cdef int _escaping

    cpdef int speak(self, str codec) except -1
    cpdef bytes literal(self, object value)
    cpdef bytes encode(self, object sql)
    cpdef bytes statement(self, object sql, object args, bint no_backslash_escapes)
    cpdef bytes assemble(self, object sql, object args)
    cdef int _scan(self, Buffer *out, object sql, object args) except -1
    cdef int _misfit(self, Buffer *out, object sql, object args) except -1
    cdef int _fill(self, Buffer *out, Template template, object args) except -1
    cdef int _write(self, Buffer *out, object value, int depth) except -1
    cdef int _write_known(self, Buffer *out, object value, int depth, bint encoded) except -1
    cdef int _write_subclass(self, Buffer *out, object value, int depth, bint encoded) except -1
    cdef int _write_number_like(self, Buffer *out, object value) except -1
    cdef int _write_null(self, Buffer *out) except -1
    cdef int _write_bool(self, Buffer *out, bint value) except -1
    cdef int _write_int(self, Buffer *out, object value) except -1
    cdef int _write_float(self, Buffer *out, double value) except -1
    cdef int _write_decimal(self, Buffer *out, object value) except -1
    cdef int _write_datetime(self, Buffer *out, object value) except -1
    cdef int _write_date(self, Buffer *out, object value) except -1
    cdef int _write_time(self, Buffer *out, object value) except -1
    cdef int _write_timedelta(self, Buffer *out, object value) except -1
    cdef int _write_str(self, Buffer *out, object value) except -1
    cdef int _write_charwise(self, Buffer *out, object value) except -1
    cdef int _write_bytes(self, Buffer *out, object value) except -1
    cdef int _write_sequence(self, Buffer *out, object items, int depth) except -1


cdef bytes long_digits(Buffer *out, object value)
cdef str plain_digits(Buffer *out, object value)
cdef object no_such_number(Buffer *out, object value)
cdef object in_order(object view)
cdef int refuse_other_characters(str codec, object value, str sent, bytes encoded) except -1


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
