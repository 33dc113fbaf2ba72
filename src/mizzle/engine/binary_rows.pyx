"""The other hot loop: binary protocol rows to tuples ("Binary Protocol Resultset" in the manual's protocol chapter).

Knows how each type is laid out, and that a value is the one which the text protocol gives: a FLOAT has the six digits
that the server prints, a fraction has the digits of its column, a converter gets the text that it would have got. Knows
nothing of the wire: one row's payload in, one tuple out.
"""

from decimal import Decimal

from cpython.bytes cimport PyBytes_AS_STRING
from cpython.datetime cimport date_new, datetime_new, import_datetime, timedelta_new
from cpython.float cimport PyFloat_FromDouble
from cpython.long cimport PyLong_FromLongLong, PyLong_FromUnsignedLongLong
from cpython.mem cimport PyMem_Free
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memcpy

from mizzle.engine.reader cimport (
    Reader, expect_end, malformed, need, read_lenenc_length, read_little_endian, read_u8, reader_over, skip,
)
from mizzle.engine.text_rows cimport (
    DATE, DATETIME, FLOAT, INTEGER, TIME, UTF8, Decoder, Decoding, RowFormat, impossible_date, is_date, text_value,
)

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object)
    char *PyOS_double_to_string(double value, char format, int precision, int flags, int *kind) except NULL
    double PyOS_string_to_double(const char *text, char **end, PyObject *overflow) except? -1.0

import_datetime()

cdef enum:
    NOT_FIXED = 31              # decimals of a FLOAT or DOUBLE without a declared scale
    FLOAT_DIGITS = 6            # FLT_DIG: what the servers print of a FLOAT
    MOST_FIXED_DIGITS = 15      # DBL_DIG: a longer DOUBLE is printed with an exponent (my_gcvt() of the servers)

cdef struct Moment:
    bint negative
    long long year, month, day  # of a TIME: day alone
    int hour, minute, second, microsecond


def decode_row(RowFormat format not None, bytes payload not None):
    """One row's payload as a tuple."""
    return decode_binary_row(format, <const unsigned char*>PyBytes_AS_STRING(payload), len(payload))


cdef tuple decode_binary_row(RowFormat format, const unsigned char *data, Py_ssize_t length):
    cdef Reader reader = reader_over(data, length, "BinaryResultsetRow")
    cdef tuple row = PyTuple_New(format.count)
    cdef Decoding decoding = format.decoding
    cdef const unsigned char *nulls
    cdef Py_ssize_t i
    cdef object value
    if read_u8(&reader) != 0:                           # header [1 byte]: 0x00
        malformed(&reader, "a binary row begins with 0x00")
    nulls = reader.pos
    skip(&reader, (format.count + 9) >> 3)              # null_bitmap [(columns + 9) / 8 bytes], its first 2 bits unused
    for i in range(format.count):
        if nulls[(i + 2) >> 3] & (1 << ((i + 2) & 7)):
            value = None
        else:
            value = binary_value(decoding, &format.decoders[i], &reader)
        Py_INCREF(value)
        PyTuple_SET_ITEM(row, i, value)
    expect_end(&reader)
    if format.plain:
        PyObject_GC_UnTrack(row)
    return row


cdef inline object binary_value(Decoding decoding, Decoder *decoder, Reader *reader):
    cdef int kind = decoder.kind
    cdef Py_ssize_t size
    if kind == INTEGER:
        return integer(decoder, reader)
    if kind == UTF8:
        size = read_lenenc_length(reader)
        reader.pos += size
        return PyUnicode_DecodeUTF8(<const char*>(reader.pos - size), size, NULL)
    if kind == DATETIME or kind == DATE:
        return date_or_datetime(decoding, decoder, reader)
    if kind == FLOAT:
        return PyFloat_FromDouble(floating(decoder, reader))
    if kind == TIME:
        return as_timedelta(reader)
    if decoder.converter != NULL and decoder.form <= TIME:
        text = printed(decoder, reader)
        if text is not None:
            return (<object>decoder.converter)(text)
    size = read_lenenc_length(reader)
    reader.pos += size
    return text_value(decoding, decoder, reader.pos - size, size)


# -- numbers --------------------------------------------------------------------------------------------------------


cdef inline object integer(Decoder *decoder, Reader *reader):
    cdef int width = decoder.width
    cdef const unsigned char *at = reader.pos
    cdef unsigned long long value
    need(reader, width)
    reader.pos += width
    if width == 4:
        value = at[0] | (at[1] << 8) | (at[2] << 16) | (<unsigned long long>at[3] << 24)
        return PyLong_FromLongLong(<long long>value if decoder.is_unsigned else <int>value)
    if width == 8:
        memcpy(&value, at, 8)
        value = from_little_endian(value)
        return PyLong_FromUnsignedLongLong(value) if decoder.is_unsigned else PyLong_FromLongLong(<long long>value)
    if width == 2:
        value = at[0] | (at[1] << 8)
        return PyLong_FromLongLong(<long long>value if decoder.is_unsigned else <short>value)
    return PyLong_FromLongLong(<long long>at[0] if decoder.is_unsigned else <long long><signed char>at[0])


cdef extern from *:
    """
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define mizzle_little_endian(value) __builtin_bswap64(value)
    #else
    #define mizzle_little_endian(value) (value)
    #endif
    """
    unsigned long long from_little_endian "mizzle_little_endian"(unsigned long long value) noexcept


cdef inline double floating(Decoder *decoder, Reader *reader) except? -1.0:
    """A DOUBLE or FLOAT, rounded as the server rounds when it prints."""
    cdef unsigned long long bits = read_little_endian(reader, decoder.width)
    cdef unsigned int half
    cdef double value
    cdef float single
    if decoder.width == 8:
        memcpy(&value, &bits, 8)
        return value if decoder.decimals >= NOT_FIXED else rounded(value, c"f", decoder.decimals)
    half = <unsigned int>bits
    memcpy(&single, &half, 4)
    value = single
    if decoder.decimals < NOT_FIXED:
        return rounded(value, c"f", decoder.decimals)
    if -1e6 < value < 1e6 and value == <int>value:
        return value
    return rounded(value, c"g", FLOAT_DIGITS)


cdef double rounded(double value, char format, int digits) except? -1.0:
    cdef char *text = PyOS_double_to_string(value, format, digits, 0, NULL)
    try:
        return PyOS_string_to_double(text, NULL, NULL)
    finally:
        PyMem_Free(text)


# -- dates and times ------------------------------------------------------------------------------------------------


cdef inline int read_date(Reader *reader, Moment *moment) except -1:
    """DATE, DATETIME and TIMESTAMP: as much of it as is not zero."""
    cdef int length = read_u8(reader)                   # length [1 byte]
    cdef const unsigned char *at = reader.pos
    if length != 0 and length != 4 and length != 7 and length != 11:
        malformed(reader, f"a date of {length} bytes")
    skip(reader, length)
    moment.negative = False
    moment.year = moment.month = moment.day = 0
    moment.hour = moment.minute = moment.second = moment.microsecond = 0
    if length >= 4:
        moment.year = at[0] | (at[1] << 8)              # year [2 bytes]
        moment.month, moment.day = at[2], at[3]         # month, day [1 byte each]
    if length >= 7:
        moment.hour, moment.minute, moment.second = at[4], at[5], at[6]     # hour, minute, second [1 byte each]
    if length == 11:                                    # microsecond [4 bytes]
        moment.microsecond = at[7] | (at[8] << 8) | (at[9] << 16) | (at[10] << 24)
    return 0


cdef inline int read_time(Reader *reader, Moment *moment) except -1:
    cdef int length = read_u8(reader)                   # length [1 byte]
    cdef const unsigned char *at = reader.pos
    if length != 0 and length != 8 and length != 12:
        malformed(reader, f"a TIME of {length} bytes")
    skip(reader, length)
    moment.negative = False
    moment.year = moment.month = moment.day = 0
    moment.hour = moment.minute = moment.second = moment.microsecond = 0
    if length >= 8:
        moment.negative = at[0] != 0                    # is_negative [1 byte]
        moment.day = at[1] | (at[2] << 8) | (at[3] << 16) | (<long long>at[4] << 24)        # days [4 bytes]
        moment.hour, moment.minute, moment.second = at[5], at[6], at[7]     # hour, minute, second [1 byte each]
    if length == 12:                                    # microsecond [4 bytes]
        moment.microsecond = at[8] | (at[9] << 8) | (at[10] << 16) | (at[11] << 24)
    if (
        moment.day > 99999 or moment.hour > 23 or moment.minute > 59 or moment.second > 59
        or not 0 <= moment.microsecond < 1000000
    ):
        malformed(reader, "a TIME that no server has")
    return 0


cdef object date_or_datetime(Decoding decoding, Decoder *decoder, Reader *reader):
    cdef Moment moment
    read_date(reader, &moment)
    if (
        is_date(<int>moment.year, <int>moment.month, <int>moment.day) and moment.year < 10000
        and moment.hour < 24 and moment.minute < 60 and moment.second < 60 and 0 <= moment.microsecond < 1000000
    ):
        if decoder.kind == DATE:
            return date_new(<int>moment.year, <int>moment.month, <int>moment.day)
        return datetime_new(
            <int>moment.year, <int>moment.month, <int>moment.day,
            moment.hour, moment.minute, moment.second, moment.microsecond, None,
        )
    text = printed_date(decoder, &moment).encode("ascii")
    return impossible_date(decoding, <const unsigned char*>PyBytes_AS_STRING(text), len(text))


cdef object as_timedelta(Reader *reader):
    cdef Moment moment
    read_time(reader, &moment)
    cdef int days = <int>moment.day
    cdef int seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    if moment.negative:
        return timedelta_new(-days, -seconds, -moment.microsecond)
    return timedelta_new(days, seconds, moment.microsecond)


# -- text for converters --------------------------------------------------------------------------------------------


cdef str printed(Decoder *decoder, Reader *reader):
    """The value as the text protocol has it; None for what is text anyway."""
    cdef Moment moment
    if decoder.form == INTEGER:
        return f"{integer(decoder, reader)}".zfill(decoder.zerofill)
    if decoder.form == FLOAT:
        return printed_float(decoder, floating(decoder, reader)).zfill(decoder.zerofill)
    if decoder.form == TIME:
        read_time(reader, &moment)
        hours = moment.day * 24 + moment.hour
        return f"{'-' if moment.negative else ''}{hours:02}" + printed_rest(decoder, &moment)
    if decoder.form == DATE or decoder.form == DATETIME:
        read_date(reader, &moment)
        return printed_date(decoder, &moment)
    return None


cdef str printed_date(Decoder *decoder, Moment *moment):
    text = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    return text if decoder.form == DATE else f"{text} {moment.hour:02}" + printed_rest(decoder, moment)


cdef str printed_rest(Decoder *decoder, Moment *moment):
    """Minutes, seconds, and as many digits of the fraction as the column has."""
    text = f":{moment.minute:02}:{moment.second:02}"
    fraction = f".{moment.microsecond:06}"
    if decoder.decimals <= 6:
        return text + fraction[:decoder.decimals + 1 if decoder.decimals else 0]
    return text + fraction if moment.microsecond else text


cdef str printed_float(Decoder *decoder, double value):
    if decoder.decimals < NOT_FIXED:
        return f"{value:.{decoder.decimals}f}"
    sign, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + exponent
    minus = "-" if sign else ""
    if value == 0:
        return minus + "0"
    if not -MOST_FIXED_DIGITS < point <= MOST_FIXED_DIGITS:
        return f"{minus}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e{point - 1}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    return f"{minus}{digits[:point].ljust(point, '0')}{'.' * (len(digits) > point)}{digits[point:]}"
