"""One function for each packet: parse_x from a payload, build_x to a payload. Pure: no wire, no state.

The names, and the order within each group, are those of the chapter "Client/Server Protocol" of the MySQL source
documentation; where MariaDB differs its knowledge base ("Client/Server Protocol", "Connection") is followed.
Every parse_x raises MalformedPacket for a payload that is too short, too long or contradicts itself.
"""

import struct
from typing import NamedTuple

from mizzle.constants.errnos import CR_SERVER_HANDSHAKE_ERR
from mizzle.engine.constants cimport *
from mizzle.engine.reader cimport (
    Reader,
    expect_end,
    malformed,
    read_bytes,
    read_lenenc_bytes,
    read_lenenc_int,
    read_lenenc_length,
    read_little_endian,
    read_nul_bytes,
    read_rest,
    read_u8,
    read_u16,
    peek_u16,
    read_u32,
    reader_over,
    remaining,
    skip,
)
from mizzle.errors import OperationalError, server_error


cdef object CLIENT_HEADER = struct.Struct("<IIB19xI").pack

cdef enum:
    # the kinds of MariaDB's extended metadata
    EXTENDED_TYPE = 0
    EXTENDED_FORMAT = 1


cdef inline Reader over(bytes payload, const char *packet):
    return reader_over(<const unsigned char*>payload, len(payload), packet)


# -- generic responses ----------------------------------------------------------------------------------------------


class OkPacket(NamedTuple):
    """OK_Packet: also what ends a result set under CLIENT_DEPRECATE_EOF."""

    affected_rows: int
    last_insert_id: int
    status_flags: int
    warning_count: int
    info: bytes
    session_state: bytes = b""


cdef int read_ok(Reader *reader, OkFields *ok) except -1:
    skip(reader, 1)                                     # header [1 byte]: 0x00 or 0xFE
    ok.affected_rows = read_lenenc_int(reader)          # affected_rows [lenenc]
    ok.last_insert_id = read_lenenc_int(reader)         # last_insert_id [lenenc]
    ok.status_flags = read_u16(reader)                  # status_flags [2 bytes]
    ok.warning_count = read_u16(reader)                 # warnings [2 bytes]
    ok.state_length = 0
    if ok.status_flags & SERVER_SESSION_STATE_CHANGED and remaining(reader):
        ok.info_length = read_lenenc_length(reader)     # info [lenenc]
        ok.info = reader.pos
        skip(reader, ok.info_length)
        ok.state_length = read_lenenc_length(reader)    # session_state_info [lenenc], see tracking.pyx
        ok.state = reader.pos
        skip(reader, ok.state_length)
        return expect_end(reader)
    # info: [string<lenenc>] as the servers send it (net_send_ok() in sql/protocol_classic.cc), [string<EOF>] as the
    # manual has it and other implementations send it.
    if 1 < remaining(reader) <= 0xFB and reader.pos[0] == remaining(reader) - 1:
        skip(reader, 1)
    elif remaining(reader) > 0xFB and reader.pos[0] == 0xFC and peek_u16(reader, 1) == remaining(reader) - 3:
        skip(reader, 3)
    ok.info = reader.pos
    ok.info_length = remaining(reader)
    return 0


def parse_ok(bytes payload not None) -> OkPacket:
    cdef Reader reader = over(payload, "OK")
    cdef OkFields ok
    read_ok(&reader, &ok)
    return OkPacket(
        ok.affected_rows,
        ok.last_insert_id,
        ok.status_flags,
        ok.warning_count,
        (<const char*>ok.info)[:ok.info_length],
        (<const char*>ok.state)[:ok.state_length] if ok.state_length else b"",
    )


cdef int read_eof(Reader *reader, OkFields *eof) except -1:
    """EOF_Packet: an OK_Packet without counts, from servers without CLIENT_DEPRECATE_EOF."""
    skip(reader, 1)                                     # header [1 byte]: 0xFE
    eof.affected_rows = eof.last_insert_id = 0
    eof.info_length = eof.state_length = 0
    eof.info = reader.pos
    eof.warning_count = read_u16(reader)                # warnings [2 bytes]
    eof.status_flags = read_u16(reader)                 # status_flags [2 bytes]
    return expect_end(reader)


def parse_eof(bytes payload not None) -> OkPacket:
    cdef Reader reader = over(payload, "EOF")
    cdef OkFields eof
    read_eof(&reader, &eof)
    return OkPacket(0, 0, eof.status_flags, eof.warning_count, b"")


cdef object read_err(Reader *reader):
    """ERR_Packet as the exception that it stands for. Before the login it comes without a SQLSTATE."""
    cdef str sqlstate = None
    skip(reader, 1)                                     # header [1 byte]: 0xFF
    errno = read_u16(reader)                            # error_code [2 bytes]
    if remaining(reader) and reader.pos[0] == b"#":
        skip(reader, 1)                                 # sql_state_marker [1 byte]
        sqlstate = read_bytes(reader, 5).decode("ascii", "replace")     # sql_state [5 bytes]
    return server_error(errno, sqlstate, read_rest(reader).decode("utf8", "replace"))


def parse_err(bytes payload not None):
    """The exception that an ERR_Packet stands for (returned, not raised)."""
    cdef Reader reader = over(payload, "ERR")
    return read_err(&reader)


class Progress(NamedTuple):
    """How far a statement is, by MariaDB: `progress` is the percentage of this stage, `info` the stage in words."""

    stage: int
    max_stage: int
    progress: float
    info: str


cdef bint is_progress(const unsigned char *packet, Py_ssize_t length) noexcept:
    """Is this a report of progress? It looks like an ERR packet whose error_code is 0xFFFF."""
    return length >= 3 and packet[0] == 0xFF and packet[1] == 0xFF and packet[2] == 0xFF


cdef object read_progress(Reader *reader):
    skip(reader, 3)                                     # header [1 byte]: 0xFF, error_code [2 bytes]: 0xFFFF
    skip(reader, 1)                                     # number of strings [1 byte]: 1
    stage = read_u8(reader)                             # stage [1 byte], from 1
    max_stage = read_u8(reader)                         # max_stage [1 byte]
    thousandths = read_little_endian(reader, 3)         # progress [3 bytes], in thousandths of a percent
    info = read_lenenc_bytes(reader).decode("utf8", "replace")      # proc_info [lenenc]
    expect_end(reader)
    return Progress(stage, max_stage, thousandths / 1000, info)


def parse_progress(bytes payload not None) -> Progress:
    cdef Reader reader = over(payload, "Progress")
    return read_progress(&reader)


# -- connection phase -----------------------------------------------------------------------------------------------


class Handshake(NamedTuple):
    """Protocol::HandshakeV10, the server's greeting. MariaDB's own capabilities stand 32 bits up."""

    server_version: str
    connection_id: int
    capabilities: int
    charset_id: int
    status_flags: int
    auth_plugin_data: bytes
    auth_plugin_name: str


def parse_handshake(bytes payload not None) -> Handshake:
    cdef Reader reader = over(payload, "Handshake")
    cdef unsigned long long capabilities
    cdef int charset_id = 0, status_flags = 0, data_length = 0
    cdef str plugin = "mysql_native_password"
    version = read_u8(&reader)                          # protocol_version [1 byte]
    if version != 10:
        raise OperationalError(
            CR_SERVER_HANDSHAKE_ERR,
            f"The server speaks protocol version {version}; mizzle speaks version 10 (MySQL 3.21 and later, MariaDB)",
            sent=False,
            alive=False,
            hint="A server's X protocol (port 33060) seems to be version 11: use its classic port.",
        )
    server_version = read_nul_bytes(&reader).decode("ascii", "replace")     # server_version [string<NUL>]
    connection_id = read_u32(&reader)                   # thread_id [4 bytes]
    nonce = read_bytes(&reader, 8)                      # auth_plugin_data_part_1 [8 bytes]
    skip(&reader, 1)                                    # filler [1 byte]
    capabilities = read_u16(&reader)                    # capability_flags_1 [2 bytes]
    if remaining(&reader):
        charset_id = read_u8(&reader)                   # character_set [1 byte]
        status_flags = read_u16(&reader)                # status_flags [2 bytes]
        capabilities |= <unsigned long long>read_u16(&reader) << 16         # capability_flags_2 [2 bytes]
        data_length = read_u8(&reader)                  # auth_plugin_data_len [1 byte]
        skip(&reader, 6)                                # reserved [6 bytes]
        if capabilities & CLIENT_MYSQL:
            skip(&reader, 4)                            # reserved [4 bytes]
        else:                                           # MariaDB's extended capabilities [4 bytes]
            capabilities |= <unsigned long long>read_u32(&reader) << 32
        if capabilities & CLIENT_SECURE_CONNECTION:     # auth_plugin_data_part_2 [max(13, auth_plugin_data_len - 8)]
            nonce += read_bytes(&reader, max(13, data_length - 8)).removesuffix(b"\0")
        if capabilities & CLIENT_PLUGIN_AUTH:           # auth_plugin_name [string<NUL>]; 5.5 left the NUL out
            plugin = read_rest(&reader).rstrip(b"\0").decode("ascii", "replace")
    return Handshake(server_version, connection_id, capabilities, charset_id, status_flags, nonce, plugin)


cdef bytes client_header(unsigned long long capabilities, unsigned int max_packet, int charset_id):
    """The 32 bytes that Protocol::SSLRequest and Protocol::HandshakeResponse41 begin with."""
    return CLIENT_HEADER(
        capabilities & 0xFFFFFFFF,                      # client_flag [4 bytes]
        max_packet,                                     # max_packet_size [4 bytes]
        charset_id,                                     # character_set [1 byte], filler [19 bytes]
        0 if capabilities & CLIENT_MYSQL else capabilities >> 32,   # MariaDB's extended capabilities [4 bytes]
    )


def build_ssl_request(unsigned long long capabilities, unsigned int max_packet, int charset_id) -> bytes:
    return client_header(capabilities, max_packet, charset_id)


def build_handshake_response(
    unsigned long long capabilities, unsigned int max_packet, int charset_id, bytes user not None,
    bytes auth_response not None, bytes database, bytes auth_plugin_name not None, bytes attributes not None,
    int zstd_level=3
) -> bytes:
    """Protocol::HandshakeResponse41."""
    parts = [
        client_header(capabilities, max_packet, charset_id),
        c_string(user, "user"),                         # username [string<NUL>]
        build_auth_data(capabilities, auth_response),   # auth_response
    ]
    if capabilities & CLIENT_CONNECT_WITH_DB:           # database [string<NUL>]
        parts.append(c_string(database, "database"))
    if capabilities & CLIENT_PLUGIN_AUTH:               # client_plugin_name [string<NUL>]
        parts.append(c_string(auth_plugin_name, "auth_plugin"))
    if capabilities & CLIENT_CONNECT_ATTRS:             # attributes [lenenc]
        parts.append(lenenc_bytes(attributes))
    if capabilities & CLIENT_ZSTD_COMPRESSION_ALGORITHM:    # zstd_compression_level [1 byte]
        parts.append(bytes((zstd_level,)))
    return b"".join(parts)


cdef bytes c_string(bytes value, str what):
    if b"\0" in value:
        raise ValueError(f"{what} may not contain a NUL character")
    return value + b"\0"


cdef bytes build_auth_data(unsigned long long capabilities, bytes data):
    if capabilities & CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA:
        return lenenc_bytes(data)
    if len(data) > 255:
        raise ValueError("the server takes no authentication data over 255 bytes")
    return bytes((len(data),)) + data


def build_attributes(dict attributes not None) -> bytes:
    """Connection attributes: length-encoded names and values."""
    return b"".join([lenenc_bytes(part.encode("utf8")) for pair in attributes.items() for part in pair])


def build_lenenc_int(unsigned long long value) -> bytes:
    if value < 0xFB:
        return value.to_bytes(1, "little")
    if value < 1 << 16:
        return b"\xFC" + value.to_bytes(2, "little")
    if value < 1 << 24:
        return b"\xFD" + value.to_bytes(3, "little")
    return b"\xFE" + value.to_bytes(8, "little")


cdef bytes lenenc_bytes(bytes value):
    return <bytes>build_lenenc_int(len(value)) + value


class AuthSwitchRequest(NamedTuple):
    auth_plugin_name: str
    auth_plugin_data: bytes


def parse_auth_switch_request(bytes payload not None) -> AuthSwitchRequest:
    """Protocol::AuthSwitchRequest; alone the header byte, it is the old request for mysql_old_password."""
    cdef Reader reader = over(payload, "AuthSwitchRequest")
    skip(&reader, 1)                                    # header [1 byte]: 0xFE
    if not remaining(&reader):
        return AuthSwitchRequest("mysql_old_password", b"")
    name = read_nul_bytes(&reader).decode("ascii", "replace")       # plugin_name [string<NUL>]
    # auth_plugin_data [string<EOF>]: of fixed length for each plugin, whose own business it is that a NUL may follow.
    return AuthSwitchRequest(name, read_rest(&reader))


def build_change_user(
    unsigned long long capabilities, int charset_id, bytes user not None, bytes auth_response not None,
    bytes database not None, bytes auth_plugin_name not None, bytes attributes not None
) -> bytes:
    """COM_CHANGE_USER, behind its command byte."""
    if len(auth_response) > 255:
        raise ValueError("COM_CHANGE_USER takes no authentication data over 255 bytes")
    parts = [
        c_string(user, "user"),                         # user [string<NUL>]
        bytes((len(auth_response),)), auth_response,    # auth_plugin_data [1 byte length]
        c_string(database, "database"),                 # database [string<NUL>]
        charset_id.to_bytes(2, "little"),               # character_set [2 bytes]
    ]
    if capabilities & CLIENT_PLUGIN_AUTH:               # auth_plugin_name [string<NUL>]
        parts.append(c_string(auth_plugin_name, "auth_plugin"))
        if capabilities & CLIENT_CONNECT_ATTRS:         # attributes [lenenc]
            parts.append(lenenc_bytes(attributes))
    return b"".join(parts)


# -- command phase --------------------------------------------------------------------------------------------------


def parse_column_count(bytes payload not None) -> int:
    """The first packet of a text result set."""
    cdef Reader reader = over(payload, "ColumnCount")
    count = read_lenenc_int(&reader)
    expect_end(&reader)
    return count


def parse_local_infile_request(bytes payload not None) -> bytes:
    """The file name of a LOCAL INFILE request."""
    cdef Reader reader = over(payload, "LocalInfileRequest")
    skip(&reader, 1)                                    # header [1 byte]: 0xFB
    return read_rest(&reader)


class Seven(NamedTuple):
    """PEP 249's items of a column's description."""

    name: str
    type_code: int
    display_size: None
    internal_size: int
    precision: int
    scale: int
    null_ok: bool


class ColumnDescription(Seven):
    """A column in `cursor.description`: PEP 249's seven items, and what else the server says in `column`."""

    @property
    def type_name(self):
        """The column's type as SQL has it, such as 'varchar', 'text', 'json' or 'uuid'; see Column.type_name."""
        return self.column.type_name

    @property
    def extended_type(self):
        """MariaDB's word for a type that has no code of its own ('uuid', 'inet6', 'json', 'point'), or None."""
        return self.column.extended_type


cdef class Column:
    """Protocol::ColumnDefinition41: what the server says of a column. `length` is in bytes."""

    def __repr__(self) -> str:
        return f"<Column {self.name!r} type_code={self.type_code} charset_id={self.charset_id} flags={self.flags:#x}>"

    @property
    def description(self):
        """PEP 249's seven items: name, type_code, display_size, internal_size, precision, scale, null_ok."""
        not_null = (self.flags & NOT_NULL_FLAG) != 0
        made = ColumnDescription(
            self.name, self.type_code, None, self.length, self.length, self.decimals, not not_null
        )
        made.column = self
        return made

    @property
    def type_name(self):
        """The type in SQL's words, in lower case; extended_type, if there is one. No length, no UNSIGNED.

        All texts that have the code of BLOB are 'text', those of bytes 'blob'. MariaDB's VECTOR is 'varbinary': it does
        not say more.
        """
        if self.extended_type is not None:
            return self.extended_type
        if self.flags & (ENUM_FLAG | SET_FLAG):
            return "enum" if self.flags & ENUM_FLAG else "set"
        if self.charset_id == BINARY_CHARSET and self.type_code in NAMES_OF_BYTES:
            return NAMES_OF_BYTES[self.type_code]
        return TYPE_NAMES.get(self.type_code, f"type {self.type_code}")


cdef enum:
    BINARY_CHARSET = 63

cdef dict NAMES_OF_BYTES = {
    MYSQL_TYPE_VARCHAR: "varbinary", MYSQL_TYPE_VAR_STRING: "varbinary", MYSQL_TYPE_STRING: "binary",
    MYSQL_TYPE_TINY_BLOB: "blob", MYSQL_TYPE_MEDIUM_BLOB: "blob", MYSQL_TYPE_LONG_BLOB: "blob", MYSQL_TYPE_BLOB: "blob",
}
cdef dict TYPE_NAMES = {
    MYSQL_TYPE_DECIMAL: "decimal", MYSQL_TYPE_NEWDECIMAL: "decimal", MYSQL_TYPE_TINY: "tinyint",
    MYSQL_TYPE_SHORT: "smallint", MYSQL_TYPE_INT24: "mediumint", MYSQL_TYPE_LONG: "int", MYSQL_TYPE_LONGLONG: "bigint",
    MYSQL_TYPE_FLOAT: "float", MYSQL_TYPE_DOUBLE: "double", MYSQL_TYPE_NULL: "null", MYSQL_TYPE_BIT: "bit",
    MYSQL_TYPE_DATE: "date", MYSQL_TYPE_NEWDATE: "date", MYSQL_TYPE_TIME: "time", MYSQL_TYPE_DATETIME: "datetime",
    MYSQL_TYPE_TIMESTAMP: "timestamp", MYSQL_TYPE_YEAR: "year", MYSQL_TYPE_JSON: "json", MYSQL_TYPE_VECTOR: "vector",
    MYSQL_TYPE_GEOMETRY: "geometry", MYSQL_TYPE_ENUM: "enum", MYSQL_TYPE_SET: "set", MYSQL_TYPE_VARCHAR: "varchar",
    MYSQL_TYPE_VAR_STRING: "varchar", MYSQL_TYPE_STRING: "char", MYSQL_TYPE_TINY_BLOB: "text",
    MYSQL_TYPE_MEDIUM_BLOB: "text", MYSQL_TYPE_LONG_BLOB: "text", MYSQL_TYPE_BLOB: "text",
}


cdef str read_extended_metadata(Reader *reader):
    """MariaDB's extended metadata of a column: what its type is, or what its text is written in; None if it says nothing."""
    cdef Py_ssize_t length = read_lenenc_length(reader)                 # length of all [lenenc]
    cdef Reader items = reader_over(reader.pos, length, reader.packet)
    cdef str found = None
    cdef int kind
    skip(reader, length)
    while remaining(&items):
        kind = read_u8(&items)                                          # kind [1 byte]
        word = read_lenenc_bytes(&items).decode("ascii", "replace")     # value [lenenc]
        if kind == EXTENDED_TYPE or kind == EXTENDED_FORMAT and found is None:
            found = word
    return found


cdef Column read_column_definition(Reader *reader, str codec, bint extended):
    cdef Column column = Column.__new__(Column)
    skip(reader, read_lenenc_length(reader))                            # catalog [lenenc], always "def"
    column.schema = read_lenenc_bytes(reader).decode(codec, "replace")      # schema [lenenc]
    column.table = read_lenenc_bytes(reader).decode(codec, "replace")       # table [lenenc]
    column.org_table = read_lenenc_bytes(reader).decode(codec, "replace")   # org_table [lenenc]
    column.name = read_lenenc_bytes(reader).decode(codec, "replace")        # name [lenenc]
    column.org_name = read_lenenc_bytes(reader).decode(codec, "replace")    # org_name [lenenc]
    if extended:
        column.extended_type = read_extended_metadata(reader)           # extended metadata [lenenc]
    if read_lenenc_int(reader) != 12:                                   # length of fixed length fields [lenenc]
        malformed(reader, "the fixed fields of a column definition take 12 bytes")
    column.charset_id = read_u16(reader)                                # character_set [2 bytes]
    column.length = read_u32(reader)                                    # column_length [4 bytes]
    column.type_code = read_u8(reader)                                  # type [1 byte]
    column.flags = read_u16(reader)                                     # flags [2 bytes]
    column.decimals = read_u8(reader)                                   # decimals [1 byte]
    skip(reader, 2)                                                     # reserved [2 bytes]
    expect_end(reader)
    return column


def parse_column_definition(bytes payload not None, str codec="utf8", bint extended=False) -> Column:
    """`extended`: MARIADB_CLIENT_EXTENDED_METADATA was agreed on."""
    cdef Reader reader = over(payload, "ColumnDefinition41")
    return read_column_definition(&reader, codec, extended)


# -- prepared statements ----------------------------------------------------------------------------------------------


class StmtPrepareOk(NamedTuple):
    """COM_STMT_PREPARE_OK: the definitions of as many parameters, then columns, follow."""

    statement_id: int
    column_count: int
    parameter_count: int
    warning_count: int


cdef int read_stmt_prepare_ok(Reader *reader, PreparedFields *fields) except -1:
    if read_u8(reader) != 0:                            # status [1 byte]: 0x00
        reader.pos -= 1
        malformed(reader, "0x00 expected")
    fields.statement_id = <unsigned int>read_u32(reader)        # statement_id [4 bytes]
    fields.column_count = read_u16(reader)              # num_columns [2 bytes]
    fields.parameter_count = read_u16(reader)           # num_params [2 bytes]
    skip(reader, 1)                                     # reserved [1 byte]
    fields.warning_count = read_u16(reader)             # warning_count [2 bytes]
    return expect_end(reader)


def parse_stmt_prepare_ok(bytes payload not None) -> StmtPrepareOk:
    cdef Reader reader = over(payload, "StmtPrepareOk")
    cdef PreparedFields fields
    read_stmt_prepare_ok(&reader, &fields)
    return StmtPrepareOk(fields.statement_id, fields.column_count, fields.parameter_count, fields.warning_count)


def build_stmt_id(unsigned int statement_id) -> bytes:
    """COM_STMT_CLOSE and COM_STMT_RESET, behind their command byte."""
    return statement_id.to_bytes(4, "little")           # statement_id [4 bytes]


def build_stmt_fetch(unsigned int statement_id, unsigned int num_rows) -> bytes:
    """COM_STMT_FETCH, behind its command byte."""
    return statement_id.to_bytes(4, "little") + num_rows.to_bytes(4, "little")      # num_rows [4 bytes]


def build_stmt_send_long_data(unsigned int statement_id, int parameter, bytes data not None) -> bytes:
    """COM_STMT_SEND_LONG_DATA, behind its command byte: a piece of the value of a parameter, counted from 0."""
    return statement_id.to_bytes(4, "little") + parameter.to_bytes(2, "little") + data
