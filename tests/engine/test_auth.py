"""The registry of authentication plugins, and the plugins without RSA: vectors, dialogues, hostile input."""

from __future__ import annotations

import base64
import hashlib
import random
import sys
from typing import Any

import pytest
from nacl.signing import SigningKey, VerifyKey

from mizzle.engine import auth
from mizzle.engine.auth import AuthContext
from mizzle.errors import OperationalError

NONCE = bytes(range(1, 21))
PASSWORD = b"s3cret-\xc3\xa9"


def context(password: bytes = PASSWORD, nonce: bytes = NONCE, **more: Any) -> AuthContext:
    return AuthContext(**{"user": "ann", "password": password, "nonce": nonce, "secure": False, **more})


def refuses(plugin: auth.Plugin, data: bytes) -> OperationalError:
    """The plugin takes no such AuthMoreData; gives the error after checking what all of them must say."""
    with pytest.raises(OperationalError) as caught:
        plugin.send(data)
    error = caught.value
    assert error.args[0] == 2061
    assert not error.alive
    assert PASSWORD.decode() not in str(error)
    assert repr(PASSWORD)[2:-1] not in str(error)
    return error


class TestRegistry:
    def test_names(self) -> None:
        assert set(auth.PLUGINS) == {
            "auth_gssapi_client",
            "authentication_kerberos_client",
            "authentication_ldap_sasl_client",
            "authentication_openid_connect_client",
            "authentication_webauthn_client",
            "dialog",
            "parsec",
            "mysql_native_password",
            "caching_sha2_password",
            "sha256_password",
            "client_ed25519",
            "mysql_clear_password",
        }

    @pytest.mark.parametrize(
        "name", ["authentication_oci_client", "", "authentication_fido_client", "mysql_native_passwor", "x" * 5000]
    )
    def test_unknown(self, name: str) -> None:
        with pytest.raises(OperationalError) as caught:
            auth.start(name, context())
        assert caught.value.args[0] == 2059
        assert repr(name[:64]) in caught.value.args[1]
        assert all(known in caught.value.args[1] for known in auth.PLUGINS)
        assert len(caught.value.args[1]) < 500
        assert (caught.value.sent, caught.value.alive) == (False, False)

    def test_old_password(self) -> None:
        with pytest.raises(OperationalError, match=r"before 4\.1") as caught:
            auth.start("mysql_old_password", context())
        assert caught.value.args[0] == 2059

    def test_repr_shows_no_secret(self) -> None:
        shown = repr(context(server_public_key=b"a key"))
        assert "s3cret" not in shown
        assert "ann" in shown


class TestNative:
    def test_server_can_verify(self) -> None:
        """The server has SHA1(SHA1(password)): what the scramble gives back must hash to it."""
        answer = next(auth.start("mysql_native_password", context()))
        assert answer is not None
        assert len(answer) == 20
        stored = hashlib.sha1(hashlib.sha1(PASSWORD).digest()).digest()
        mask = int.from_bytes(hashlib.sha1(NONCE + stored).digest(), "big")
        candidate = (int.from_bytes(answer, "big") ^ mask).to_bytes(20, "big")
        assert hashlib.sha1(candidate).digest() == stored

    def test_empty_password(self) -> None:
        assert next(auth.start("mysql_native_password", context(b""))) == b""

    def test_nothing_more_is_expected(self) -> None:
        plugin = auth.start("mysql_native_password", context())
        next(plugin)
        assert "mysql_native_password" in str(refuses(plugin, b"\x03"))


class TestNonce:
    @pytest.mark.parametrize("name", ["mysql_native_password", "caching_sha2_password"])
    def test_a_trailing_nul_does_no_harm(self, name: str) -> None:
        assert next(auth.start(name, context(nonce=NONCE + b"\0"))) == next(auth.start(name, context()))

    @pytest.mark.parametrize("name", ["mysql_native_password", "caching_sha2_password", "client_ed25519"])
    @pytest.mark.parametrize("length", [*range(20), 21, 22, 31, 33, 300])
    def test_any_other_length_is_refused(self, name: str, length: int) -> None:
        with pytest.raises(OperationalError, match=rf"{name}.*nonce has {length} bytes") as caught:
            next(auth.start(name, context(nonce=b"n" * length)))
        assert caught.value.args[0] == 2061


class TestClear:
    def test_over_a_secure_link(self) -> None:
        plugin = auth.start("mysql_clear_password", context(secure=True))
        assert next(plugin) == PASSWORD + b"\0"
        refuses(plugin, b"")

    def test_refused_over_a_plain_link(self) -> None:
        with pytest.raises(OperationalError, match=r"mysql_clear_password.*not encrypted; nothing was sent") as caught:
            next(auth.start("mysql_clear_password", context()))
        assert caught.value.args[0] == 2061
        assert "ssl_mode" in (caught.value.hint or "")


class TestCachingSHA2:
    """All but the RSA exchange: that is in test_auth_rsa.py."""

    def test_server_can_verify(self) -> None:
        """The server's cache has SHA256(SHA256(password))."""
        answer = next(auth.start("caching_sha2_password", context()))
        assert answer is not None
        assert len(answer) == 32
        cached = hashlib.sha256(hashlib.sha256(PASSWORD).digest()).digest()
        mask = int.from_bytes(hashlib.sha256(cached + NONCE).digest(), "big")
        candidate = (int.from_bytes(answer, "big") ^ mask).to_bytes(32, "big")
        assert hashlib.sha256(candidate).digest() == cached

    def test_fast(self) -> None:
        plugin = auth.start("caching_sha2_password", context())
        next(plugin)
        assert plugin.send(b"\x03") is None
        refuses(plugin, b"\x04")

    def test_full_over_a_secure_link(self) -> None:
        plugin = auth.start("caching_sha2_password", context(secure=True, unix_socket=True))
        next(plugin)
        assert plugin.send(b"\x04") == PASSWORD + b"\0"
        refuses(plugin, b"\x04")

    def test_empty_password(self) -> None:
        plugin = auth.start("caching_sha2_password", context(b""))
        assert next(plugin) == b"\0"
        refuses(plugin, b"\x04")

    @pytest.mark.parametrize(
        "data", [b"", b"\0", b"\x02", b"\x05", b"\x03\x03", b"\x04\0", b"-----BEGIN", b"x" * 100_000]
    )
    @pytest.mark.parametrize("secure", [True, False])
    def test_odd_verdict(self, data: bytes, secure: bool) -> None:
        plugin = auth.start("caching_sha2_password", context(secure=secure))
        next(plugin)
        error = refuses(plugin, data)
        assert f"{len(data)} unexpected bytes" in str(error)
        assert len(str(error)) < 200


class TestEd25519:
    def test_equals_ed25519_where_the_password_is_a_seed(self) -> None:
        """A password of 32 bytes is a seed of the standard's: the signatures must be the same."""
        rng = random.Random(1)
        for _ in range(20):
            seed, nonce = rng.randbytes(32), rng.randbytes(32)
            answer = next(auth.start("client_ed25519", context(seed, nonce)))
            assert answer == SigningKey(seed).sign(nonce).signature

    # password -> authentication_string, as MariaDB stores them.
    STORED = (
        (b"secret", "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"),
        (b"", "4LH+dBF+G5W2CKTyId8xR3SyDqZoQjUNUVNxx8aWbG4"),
    )

    @pytest.mark.parametrize(("password", "stored"), STORED)
    def test_server_can_verify(self, password: bytes, stored: str) -> None:
        key = VerifyKey(base64.b64decode(stored + "="))
        nonce = bytes(range(224, 256))
        answer = next(auth.start("client_ed25519", context(password, nonce)))
        assert answer is not None
        assert key.verify(nonce, answer) == nonce

    def test_a_nonce_may_end_in_nul(self) -> None:
        assert next(auth.start("client_ed25519", context(nonce=b"n" * 31 + b"\0")))

    def test_nothing_more_is_expected(self) -> None:
        plugin = auth.start("client_ed25519", context(nonce=b"n" * 32))
        next(plugin)
        refuses(plugin, b"")

    def test_without_pynacl(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "nacl", None)
        with pytest.raises(OperationalError, match=r"client_ed25519.*pip install mizzle\[ed25519\]") as caught:
            next(auth.start("client_ed25519", context(nonce=b"n" * 32)))
        assert caught.value.args[0] == 2061
