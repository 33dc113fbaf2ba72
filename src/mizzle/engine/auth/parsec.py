"""parsec: MariaDB's plugin since 11.6, an Ed25519 signature with a key that is slow to compute from the password.

Knows that one dialogue, and imports PyNaCl (the extra `parsec`) only when it takes place.
"""

from __future__ import annotations

import os
from hashlib import pbkdf2_hmac

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected

__all__ = ["parsec"]

_NAME = "parsec"

_NONCE_LENGTH = 32
_SALT_LENGTH = 18
_PBKDF2 = ord("P")
#: 2**10 iterations are doubled so often; each doubling is the server's to ask for, and ours to carry out.
_MAX_DOUBLINGS = 9


def parsec(auth: AuthContext) -> Plugin:
    """Ask for the salt of the account's password, then sign the server's nonce and one of ours."""
    if len(auth.nonce) != _NONCE_LENGTH:
        raise plugin_error(_NAME, f"the server's nonce has {len(auth.nonce)} bytes, {_NONCE_LENGTH} are needed")
    salt = yield b""
    raise unexpected(_NAME, (yield _answer(auth, salt)))


def _answer(auth: AuthContext, data: bytes) -> bytes:
    """`data` (ext-salt): algorithm [1 byte], doublings [1 byte], salt [18 bytes]."""
    try:
        from nacl.bindings import crypto_sign, crypto_sign_seed_keypair  # noqa: PLC0415 - loaded when it is needed
    except ImportError as error:
        raise plugin_error(_NAME, "it needs the package PyNaCl: pip install mizzle[parsec]") from error
    if len(data) != 2 + _SALT_LENGTH or data[0] != _PBKDF2:
        raise unexpected(_NAME, data)
    if data[1] > _MAX_DOUBLINGS:
        raise plugin_error(_NAME, f"the server wants 1024 * 2**{data[1]} iterations, 2**{_MAX_DOUBLINGS} are allowed")
    seed = pbkdf2_hmac("sha512", auth.password, data[2:], 1024 << data[1], 32)
    public_key, secret_key = crypto_sign_seed_keypair(seed)
    auth.stored = data + public_key
    ours = os.urandom(_NONCE_LENGTH)
    return ours + crypto_sign(auth.nonce + ours, secret_key)[:64]
