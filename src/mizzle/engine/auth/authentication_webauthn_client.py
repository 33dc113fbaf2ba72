"""authentication_webauthn_client: MySQL's plugin for security keys and passkeys, alone or as a further factor.

Knows that one dialogue, and the client data of Web Authentication. Knows no device: the user's callback does.
"""

from __future__ import annotations

import base64
import json

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected
from mizzle.engine.packets import build_lenenc_int
from mizzle.types import WebAuthnAssertion, WebAuthnRequest

__all__ = ["authentication_webauthn_client"]

_NAME = "authentication_webauthn_client"

_ASK_FOR_CREDENTIAL = b"\x01"
_ASSERTIONS = b"\x02"
_MAX_ASSERTIONS = 16


def authentication_webauthn_client(auth: AuthContext) -> Plugin:
    """Have the `webauthn` callback sign the server's challenge, with the credential that the server names.

    What is signed names the server (rp_id), so that a signature made for one is of no use to another.
    """
    if auth.webauthn is None:
        raise plugin_error(
            _NAME,
            "the account wants the signature of an authenticator, and there is nobody to ask for it",
            hint="Give connect() a function that makes a WebAuthnAssertion of a WebAuthnRequest: webauthn=...",
        )
    if not auth.nonce:  # no credential yet: the server lets the user in, to register one
        raise unexpected(_NAME, (yield None))
    challenge, rp_id = _parse_challenge(auth.nonce)
    named = yield _ASK_FOR_CREDENTIAL
    credential_id = _take(named, 0)[0] if named else b""
    request = WebAuthnRequest(rp_id, challenge, credential_id or None, _client_data(challenge, rp_id))
    given = auth.webauthn(request)
    raise unexpected(_NAME, (yield _build(request, [given] if isinstance(given, WebAuthnAssertion) else list(given))))


def _parse_challenge(data: bytes) -> tuple[bytes, str]:
    """capability [1 byte], challenge [lenenc], rp_id [lenenc]"""
    challenge, at = _take(data, 1)
    rp_id, _ = _take(data, at)
    return challenge, rp_id.decode("utf8", "replace")


def _take(data: bytes, at: int) -> tuple[bytes, int]:
    """A length-encoded value, whose length fits in one byte or two, and where it ends."""
    length, start = data[at] if at < len(data) else 0, at + 1
    if length == 0xFC:
        length, start = int.from_bytes(data[at + 1 : at + 3], "little"), at + 3
    elif length > 0xFA:
        raise unexpected(_NAME, data)
    end = start + length
    if not length or end > len(data):
        raise unexpected(_NAME, data)
    return data[start:end], end


def _client_data(challenge: bytes, rp_id: str) -> bytes:
    """CollectedClientData (Web Authentication, section 5.8.1)."""
    encoded = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
    told = {"type": "webauthn.get", "challenge": encoded, "origin": f"https://{rp_id}", "crossOrigin": False}
    return json.dumps(told, separators=(",", ":")).encode()


def _build(request: WebAuthnRequest, assertions: list[WebAuthnAssertion]) -> bytes:
    """status [1 byte], count [lenenc], authenticator_data and signature [lenenc] of each, client_data_json [lenenc]"""
    if not 1 <= len(assertions) <= _MAX_ASSERTIONS:
        raise plugin_error(_NAME, f"the webauthn callback gave {len(assertions)} assertions")
    parts = [_ASSERTIONS, build_lenenc_int(len(assertions))]
    client_data = assertions[0].client_data_json or request.client_data_json
    signed = [part for made in assertions for part in (_cbor(made.authenticator_data), made.signature)]
    for value in (*signed, client_data):
        parts += [build_lenenc_int(len(value)), value]
    return b"".join(parts)


def _cbor(data: bytes) -> bytes:
    """A byte string of CBOR, as libfido2, which the server has, wants authenticator data (RFC 8949, section 3)."""
    if len(data) < 24:
        return bytes((0x40 + len(data),)) + data
    return (b"\x58" + bytes((len(data),)) if len(data) < 256 else b"\x59" + len(data).to_bytes(2, "big")) + data
