"""SCRAM (RFC 5802, RFC 7677): proofs that both sides know the password, without it being sent.

Knows the messages and their arithmetic. Knows nothing of plugins.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stringprep
import unicodedata

__all__ = ["MECHANISMS", "Scram", "ScramError"]

MECHANISMS = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
#: Each is work that the server makes us do.
_MAX_ITERATIONS = 1_000_000
_FIRST = re.compile(rb"r=([^,]+),s=([A-Za-z0-9+/=]+),i=([0-9]{1,9})(?:,.*)?", re.DOTALL)


class ScramError(Exception):
    """What is wrong with the server's message, or a name or password that SCRAM cannot have."""


class Scram:
    """One exchange: first(), then final() of the server's first message, then verify() of its last."""

    def __init__(self, mechanism: str, user: str, password: bytes, nonce: str = "", *, authzid: bool = True) -> None:
        self._hash = MECHANISMS[mechanism]
        self._password = saslprep(password.decode("utf8", "surrogateescape")).encode()
        name = saslprep(user).replace("=", "=3D").replace(",", "=2C")
        self._header = f"n,a={name}," if authzid else "n,,"
        self._nonce = nonce or base64.b64encode(os.urandom(24)).decode()
        self._bare = f"n={name},r={self._nonce}"
        self._expected = b""

    def first(self) -> bytes:
        """client-first-message"""
        return (self._header + self._bare).encode()

    def final(self, server_first: bytes) -> bytes:
        """client-final-message, with the proof that we know the password."""
        match = _FIRST.fullmatch(server_first)
        if match is None:
            raise ScramError(f"the server's first message is {server_first[:80]!r}")
        nonce, salt, iterations = match[1], match[2], int(match[3])
        if not nonce.startswith(self._nonce.encode()) or len(nonce) == len(self._nonce):
            raise ScramError("the server's nonce does not begin with ours")
        if not 1 <= iterations <= _MAX_ITERATIONS:
            raise ScramError(f"the server wants {iterations:,} iterations, {_MAX_ITERATIONS:,} are allowed")
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, _decoded(salt), iterations)
        unproven = b"c=" + base64.b64encode(self._header.encode()) + b",r=" + nonce
        message = self._bare.encode() + b"," + server_first + b"," + unproven
        client_key = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self._hash, client_key).digest(), message)
        self._expected = b"v=" + base64.b64encode(self._hmac(self._hmac(salted, b"Server Key"), message))
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        return unproven + b",p=" + base64.b64encode(proof)

    def verify(self, server_final: bytes) -> None:
        """The server's proof that it has what is stored of the password."""
        if not hmac.compare_digest(server_final.split(b",")[0], self._expected):
            raise ScramError("the server does not prove that it knows the account's password")

    def _hmac(self, key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, self._hash).digest()


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ScramError("the server's salt is not base64") from None


_PROHIBITED = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """RFC 4013: one form of each name and password, as the server stored it."""
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibited(char) for char in normal for prohibited in _PROHIBITED):
        raise ScramError("user or password has characters that SASL prohibits")
    right_to_left = [stringprep.in_table_d1(char) for char in normal]
    if any(right_to_left) and (
        any(stringprep.in_table_d2(char) for char in normal) or not (right_to_left[0] and right_to_left[-1])
    ):
        raise ScramError("user or password mixes directions of writing as SASL prohibits")
    return normal
