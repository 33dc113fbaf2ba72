# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, embedsignature=True
"""Python values as SQL literals, and statements with their placeholders filled in.

Knows MySQL's literals and how each connection charset has to be escaped. Must not know where the bytes go.

Two rules keep a value inside its quotes. A quote is doubled, never escaped with a backslash, which holds in every
sql_mode. And the server reads backslashes and quotes in the connection's charset: where a multi-byte character may end
in such a byte (gbk, big5, sjis: the attack with 0xBF 0x27), text is escaped before it is encoded, and bytes are sent as
hexadecimal digits.
"""

import enum
import numbers
import sys
import time
import uuid
from array import array
from collections.abc import Mapping
from decimal import Decimal

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.datetime cimport date, datetime, import_datetime, time as clock_time, timedelta
from cpython.mem cimport PyMem_Free
from libc.math cimport fabs, isfinite, rint, signbit

from mizzle.engine.placeholders cimport (
    CHARWISE, BYTEWISE, END, NAMED, PERCENT, POSITIONAL, Part, Scan, Template, codec_name, encode_sql, escaping_of,
    name_of, named_parameter, next_part, open_scan, parameters, type_name, wrong, wrong_count,
)
from mizzle.engine.sql_buffer cimport Buffer, clear, finish, put, put_byte, reserve, start
from mizzle.engine.sql_text cimport (
    Latin1, UCS2, UCS4, integer_digits, put_date, put_datetime, put_fixed, put_hexadecimal, put_quoted, put_time,
    mizzle_ready, put_timedelta, put_utf8,
)

from mizzle.constants.errnos import CR_UNSUPPORTED_PARAM_TYPE

import_datetime()

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow) except? -1
    char *PyOS_double_to_string(double value, char format, int precision, int flags, int *kind) except NULL
    const int PyUnicode_1BYTE_KIND
    const int PyUnicode_2BYTE_KIND

cdef enum:
    MAX_DEPTH = 16      # of sequences in sequences; a list may contain itself

cdef bint BIG_ENDIAN = sys.byteorder == "big"
cdef object _Decimal = Decimal
cdef object _Enum = enum.Enum
cdef object _UUID = uuid.UUID
cdef object _struct_time = time.struct_time

# For each byte, the character written for it after a backslash (for a quote: after another quote); 0: itself.
cdef unsigned char[256] _all_escapes
cdef unsigned char[256] _quotes_only
for _byte in range(256):
    _all_escapes[_byte] = _quotes_only[_byte] = 0
for _byte, _letter in zip(b"\0\n\r\x1a\\\"'", b"0nrZ\\\"'"):
    _all_escapes[_byte] = _letter
_quotes_only[c"'"] = c"'"
cdef dict _translations = {ord(_c): "\\" + _e for _c, _e in zip("\0\n\r\x1a\\\"", "0nrZ\\\"")}
_translations[ord("'")] = "''"


cdef inline int put_int(Buffer *out, object value) except -1:
    cdef int overflow
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        return put_long_int(out, value)
    cdef char *begin = reserve(out, 21)
    cdef char *to = begin
    if number < 0:
        to[0] = c"-"
        to = integer_digits(to + 1, 0 - <unsigned long long>number)
    else:
        to = integer_digits(to, number)
    out.length += to - begin
    return 0


cdef int put_long_int(Buffer *out, object value) except -1:
    digits = long_digits(out, value)
    return put(out, digits, PyBytes_GET_SIZE(digits))


cdef bytes long_digits(Buffer *out, object value):
    try:
        return int.__repr__(value).encode("ascii")
    except ValueError:      # sys.set_int_max_str_digits(): turning such a number into digits takes quadratic time
        raise wrong(
            out, CR_UNSUPPORTED_PARAM_TYPE, f"an int of {value.bit_length()} bits is longer than any number in MySQL",
            "DECIMAL holds 65 digits; pass such a number as str or bytes",
        ) from None


cdef int put_float(Buffer *out, double value) except -1:
    """With an exponent, so that the server reads a DOUBLE: `1.5` would be a DECIMAL."""
    if not isfinite(value):
        raise no_such_number(out, value)
    # A decimal of at most 15 digits is the shortest one for the double nearest to it, and a quotient of two integers
    # that doubles hold exactly is rounded to the nearest: so this finds what repr() finds, for half of its time.
    cdef double scaled = rint(value * 1e6)
    if fabs(scaled) < 1e15 and scaled / 1e6 == value and not (value == 0 and signbit(value)):
        return put_fixed(out, <long long>scaled)
    cdef char *text = PyOS_double_to_string(value, c"r", 0, 0, NULL)
    cdef Py_ssize_t length = 0
    cdef bint exponent = False
    while text[length]:
        exponent |= text[length] == c"e"
        length += 1
    try:
        put(out, text, length)
    finally:
        PyMem_Free(text)
    return 0 if exponent else put(out, b"e0", 2)


cdef object no_such_number(Buffer *out, object value):
    return wrong(out, CR_UNSUPPORTED_PARAM_TYPE, f"MySQL has no such number: {value!r}", "pass None for NULL")


cdef str plain_digits(Buffer *out, object value):
    """A Decimal in digits; with an exponent, which makes it a DOUBLE, where it is beyond any DECIMAL."""
    if not value.is_finite():
        raise no_such_number(out, value)
    text = _Decimal.__str__(value)
    if "E" in text and -99 < value.adjusted() < 99:
        text = _Decimal.__format__(value, "f")
    return text


cdef class Literals:
    """What one connection writes into its statements.

    `codec` is the Python codec of the connection's charset; `no_backslash_escapes` follows the server's status flag.
    `encoders` maps types to functions of one value: what such a function returns is written in the value's place as
    any other value would be (a str in quotes), so that no encoder can break out of them.
    """

    def __init__(self, str codec="utf8", encoders=None):
        self.speak(codec)
        self.encoders = dict(encoders) if encoders else None
        self.no_backslash_escapes = False

    cpdef int speak(self, str codec) except -1:
        """Write in this codec from now on."""
        self.codec = codec_name(codec)
        self._escaping = escaping_of(self.codec)
        return 0

    cpdef bytes literal(self, object value):
        """One value as an SQL literal."""
        cdef Buffer out
        start(&out)
        try:
            self._write(&out, value, 0)
            return finish(&out)
        finally:
            clear(&out)

    cpdef bytes encode(self, object sql):
        """A statement as it is: `%` means nothing here."""
        return encode_sql(sql, self.codec)

    cpdef bytes statement(self, object sql, object args, bint no_backslash_escapes):
        """A statement with its values in it, for a server in that mode; without `args` (None) as it is."""
        if args is None:
            return self.encode(sql)
        self.no_backslash_escapes = no_backslash_escapes
        return self.assemble(sql, args)

    cpdef bytes assemble(self, object sql, object args):
        """The statement with its placeholders filled in.

        `args` is a sequence for %s, a mapping for %(name)s, or one value alone for a single %s. `sql` may also be a
        Template. A datetime or time is written as its clock shows; its tzinfo is dropped, for neither DATETIME nor the
        driver knows the time zone of the session: convert to that zone (or UTC) first.
        """
        cdef Buffer out
        start(&out)
        try:
            if type(sql) is Template:
                self._fill(&out, <Template>sql, args)
            else:
                self._scan(&out, sql, args)
            return finish(&out)
        finally:
            clear(&out)

    cdef int _scan(self, Buffer *out, object sql, object args) except -1:
        """Fill in a statement while looking for its placeholders."""
        cdef Scan scan
        cdef Part part
        cdef tuple values = parameters(args)
        cdef Py_ssize_t given = 0 if values is None else len(values), used = 0
        cdef object kept = open_scan(&scan, sql, self.codec, self._escaping)
        cdef object name
        while True:
            part = next_part(&scan)
            put(out, scan.text + scan.begin, scan.end - scan.begin)
            if part == POSITIONAL and used < given:
                out.position = used + 1
                self._write(out, values[used], 0)
                used += 1
            elif part == NAMED and values is None:
                name = name_of(&scan, self.codec, self._escaping)
                self._write(out, named_parameter(out, args, name), 0)
                out.name = NULL
            elif part == END:
                break
            elif part != PERCENT:
                self._misfit(out, sql, args)
        if used != given:
            self._misfit(out, sql, args)
        return 0

    cdef int _misfit(self, Buffer *out, object sql, object args) except -1:
        """The statement and its parameters do not fit: say what is wrong with the statement first."""
        template = Template(sql, self.codec)
        raise wrong_count(out, template.names, template.count, args)

    cdef int _fill(self, Buffer *out, Template template, object args) except -1:
        cdef tuple values = None
        cdef Py_ssize_t i, begin = 0
        cdef const char *text = PyBytes_AS_STRING(template.text)
        if template.codec != self.codec:
            raise ValueError(f"a template encoded in {template.codec} on a connection that speaks {self.codec}")
        if template.names is None:
            values = parameters(args)
            if (0 if values is None else len(values)) != template.count:
                raise wrong_count(out, None, template.count, args)
        elif not isinstance(args, (dict, Mapping)):
            raise wrong_count(out, template.names, template.count, args)
        for i in range(template.count):
            put(out, text + begin, template.ends[i] - begin)
            begin = template.ends[i]
            if values is not None:
                out.position = i + 1
                self._write(out, values[i], 0)
            else:
                self._write(out, named_parameter(out, args, template.names[i]), 0)
        out.position = 0
        out.name = NULL
        return put(out, text + begin, template.ends[template.count] - begin)

    cdef int _write(self, Buffer *out, object value, int depth) except -1:
        if self.encoders is not None:
            encoder = self.encoders.get(type(value))
            if encoder is not None:
                return self._write_known(out, encoder(value), depth, True)
        return self._write_known(out, value, depth, False)

    cdef int _write_known(self, Buffer *out, object value, int depth, bint encoded) except -1:
        """By exact type, the frequent ones first."""
        if type(value) is str:
            return self._write_str(out, value)
        if type(value) is int:
            return self._write_int(out, value)
        if value is None:
            return self._write_null(out)
        if type(value) is datetime:
            return self._write_datetime(out, value)
        if type(value) is float:
            return self._write_float(out, <double>value)
        if type(value) is bool:
            return self._write_bool(out, value is True)
        if type(value) is bytes:
            return self._write_bytes(out, value)
        if type(value) is date:
            return self._write_date(out, value)
        if type(value) is _Decimal:
            return self._write_decimal(out, value)
        return self._write_subclass(out, value, depth, encoded)

    cdef int _write_subclass(self, Buffer *out, object value, int depth, bint encoded) except -1:
        """By what the value is an instance of; an encoder for one of its base classes goes before."""
        if self.encoders is not None and not encoded:
            for base in type(value).__mro__:
                if base in self.encoders:
                    return self._write_known(out, self.encoders[base](value), depth, True)
        if depth > MAX_DEPTH:
            raise wrong(
                out, CR_UNSUPPORTED_PARAM_TYPE, f"sequences nested more than {MAX_DEPTH} deep",
                "does it contain itself?",
            )
        if isinstance(value, _Enum):
            return self._write(out, value.value, depth + 1)
        if isinstance(value, str):
            return self._write_str(out, value)
        if isinstance(value, int):
            return self._write_int(out, value)
        if isinstance(value, float):
            return self._write_float(out, <double>value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._write_bytes(out, value)
        if isinstance(value, datetime) and value == value:      # pandas.NaT is a datetime that equals nothing
            return self._write_datetime(out, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return self._write_date(out, value)
        if isinstance(value, clock_time):
            return self._write_time(out, value)
        if isinstance(value, timedelta):
            return self._write_timedelta(out, value)
        if isinstance(value, _struct_time):
            return self._write_datetime(out, datetime(*value[:6]))
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._write_sequence(out, value, depth)
        return self._write_number_like(out, value)

    cdef int _write_number_like(self, Buffer *out, object value) except -1:
        """Decimal and its like, numpy's scalars, UUID: the rare ones. Anything else is refused."""
        if isinstance(value, _Decimal):
            return self._write_decimal(out, value)
        if isinstance(value, _UUID):
            return self._write_str(out, str(value))
        if isinstance(value, numbers.Integral):
            return self._write_int(out, int(value))
        if isinstance(value, numbers.Real):
            return self._write_float(out, float(value))
        if getattr(getattr(value, "dtype", None), "kind", None) == "b" and value.shape == ():   # numpy.bool
            return self._write_bool(out, bool(value))
        if PyObject_CheckBuffer(value) and is_vector(memoryview(value)):    # array.array('f'), numpy's float32
            return self._write_bytes(out, memoryview(value))
        if type(value).__module__ == "ipaddress":
            return self._write_str(out, str(value))
        hint = "convert it first, or give the connection an encoder for its type"
        if isinstance(value, Mapping):
            hint = "pass its values one by one, or json.dumps(value) for a JSON column"
        elif PyObject_CheckBuffer(value):
            hint = "a VECTOR is array.array('f') or a NumPy array of float32 with one axis; other buffers, as bytes(value)"
        what = f"a value of type {type_name(value)} cannot be written in SQL"
        raise wrong(out, CR_UNSUPPORTED_PARAM_TYPE, what, hint)

    cdef int _write_null(self, Buffer *out) except -1:
        return put(out, b"NULL", 4)

    cdef int _write_bool(self, Buffer *out, bint value) except -1:
        return put_byte(out, c"1" if value else c"0")

    cdef int _write_int(self, Buffer *out, object value) except -1:
        return put_int(out, value)

    cdef int _write_float(self, Buffer *out, double value) except -1:
        return put_float(out, value)

    cdef int _write_decimal(self, Buffer *out, object value) except -1:
        digits = plain_digits(out, value).encode("ascii")
        return put(out, digits, PyBytes_GET_SIZE(digits))

    cdef int _write_datetime(self, Buffer *out, object value) except -1:
        return put_datetime(out, value)

    cdef int _write_date(self, Buffer *out, object value) except -1:
        return put_date(out, value)

    cdef int _write_time(self, Buffer *out, object value) except -1:
        return put_time(out, value)

    cdef int _write_timedelta(self, Buffer *out, object value) except -1:
        return put_timedelta(out, value)

    cdef int _write_str(self, Buffer *out, object value) except -1:
        cdef const unsigned char *escapes = &_quotes_only[0] if self.no_backslash_escapes else &_all_escapes[0]
        cdef Py_ssize_t size
        cdef void *text
        mizzle_ready(value)
        size = PyUnicode_GET_LENGTH(value)
        text = PyUnicode_DATA(value)
        if PyUnicode_IS_ASCII(value):
            return put_quoted(out, <const unsigned char *>text, size, escapes)
        if self._escaping == CHARWISE:
            return self._write_charwise(out, value)
        if self._escaping == BYTEWISE:
            encoded = str.encode(value, self.codec)
            text = PyBytes_AS_STRING(encoded)
            return put_quoted(out, <const unsigned char *>text, PyBytes_GET_SIZE(encoded), escapes)
        if PyUnicode_KIND(value) == PyUnicode_1BYTE_KIND:
            return put_utf8(out, <const Latin1 *>text, size, escapes, value)
        if PyUnicode_KIND(value) == PyUnicode_2BYTE_KIND:
            return put_utf8(out, <const UCS2 *>text, size, escapes, value)
        return put_utf8(out, <const UCS4 *>text, size, escapes, value)

    cdef int _write_charwise(self, Buffer *out, object value) except -1:
        """Escape characters, then encode them, then look whether that made a new backslash or quote.

        It does in shift_jis: Python encodes the yen sign as 0x5C, which is a backslash to the server.
        """
        if self.no_backslash_escapes:
            escaped = str.replace(value, "'", "''")
        else:
            escaped = str.translate(value, _translations)
        encoded = escaped.encode(self.codec)
        refuse_other_characters(self.codec, value, escaped, encoded)
        put_byte(out, c"'")
        put(out, encoded, PyBytes_GET_SIZE(encoded))
        return put_byte(out, c"'")

    cdef int _write_bytes(self, Buffer *out, object value) except -1:
        cdef Py_buffer view
        cdef const unsigned char *escapes = &_quotes_only[0] if self.no_backslash_escapes else &_all_escapes[0]
        if isinstance(value, memoryview):
            value = in_order(value)
        PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
        try:
            if self._escaping == CHARWISE:
                return put_hexadecimal(out, <const unsigned char *>view.buf, view.len)
            put(out, b"_binary", 7)
            return put_quoted(out, <const unsigned char *>view.buf, view.len, escapes)
        finally:
            PyBuffer_Release(&view)

    cdef int _write_sequence(self, Buffer *out, object items, int depth) except -1:
        """`(1, 2)`, for IN and row comparisons."""
        cdef bint first = True
        if not items:
            raise wrong(
                out, CR_UNSUPPORTED_PARAM_TYPE, f"an empty {type_name(items)}: SQL has no empty list for IN",
                "leave the condition out, or write (NULL), which matches nothing",
            )
        for item in tuple(items):
            put(out, b"(" if first else b", ", 1 if first else 2)
            self._write(out, item, depth + 1)
            first = False
        return put_byte(out, c")")


cdef int refuse_other_characters(str codec, object value, str sent, bytes encoded) except -1:
    """Does the server read an ASCII character where `value` has another one?"""
    seen = encoded.decode(codec, "replace")
    if seen != sent:
        for before, after in zip(sent, seen):
            if before != after and after < "\x80":
                at = str.index(value, before)
                raise UnicodeEncodeError(codec, value, at, at + 1, f"it would become {after!r}")
    return 0


cdef bint is_vector(object view) except -1:
    """Numbers of four bytes in a row, as the servers have them in a VECTOR."""
    return view.ndim == 1 and view.format.lstrip("<=") == "f"


cdef object in_order(object view):
    """A memoryview's bytes, in one piece; those of floats as a VECTOR has them, the lowest first."""
    if BIG_ENDIAN and is_vector(view):
        swapped = array("f", view.tobytes())
        swapped.byteswap()
        return swapped.tobytes()
    return view if view.c_contiguous else view.tobytes()


# -------------------------------------------------------------------------------------------------- multi-row statements


cdef class Batches:
    """Iterates over statements of many rows: prefix, row, row …, suffix.

    None is longer than `limit`, but for one that holds a single row.
    """

    def __init__(self, Literals literals, bytes prefix, Template template, bytes suffix, rows, Py_ssize_t limit):
        self._literals = literals
        self._prefix = prefix
        self._template = template
        self._suffix = suffix
        self._rows = iter(rows)
        self._limit = limit
        self._number = 0
        self._carry = None

    def __iter__(self):
        return self

    def __next__(self):
        cdef Buffer out
        start(&out)
        try:
            if not self._add_rows(&out):
                raise StopIteration
            put(&out, self._suffix, PyBytes_GET_SIZE(self._suffix))
            return finish(&out)
        except BaseException:
            self._rows = iter(())
            self._carry = None
            raise
        finally:
            clear(&out)

    cdef int _add_rows(self, Buffer *out) except -1:
        """Write the prefix and the rows that fit; answers whether there were any."""
        cdef Py_ssize_t room = self._limit - PyBytes_GET_SIZE(self._suffix), mark
        cdef bint first = self._carry is None
        put(out, self._prefix, PyBytes_GET_SIZE(self._prefix))
        if not first:
            put(out, self._carry, PyBytes_GET_SIZE(self._carry))
            self._carry = None
        for row in self._rows:
            mark = out.length
            if not first:
                put_byte(out, c",")
            self._number += 1
            out.row = self._number
            self._literals._fill(out, self._template, row)
            if not first and out.length > room:
                self._carry = out.data[mark + 1:out.length]
                out.length = mark
                return True
            first = False
        return not first
