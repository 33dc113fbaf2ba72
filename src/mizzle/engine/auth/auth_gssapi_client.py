"""auth_gssapi_client: MariaDB's plugin for Kerberos.

Knows that one dialogue; gss.py knows what is said in it.
"""

from __future__ import annotations

from mizzle.engine.auth import gss
from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error

__all__ = ["auth_gssapi_client"]

_NAME = "auth_gssapi_client"


def auth_gssapi_client(auth: AuthContext) -> Plugin:
    """With the ticket that is there (kinit); the server says its principal, and a mechanism that only Windows needs."""
    principal, _, _ = auth.nonce.partition(b"\0")  # principal [string<NUL>], mechanism [string<NUL>]
    if not principal and not auth.service_principal:
        raise plugin_error(_NAME, "the server does not say its principal", hint="Give connect() service_principal=...")
    yield from gss.exchange(auth, _NAME, principal.decode("utf8", "replace"))
