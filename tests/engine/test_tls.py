"""The TLS filter against a server's end in memory, and the contexts that options make."""

from __future__ import annotations

import datetime
import os
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mizzle.engine import tls
from mizzle.engine.tls import TLSFilter, context_for
from mizzle.errors import OperationalError

HOST = "db.example"


def options(mode: str = "verify_identity", **more: Any) -> Any:
    none = dict.fromkeys(("ssl", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher"))
    return SimpleNamespace(**{**none, "ssl_mode": mode, "tls_versions": (), **more})


class Files:
    """Certificates, made once for all tests here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        long_ago = datetime.datetime(2001, 1, 1)
        self.good = self.authority.issue_cert(HOST, "192.0.2.7")
        self.expired = self.authority.issue_cert(HOST, not_before=long_ago, not_after=long_ago.replace(year=2002))
        self.elsewhere = self.authority.issue_cert("other.example", "192.0.2.8")
        self.unnamed = self.authority.issue_cert(common_name="MySQL_Server_Auto_Generated")
        self.unknown = trustme.CA().issue_cert(HOST)
        client = self.authority.issue_cert("ann@db.example")
        self.client_cert = self.write("client.pem", client.cert_chain_pems[0].bytes())
        self.client_key = self.write("client.key", client.private_key_pem.bytes())
        key = load_pem_private_key(client.private_key_pem.bytes(), None)
        self.locked_key = self.write(
            "locked.key",
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")),
        )

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def server_context(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_contexts_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_contexts", {})


class Server:
    """The server's end: bytes in, bytes out."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.alert: str | None = None

    def step(self, data: bytes, action: Callable[[], object]) -> bytes:
        self._incoming.write(data)
        try:
            action()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.alert = error.reason
        return self._outgoing.read()

    def handshake(self, data: bytes) -> bytes:
        return self.step(data, self.ssl_object.do_handshake)

    def say(self, data: bytes) -> bytes:
        return self.step(b"", lambda: self.ssl_object.write(data))

    def hear(self, data: bytes) -> bytes:
        self._incoming.write(data)
        parts = []
        while self._incoming.pending:
            parts.append(self.ssl_object.read(1 << 20))
        return b"".join(parts)


def shake_hands(client: TLSFilter, server: Server, step: int = 1 << 20) -> None:
    """Both sides until the client is done; the server's bytes arrive in pieces of `step`."""
    for _ in range(5):
        done = client.handshake()
        arriving = server.handshake(client.pending())
        for start in range(0, len(arriving), step):
            assert client.receive(arriving[start : start + step]) == b""
            if not done:
                done = client.handshake()
        if done and not arriving:
            return
    raise AssertionError("the handshake has no end")


def failure(client: TLSFilter, server: Server) -> OperationalError:
    with pytest.raises(OperationalError) as caught:
        shake_hands(client, server)
    error = caught.value
    assert error.args[0] == 2026
    assert (error.sent, error.alive) == (False, False)
    assert "_ssl.c" not in str(error)
    return error


@pytest.fixture(params=["TLSv1.2", "TLSv1.3"])
def pair(request: pytest.FixtureRequest, files: Files) -> tuple[TLSFilter, Server]:
    """Two ends that have shaken hands."""
    context = context_for(options(ssl_ca=files.ca, tls_versions=(request.param,)))
    assert context is not None
    client, server = TLSFilter(context, HOST), Server(files.server_context(files.good))
    shake_hands(client, server)
    assert client.ssl_object.version() == request.param
    return client, server


class TestData:
    @pytest.mark.parametrize("size", [1, 100, 16383, 16384, 16385, 65536, 1_000_000])
    def test_both_ways(self, pair: tuple[TLSFilter, Server], size: int) -> None:
        client, server = pair
        data = os.urandom(size)
        assert server.hear(client.send(data)) == data
        assert client.receive(server.say(data)) == data

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_kinds_of_bytes(self, pair: tuple[TLSFilter, Server], kind: type) -> None:
        client, server = pair
        assert server.hear(client.send(kind(b"SELECT 1"))) == b"SELECT 1"
        assert client.receive(kind(server.say(b"1"))) == b"1"

    def test_nothing(self, pair: tuple[TLSFilter, Server]) -> None:
        client, _ = pair
        assert client.send(b"") == b""
        assert client.receive(b"") == b""
        assert not client.closed

    def test_byte_by_byte(self, pair: tuple[TLSFilter, Server]) -> None:
        client, server = pair
        arriving = server.say(b"first") + server.say(b"second")
        plain = [client.receive(arriving[i : i + 1]) for i in range(len(arriving))]
        assert [part for part in plain if part] == [b"first", b"second"]

    @pytest.mark.parametrize("step", [7, 1000, 16384, 16385, 65536])
    def test_in_pieces(self, pair: tuple[TLSFilter, Server], step: int) -> None:
        client, server = pair
        data = os.urandom(100_000)
        arriving = b"".join(server.say(data[i : i + 3000]) for i in range(0, len(data), 3000))
        plain = [client.receive(arriving[i : i + step]) for i in range(0, len(arriving), step)]
        assert b"".join(plain) == data

    def test_many_small_records_at_once(self, pair: tuple[TLSFilter, Server]) -> None:
        client, server = pair
        arriving = b"".join(server.say(b"%05d" % i) for i in range(5000))
        assert client.receive(arriving) == b"".join(b"%05d" % i for i in range(5000))

    def test_a_damaged_record(self, pair: tuple[TLSFilter, Server]) -> None:
        client, server = pair
        arriving = bytearray(server.say(b"money"))
        arriving[-1] ^= 1
        with pytest.raises(OperationalError, match="TLS failed while receiving") as caught:
            client.receive(arriving)
        assert caught.value.args[0] == 2026
        assert (caught.value.sent, caught.value.alive) == (True, False)

    def test_plain_text_after_the_handshake(self, pair: tuple[TLSFilter, Server]) -> None:
        client, _ = pair
        with pytest.raises(OperationalError, match="TLS failed while receiving"):
            client.receive(b"\x07\0\0\x02\0\0\0\x02\0\0\0")


class TestClose:
    def test_the_server_closes(self, pair: tuple[TLSFilter, Server]) -> None:
        client, server = pair
        arriving = server.say(b"bye") + server.step(b"", server.ssl_object.unwrap)
        assert not client.closed
        assert client.receive(arriving) == b"bye"
        assert client.closed
        assert client.receive(b"whatever") == b""

    def test_the_client_closes(self, pair: tuple[TLSFilter, Server]) -> None:
        client, server = pair
        answer = server.step(client.close(), lambda: server.ssl_object.read(1) == b"" and server.ssl_object.unwrap())
        assert server.alert is None
        assert client.receive(answer) == b""
        assert client.closed

    def test_close_in_the_handshake(self) -> None:
        client = TLSFilter(context_for(options("required")), HOST)
        assert not client.handshake()
        assert client.pending()
        assert client.close() == b""


class TestHandshake:
    @pytest.mark.parametrize("mode", ["preferred", "required", "verify_ca", "verify_identity"])
    @pytest.mark.parametrize("step", [1, 1 << 20])
    def test_good(self, files: Files, mode: str, step: int) -> None:
        client = TLSFilter(context_for(options(mode, ssl_ca=files.ca)), HOST)
        server = Server(files.server_context(files.good))
        shake_hands(client, server, step)
        assert client.handshake()
        assert client.ssl_object.version() == "TLSv1.3"
        assert client.receive(server.say(b"x")) == b"x"

    def test_an_address(self, files: Files) -> None:
        context = context_for(options(ssl_ca=files.ca))
        shake_hands(TLSFilter(context, "192.0.2.7"), Server(files.server_context(files.good)))
        error = failure(TLSFilter(context, "192.0.2.9"), Server(files.server_context(files.good)))
        assert "not for '192.0.2.9' but for: db.example, 192.0.2.7" in str(error)

    @pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
    def test_wrong_host(self, files: Files, version: str) -> None:
        asked = options(ssl_ca=files.ca, tls_versions=(version,))
        error = failure(TLSFilter(context_for(asked), HOST), Server(files.server_context(files.elsewhere)))
        assert "certificate is not for 'db.example' but for: other.example, 192.0.2.8" in str(error)
        assert "verify_ca" in (error.hint or "")

    def test_only_a_common_name(self, files: Files) -> None:
        error = failure(
            TLSFilter(context_for(options(ssl_ca=files.ca)), HOST), Server(files.server_context(files.unnamed))
        )
        assert "but for: MySQL_Server_Auto_Generated" in str(error)

    def test_verify_ca_takes_any_name(self, files: Files) -> None:
        context = context_for(options("verify_ca", ssl_ca=files.ca))
        shake_hands(TLSFilter(context, HOST), Server(files.server_context(files.elsewhere)))
        shake_hands(TLSFilter(context, None), Server(files.server_context(files.elsewhere)))

    @pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
    def test_expired(self, files: Files, mode: str) -> None:
        error = failure(
            TLSFilter(context_for(options(mode, ssl_ca=files.ca)), HOST), Server(files.server_context(files.expired))
        )
        assert "a certificate has expired, the server's is valid until Jan  1 00:00:00 2002 GMT" in str(error)
        assert "Renew" in (error.hint or "")

    @pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
    def test_unknown_ca(self, files: Files, mode: str) -> None:
        error = failure(
            TLSFilter(context_for(options(mode, ssl_ca=files.ca)), HOST), Server(files.server_context(files.unknown))
        )
        assert "CA that is not trusted here" in str(error)
        assert "ssl_ca" in (error.hint or "")

    def test_the_systems_cas_by_default(self, files: Files) -> None:
        error = failure(TLSFilter(context_for(options("verify_ca")), HOST), Server(files.server_context(files.good)))
        assert "CA that is not trusted here" in str(error)

    @pytest.mark.parametrize("mode", ["preferred", "required"])
    @pytest.mark.parametrize("certificate", ["expired", "elsewhere", "unknown"])
    def test_without_verification_any_certificate_will_do(self, files: Files, mode: str, certificate: str) -> None:
        client = TLSFilter(context_for(options(mode)), HOST)
        shake_hands(client, Server(files.server_context(getattr(files, certificate))))

    def test_the_alert_can_be_sent(self, files: Files) -> None:
        client = TLSFilter(context_for(options("verify_ca", ssl_ca=files.ca)), HOST)
        server = Server(files.server_context(files.unknown))
        failure(client, server)
        server.handshake(client.pending())
        assert server.alert == "TLSV1_ALERT_UNKNOWN_CA"

    def test_cut_anywhere(self, files: Files) -> None:
        """The server's first flight truncated at every length: the handshake waits, and never says done."""
        server = Server(files.server_context(files.good))
        client = TLSFilter(context_for(options(ssl_ca=files.ca)), HOST)
        assert not client.handshake()
        flight = server.handshake(client.pending())
        for i in range(len(flight) - 1):
            client.receive(flight[i : i + 1])
            assert not client.handshake()
        client.receive(flight[-1:])
        assert client.handshake()

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x17\0\0\x02\xff\x10\x04#08S01Bad handshake", b"\0" * 100]
    )
    def test_the_answer_is_not_tls(self, answer: bytes) -> None:
        client = TLSFilter(context_for(options("required")), HOST)
        assert not client.handshake()
        client.receive(answer)
        with pytest.raises(OperationalError, match="TLS handshake failed") as caught:
            client.handshake()
        assert caught.value.args[0] == 2026
        assert "does not speak TLS" in (caught.value.hint or "")

    def test_no_common_version(self, files: Files) -> None:
        old = files.server_context(files.good)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        error = failure(TLSFilter(context_for(options("required", tls_versions=("TLSv1.3",))), HOST), Server(old))
        assert "tls_versions" in (error.hint or "")

    def test_no_common_cipher(self, files: Files) -> None:
        server = files.server_context(files.good)
        server.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        asked = options("required", tls_versions=("TLSv1.2",), ssl_cipher="ECDHE-ECDSA-CHACHA20-POLY1305")
        error = failure(TLSFilter(context_for(asked), HOST), Server(server))
        assert "cipher" in (error.hint or "")

    @pytest.mark.parametrize("host", [".db.example", "", "a" * 64 + ".example", "db_1.example", None])
    def test_a_host_that_cannot_be_a_server_name(self, files: Files, host: str | None) -> None:
        shake_hands(TLSFilter(context_for(options("required")), host), Server(files.server_context(files.good)))
        context, server = context_for(options(ssl_ca=files.ca)), Server(files.server_context(files.good))
        with pytest.raises(OperationalError) as caught:
            shake_hands(TLSFilter(context, host), server)
        assert caught.value.args[0] == 2026


class TestClientCertificate:
    @pytest.fixture
    def demanding(self, files: Files) -> Server:
        context = files.server_context(files.good)
        context.verify_mode = ssl.CERT_REQUIRED
        files.authority.configure_trust(context)
        return Server(context)

    def test_given(self, files: Files, demanding: Server) -> None:
        asked = options("required", ssl_cert=files.client_cert, ssl_key=files.client_key)
        shake_hands(TLSFilter(context_for(asked), HOST), demanding)
        certificate = demanding.ssl_object.getpeercert()
        assert certificate is not None
        assert ("email", "ann@db.example") in certificate["subjectAltName"]

    def test_missing(self, demanding: Server) -> None:
        """In TLS 1.3 the client is done before the server refuses: the alert comes with the first data."""
        client = TLSFilter(context_for(options("required")), HOST)
        with pytest.raises(OperationalError, match="TLS failed while receiving") as caught:
            shake_hands(client, demanding)
        assert "ssl_cert" in (caught.value.hint or "")

    def test_locked_key(self, files: Files, demanding: Server) -> None:
        asked = {"ssl_cert": files.client_cert, "ssl_key": files.locked_key}
        shake_hands(
            TLSFilter(context_for(options("required", **asked, ssl_key_password="open sesame")), HOST), demanding
        )
        with pytest.raises(OperationalError, match="give ssl_key_password"):
            context_for(options("required", **asked))
        with pytest.raises(OperationalError, match=r"ssl_cert.*cannot be used") as caught:
            context_for(options("required", **asked, ssl_key_password="guessed"))
        assert "guessed" not in str(caught.value)


class TestContexts:
    def test_disabled(self) -> None:
        assert context_for(options("disabled")) is None

    def test_the_users_own(self) -> None:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        assert context_for(options("verify_identity", ssl=own)) is own
        assert context_for(options("disabled", ssl=own)) is None

    @pytest.mark.parametrize(
        ("mode", "verify", "host"),
        [
            ("preferred", ssl.CERT_NONE, False),
            ("required", ssl.CERT_NONE, False),
            ("verify_ca", ssl.CERT_REQUIRED, False),
            ("verify_identity", ssl.CERT_REQUIRED, True),
        ],
    )
    def test_modes(self, mode: str, verify: ssl.VerifyMode, host: bool) -> None:
        context = context_for(options(mode))
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (verify, host)
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2

    def test_versions(self) -> None:
        context = context_for(options("required", tls_versions=("TLSv1.2",)))
        assert context is not None
        assert context.maximum_version == ssl.TLSVersion.TLSv1_2
        with pytest.raises(OperationalError, match=r"tls_versions.*'TLSv1.1' is none of TLSv1.2, TLSv1.3"):
            context_for(options("required", tls_versions=("TLSv1.1",)))

    def test_one_for_the_same_settings(self, files: Files) -> None:
        first = context_for(options(ssl_ca=files.ca))
        assert context_for(options(ssl_ca=files.ca)) is first
        assert context_for(options("verify_ca", ssl_ca=files.ca)) is not first
        assert context_for(options(ssl_ca=files.ca, tls_versions=("TLSv1.3",))) is not first

    def test_a_replaced_file_makes_a_new_one(self, files: Files, tmp_path: Path) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(files.authority.cert_pem.bytes())
        first = context_for(options(ssl_ca=str(ca)))
        ca.write_bytes(trustme.CA().cert_pem.bytes())
        second = context_for(options(ssl_ca=str(ca)))
        assert second is not first
        error = failure(TLSFilter(second, HOST), Server(files.server_context(files.good)))
        assert "not trusted" in str(error)

    def test_bounded(self) -> None:
        for i in range(200):
            context_for(options("required", ssl_key_password=str(i)))
        assert len(tls._contexts) == 64

    def test_threads_get_one(self, files: Files) -> None:
        ready = threading.Barrier(8)
        got = []

        def ask() -> None:
            ready.wait()
            got.append(context_for(options(ssl_ca=files.ca)))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [context is got[0] for context in got] == [True] * 8

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("ssl_ca", "/no/such/ca.pem"),
            ("ssl_capath", "/no/such/folder"),
            ("ssl_cert", "/no/such/cert.pem"),
            ("ssl_cipher", "NO-SUCH-CIPHER"),
        ],
    )
    def test_settings_that_cannot_be_used(self, setting: str, value: str) -> None:
        with pytest.raises(OperationalError, match=f"{setting} {value} cannot be used: ") as caught:
            context_for(options("verify_ca", **{setting: value}))
        assert caught.value.args[0] == 2026
        assert (caught.value.sent, caught.value.alive) == (False, False)

    def test_files_that_hold_something_else(self, files: Files) -> None:
        nothing = files.write("nothing.pem", b"no certificate\n")
        with pytest.raises(OperationalError, match=r"ssl_ca .*nothing.pem cannot be used"):
            context_for(options(ssl_ca=nothing))
        with pytest.raises(OperationalError, match=r"ssl_cert .*client.pem.*ca.pem cannot be used"):
            context_for(options(ssl_cert=files.client_cert, ssl_key=files.ca))

    def test_capath(self, files: Files, tmp_path: Path) -> None:
        context = context_for(options(ssl_capath=str(tmp_path)))
        error = failure(TLSFilter(context, HOST), Server(files.server_context(files.good)))
        assert "not trusted" in str(error)
