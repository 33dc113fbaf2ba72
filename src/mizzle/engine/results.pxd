"""One statement's result, filled from the wire."""

from mizzle.engine.packets cimport OkFields
from mizzle.engine.prepared cimport Prepared
from mizzle.engine.text_rows cimport Decoding, RowFormat
from mizzle.engine.wire cimport Wire

cdef enum RowsEnd:
    ROWS_MORE                   # all is read that has come
    ROWS_END                    # the result set is complete
    ROWS_ERR                    # the wire's packet is the ERR that ends it
    ROWS_RAISED = -1


cdef enum Definitions:          # of columns, in a result
    ALWAYS
    UNLESS_KNOWN                # MARIADB_CLIENT_CACHE_METADATA
    OPTIONAL                    # CLIENT_OPTIONAL_RESULTSET_METADATA


cdef class Result:
    cdef readonly RowFormat format          # None: the statement gave no rows
    cdef public list rows
    cdef readonly unsigned long long affected_rows, last_insert_id
    cdef readonly int warning_count, status_flags
    cdef readonly bytes info_bytes
    cdef bytes session_state                # what the server said of the session, not yet read; None: nothing
    cdef readonly bint finished
    cdef public object next                 # the next statement's Result, or the error that it ended with
    cdef public object error                # the first value of a row that could not be made, raised at the end
    cdef Prepared statement                 # whose rows these are, in the binary protocol; None: rows of text
    cdef Py_ssize_t column_count
    cdef bint undefined                     # the server does not say what its columns are
    cdef bint in_value                      # an exception now is about one value, not about the wire

    cdef int finish(self, OkFields *ok) except -1
    cdef int read_head(self, Wire wire, Definitions definitions) except -1
    cdef bint drain_columns(self, Wire wire, Decoding decoding, bint eof_follows) except -1
    cdef RowsEnd drain_rows(self, Wire wire, bint keep, bint deprecate_eof) except ROWS_RAISED
    cdef RowsEnd _drain_rows(self, Wire wire, bint keep, bint deprecate_eof) except ROWS_RAISED
    cdef int _read_end(self, Wire wire, bint deprecate_eof) except -1
