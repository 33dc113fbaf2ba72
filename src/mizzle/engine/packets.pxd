"""The packets that hot paths read in place, without Python objects."""

from mizzle.engine.reader cimport Reader

cdef struct OkFields:
    unsigned long long affected_rows
    unsigned long long last_insert_id
    int status_flags
    int warning_count
    const unsigned char *info
    Py_ssize_t info_length
    const unsigned char *state          # session_state_info; only if it has a length
    Py_ssize_t state_length

cdef int read_ok(Reader *reader, OkFields *ok) except -1
cdef int read_eof(Reader *reader, OkFields *eof) except -1
cdef object read_err(Reader *reader)
cdef bint is_progress(const unsigned char *packet, Py_ssize_t length) noexcept
cdef object read_progress(Reader *reader)

cdef class Column:
    cdef readonly str schema, table, org_table, name, org_name
    cdef readonly str extended_type     # MariaDB's word for a type that has no code of its own, or None
    cdef readonly int charset_id, type_code, flags, decimals
    cdef readonly unsigned long long length

cdef Column read_column_definition(Reader *reader, str codec, bint extended)

cdef struct PreparedFields:
    unsigned int statement_id
    int column_count
    int parameter_count
    int warning_count

cdef int read_stmt_prepare_ok(Reader *reader, PreparedFields *fields) except -1
