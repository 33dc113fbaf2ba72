"""A security key in memory: it registers with MySQL and signs, as a device with libfido2 does."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from mizzle.engine.packets import build_lenenc_int
from mizzle.types import WebAuthnAssertion, WebAuthnRequest

ES256 = ec.ECDSA(hashes.SHA256())
PRESENT_AND_VERIFIED, WITH_CREDENTIAL = 0x05, 0x40
FULL_ATTESTATION = b"\x02"


class Authenticator:
    """One credential of a key of its own (ES256)."""

    def __init__(self) -> None:
        self.credential_id = os.urandom(32)
        self.asked: list[WebAuthnRequest] = []
        self._key = ec.generate_private_key(ec.SECP256R1())

    def register(self, challenge: str) -> str:
        """What FINISH REGISTRATION takes for what INITIATE REGISTRATION gave."""
        salt, rp_id = parse_challenge(base64.b64decode(challenge))
        told = {"type": "webauthn.create", "challenge": websafe(salt), "origin": f"https://{rp_id}"}
        client_data = json.dumps({**told, "crossOrigin": False}, separators=(",", ":")).encode()
        data = self._data(rp_id, WITH_CREDENTIAL) + bytes(16) + len(self.credential_id).to_bytes(2, "big")
        data += self.credential_id + self._public_key()
        maker = ec.generate_private_key(ec.SECP256R1())
        certificate = self_signed(maker)
        signature = maker.sign(data + hashlib.sha256(client_data).digest(), ES256)
        statement = b"\xa3\x63alg\x26\x63sig" + cbor(signature) + b"\x63x5c\x81" + cbor(certificate)
        parts = (cbor(data), signature, certificate, client_data, statement, b"packed")
        response = b"".join(build_lenenc_int(len(part)) + part for part in parts)
        return base64.b64encode(FULL_ATTESTATION + response).decode()

    def sign(self, request: WebAuthnRequest) -> WebAuthnAssertion:
        """For `webauthn=`."""
        self.asked.append(request)
        data = self._data(request.rp_id)
        return WebAuthnAssertion(data, self._key.sign(data + request.client_data_hash, ES256))

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes((PRESENT_AND_VERIFIED | flags,)) + bytes(4)

    def _public_key(self) -> bytes:
        """As COSE has it."""
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21" + cbor(x) + b"\x22" + cbor(y)


def parse_challenge(data: bytes) -> tuple[bytes, str]:
    """capability [1 byte], challenge, rp_id, user [lenenc, all of them short]"""
    end = 2 + data[1]
    return data[2:end], data[end + 1 : end + 1 + data[end]].decode()


def self_signed(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "maker of authenticators")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    builder = builder.not_valid_before(start).not_valid_after(start.replace(year=2045))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def websafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cbor(data: bytes) -> bytes:
    """A byte string."""
    if len(data) < 256:
        return b"\x58" + bytes((len(data),)) + data
    return b"\x59" + len(data).to_bytes(2, "big") + data
