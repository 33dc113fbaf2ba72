"""The hot loop: text protocol rows to tuples."""

from mizzle.engine.packets cimport Column

cdef struct Decoder:
    int kind
    const char *codec           # for TEXT
    void *converter             # borrowed from RowFormat.converters, or NULL


cdef class Decoding:
    """How a connection wants its values: shared by all connections with the same wishes."""
    cdef readonly str zero_dates
    cdef readonly bint use_unicode
    cdef readonly dict converters
    cdef readonly str codec
    cdef dict formats


cdef class RowFormat:
    """What the column definitions of a result say, made ready for decoding; shared by equal results."""
    cdef readonly tuple columns
    cdef readonly Decoding decoding
    cdef Py_ssize_t count
    cdef Decoder *decoders
    cdef bint plain             # no user's converter: rows hold nothing that the garbage collector must know
    cdef tuple _description
    cdef list _keep

    cdef int _choose(self, Decoder *decoder, Column column) except -1
    cdef tuple decode(self, const unsigned char *data, Py_ssize_t length)


cdef RowFormat row_format(Decoding decoding, bytes block, Py_ssize_t count)
