"""The hot loop: text protocol rows to tuples."""

from mizzle.engine.packets cimport Column

cdef enum Kind:
    INTEGER
    FLOAT
    DECIMAL
    DATE
    DATETIME
    TIME
    UTF8
    TEXT
    BYTES
    CONVERT_TEXT                # a user's converter, given str
    CONVERT_BYTES               # a user's converter, given bytes

cdef struct Decoder:
    int kind
    const char *codec           # for TEXT
    void *converter             # borrowed from RowFormat.converters, or NULL
    # what the binary protocol needs besides
    int form                    # the kind that it has without a converter
    int width                   # of a number, in bytes; 0: the value's length stands before it
    bint is_unsigned
    int decimals
    int zerofill                # digits, filled up with zeros on the left; 0: none


cdef class Decoding:
    """How a connection wants its values: shared by all connections with the same wishes."""
    cdef readonly str zero_dates
    cdef readonly bint use_unicode
    cdef readonly dict converters
    cdef readonly str codec
    cdef readonly bint extended
    cdef dict formats

    cdef object converter_of(self, Column column)


cdef class RowFormat:
    """What the column definitions of a result say, made ready for decoding; shared by equal results, in any threads:
    nothing changes in it once it is made."""
    cdef readonly tuple columns
    cdef readonly Decoding decoding
    cdef Py_ssize_t count
    cdef Decoder *decoders
    cdef bint plain             # no user's converter: rows hold nothing that the garbage collector must know
    cdef readonly tuple description     # PEP 249's: a tuple of seven items for each column
    cdef list _keep

    cdef int _choose(self, Decoder *decoder, Column column) except -1
    cdef tuple decode(self, const unsigned char *data, Py_ssize_t length)


cdef RowFormat undefined_format(Decoding decoding, Py_ssize_t count)
cdef RowFormat row_format(Decoding decoding, bytes block, Py_ssize_t count)
cdef tuple split(bytes block, Py_ssize_t count, Decoding decoding)
cdef object text_value(Decoding decoding, Decoder *decoder, const unsigned char *text, Py_ssize_t size)
cdef object impossible_date(Decoding decoding, const unsigned char *text, Py_ssize_t size)


cdef inline bint is_date(int year, int month, int day) noexcept:
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    if month == 2:
        return day <= (29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28)
    return day <= (30 if month in (4, 6, 9, 11) else 31)
