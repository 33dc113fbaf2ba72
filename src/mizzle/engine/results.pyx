"""One statement's result, filled from the wire ("COM_QUERY Response" in the manual's protocol chapter).

Knows the order of a result set's packets, each phase a plain loop over what the wire holds that answers False when
more bytes are needed. Knows nothing of commands and never waits.
"""

from mizzle.engine.binary_rows cimport decode_binary_row
from mizzle.engine.constants cimport SERVER_STATUS_CURSOR_EXISTS
from mizzle.engine.packets cimport OkFields, read_eof, read_ok
from mizzle.engine.prepared cimport Prepared
from mizzle.engine.reader cimport Reader, expect_end, malformed, read_lenenc_int, read_u8, reader_over
from mizzle.engine.text_rows cimport Decoding, RowFormat, row_format, undefined_format
from mizzle.engine.wire cimport Wire
from mizzle.errors import MalformedPacket, malformed_packet

cdef enum:
    OK = 0x00
    EOF = 0xFE
    ERR = 0xFF
    MAX_COLUMNS = 65535         # the servers stop at 4096
    MAX_EOF = 0xFFFFFF          # a row may begin with 0xFE only where 16 MiB follow


cdef class Result:
    """What one statement gave: rows, or counts.

    `rows` are the rows read so far, None for a statement without a result set. `last_insert_id`, `affected_rows` and
    `warning_count` are the server's. `next` is the following statement's Result, or the error that it ended with.
    """

    @property
    def columns(self):
        """The Column of each column, or None."""
        return None if self.format is None else self.format.columns

    @property
    def description(self):
        """PEP 249's description, or None."""
        return None if self.format is None else self.format.description

    @property
    def counts(self):
        """How many rows there are or were affected, the id generated, how many warnings there are."""
        return (self.affected_rows if self.rows is None else len(self.rows), self.last_insert_id, self.warning_count)

    @property
    def info(self):
        """What the server says about the statement in words, such as 'Rows matched: 1  Changed: 0  Warnings: 0'."""
        return "" if self.info_bytes is None else self.info_bytes.decode("utf8", "replace")

    cdef int finish(self, OkFields *ok) except -1:
        self.affected_rows = ok.affected_rows
        self.last_insert_id = ok.last_insert_id
        self.status_flags = ok.status_flags
        self.warning_count = ok.warning_count
        if ok.info_length:
            self.info_bytes = (<const char*>ok.info)[:ok.info_length]
        if ok.state_length:
            self.session_state = (<const char*>ok.state)[:ok.state_length]
        self.finished = True
        return 0

    cdef int read_head(self, Wire wire, Definitions definitions) except -1:
        """The packet that the wire has taken: OK, which finishes this result, or the number of columns.

        With MARIADB_CLIENT_CACHE_METADATA it also says whether their definitions follow: a prepared statement's are not
        sent again while they are those that were sent last. With CLIENT_OPTIONAL_RESULTSET_METADATA there may be none.
        """
        cdef Reader reader
        cdef OkFields ok
        cdef unsigned long long count
        if wire.packet_length and wire.packet[0] == OK:
            reader = reader_over(wire.packet, wire.packet_length, "OK")
            read_ok(&reader, &ok)
            return self.finish(&ok)
        reader = reader_over(wire.packet, wire.packet_length, "ColumnCount")
        count = read_lenenc_int(&reader)
        if count > MAX_COLUMNS:
            malformed(&reader, f"{count} columns")
        if definitions != ALWAYS and not read_u8(&reader):         # metadata_follows [1 byte]
            if definitions == OPTIONAL and self.statement is None:
                self.undefined = True
            elif self.statement is None or self.statement.column_count() != <Py_ssize_t>count:
                malformed(&reader, "columns that were never defined")
            else:
                self.format = self.statement.format
        expect_end(&reader)
        self.column_count = <Py_ssize_t>count
        self.rows = []
        return 0

    cdef bint drain_columns(self, Wire wire, Decoding decoding, bint eof_follows) except -1:
        """All column definitions at once: a block that was seen before needs no parsing."""
        cdef Reader reader
        cdef OkFields eof
        cdef Py_ssize_t end
        if self.undefined:
            self.format = undefined_format(decoding, self.column_count)
        elif self.format is None:
            end = wire.frames_end(self.column_count)
            if end < 0:
                return False
            self.format = row_format(decoding, wire.taken(end), self.column_count)
            if self.statement is not None:
                self.statement.format = self.format
            wire.sequence = (wire.sequence + self.column_count) & 0xFF
        if not eof_follows:
            return True
        if not wire.next_packet():
            return False
        reader = reader_over(wire.packet, wire.packet_length, "EOF")
        read_eof(&reader, &eof)
        if eof.status_flags & SERVER_STATUS_CURSOR_EXISTS:      # the rows wait for COM_STMT_FETCH
            self.finish(&eof)
        return True

    cdef RowsEnd drain_rows(self, Wire wire, bint keep, bint deprecate_eof) except ROWS_RAISED:
        """Every row that the wire holds, until MORE is needed, the result set ENDs, or an ERR packet stands there."""
        while not self.finished:
            try:
                return self._drain_rows(wire, keep and self.error is None, deprecate_eof)
            except Exception as error:
                # One value could not be made (undecodable text, a user's converter): the rest of the result must
                # still be read, or the connection would be lost with it.
                if not self.in_value or isinstance(error, MalformedPacket):
                    raise
                self.in_value = False
                self.error = error
        return ROWS_END             # a cursor keeps them

    cdef RowsEnd _drain_rows(self, Wire wire, bint keep, bint deprecate_eof) except ROWS_RAISED:
        cdef RowFormat format = self.format
        cdef list rows = self.rows
        cdef int head
        while wire.next_packet():
            if wire.packet_length == 0:
                raise malformed_packet("ResultsetRow", 0, "a row without a value")
            head = wire.packet[0]
            if head == ERR:
                return ROWS_ERR
            if head == EOF and wire.packet_length < MAX_EOF:
                self._read_end(wire, deprecate_eof)
                return ROWS_END
            if keep:
                self.in_value = True
                if self.statement is not None:
                    rows.append(decode_binary_row(format, wire.packet, wire.packet_length))
                else:
                    rows.append(format.decode(wire.packet, wire.packet_length))
                self.in_value = False
        return ROWS_MORE

    cdef int _read_end(self, Wire wire, bint deprecate_eof) except -1:
        cdef Reader reader = reader_over(wire.packet, wire.packet_length, "ResultsetEnd")
        cdef OkFields end
        if deprecate_eof:
            read_ok(&reader, &end)
        else:
            read_eof(&reader, &end)
        return self.finish(&end)
