"""What turns values into the parameters of prepared statements."""

from mizzle.engine.literals cimport Literals
from mizzle.engine.placeholders cimport Template
from mizzle.engine.sql_buffer cimport Buffer


cdef class Parameters(Literals):
    cdef readonly bint named

    cpdef bytes execute(
        self, unsigned int statement_id, Template template, object args, int flags=*, tuple streamed=*, attributes=*
    )
    cpdef bytes attributes(self, attributes)
    cdef bytes _with_attributes(self, Buffer *out, Py_ssize_t before, attributes)
    cdef int _bind(self, Buffer *out, Template template, object args, tuple streamed) except -1
    cdef int _type(self, Buffer *out, int type_code, int flag) except -1
    cdef int _put_text(self, Buffer *out, const char *text, Py_ssize_t size, int type_code) except -1
    cdef int _unquote(self, Buffer *out, Py_ssize_t mark) except -1


cdef class Rows:
    cdef Parameters _parameters
    cdef unsigned int _id
    cdef Template _template
    cdef object _rows
    cdef Py_ssize_t _limit
    cdef readonly Py_ssize_t taken      # rows that batches before this one hold, for errors
    cdef Py_ssize_t _count              # rows in this one
    cdef object _carry                  # the row that did not fit, in a list
    cdef list _in_batch                 # the rows in this one, where they may have to be given back

    cdef bint _next_row(self) except -1
    cdef object _batch(self, Buffer *out)


cdef class Executions(Rows):
    pass


cdef class BulkExecutions(Rows):
    cdef int _flags
    cdef bytes _types                   # of the batch that is made; a type is 0 while all of its values are NULL

    cdef bint _fits(self, Buffer *out, Py_ssize_t mark) except -1
    cdef int _take_back(self, Buffer *out, Py_ssize_t mark) except -1
