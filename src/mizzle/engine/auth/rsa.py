"""The password encrypted with the server's RSA key, for caching_sha2_password and sha256_password over plain links.

Knows keys in PEM and RSA-OAEP, and imports cryptography (the extra `rsa`) only when it is needed.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from mizzle.engine.auth.context import AuthContext, nonce_of_20, plugin_error

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = ["encrypt_password", "require"]

#: A PEM key of 16,384 bits has some 2,800 bytes.
_MAX_KEY_LENGTH = 8192
#: What OAEP with SHA-1 takes of a message as long as the key.
_OAEP_OVERHEAD = 42


def require(plugin: str) -> None:
    """Fail now, before the server is asked for its key, when cryptography is not installed."""
    try:
        import cryptography  # noqa: F401, PLC0415 - an extra, loaded when it is needed
    except ImportError as error:
        raise plugin_error(
            plugin,
            "over an unencrypted link it needs the package cryptography: pip install mizzle[rsa]; without it, connect "
            'with TLS (ssl_mode="required" or stricter)'
            + (" or over a Unix socket" if plugin == "caching_sha2_password" else ""),
        ) from error


def encrypt_password(auth: AuthContext, plugin: str, sent_key: bytes | None) -> bytes:
    """The password and a NUL, XORed with the nonce, encrypted. `sent_key`: what the server sent, if it was asked."""
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA1  # noqa: PLC0415

    key = _public_key(auth, plugin, sent_key)
    if len(auth.password) + 1 > key.key_size // 8 - _OAEP_OVERHEAD:
        raise plugin_error(
            plugin, f"the password is too long for the server's RSA key of {key.key_size} bits; connect with TLS"
        )
    # SHA-1 is what the servers have (RSA_PKCS1_OAEP_PADDING of OpenSSL); OAEP does not rest on its collisions.
    padding = OAEP(mgf=MGF1(algorithm=SHA1()), algorithm=SHA1(), label=None)
    return key.encrypt(_obfuscated(auth, plugin), padding)


def _public_key(auth: AuthContext, plugin: str, sent_key: bytes | None) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    pem = (auth.server_public_key if sent_key is None else sent_key) or b""
    origin = "server_public_key" if sent_key is None else "what the server sent as its public key"
    if len(pem) > _MAX_KEY_LENGTH:
        raise plugin_error(plugin, f"{origin} has {len(pem):,} bytes, more than any key")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise plugin_error(plugin, f"{origin} is not a public key in PEM ({len(pem)} bytes)") from error
    if not isinstance(key, RSAPublicKey):
        raise plugin_error(plugin, f"{origin} is not an RSA key")
    return key


def _obfuscated(auth: AuthContext, plugin: str) -> bytes:
    return bytes(a ^ b for a, b in zip(auth.password + b"\0", cycle(nonce_of_20(auth, plugin)), strict=False))
