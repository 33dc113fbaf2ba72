"""Capability flags."""

from typing import TYPE_CHECKING

from mizzle.compat.pymysql.constants import named
from mizzle.constants import capabilities

globals().update(named(capabilities, "CLIENT_"))
globals().update(
    HANDLE_EXPIRED_PASSWORDS=capabilities.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS,
    # What PyMySQL asks for by itself.
    CAPABILITIES=capabilities.CLIENT_LONG_PASSWORD
    | capabilities.CLIENT_LONG_FLAG
    | capabilities.CLIENT_PROTOCOL_41
    | capabilities.CLIENT_TRANSACTIONS
    | capabilities.CLIENT_SECURE_CONNECTION
    | capabilities.CLIENT_MULTI_RESULTS
    | capabilities.CLIENT_PLUGIN_AUTH
    | capabilities.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    | capabilities.CLIENT_CONNECT_ATTRS,
)

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
