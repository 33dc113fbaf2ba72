"""The other hot loop: binary protocol rows to tuples."""

from mizzle.engine.text_rows cimport RowFormat

cdef tuple decode_binary_row(RowFormat format, const unsigned char *data, Py_ssize_t length)
