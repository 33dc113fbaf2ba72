from typing import NamedTuple

from mizzle.errors import Error

class OkPacket(NamedTuple):
    """OK_Packet: also what ends a result set under CLIENT_DEPRECATE_EOF."""

    affected_rows: int
    last_insert_id: int
    status_flags: int
    warning_count: int
    info: bytes
    session_state: bytes = b""

class Progress(NamedTuple):
    """How far a statement is, by MariaDB: `progress` is the percentage of this stage, `info` the stage in words."""

    stage: int
    max_stage: int
    progress: float
    info: str

class Handshake(NamedTuple):
    """Protocol::HandshakeV10, the server's greeting. MariaDB's own capabilities stand 32 bits up."""

    server_version: str
    connection_id: int
    capabilities: int
    charset_id: int
    status_flags: int
    auth_plugin_data: bytes
    auth_plugin_name: str

class AuthSwitchRequest(NamedTuple):
    auth_plugin_name: str
    auth_plugin_data: bytes

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

    column: Column
    @property
    def type_name(self) -> str: ...
    @property
    def extended_type(self) -> str | None: ...

class Column:
    """Protocol::ColumnDefinition41: what the server says of a column. `length` is in bytes."""

    schema: str
    table: str
    org_table: str
    name: str
    org_name: str
    extended_type: str | None
    charset_id: int
    type_code: int
    flags: int
    decimals: int
    length: int
    @property
    def description(self) -> ColumnDescription: ...
    @property
    def type_name(self) -> str: ...

def parse_ok(payload: bytes) -> OkPacket: ...
def parse_eof(payload: bytes) -> OkPacket: ...
def parse_err(payload: bytes) -> Error: ...
def parse_progress(payload: bytes) -> Progress: ...
def parse_handshake(payload: bytes) -> Handshake: ...
def build_ssl_request(capabilities: int, max_packet: int, charset_id: int) -> bytes: ...
def build_handshake_response(
    capabilities: int,
    max_packet: int,
    charset_id: int,
    user: bytes,
    auth_response: bytes,
    database: bytes | None,
    auth_plugin_name: bytes,
    attributes: bytes,
    zstd_level: int = 3,
) -> bytes: ...
def build_attributes(attributes: dict[str, str]) -> bytes: ...
def build_lenenc_int(value: int) -> bytes: ...
def parse_auth_switch_request(payload: bytes) -> AuthSwitchRequest: ...
def build_change_user(
    capabilities: int,
    charset_id: int,
    user: bytes,
    auth_response: bytes,
    database: bytes,
    auth_plugin_name: bytes,
    attributes: bytes,
) -> bytes: ...
def parse_column_count(payload: bytes) -> int: ...
def parse_local_infile_request(payload: bytes) -> bytes: ...
def parse_column_definition(payload: bytes, codec: str = "utf8", extended: bool = False) -> Column: ...

class StmtPrepareOk(NamedTuple):
    """COM_STMT_PREPARE_OK: the definitions of as many parameters, then columns, follow."""

    statement_id: int
    column_count: int
    parameter_count: int
    warning_count: int

def parse_stmt_prepare_ok(payload: bytes) -> StmtPrepareOk: ...
def build_stmt_id(statement_id: int) -> bytes: ...
def build_stmt_fetch(statement_id: int, num_rows: int) -> bytes: ...
def build_stmt_send_long_data(statement_id: int, parameter: int, data: bytes) -> bytes: ...
