"""A prepared statement, filled from the wire ("COM_STMT_PREPARE Response" in the manual's protocol chapter).

Knows the order of that answer's packets, each phase a step that answers False when more bytes are needed. Knows nothing
of commands and never waits.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING

from mizzle.engine.constants cimport MYSQL_TYPE_NULL
from mizzle.engine.packets cimport OkFields, PreparedFields, read_eof, read_stmt_prepare_ok
from mizzle.engine.placeholders cimport Template
from mizzle.engine.reader cimport Reader, malformed, reader_over
from mizzle.engine.text_rows cimport Decoding, RowFormat, row_format, split
from mizzle.engine.wire cimport Wire

cdef enum:
    PARAMETER_COUNT_AVAILABLE = 8

cdef enum:
    PARAMETERS
    PARAMETERS_EOF
    COLUMNS
    COLUMNS_EOF
    COMPLETE


cdef class Prepared:
    """A statement that a server prepares, or has prepared.

    It is prepared if `session` is the engine's: a reset of the session, or another login, makes the server forget it.
    """

    def __init__(self, Template template not None, query):
        self.template = template
        self.sql = template.marked()
        self.query = query
        self._parameters = b""

    @property
    def parameters(self):
        """What the server says of each parameter; MySQL says of most that they are strings."""
        if self._parsed is None:
            self._parsed = split(self._parameters, self._parameter_count, self._decoding)
        return self._parsed

    @property
    def columns(self):
        """The Column of each column of its result, or None."""
        return None if self.format is None else self.format.columns

    @property
    def description(self):
        """PEP 249's description of its result, or None."""
        return None if self.format is None else self.format.description

    cdef Py_ssize_t column_count(self) noexcept:
        """Of the definitions that were sent last."""
        return -1 if self.format is None else self.format.count

    cdef bint types_changed(self, bytes payload) except -1:
        """Does this COM_STMT_EXECUTE bind another type than the first one did, where neither binds NULL?

        MySQL resolves the types of a statement's parameters when it is executed first (from 8.0.22 on), and turns what is
        bound later into those: b"\\xff" became text, 2**64 - 1 a float.
        """
        cdef Py_ssize_t width = 2, total = self.template.count, size, i
        cdef const unsigned char *now = <const unsigned char*>PyBytes_AS_STRING(payload)
        cdef unsigned char *first
        if not total:
            return False
        now += 9
        if payload[4] & PARAMETER_COUNT_AVAILABLE:      # each type has a name behind it, that of a parameter is empty
            width = 3
            total = now[0] if now[0] < 0xFB else now[1] | (now[2] << 8)
            now += 1 if now[0] < 0xFB else 3
        now += ((total + 7) >> 3) + 1
        size = width * self.template.count
        if self._types is None:
            self._types = bytearray((<const char*>now)[:size])
            return False
        first = <unsigned char*>PyByteArray_AS_STRING(self._types)
        for i in range(0, size, width):
            if first[i] == MYSQL_TYPE_NULL:
                first[i], first[i + 1] = now[i], now[i + 1]
            elif now[i] != MYSQL_TYPE_NULL and (now[i] != first[i] or now[i + 1] != first[i + 1]):
                self._types = bytearray((<const char*>now)[:size])
                return True
        return False

    cdef int read_head(self, Wire wire) except -1:
        """The packet that the wire has taken."""
        cdef Reader reader = reader_over(wire.packet, wire.packet_length, "StmtPrepareOk")
        cdef PreparedFields fields
        read_stmt_prepare_ok(&reader, &fields)
        self.statement_id = fields.statement_id
        self._parameter_count = fields.parameter_count
        self._column_count = fields.column_count
        self._parsed = None
        self.format = None
        self._phase = PARAMETERS
        return 0

    cdef bint drain_definitions(self, Wire wire, Decoding decoding, bint eof_follows) except -1:
        """The definitions of its parameters and columns, as far as they have come."""
        cdef Reader reader
        cdef OkFields eof
        cdef Py_ssize_t end
        cdef int count
        while self._phase != COMPLETE:
            count = self._parameter_count if self._phase in (PARAMETERS, PARAMETERS_EOF) else self._column_count
            if self._phase == PARAMETERS or self._phase == COLUMNS:
                end = wire.frames_end(count)
                if end < 0:
                    return False
                if self._phase == PARAMETERS:
                    self._parameters = wire.taken(end)
                    self._decoding = decoding
                elif count:
                    self.format = row_format(decoding, wire.taken(end), count)
                wire.sequence = (wire.sequence + count) & 0xFF
            elif count and eof_follows:
                if not wire.next_packet():
                    return False
                reader = reader_over(wire.packet, wire.packet_length, "EOF")
                if not wire.packet_length or wire.packet[0] != 0xFE:
                    malformed(&reader, "EOF expected")
                read_eof(&reader, &eof)
            self._phase += 1
        return True


cdef class Kept:
    """The statements that a connection keeps, by their text, the one used last behind the others; None: as text."""

    def __init__(self):
        self.statements = {}

    cpdef Prepared ready(self, query, Literals writer):
        """The statement, if it is kept and can be executed as it is. It is the one used last then."""
        cdef Prepared statement
        if self.expire or query not in self.statements:
            return None
        statement = self.statements[query]
        if statement is None or statement.refused or statement.template.codec != writer.codec:
            return None
        del self.statements[query]
        self.statements[query] = statement
        return statement
