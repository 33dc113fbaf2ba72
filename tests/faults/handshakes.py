"""The server's side of the connection phase, as bytes: Protocol::HandshakeV10 and what it is answered with."""

from __future__ import annotations

from typing import NamedTuple

from mizzle.constants import capabilities as cap
from mizzle.constants import status

NONCE = bytes(range(1, 21))
#: What any server of these days has, but for TLS and compression.
COMMON = (
    cap.CLIENT_MYSQL
    | cap.CLIENT_FOUND_ROWS
    | cap.CLIENT_LONG_FLAG
    | cap.CLIENT_CONNECT_WITH_DB
    | cap.CLIENT_NO_SCHEMA
    | cap.CLIENT_ODBC
    | cap.CLIENT_LOCAL_FILES
    | cap.CLIENT_IGNORE_SPACE
    | cap.CLIENT_PROTOCOL_41
    | cap.CLIENT_INTERACTIVE
    | cap.CLIENT_TRANSACTIONS
    | cap.CLIENT_SECURE_CONNECTION
    | cap.CLIENT_MULTI_STATEMENTS
    | cap.CLIENT_MULTI_RESULTS
    | cap.CLIENT_PS_MULTI_RESULTS
    | cap.CLIENT_PLUGIN_AUTH
    | cap.CLIENT_CONNECT_ATTRS
    | cap.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    | cap.CLIENT_DEPRECATE_EOF
)


def greeting(
    version: str = "8.0.43",
    *,
    capabilities: int = COMMON,
    plugin: str = "mysql_native_password",
    nonce: bytes = NONCE,
    charset: int = 255,
    flags: int = status.SERVER_STATUS_AUTOCOMMIT,
    connection_id: int = 77,
    protocol: int = 10,
) -> bytes:
    """The payload of a greeting; MariaDB's extended capabilities stand 32 bits up."""
    return b"".join(
        (
            bytes((protocol,)),  # protocol_version [1 byte]
            version.encode() + b"\0",  # server_version [string<NUL>]
            connection_id.to_bytes(4, "little"),  # thread_id [4 bytes]
            nonce[:8] + b"\0",  # auth_plugin_data_part_1 [8 bytes], filler
            (capabilities & 0xFFFF).to_bytes(2, "little"),  # capability_flags_1 [2 bytes]
            bytes((charset,)),  # character_set [1 byte]
            flags.to_bytes(2, "little"),  # status_flags [2 bytes]
            (capabilities >> 16 & 0xFFFF).to_bytes(2, "little"),  # capability_flags_2 [2 bytes]
            bytes((len(nonce) + 1 if capabilities & cap.CLIENT_PLUGIN_AUTH else 0,)),  # auth_plugin_data_len [1 byte]
            bytes(6),  # reserved [6 bytes]
            (capabilities >> 32).to_bytes(4, "little"),  # reserved, or MariaDB's extended capabilities [4 bytes]
            nonce[8:] + b"\0",  # auth_plugin_data_part_2
            plugin.encode() + b"\0" if capabilities & cap.CLIENT_PLUGIN_AUTH else b"",  # auth_plugin_name [string<NUL>]
        )
    )


def auth_switch(plugin: str, data: bytes = NONCE + b"\0") -> bytes:
    """Protocol::AuthSwitchRequest."""
    return b"\xfe" + plugin.encode() + b"\0" + data


class Response(NamedTuple):
    """Protocol::HandshakeResponse41, taken apart."""

    capabilities: int
    max_packet: int
    charset: int
    mariadb_capabilities: int
    user: str
    auth: bytes
    database: str | None
    plugin: str
    attributes: dict[str, str]


def parse_response(payload: bytes) -> Response:
    """What the client says of itself."""
    capabilities = int.from_bytes(payload[:4], "little")
    at = 32
    user, at = _until_nul(payload, at)
    auth, at = _lenenc(payload, at)
    database = None
    if capabilities & cap.CLIENT_CONNECT_WITH_DB:
        name, at = _until_nul(payload, at)
        database = name.decode()
    plugin, at = _until_nul(payload, at)
    attributes: dict[str, str] = {}
    if capabilities & cap.CLIENT_CONNECT_ATTRS:
        block, at = _lenenc(payload, at)
        inside = 0
        while inside < len(block):
            key, inside = _lenenc(block, inside)
            value, inside = _lenenc(block, inside)
            attributes[key.decode()] = value.decode()
    if capabilities & cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM:
        assert 1 <= payload[at] <= 22
        at += 1
    assert at == len(payload), "a tail behind the response"
    return Response(
        capabilities,
        int.from_bytes(payload[4:8], "little"),
        payload[8],
        int.from_bytes(payload[28:32], "little"),
        user.decode(),
        auth,
        database,
        plugin.decode(),
        attributes,
    )


def _until_nul(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.index(0, at)
    return data[at:end], end + 1


def _lenenc(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = data[at], at + 1
    if length == 0xFC:
        length, at = int.from_bytes(data[at : at + 2], "little"), at + 2
    assert length < 0xFB or at >= 3, "longer than anything here"
    return data[at : at + length], at + length
