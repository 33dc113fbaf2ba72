from typing import NamedTuple

from mizzle.errors import Error

class OkPacket(NamedTuple):
    """OK_Packet: also what ends a result set under CLIENT_DEPRECATE_EOF."""

    affected_rows: int
    last_insert_id: int
    status_flags: int
    warning_count: int
    info: bytes

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

class Column:
    """Protocol::ColumnDefinition41: what the server says of a column. `length` is in bytes."""

    schema: str
    table: str
    org_table: str
    name: str
    org_name: str
    charset_id: int
    type_code: int
    flags: int
    decimals: int
    length: int
    @property
    def description(self) -> tuple[str, int, None, int, int, int, bool]: ...

def parse_ok(payload: bytes) -> OkPacket: ...
def parse_eof(payload: bytes) -> OkPacket: ...
def parse_err(payload: bytes) -> Error: ...
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
    attributes: dict[str, str],
) -> bytes: ...
def build_connect_attributes(attributes: dict[str, str]) -> bytes: ...
def build_lenenc_int(value: int) -> bytes: ...
def parse_auth_switch_request(payload: bytes) -> AuthSwitchRequest: ...
def build_change_user(
    capabilities: int,
    charset_id: int,
    user: bytes,
    auth_response: bytes,
    database: bytes,
    auth_plugin_name: bytes,
    attributes: dict[str, str],
) -> bytes: ...
def parse_column_count(payload: bytes) -> int: ...
def parse_local_infile_request(payload: bytes) -> bytes: ...
def parse_column_definition(payload: bytes, codec: str = "utf8") -> Column: ...
