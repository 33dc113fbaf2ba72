"""client_ed25519: MariaDB's ed25519 plugin, a signature over the server's nonce.

Knows that one dialogue, and imports PyNaCl (the extra `ed25519`) only when it takes place.
"""

from __future__ import annotations

from hashlib import sha512

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected

__all__ = ["client_ed25519"]

_NAME = "client_ed25519"

_NONCE_LENGTH = 32


def client_ed25519(auth: AuthContext) -> Plugin:
    """An Ed25519 signature whose secret key is made from the password."""
    raise unexpected(_NAME, (yield _signature(auth)))


def _signature(auth: AuthContext) -> bytes:
    """RFC 8032, section 5.1.6, but for one thing: the hashed secret is the password, of any length.

    Libraries sign with seeds of exactly 32 bytes, hence the arithmetic on the curve here.
    """
    try:
        from nacl import bindings  # noqa: PLC0415 - an extra, loaded when it is needed
    except ImportError as error:
        raise plugin_error(_NAME, "it needs the package PyNaCl: pip install mizzle[ed25519]") from error
    nonce = auth.nonce
    if len(nonce) != _NONCE_LENGTH:
        raise plugin_error(_NAME, f"the server's nonce has {len(nonce)} bytes, {_NONCE_LENGTH} are needed")
    times_base = bindings.crypto_scalarmult_ed25519_base_noclamp
    modulo_order = bindings.crypto_core_ed25519_scalar_reduce

    expanded = sha512(auth.password).digest()
    secret = bytes([expanded[0] & 0xF8, *expanded[1:31], expanded[31] & 0x3F | 0x40])
    once = modulo_order(sha512(expanded[32:] + nonce).digest())
    commitment = times_base(once)
    auth.stored = times_base(secret)
    challenge = modulo_order(sha512(commitment + auth.stored + nonce).digest())
    answer = bindings.crypto_core_ed25519_scalar_add(bindings.crypto_core_ed25519_scalar_mul(challenge, secret), once)
    return commitment + answer
