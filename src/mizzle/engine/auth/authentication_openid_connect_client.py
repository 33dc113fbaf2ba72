"""authentication_openid_connect_client: an id token in the place of a password, MySQL from 9.1 on.

Knows that one dialogue, and that it takes place on secure links only.
"""

from __future__ import annotations

from mizzle.engine.auth.context import AuthContext, Plugin, demand_secure, plugin_error, unexpected
from mizzle.engine.packets import build_lenenc_int

__all__ = ["authentication_openid_connect_client"]

_NAME = "authentication_openid_connect_client"

_CAPABILITY = b"\x01"  # reserved
_MAX_LENGTH = 10 * 1024  # as the server has it


def authentication_openid_connect_client(auth: AuthContext) -> Plugin:
    """The token, over TLS or a Unix socket: whoever has it is the user, until it expires."""
    demand_secure(auth, _NAME, "the server asks for the id token")
    length = len(auth.openid_token)
    if not length:
        raise plugin_error(
            _NAME,
            "the server asks for an id token, and none was given",
            hint="Give connect() openid_token=..., the token or a function that gets one, or openid_token_file=...",
        )
    if length > _MAX_LENGTH:
        raise plugin_error(_NAME, f"the id token has more than {_MAX_LENGTH:,} bytes: is it one?")
    # capability [1 byte], id_token [lenenc]
    raise unexpected(_NAME, (yield _CAPABILITY + build_lenenc_int(length) + auth.openid_token))
