"""caching_sha2_password: the default of MySQL since 8.0.

Knows that one dialogue.
"""

from __future__ import annotations

from hashlib import sha256

from mizzle.engine.auth import rsa
from mizzle.engine.auth.context import AuthContext, Plugin, nonce_of_20, unexpected

__all__ = ["caching_sha2_password"]

_NAME = "caching_sha2_password"

_REQUEST_PUBLIC_KEY = b"\x02"
_FAST_AUTH_SUCCESS = b"\x03"
_PERFORM_FULL_AUTHENTICATION = b"\x04"


def caching_sha2_password(auth: AuthContext) -> Plugin:
    """A scramble, with which a server that has the account in its cache is content; else the password itself.

    The password goes as it is over TLS and Unix sockets. Over a plain link it is encrypted with the server's RSA key:
    `server_public_key` where given, else the one that the server sends, which whoever stands in between can replace.
    """
    if not auth.password:
        raise unexpected(_NAME, (yield b"\0"))
    verdict = yield _scramble(auth)
    if verdict == _FAST_AUTH_SUCCESS:
        raise unexpected(_NAME, (yield None))
    if verdict != _PERFORM_FULL_AUTHENTICATION:
        raise unexpected(_NAME, verdict)
    if auth.secure:
        raise unexpected(_NAME, (yield auth.password + b"\0"))
    rsa.require(_NAME)
    sent_key = None if auth.server_public_key else (yield _REQUEST_PUBLIC_KEY)
    raise unexpected(_NAME, (yield rsa.encrypt_password(auth, _NAME, sent_key)))


def _scramble(auth: AuthContext) -> bytes:
    """SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce)"""
    once = sha256(auth.password).digest()
    mask = sha256(sha256(once).digest() + nonce_of_20(auth, _NAME)).digest()
    return bytes(a ^ b for a, b in zip(once, mask, strict=True))
