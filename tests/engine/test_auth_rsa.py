"""caching_sha2_password and sha256_password over plain links: the password under the server's RSA key."""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mizzle.engine import auth
from mizzle.engine.auth import AuthContext
from mizzle.errors import OperationalError

NONCE = bytes(range(1, 21))
PASSWORD = b"s3cret-longer-than-the-nonce"

PLUGINS = pytest.mark.parametrize("name", ["caching_sha2_password", "sha256_password"])


@pytest.fixture(scope="session")
def server_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def pem(server_key: rsa.RSAPrivateKey) -> bytes:
    return server_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def context(password: bytes = PASSWORD, **more: Any) -> AuthContext:
    return AuthContext(**{"user": "ann", "password": password, "nonce": NONCE, "secure": False, **more})


def password_in(answer: bytes | None, key: rsa.RSAPrivateKey) -> bytes:
    """What the server makes of the answer."""
    assert answer is not None
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    return bytes(a ^ b for a, b in zip(key.decrypt(answer, oaep), cycle(NONCE), strict=False))


def up_to_the_key(name: str, auth_context: AuthContext) -> tuple[auth.Plugin, bytes | None]:
    """The plugin and its answer at the point where it asks for the key, or sends the password if it has the key."""
    plugin = auth.start(name, auth_context)
    answer = next(plugin)
    if name == "caching_sha2_password":
        answer = plugin.send(b"\x04")
    return plugin, answer


def refuses(plugin: auth.Plugin, data: bytes, match: str) -> None:
    with pytest.raises(OperationalError, match=match) as caught:
        plugin.send(data)
    assert caught.value.args[0] == 2061
    assert not caught.value.alive
    assert "s3cret" not in str(caught.value)
    with pytest.raises(StopIteration):
        plugin.send(data)


@PLUGINS
class TestBoth:
    def test_the_key_is_asked_for(self, name: str, server_key: rsa.RSAPrivateKey, pem: bytes) -> None:
        plugin, request = up_to_the_key(name, context())
        assert request == {"caching_sha2_password": b"\x02", "sha256_password": b"\x01"}[name]
        assert password_in(plugin.send(pem), server_key) == PASSWORD + b"\0"
        refuses(plugin, b"\x04", rf"{name}.*unexpected")

    def test_the_key_is_given(self, name: str, server_key: rsa.RSAPrivateKey, pem: bytes) -> None:
        plugin, answer = up_to_the_key(name, context(server_public_key=pem))
        assert password_in(answer, server_key) == PASSWORD + b"\0"
        refuses(plugin, pem, "unexpected")

    def test_pkcs1(self, name: str, server_key: rsa.RSAPrivateKey) -> None:
        plugin, _ = up_to_the_key(name, context())
        older = server_key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        assert password_in(plugin.send(older), server_key) == PASSWORD + b"\0"

    def test_the_longest_password(self, name: str, server_key: rsa.RSAPrivateKey, pem: bytes) -> None:
        longest = b"p" * (2048 // 8 - 42 - 1)
        _, answer = up_to_the_key(name, context(longest, server_public_key=pem))
        assert password_in(answer, server_key) == longest + b"\0"
        with pytest.raises(OperationalError, match="too long for the server's RSA key of 2048 bits") as caught:
            up_to_the_key(name, context(longest + b"p", server_public_key=pem))
        assert "ppp" not in str(caught.value)

    def test_a_truncated_key(self, name: str, pem: bytes) -> None:
        for length in range(len(pem.rstrip())):
            plugin, _ = up_to_the_key(name, context())
            refuses(plugin, pem[:length], rf"{name}.*what the server sent.*not a public key")

    def test_a_damaged_key(self, name: str, pem: bytes) -> None:
        for position in range(0, len(pem) - 1, 7):
            plugin, _ = up_to_the_key(name, context())
            damaged = pem[:position] + b"\xff" + pem[position + 1 :]
            refuses(plugin, damaged, rf"{name}.*what the server sent.*not a public key")

    @pytest.mark.parametrize("data", [b"", b"\x03", b"\x04", bytes(range(256)), b"-----BEGIN PUBLIC KEY-----\n" * 30])
    def test_no_key(self, name: str, data: bytes) -> None:
        plugin, _ = up_to_the_key(name, context())
        refuses(plugin, data, rf"{name}.*not a public key")

    def test_a_key_without_end(self, name: str, pem: bytes) -> None:
        plugin, _ = up_to_the_key(name, context())
        refuses(plugin, pem + b"\n" * 10_000, "more than any key")

    def test_another_kind_of_key(self, name: str) -> None:
        curve = ec.generate_private_key(ec.SECP256R1()).public_key()
        plugin, _ = up_to_the_key(name, context())
        refuses(plugin, curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "not an RSA key")

    def test_a_given_key_that_is_none(self, name: str) -> None:
        with pytest.raises(OperationalError, match=rf"{name}.*server_public_key is not a public key"):
            up_to_the_key(name, context(server_public_key=b"/etc/mysql/public_key.pem"))

    def test_an_odd_nonce(self, name: str, pem: bytes) -> None:
        with pytest.raises(OperationalError, match=rf"{name}.*nonce has 0 bytes"):
            up_to_the_key(name, context(server_public_key=pem, nonce=b""))

    def test_without_cryptography(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "cryptography", None)
        with pytest.raises(OperationalError, match=rf"{name}.*pip install mizzle\[rsa\].*TLS") as caught:
            up_to_the_key(name, context())
        assert caught.value.args[0] == 2061
        assert ("Unix socket" in str(caught.value)) == (name == "caching_sha2_password")


class TestSHA256Password:
    """What it does without RSA."""

    def test_empty_password(self) -> None:
        plugin = auth.start("sha256_password", context(b""))
        assert next(plugin) == b"\0"
        refuses(plugin, b"\0", "unexpected")

    def test_over_tls(self) -> None:
        plugin = auth.start("sha256_password", context(secure=True))
        assert next(plugin) == PASSWORD + b"\0"
        refuses(plugin, b"", "unexpected")

    def test_a_unix_socket_is_not_encrypted(self) -> None:
        assert next(auth.start("sha256_password", context(secure=True, unix_socket=True))) == b"\x01"
