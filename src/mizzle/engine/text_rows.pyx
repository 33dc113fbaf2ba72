"""The hot loop: text protocol rows to tuples ("Text Resultset" in the manual's protocol chapter).

Knows how the servers print each type and what Python value that is. Knows nothing of the wire: one row's payload in,
one tuple out. A value that cannot be represented raises; the caller decides what becomes of the other rows.
"""

import datetime
from decimal import Decimal

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.datetime cimport date_new, datetime_new, import_datetime, timedelta_new
from cpython.float cimport PyFloat_FromDouble
from cpython.long cimport PyLong_FromLongLong, PyLong_FromUnsignedLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_Decode, PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8
from libc.string cimport memcpy

from mizzle.constants.charsets import by_id
from mizzle.constants.errnos import ER_TRUNCATED_WRONG_VALUE
from mizzle.engine.constants cimport *
from mizzle.engine.lookup cimport look_up
from mizzle.engine.packets cimport Column, read_column_definition
from mizzle.engine.reader cimport Reader, expect_end, malformed, read_text_length, reader_over
from mizzle.errors import DataError

cdef extern from *:
    """
    #include <float.h>
    #define MIZZLE_WIDE (LDBL_MANT_DIG == 64)
    """
    bint WIDE "MIZZLE_WIDE"     # is a long double x87's, whose first eight bytes are its mantissa?

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object)
    double PyOS_string_to_double(const char *text, char **end, PyObject *overflow) except? -1.0

import_datetime()

cdef enum:
    BINARY_CHARSET = 63
    CACHED_FORMATS = 256        # row formats kept for each Decoding

cdef object _Decimal = Decimal
# Exact in a long double of 64 bits up to 10**27, in a double up to 10**22.
cdef long double[28] POWERS_OF_TEN
POWERS_OF_TEN[0] = 1
for _exponent in range(1, 28):
    POWERS_OF_TEN[_exponent] = POWERS_OF_TEN[_exponent - 1] * 10


cdef class Decoding:
    """How a connection wants its values.

    `zero_dates` is "none", "str" or "raise": what becomes of a date that Python cannot hold. `converters` maps a type
    code, a type name, or one of these with a character set, to a callable that gets the value as str, or as bytes where
    the column is binary. `extended`: column definitions have MariaDB's extended metadata.
    """

    def __init__(
        self, *, str zero_dates="none", bint use_unicode=True, dict converters=None, str codec="utf8",
        bint extended=False
    ):
        self.zero_dates = zero_dates
        self.use_unicode = use_unicode
        self.converters = converters or {}
        self.codec = codec
        self.extended = extended
        self.formats = {}

    cdef object converter_of(self, Column column):
        """The one for the most that is known of it: name and character set, name, code and character set, code."""
        cdef str charset
        if not self.converters:
            return None
        name, charset = column.type_name, by_id(column.charset_id).charset
        for key in ((name, charset), name, (column.type_code, charset), column.type_code):
            if key in self.converters:
                return self.converters[key]
        return None


cdef RowFormat row_format(Decoding decoding, bytes block, Py_ssize_t count):
    """The format for `count` column definition packets, which `block` holds as they came, headers included."""
    found = look_up(decoding.formats, block, None)
    if found is not None:
        return <RowFormat>found
    made = RowFormat(decoding, split(block, count, decoding))
    if len(decoding.formats) >= CACHED_FORMATS:
        decoding.formats.clear()
    if len(block) <= 64 * 1024:
        decoding.formats[block] = made
    return made


cdef RowFormat undefined_format(Decoding decoding, Py_ssize_t count):
    """The format of rows whose columns the server left out: all values are the bytes that it sent."""
    columns = []
    for i in range(count):
        column = <Column>Column.__new__(Column)
        column.schema = column.table = column.org_table = column.org_name = ""
        column.name = f"column_{i + 1}"
        column.type_code = MYSQL_TYPE_VAR_STRING
        column.charset_id = BINARY_CHARSET
        columns.append(column)
    return RowFormat(decoding, tuple(columns))


cdef tuple split(bytes block, Py_ssize_t count, Decoding decoding):
    cdef const unsigned char *frame = <const unsigned char*>PyBytes_AS_STRING(block)
    cdef Reader reader
    cdef Py_ssize_t length
    columns = []
    for _ in range(count):
        length = frame[0] | (frame[1] << 8) | (frame[2] << 16)
        reader = reader_over(frame + 4, length, "ColumnDefinition41")
        columns.append(read_column_definition(&reader, decoding.codec, decoding.extended))
        frame += 4 + length
    return tuple(columns)


cdef class RowFormat:
    """What the column definitions of a result say, made ready for decoding."""

    def __cinit__(self):
        self.decoders = NULL

    def __init__(self, Decoding decoding not None, tuple columns not None):
        self.decoding = decoding
        self.columns = columns
        self.count = len(columns)
        self.description = tuple([column.description for column in columns])
        self.plain = True
        self._keep = []
        self.decoders = <Decoder*>PyMem_Malloc(max(self.count, 1) * sizeof(Decoder))
        if self.decoders == NULL:
            raise MemoryError
        for i, column in enumerate(columns):
            self._choose(&self.decoders[i], column)

    def __dealloc__(self):
        PyMem_Free(self.decoders)

    cdef int _choose(self, Decoder *decoder, Column column) except -1:
        cdef str codec = self.decoding.codec if column.type_code == MYSQL_TYPE_JSON else by_id(column.charset_id).codec
        converter = self.decoding.converter_of(column)
        decoder.kind = kind_of(column, self.decoding.use_unicode)
        decoder.codec = NULL
        decoder.converter = NULL
        if decoder.kind == TEXT:
            if codec == "utf8":
                decoder.kind = UTF8
            else:
                codec_name = codec.encode("ascii")
                self._keep.append(codec_name)
                decoder.codec = PyBytes_AS_STRING(codec_name)
        decoder.form = decoder.kind
        decoder.width = width_of(column.type_code)
        decoder.is_unsigned = (column.flags & UNSIGNED_FLAG) != 0
        decoder.decimals = column.decimals
        decoder.zerofill = <int>(column.length & 0xFF) if column.flags & ZEROFILL_FLAG else 0
        if converter is not None:
            self.plain = False
            self._keep.append(converter)
            decoder.converter = <void*>converter
            decoder.kind = CONVERT_BYTES if decoder.kind == BYTES else CONVERT_TEXT
        return 0

    def decode_row(self, bytes payload not None):
        """One row's payload as a tuple."""
        return self.decode(<const unsigned char*>PyBytes_AS_STRING(payload), len(payload))

    cdef tuple decode(self, const unsigned char *data, Py_ssize_t length):
        cdef Reader reader = reader_over(data, length, "TextResultsetRow")
        cdef tuple row = PyTuple_New(self.count)
        cdef Py_ssize_t i, size
        cdef object value
        for i in range(self.count):
            size = read_text_length(&reader)
            if size < 0:
                value = None
            else:
                reader.pos += size
                value = value_of(self.decoding, &self.decoders[i], reader.pos - size, size)
            Py_INCREF(value)
            PyTuple_SET_ITEM(row, i, value)
        expect_end(&reader)
        if self.plain:
            PyObject_GC_UnTrack(row)
        return row

cdef Kind kind_of(Column column, bint use_unicode):
    cdef int code = column.type_code
    if code in (MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_INT24, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_YEAR):
        return INTEGER
    if code in (MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE):
        return FLOAT
    if code in (MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL):
        return DECIMAL
    if code in (MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE):
        return DATE
    if code in (MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP):
        return DATETIME
    if code == MYSQL_TYPE_TIME:
        return TIME
    if code in (MYSQL_TYPE_BIT, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_VECTOR) or not use_unicode:
        return BYTES
    # MySQL says "binary" of JSON, which is text in the connection's character set.
    if column.charset_id == BINARY_CHARSET and code != MYSQL_TYPE_JSON:
        return BYTES
    return TEXT


cdef int width_of(int code) noexcept:
    """How many bytes a number takes in the binary protocol; 0 for what has its length before it."""
    if code == MYSQL_TYPE_TINY:
        return 1
    if code in (MYSQL_TYPE_SHORT, MYSQL_TYPE_YEAR):
        return 2
    if code in (MYSQL_TYPE_LONG, MYSQL_TYPE_INT24, MYSQL_TYPE_FLOAT):
        return 4
    return 8 if code in (MYSQL_TYPE_LONGLONG, MYSQL_TYPE_DOUBLE) else 0


cdef object text_value(Decoding decoding, Decoder *decoder, const unsigned char *text, Py_ssize_t size):
    """One value, for others who have it as text."""
    return value_of(decoding, decoder, text, size)


cdef inline object value_of(Decoding decoding, Decoder *decoder, const unsigned char *text, Py_ssize_t size):
    cdef int kind = decoder.kind
    if kind == UTF8:
        return PyUnicode_DecodeUTF8(<const char*>text, size, NULL)
    if kind == INTEGER:
        return integer(text, size)
    if kind == DATETIME:
        return as_datetime(decoding, text, size)
    if kind == DECIMAL:
        return _Decimal(PyUnicode_DecodeASCII(<const char*>text, size, NULL))
    if kind == FLOAT:
        return floating(text, size)
    if kind == BYTES:
        return PyBytes_FromStringAndSize(<const char*>text, size)
    if kind == DATE:
        return as_date(decoding, text, size)
    if kind == TIME:
        return as_timedelta(text, size)
    if kind == TEXT:
        return PyUnicode_Decode(<const char*>text, size, decoder.codec, NULL)
    if kind == CONVERT_BYTES:
        return (<object>decoder.converter)(PyBytes_FromStringAndSize(<const char*>text, size))
    if decoder.codec == NULL:
        return (<object>decoder.converter)(PyUnicode_DecodeUTF8(<const char*>text, size, NULL))
    return (<object>decoder.converter)(PyUnicode_Decode(<const char*>text, size, decoder.codec, NULL))


# -- numbers --------------------------------------------------------------------------------------------------------


cdef inline object integer(const unsigned char *text, Py_ssize_t size):
    cdef Py_ssize_t i = 0
    cdef bint negative = size > 0 and text[0] == c"-"
    cdef unsigned long long value = 0
    cdef unsigned int digit
    if negative:
        i = 1
    if i == size or size > 18:
        return long_integer(text, size)
    while i < size:
        digit = text[i] - <unsigned int>c"0"
        if digit > 9:
            return long_integer(text, size)
        value = value * 10 + digit
        i += 1
    return PyLong_FromLongLong(-<long long>value if negative else <long long>value)


cdef object long_integer(const unsigned char *text, Py_ssize_t size):
    """Nineteen digits and more (BIGINT UNSIGNED), or what is no integer at all."""
    return int(PyUnicode_DecodeASCII(<const char*>text, size, NULL))


cdef object floating(const unsigned char *text, Py_ssize_t size):
    """Digits and a point are one division, where that is sure to round as it must; the C library does the rest."""
    cdef Py_ssize_t i = 0
    cdef bint negative = size > 0 and text[0] == c"-"
    cdef unsigned long long mantissa = 0
    cdef int digits = 0, scale = 0
    cdef bint point = False
    cdef double value
    if negative:
        i = 1
    while i < size and digits < 19:
        if c"0" <= text[i] <= c"9":
            mantissa = mantissa * 10 + (text[i] - c"0")
            digits += 1
            scale += point
        elif text[i] == c"." and not point:
            point = True
        else:
            break
        i += 1
    if i == size and digits and quotient(mantissa, scale, &value):
        return PyFloat_FromDouble(-value if negative else value)
    return any_float(text, size)


cdef inline bint quotient(unsigned long long mantissa, int scale, double *value) noexcept:
    """mantissa / 10**scale, if it can be told how that rounds.

    Exact operands round once. Beyond 53 bits x87's format has 64: then the result is rounded a second time, which goes
    wrong only where the first result lies half way between two doubles.
    """
    cdef long double wide
    cdef unsigned long long bits
    if mantissa < 1ULL << 53 and scale <= 22:
        value[0] = <double>mantissa / <double>POWERS_OF_TEN[scale]
        return True
    if not WIDE or scale > 27:
        return False
    wide = <long double>mantissa / POWERS_OF_TEN[scale]
    memcpy(&bits, &wide, sizeof(bits))
    value[0] = <double>wide
    return (bits & 0x7FF) != 0x400


cdef object any_float(const unsigned char *text, Py_ssize_t size):
    cdef char[64] buffer
    if size >= 64:
        return float((<const char*>text)[:size])
    memcpy(buffer, text, size)
    buffer[size] = 0
    return PyFloat_FromDouble(PyOS_string_to_double(buffer, NULL, NULL))


# -- dates and times ------------------------------------------------------------------------------------------------


cdef inline int digits_at(const unsigned char *text, int count) noexcept:
    """A fixed number of digits, or -1."""
    cdef int i, value = 0
    cdef unsigned int digit
    for i in range(count):
        digit = text[i] - <unsigned int>c"0"
        if digit > 9:
            return -1
        value = value * 10 + digit
    return value


cdef inline int microseconds(const unsigned char *text, Py_ssize_t size) noexcept:
    """A fraction behind its point: up to six digits; -1 if it is none."""
    cdef int value
    if size == 0:
        return 0
    if size < 2 or size > 7 or text[0] != c".":
        return -1
    value = digits_at(text + 1, size - 1)
    if value > 0:
        for _ in range(7 - size):
            value *= 10
    return value


cdef object as_date(Decoding decoding, const unsigned char *text, Py_ssize_t size):
    """YYYY-MM-DD"""
    cdef int year, month, day
    if size == 10:
        year, month, day = digits_at(text, 4), digits_at(text + 5, 2), digits_at(text + 8, 2)
        if is_date(year, month, day):
            return date_new(year, month, day)
    return impossible_date(decoding, text, size)


cdef object as_datetime(Decoding decoding, const unsigned char *text, Py_ssize_t size):
    """YYYY-MM-DD HH:MM:SS[.ffffff]"""
    cdef int year, month, day, hour, minute, second, fraction
    if size >= 19:
        year, month, day = digits_at(text, 4), digits_at(text + 5, 2), digits_at(text + 8, 2)
        hour, minute, second = digits_at(text + 11, 2), digits_at(text + 14, 2), digits_at(text + 17, 2)
        fraction = microseconds(text + 19, size - 19)
        if (is_date(year, month, day) and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and fraction >= 0):
            return datetime_new(year, month, day, hour, minute, second, fraction, None)
    return impossible_date(decoding, text, size)


cdef object impossible_date(Decoding decoding, const unsigned char *text, Py_ssize_t size):
    """0000-00-00, 2024-00-00, 2023-02-30: legal in some SQL modes, and not in Python."""
    if decoding.zero_dates == "none":
        return None
    value = PyUnicode_DecodeASCII(<const char*>text, size, "replace")
    if decoding.zero_dates == "str":
        return value
    raise DataError(
        ER_TRUNCATED_WRONG_VALUE,
        f"The date {value!r} does not exist in Python's calendar; zero_dates='none' makes it None, 'str' a str",
    )


cdef object as_timedelta(const unsigned char *text, Py_ssize_t size):
    """[-]HH:MM:SS[.ffffff], with up to three digits of hours."""
    cdef bint negative = size > 0 and text[0] == c"-"
    cdef Py_ssize_t start = 1 if negative else 0, colon = start
    cdef int hour, minute, second, fraction, seconds
    while colon < size and text[colon] != c":":
        colon += 1
    if colon > start and colon - start <= 4 and size >= colon + 6 and text[colon + 3] == c":":
        hour = digits_at(text + start, colon - start)
        minute, second = digits_at(text + colon + 1, 2), digits_at(text + colon + 4, 2)
        fraction = microseconds(text + colon + 6, size - colon - 6)
        if hour >= 0 and 0 <= minute < 60 and 0 <= second < 60 and fraction >= 0:
            seconds = hour * 3600 + minute * 60 + second
            return timedelta_new(0, -seconds, -fraction) if negative else timedelta_new(0, seconds, fraction)
    raise DataError(ER_TRUNCATED_WRONG_VALUE, f"{(<const char*>text)[:size]!r} is not a TIME value")
