"""mysql_native_password: SHA-1 challenge and response, the default of MySQL up to 5.7 and of MariaDB.

Knows that one dialogue.
"""

from __future__ import annotations

from hashlib import sha1

from mizzle.engine.auth.context import AuthContext, Plugin, nonce_of_20, unexpected

__all__ = ["mysql_native_password"]

_NAME = "mysql_native_password"


def mysql_native_password(auth: AuthContext) -> Plugin:
    """SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))); nothing for an empty password."""
    raise unexpected(_NAME, (yield _scramble(auth)))


def _scramble(auth: AuthContext) -> bytes:
    if not auth.password:
        return b""
    once = sha1(auth.password).digest()
    auth.stored = sha1(once).digest()
    mask = sha1(nonce_of_20(auth, _NAME) + auth.stored).digest()
    return (int.from_bytes(once, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(mask), "big")
