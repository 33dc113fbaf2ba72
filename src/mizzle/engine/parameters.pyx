"""Python values as the parameters of prepared statements.

Knows the layout of COM_STMT_EXECUTE and of MariaDB's COM_STMT_BULK_EXECUTE, and how a value is written in them; which
Python type is what, literals.py decides for both. Must not know statements, or where the bytes go.

A value is bound as what its literal would be, so that a statement means the same whether it was prepared or not: an int
as BIGINT, beyond that as DECIMAL; a float as DOUBLE; bytes as BLOB; and dates and times as text, for a date that came as
DATETIME would turn `WHERE name = ?` into a comparison of dates and `SELECT ?` into a column of another type.
"""

from itertools import chain

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.math cimport isfinite
from libc.string cimport memcmp, memcpy, memset

from mizzle.engine.constants cimport (
    COM_STMT_EXECUTE, MYSQL_TYPE_BLOB, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_NULL,
    MYSQL_TYPE_VAR_STRING,
)
from mizzle.engine.literals cimport Literals, in_order, long_digits, no_such_number, plain_digits, refuse_other_characters
from mizzle.engine.placeholders cimport CHARWISE, Template, named_parameter, parameters, wrong, wrong_count
from mizzle.engine.sql_buffer cimport Buffer, clear, finish, put, put_byte, reserve, start
from mizzle.engine.sql_text cimport mizzle_ready, put_date, put_datetime, put_time, put_timedelta
from mizzle.engine.packets import build_lenenc_int
from mizzle.engine.wire cimport frames

from mizzle.constants.errnos import CR_UNSUPPORTED_PARAM_TYPE
from mizzle.errors import ProgrammingError

cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow) except? -1

cdef enum:
    UNSIGNED = 0x80
    HEADER = 4
    FULL_FRAME = 0xFFFFFF
    BULK_SEND_UNIT_RESULTS = 64
    BULK_SEND_TYPES = 128
    PARAMETER_COUNT_AVAILABLE = 8       # a flag of COM_STMT_EXECUTE
    MOST_ATTRIBUTES = 1000
    # COM_STMT_BULK_EXECUTE's indicators
    VALUE = 0
    IS_NULL = 1


class NotBindable(ProgrammingError):
    """A value that text can hold and a parameter cannot: nothing was sent."""


cdef inline int put_lenenc(Buffer *out, Py_ssize_t size) except -1:
    """A length, and room for what follows."""
    cdef int width = 0 if size < 0xFB else 2 if size < 1 << 16 else 3 if size < 1 << 24 else 8
    cdef char *to = reserve(out, size + 9)
    cdef int i
    if width == 0:
        to[0] = <char>size
    else:
        to[0] = <char>(0xFC if width == 2 else 0xFD if width == 3 else 0xFE)
        for i in range(width):
            to[i + 1] = <char>((size >> (8 * i)) & 0xFF)
    out.length += width + 1
    return 0


cdef inline int put_little_endian(Buffer *out, unsigned long long value, int width) except -1:
    cdef char *to = reserve(out, width)
    cdef int i
    for i in range(width):
        to[i] = <char>((value >> (8 * i)) & 0xFF)
    out.length += width
    return 0


cdef class Parameters(Literals):
    """What one connection binds to its prepared statements.

    `Buffer.nulls` and `Buffer.types` say where in the packet the null bitmap and the types are, and `position` which
    parameter it is the turn of. A bulk execution has no bitmap (`nulls` is 0): there an indicator precedes each value.
    `named` says that CLIENT_QUERY_ATTRIBUTES was agreed on: each type has a name behind it, a parameter's an empty one.
    """

    def __init__(self, str codec="utf8", encoders=None, bint named=False):
        Literals.__init__(self, codec, encoders)
        self.named = named

    cpdef bytes execute(
        self, unsigned int statement_id, Template template, object args, int flags=0, tuple streamed=(), attributes=None
    ):
        """COM_STMT_EXECUTE, behind its command byte.

        `streamed` are the positions, from 0, whose value goes in COM_STMT_SEND_LONG_DATA. `attributes` are query
        attributes, a mapping; a server that does not have them gets none.
        """
        cdef Buffer out
        cdef Py_ssize_t more = len(attributes) if attributes and self.named else 0
        start(&out)
        try:
            put_execution(&out, statement_id, flags, template.count + more, self.named)
            self._bind(&out, template, args, streamed)
            if more:
                return self._with_attributes(&out, template.count, attributes)
            return finish(&out)
        finally:
            clear(&out)

    cpdef bytes attributes(self, attributes):
        """What stands before the statement of a COM_QUERY with these query attributes."""
        cdef Buffer out
        start(&out)
        try:
            put_lenenc(&out, len(attributes))           # parameter_count [lenenc]
            put_byte(&out, 1)                           # parameter_set_count [lenenc]
            put_bindings(&out, len(attributes), True)
            return self._with_attributes(&out, 0, attributes)
        finally:
            clear(&out)

    cdef bytes _with_attributes(self, Buffer *out, Py_ssize_t before, attributes):
        """Write the attributes' values, and their names into the types, `before` of which are parameters'."""
        cdef Py_ssize_t i, types = out.types + 3 * before
        cdef bytes whole
        if len(attributes) > MOST_ATTRIBUTES:
            raise ValueError(f"{len(attributes)} query attributes: {MOST_ATTRIBUTES} are allowed")
        for i, value in enumerate(attributes.values()):
            out.position = before + i + 1
            self._write(out, value, 0)
        out.position = 0
        whole = finish(out)
        parts = [whole[:types]]
        for i, name in enumerate(attributes):
            parts.append(whole[types + 3 * i:types + 3 * i + 2])
            encoded = name.encode(self.codec)
            parts.append(<bytes>build_lenenc_int(len(encoded)) + encoded)
        parts.append(whole[types + 3 * len(attributes):])
        return b"".join(parts)

    cdef int _bind(self, Buffer *out, Template template, object args, tuple streamed) except -1:
        """Write all values behind the types, which are written meanwhile."""
        cdef tuple values = None
        cdef Py_ssize_t i
        if template.codec != self.codec:
            raise ValueError(f"a template encoded in {template.codec} on a connection that speaks {self.codec}")
        if template.names is None:
            values = parameters(args)
            if (0 if values is None else len(values)) != template.count:
                raise wrong_count(out, None, template.count, args)
        for i in range(template.count):
            out.position = i + 1
            value = values[i] if values is not None else named_parameter(out, args, template.names[i])
            if streamed and i in streamed:
                self._type(out, MYSQL_TYPE_BLOB, 0)
            else:
                self._write(out, value, 0)
        out.position = 0
        out.name = NULL
        return 0

    cdef int _type(self, Buffer *out, int type_code, int flag) except -1:
        cdef char *types = out.data + out.types + (3 if self.named else 2) * (out.position - 1)
        types[0] = <char>type_code
        types[1] = <char>flag
        if not out.nulls:
            put_byte(out, VALUE)
        return 0

    cdef int _write_null(self, Buffer *out) except -1:
        cdef Py_ssize_t i = out.position - 1
        if not out.nulls:
            return put_byte(out, IS_NULL)
        self._type(out, MYSQL_TYPE_NULL, 0)
        out.data[out.nulls + (i >> 3)] |= <char>(1 << (i & 7))
        return 0

    cdef int _write_bool(self, Buffer *out, bint value) except -1:
        self._type(out, MYSQL_TYPE_LONGLONG, 0)
        return put_little_endian(out, 1 if value else 0, 8)

    cdef int _write_int(self, Buffer *out, object value) except -1:
        cdef int overflow
        cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow:
            self._type(out, MYSQL_TYPE_LONGLONG, 0)
            return put_little_endian(out, <unsigned long long>number, 8)
        if overflow > 0 and int.bit_length(value) <= 64:
            self._type(out, MYSQL_TYPE_LONGLONG, UNSIGNED)
            return put_little_endian(out, <unsigned long long>value, 8)
        digits = long_digits(out, value)
        return self._put_text(out, PyBytes_AS_STRING(digits), PyBytes_GET_SIZE(digits), MYSQL_TYPE_NEWDECIMAL)

    cdef int _write_float(self, Buffer *out, double value) except -1:
        cdef unsigned long long bits
        if not isfinite(value):
            raise no_such_number(out, value)
        self._type(out, MYSQL_TYPE_DOUBLE, 0)
        memcpy(&bits, &value, 8)
        return put_little_endian(out, bits, 8)

    cdef int _write_decimal(self, Buffer *out, object value) except -1:
        text = plain_digits(out, value)
        if "E" in text:
            return self._write_float(out, float(value))
        digits = text.encode("ascii")
        return self._put_text(out, PyBytes_AS_STRING(digits), PyBytes_GET_SIZE(digits), MYSQL_TYPE_NEWDECIMAL)

    cdef int _write_datetime(self, Buffer *out, object value) except -1:
        self._type(out, MYSQL_TYPE_VAR_STRING, 0)
        cdef Py_ssize_t mark = out.length
        put_datetime(out, value)
        return self._unquote(out, mark)

    cdef int _write_date(self, Buffer *out, object value) except -1:
        self._type(out, MYSQL_TYPE_VAR_STRING, 0)
        cdef Py_ssize_t mark = out.length
        put_date(out, value)
        return self._unquote(out, mark)

    cdef int _write_time(self, Buffer *out, object value) except -1:
        self._type(out, MYSQL_TYPE_VAR_STRING, 0)
        cdef Py_ssize_t mark = out.length
        put_time(out, value)
        return self._unquote(out, mark)

    cdef int _write_timedelta(self, Buffer *out, object value) except -1:
        self._type(out, MYSQL_TYPE_VAR_STRING, 0)
        cdef Py_ssize_t mark = out.length
        put_timedelta(out, value)
        return self._unquote(out, mark)

    cdef int _unquote(self, Buffer *out, Py_ssize_t mark) except -1:
        """Make `'text'` at `mark`, always short, a string with its length before it."""
        out.data[mark] = <char>(out.length - mark - 2)
        out.length -= 1
        return 0

    cdef int _write_str(self, Buffer *out, object value) except -1:
        mizzle_ready(value)
        if PyUnicode_IS_ASCII(value):
            return self._put_text(
                out, <const char *>PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value), MYSQL_TYPE_VAR_STRING
            )
        encoded = str.encode(value, self.codec)
        if self._escaping == CHARWISE:
            refuse_other_characters(self.codec, value, str.__str__(value), encoded)
        return self._put_text(out, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded), MYSQL_TYPE_VAR_STRING)

    cdef int _write_bytes(self, Buffer *out, object value) except -1:
        cdef Py_buffer view
        if isinstance(value, memoryview):
            value = in_order(value)
        PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
        try:
            return self._put_text(out, <const char *>view.buf, view.len, MYSQL_TYPE_BLOB)
        finally:
            PyBuffer_Release(&view)

    cdef int _put_text(self, Buffer *out, const char *text, Py_ssize_t size, int type_code) except -1:
        self._type(out, type_code, 0)
        put_lenenc(out, size)
        return put(out, text, size)

    cdef int _write_sequence(self, Buffer *out, object items, int depth) except -1:
        error = wrong(
            out, CR_UNSUPPORTED_PARAM_TYPE, "a sequence of values is more than one parameter of a prepared statement",
            "write a placeholder for each value, or execute it with prepare=False",
        )
        refusal = NotBindable(*error.args, sent=False, hint=error.hint)
        refusal.row = error.row
        raise refusal


cdef int put_execution(Buffer *out, unsigned int statement_id, int flags, Py_ssize_t count, bint named) except -1:
    """The head of COM_STMT_EXECUTE."""
    if named and count:
        flags |= PARAMETER_COUNT_AVAILABLE
    put_little_endian(out, statement_id, 4)             # statement_id [4 bytes]
    put_byte(out, <char>flags)                          # flags [1 byte]
    put_little_endian(out, 1, 4)                        # iteration_count [4 bytes]
    if not count:
        return 0
    if named:
        put_lenenc(out, count)                          # parameter_count [lenenc]
    return put_bindings(out, count, named)


cdef int put_bindings(Buffer *out, Py_ssize_t count, bint named) except -1:
    """What precedes the values: bitmap and types are zeros that writing the values fills in."""
    cdef Py_ssize_t head = ((count + 7) >> 3) + 1 + (3 if named else 2) * count
    memset(reserve(out, head), 0, head)
    out.nulls = out.length                              # null_bitmap [(parameters + 7) / 8 bytes]
    out.types = out.nulls + ((count + 7) >> 3) + 1      # parameter types [2 bytes each, and a name: lenenc]
    out.data[out.types - 1] = 1                         # new_params_bind_flag [1 byte]
    out.length += head
    return 0


# -- many rows --------------------------------------------------------------------------------------------------------


cdef class Rows:
    """Iterates over batches of a statement's executions, each about `limit` bytes long, one row at least.

    Gives what is to be sent and how many rows are in it. An error about a value names its row, counted from 1, and comes
    when the batch of the rows before it was taken.
    """

    def __init__(self, Parameters parameters, unsigned int statement_id, Template template, rows, Py_ssize_t limit):
        self._parameters = parameters
        self._id = statement_id
        self._template = template
        self._rows = iter(rows)
        self._limit = limit

    def __iter__(self):
        return self

    def rest(self, bint again=False):
        """The rows that are in no batch yet; `again`: and those of the last batch."""
        carry, self._carry = self._carry, None
        return chain((self._in_batch or ()) if again else (), carry or (), self._rows)

    def __next__(self):
        cdef Buffer out
        start(&out)
        self.taken += self._count
        self._count = 0
        try:
            batch = self._batch(&out)
            if batch is None:
                raise StopIteration
            return batch, self._count
        finally:
            clear(&out)

    cdef object _batch(self, Buffer *out):
        raise NotImplementedError

    cdef bint _next_row(self) except -1:
        """Have a row in `_carry`, as the only item of a list."""
        if self._carry is None:
            for row in self._rows:
                self._carry = [row]
                return True
            return False
        return True


cdef class Executions(Rows):
    """COM_STMT_EXECUTE packets, one for each row, in their frames: each is a command of its own."""

    cdef object _batch(self, Buffer *out):
        cdef Py_ssize_t mark, length
        while self._next_row():
            mark = out.length
            put_little_endian(out, 0, HEADER)
            put_byte(out, COM_STMT_EXECUTE)
            out.nulls = out.types = 0
            out.row = self.taken + self._count + 1
            put_execution(out, self._id, 0, self._template.count, self._parameters.named)
            try:
                self._parameters._bind(out, self._template, self._carry[0], ())
            except Exception:
                if not self._count:
                    raise
                out.length = mark
                break
            length = out.length - mark - HEADER
            if self._count and out.length > self._limit:
                out.length = mark
                break
            self._carry = None
            self._count += 1
            if length >= FULL_FRAME:
                return frames(out.data[mark + HEADER:out.length], 0)
            out.data[mark] = <char>(length & 0xFF)
            out.data[mark + 1] = <char>((length >> 8) & 0xFF)
            out.data[mark + 2] = <char>(length >> 16)
        return finish(out) if self._count else None


cdef class BulkExecutions(Rows):
    """COM_STMT_BULK_EXECUTE, behind its command byte: rows whose values have the same types, column by column.

    `unit_results`: the answer is to say what each execution did.
    """

    def __init__(
        self, Parameters parameters, unsigned int statement_id, Template template, rows, Py_ssize_t limit,
        bint unit_results=False
    ):
        Rows.__init__(self, parameters, statement_id, template, rows, limit)
        self._flags = BULK_SEND_TYPES | (BULK_SEND_UNIT_RESULTS if unit_results else 0)

    cdef object _batch(self, Buffer *out):
        cdef Py_ssize_t count = self._template.count, i, mark
        cdef char *types
        if not self._next_row():
            return None
        put_little_endian(out, self._id, 4)             # statement_id [4 bytes]
        put_little_endian(out, self._flags, 2)          # bulk_flags [2 bytes]
        out.types = out.length                          # parameter types [2 bytes each]
        out.nulls = 0
        memset(reserve(out, 2 * count), 0, 2 * count)
        out.length += 2 * count
        self._types = bytes(2 * count)
        self._in_batch = []
        while self._next_row():
            mark = out.length
            out.row = self.taken + self._count + 1
            try:
                self._parameters._bind(out, self._template, self._carry[0], ())
            except Exception:
                if not self._count:
                    raise
                self._take_back(out, mark)
                break
            if not self._fits(out, mark):
                break
            self._in_batch += self._carry
            self._carry = None
            self._count += 1
        types = out.data + out.types
        for i in range(count):
            if not types[2 * i]:
                types[2 * i] = <char>MYSQL_TYPE_VAR_STRING
        return finish(out)

    cdef bint _fits(self, Buffer *out, Py_ssize_t mark) except -1:
        """May the row at `mark` stay? It may not if it is too long, or if its types are others than those before."""
        cdef char *types = out.data + out.types
        cdef char *before = PyBytes_AS_STRING(self._types)
        cdef Py_ssize_t size = 2 * self._template.count, i
        cdef bint same = True
        if memcmp(types, before, size):
            for i in range(0, size, 2):
                same &= before[i] == 0 or types[i] == before[i] and types[i + 1] == before[i + 1]
        if self._count and (not same or out.length > self._limit):
            self._take_back(out, mark)
            return False
        memcpy(before, types, size)
        return True

    cdef int _take_back(self, Buffer *out, Py_ssize_t mark) except -1:
        memcpy(out.data + out.types, PyBytes_AS_STRING(self._types), 2 * self._template.count)
        out.length = mark
        return 0
