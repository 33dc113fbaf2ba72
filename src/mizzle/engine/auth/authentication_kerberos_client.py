"""authentication_kerberos_client: MySQL's plugin for Kerberos.

Knows that one dialogue; gss.py knows what is said in it.
"""

from __future__ import annotations

from mizzle.engine.auth import gss
from mizzle.engine.auth.context import AuthContext, Plugin, unexpected

__all__ = ["authentication_kerberos_client"]

_NAME = "authentication_kerberos_client"


def authentication_kerberos_client(auth: AuthContext) -> Plugin:
    """With the user's ticket in the server's realm, or one that the password gets."""
    principal, realm = _parse(auth.nonce)
    yield from gss.exchange(auth, _NAME, principal, f"{auth.user}@{realm}")


def _parse(data: bytes) -> tuple[str, str]:
    """service_principal [2 bytes length], realm [2 bytes length]"""
    parts, at = [], 0
    for _ in range(2):
        end = at + 2 + int.from_bytes(data[at : at + 2], "little")
        if end > len(data) or end == at + 2:
            raise unexpected(_NAME, data)
        parts.append(data[at + 2 : end].decode("utf8", "replace"))
        at = end
    return parts[0], parts[1]
