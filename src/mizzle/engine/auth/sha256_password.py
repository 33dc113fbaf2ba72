"""sha256_password: the forerunner of caching_sha2_password, in MySQL since 5.6.

Knows that one dialogue.
"""

from __future__ import annotations

from mizzle.engine.auth import rsa
from mizzle.engine.auth.context import AuthContext, Plugin, unexpected

__all__ = ["sha256_password"]

_NAME = "sha256_password"

_REQUEST_PUBLIC_KEY = b"\x01"


def sha256_password(auth: AuthContext) -> Plugin:
    """The password as it is over TLS, else encrypted with the server's RSA key (see caching_sha2_password).

    A Unix socket counts as a plain link here: the server asks whether the link is encrypted, not whether it is local
    (my_vio_is_encrypted in MySQL's sql/auth/sql_authentication.cc).
    """
    if not auth.password:
        # Servers before 5.7 know an empty password by this byte alone, not by an empty packet.
        raise unexpected(_NAME, (yield b"\0"))
    if auth.secure and not auth.unix_socket:
        raise unexpected(_NAME, (yield auth.password + b"\0"))
    rsa.require(_NAME)
    sent_key = None if auth.server_public_key else (yield _REQUEST_PUBLIC_KEY)
    raise unexpected(_NAME, (yield rsa.encrypt_password(auth, _NAME, sent_key)))
