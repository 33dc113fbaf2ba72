"""The plugins whose servers are rare, each byte by byte: what they say, what they refuse to say, and to whom."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

import pytest
import scramp
from nacl.signing import SigningKey, VerifyKey

from mizzle.engine import auth
from mizzle.engine.auth import AuthContext
from mizzle.engine.auth.scram import Scram, ScramError, saslprep
from mizzle.errors import OperationalError
from mizzle.types import WebAuthnAssertion, WebAuthnRequest

PASSWORD = b"s3cret-\xc3\xa9"
NONCE = bytes(range(32))


def context(**more: Any) -> AuthContext:
    return AuthContext(**{"user": "ann", "password": PASSWORD, "nonce": NONCE, "secure": True, **more})


def begin(name: str, made: AuthContext) -> tuple[auth.Plugin, bytes | None]:
    plugin = auth.start(name, made)
    return plugin, next(plugin)


def refuses(plugin: auth.Plugin, data: bytes | None, words: str) -> None:
    """`data` None: it has not begun."""
    with pytest.raises(OperationalError, match=words) as caught:
        plugin.send(data)  # type: ignore[arg-type]
    error = caught.value
    assert (error.errno, error.alive) == (2061, False)
    assert "s3cret" not in repr((error, error.hint, error.__cause__))
    assert len(str(error)) < 700


class TestParsec:
    SALT = b"P\x01" + bytes(range(100, 118))

    def test_server_can_verify(self) -> None:
        """The server has the salt and the public key, and the signature is over its nonce and the client's."""
        made = context()
        plugin, first = begin("parsec", made)
        assert first == b""
        answer = plugin.send(self.SALT)
        assert answer is not None
        assert len(answer) == 32 + 64
        assert made.stored is not None
        assert made.stored[:20] == self.SALT
        seed = hashlib.pbkdf2_hmac("sha512", PASSWORD, self.SALT[2:], 2048, 32)
        key = VerifyKey(made.stored[20:])
        assert key.verify(NONCE + answer[:32], answer[32:])
        assert key == SigningKey(seed).verify_key
        refuses(plugin, b"", "unexpected bytes")

    def test_each_signature_has_a_nonce_of_its_own(self) -> None:
        answers = []
        for _ in range(2):
            plugin, _ = begin("parsec", context())
            answers.append(plugin.send(self.SALT))
        assert answers[0] != answers[1]

    @pytest.mark.parametrize("nonce", [b"", NONCE[:20], NONCE + b"\0"])
    def test_nonces_of_another_length(self, nonce: bytes) -> None:
        refuses(auth.start("parsec", context(nonce=nonce)), None, "32 are needed")

    @pytest.mark.parametrize("data", [SALT + b"\0", b"Q" + SALT[1:], b"", b"P", SALT[:2], SALT[:19]])
    def test_salts_that_are_none(self, data: bytes) -> None:
        plugin, _ = begin("parsec", context())
        refuses(plugin, data, "unexpected bytes")

    @pytest.mark.parametrize("doublings", [10, 31, 255])
    def test_work_without_end(self, doublings: int) -> None:
        """The server says how often the password is hashed."""
        plugin, _ = begin("parsec", context())
        refuses(plugin, b"P" + bytes((doublings,)) + self.SALT[2:], "are allowed")

    def test_without_pynacl(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "nacl.bindings", None)
        plugin, _ = begin("parsec", context())
        refuses(plugin, self.SALT, r"pip install mizzle\[parsec\]")


class TestDialog:
    def test_the_password_is_the_answer_to_the_question_for_it(self) -> None:
        plugin, answer = begin("dialog", context(nonce=b"\x05Password: "))
        assert answer == PASSWORD + b"\0"
        refuses(plugin, b"\x05Again: ", "after its last")

    def test_questions_for_the_callback(self) -> None:
        asked = []

        def answers(question: str, echo: bool) -> str | bytes:
            asked.append((question, echo))
            return ["grün", b"123"][len(asked) - 1]

        plugin, answer = begin("dialog", context(nonce=b"\x02Colour?", dialog=answers))
        assert answer == "grün".encode() + b"\0"
        assert plugin.send(b"\x04Password: ") == PASSWORD + b"\0"
        assert plugin.send(b"\x05Code: ") == b"123\0"
        assert asked == [("Colour?", True), ("Code: ", False)]

    def test_a_question_that_comes_later(self) -> None:
        plugin, answer = begin("dialog", context(nonce=b""))
        assert answer is None
        assert plugin.send(b"\x05Password: ") == PASSWORD + b"\0"

    def test_the_password_is_given_once(self) -> None:
        plugin, _ = begin("dialog", context(nonce=b"\x04Password: "))
        refuses(plugin, b"\x05Password: ", "nobody answers")

    def test_nothing_in_the_clear(self) -> None:
        refuses(auth.start("dialog", context(secure=False, nonce=b"\x05Password: ")), None, "nothing was sent")

    def test_nobody_answers(self) -> None:
        refuses(auth.start("dialog", context(nonce=b"\x03" + b"?" * 5000)), None, "nobody answers")
        refuses(auth.start("dialog", context(password=b"", nonce=b"\x05Password: ")), None, "nobody answers")

    @pytest.mark.parametrize("question", [b"\x00x", b"\x01x", b"\x06x", b"\xffx", b"\xfb/etc/passwd"])
    def test_unknown_questions(self, question: bytes) -> None:
        refuses(auth.start("dialog", context(nonce=question)), None, "unknown type")

    @pytest.mark.parametrize("answer", [None, 7, b"a\0b", "a\0b"])
    def test_answers_that_are_none(self, answer: Any) -> None:
        refuses(auth.start("dialog", context(nonce=b"\x03x", dialog=lambda *_: answer)), None, "must give a str")


class TestOpenIDConnect:
    NAME = "authentication_openid_connect_client"

    @pytest.mark.parametrize(
        ("length", "prefix"), [(1, b"\x01"), (250, b"\xfa"), (251, b"\xfc\xfb\0"), (10240, b"\xfc\0\x28")]
    )
    @pytest.mark.feature("OpenID Connect")
    def test_token(self, length: int, prefix: bytes) -> None:
        plugin, answer = begin(self.NAME, context(openid_token=b"t" * length))
        assert answer == b"\x01" + prefix + b"t" * length
        refuses(plugin, b"\x01", "unexpected bytes")

    def test_refusals(self) -> None:
        refuses(auth.start(self.NAME, context(openid_token=b"t", secure=False)), None, "nothing was sent")
        refuses(auth.start(self.NAME, context()), None, "none was given")
        refuses(auth.start(self.NAME, context(openid_token=b"t" * 10241)), None, "more than 10,240 bytes")


class TestWebAuthn:
    NAME = "authentication_webauthn_client"
    CHALLENGE = b"\x01\x20" + NONCE + b"\x0bmysql.local"

    def asks(self, credential: bytes = b"\x03key", **assertion: Any) -> tuple[list[WebAuthnRequest], bytes]:
        requests: list[WebAuthnRequest] = []

        def sign(request: WebAuthnRequest) -> WebAuthnAssertion:
            requests.append(request)
            return WebAuthnAssertion(**{"authenticator_data": b"d" * 37, "signature": b"sig"} | assertion)

        plugin, first = begin(self.NAME, context(nonce=self.CHALLENGE, webauthn=sign))
        assert first == b"\x01"
        answer = plugin.send(credential)
        assert answer is not None
        refuses(plugin, b"", "unexpected bytes")
        return requests, answer

    @pytest.mark.feature("WebAuthn")
    def test_an_assertion(self) -> None:
        [request], answer = self.asks()
        assert (request.rp_id, request.challenge, request.credential_id) == ("mysql.local", NONCE, b"key")
        told = json.loads(request.client_data_json)
        assert told["type"] == "webauthn.get"
        assert told["origin"] == "https://mysql.local"
        assert base64.urlsafe_b64decode(told["challenge"] + "=") == NONCE
        assert request.client_data_hash == hashlib.sha256(request.client_data_json).digest()
        client_data = request.client_data_json
        expected = b"\x02\x01\x27\x58\x25" + b"d" * 37 + b"\x03sig" + bytes((len(client_data),)) + client_data
        assert answer == expected

    def test_a_credential_in_the_authenticator(self) -> None:
        [request], _ = self.asks(b"")
        assert request.credential_id is None

    @pytest.mark.parametrize(("length", "head"), [(10, b"\x0b\x4a"), (23, b"\x18\x57"), (24, b"\x1a\x58\x18")])
    def test_data_in_cbor(self, length: int, head: bytes) -> None:
        _, answer = self.asks(authenticator_data=b"d" * length)
        assert answer.startswith(b"\x02\x01" + head + b"d" * length)
        _, answer = self.asks(authenticator_data=b"d" * 300)
        assert answer.startswith(b"\x02\x01\xfc\x2f\x01\x59\x01\x2c" + b"d" * 300)

    def test_client_data_of_the_callbacks_own(self) -> None:
        _, answer = self.asks(client_data_json=b"{}")
        assert answer.endswith(b"\x02{}")

    def test_several_assertions(self) -> None:
        made = [WebAuthnAssertion(b"a", b"1"), WebAuthnAssertion(b"b", b"2")]
        plugin, _ = begin(self.NAME, context(nonce=self.CHALLENGE, webauthn=lambda _: made))
        answer = plugin.send(b"")
        assert answer is not None
        assert answer.startswith(b"\x02\x02\x02\x41a\x011\x02\x41b\x012")
        plugin, _ = begin(self.NAME, context(nonce=self.CHALLENGE, webauthn=lambda _: []))
        refuses(plugin, b"", "gave 0 assertions")

    def test_without_a_callback(self) -> None:
        refuses(auth.start(self.NAME, context(nonce=self.CHALLENGE)), None, "nobody to ask")

    def test_an_account_without_a_credential(self) -> None:
        plugin, answer = begin(self.NAME, context(nonce=b"", webauthn=lambda _: []))
        assert answer is None
        refuses(plugin, b"x", "unexpected bytes")

    @pytest.mark.parametrize("cut", range(1, len(CHALLENGE)))
    def test_truncated_challenges(self, cut: int) -> None:
        plugin = auth.start(self.NAME, context(nonce=self.CHALLENGE[:cut], webauthn=lambda _: []))
        refuses(plugin, None, "unexpected bytes")

    @pytest.mark.parametrize("named", [b"\x05key", b"\xfc", b"\xfc\xff\xffkey", b"\xfb", b"\xfe" + b"\xff" * 8, b"\0"])
    def test_credentials_that_are_none(self, named: bytes) -> None:
        plugin, _ = begin(self.NAME, context(nonce=self.CHALLENGE, webauthn=lambda _: []))
        refuses(plugin, named, "unexpected bytes")


class TestScram:
    NAME = "authentication_ldap_sasl_client"
    # RFC 5802, section 5, and RFC 7677, section 3
    VECTORS = (
        (
            "SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL",
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO",
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    )  # fmt: skip

    @pytest.mark.parametrize(("mechanism", "nonce", "first", "final", "verdict"), VECTORS)
    def test_vectors(self, mechanism: str, nonce: str, first: bytes, final: bytes, verdict: bytes) -> None:
        scram = Scram(mechanism, "user", b"pencil", nonce, authzid=False)
        assert scram.first() == f"n,,n=user,r={nonce}".encode()
        assert scram.final(first) == final
        scram.verify(verdict)
        with pytest.raises(ScramError):
            scram.verify(verdict[:-2] + b"A=")

    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
    @pytest.mark.parametrize("user", ["ann", "a=b,c", "\u00aaI\u00adX"])
    @pytest.mark.feature("LDAP SASL (SCRAM)")
    def test_with_another_implementation(self, mechanism: str, user: str) -> None:
        """scramp plays the server. It knows no other name to act for, so that this exchange has none."""
        theirs = scramp.ScramMechanism(mechanism)
        info = theirs.make_auth_info("pass\u00a0word", iteration_count=4096)
        server = theirs.make_server(lambda _: info)
        client = Scram(mechanism, user, "pass\u00a0word".encode(), authzid=False)
        server.set_client_first(client.first().decode())
        final = client.final(server.get_server_first().encode())
        server.set_client_final(final.decode())
        client.verify(server.get_server_final().encode())

    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
    @pytest.mark.feature("LDAP SASL (SCRAM)")
    def test_the_plugin(self, mechanism: str) -> None:
        made = context(nonce=mechanism.encode())
        plugin, first = begin(self.NAME, made)
        assert first is not None
        assert first.startswith(b"n,a=ann,n=ann,r=")
        assert made.owed
        nonce = first.rpartition(b"r=")[2]
        server_first = b"r=" + nonce + b"xyz,s=QSXCR+Q6sek8bf92,i=4096"
        final = plugin.send(server_first)
        assert final is not None
        assert final.startswith(b"c=" + base64.b64encode(b"n,a=ann,") + b",r=" + nonce + b"xyz,p=")
        algorithm = "sha1" if mechanism == "SCRAM-SHA-1" else "sha256"
        salted = hashlib.pbkdf2_hmac(algorithm, PASSWORD, base64.b64decode("QSXCR+Q6sek8bf92"), 4096)
        message = first[8:] + b"," + server_first + b"," + final.rpartition(b",p=")[0]

        signature = hmac.new(hmac.digest(salted, b"Server Key", algorithm), message, algorithm).digest()
        assert plugin.send(b"v=" + base64.b64encode(signature)) is None
        assert not made.owed
        refuses(plugin, b"", "unexpected bytes")

    def test_a_server_that_does_not_know_the_password(self) -> None:
        made = context(nonce=b"SCRAM-SHA-256")
        plugin, first = begin(self.NAME, made)
        assert first is not None
        plugin.send(b"r=" + first.rpartition(b"r=")[2] + b"xyz,s=QSXCR+Q6sek8bf92,i=4096")
        refuses(plugin, b"v=" + base64.b64encode(bytes(32)), "does not prove")
        assert made.owed

    @pytest.mark.parametrize(
        ("message", "words"),
        [
            (b"", "first message"), (b"e=other-error", "first message"), (b"r=,s=,i=", "first message"),
            (b"r=%bxyz,s=QSXC,i=-1", "first message"), (b"r=%bxyz,s=QSXC,i=99999999999", "first message"),
            (b"r=another,s=QSXC,i=4096", "begin with ours"), (b"r=%b,s=QSXC,i=4096", "begin with ours"),
            (b"r=%bxyz,s=Q,i=4096", "not base64"), (b"r=%bxyz,s=QSXC,i=0", "iterations"),
            (b"r=%bxyz,s=QSXC,i=999999999", "iterations"), (b"x" * 100_000, "first message"),
        ],
    )  # fmt: skip
    def test_hostile_first_messages(self, message: bytes, words: str) -> None:
        plugin, first = begin(self.NAME, context(nonce=b"SCRAM-SHA-1"))
        assert first is not None
        refuses(plugin, message.replace(b"%b", first.rpartition(b"r=")[2]), words)

    @pytest.mark.parametrize("mechanism", [b"", b"GSSAPI", b"PLAIN", b"SCRAM-SHA-1-PLUS", b"x" * 5000])
    def test_mechanisms_that_are_not_there(self, mechanism: bytes) -> None:
        refuses(auth.start(self.NAME, context(nonce=mechanism)), None, "mizzle has SCRAM-SHA-1, SCRAM-SHA-256")

    def test_saslprep(self) -> None:
        """RFC 4013, section 3."""
        assert saslprep("I\u00adX") == "IX"
        assert saslprep("USER") == "USER"
        assert saslprep("\u00aa") == "a"
        assert saslprep("\u2168") == "IX"
        for text in ("\u0007", "\u06271"):
            with pytest.raises(ScramError):
                saslprep(text)


class TestKerberos:
    @pytest.mark.parametrize("name", ["auth_gssapi_client", "authentication_kerberos_client"])
    def test_without_gssapi(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setitem(sys.modules, "gssapi", None)
        nonce = b"\x03\0svc\x05\0REALM" if name == "authentication_kerberos_client" else b"svc\0Kerberos\0"
        refuses(auth.start(name, context(nonce=nonce)), None, r"pip install mizzle\[gssapi\]")

    @pytest.mark.parametrize("cut", range(len(b"\x03\0svc\x05\0REALM")))
    def test_truncated_principals(self, cut: int) -> None:
        plugin = auth.start("authentication_kerberos_client", context(nonce=b"\x03\0svc\x05\0REALM"[:cut]))
        refuses(plugin, None, "unexpected bytes")

    def test_a_server_without_a_principal(self) -> None:
        refuses(auth.start("auth_gssapi_client", context(nonce=b"\0Kerberos\0")), None, "does not say its principal")
