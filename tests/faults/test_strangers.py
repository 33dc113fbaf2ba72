"""Connecting to what is no server, or one that does not want us: each a clear error, and nothing left behind."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

import mizzle
from engine.dialogue import err, ok, packets
from faults.handshakes import auth_switch, greeting
from faults.hostile import SSL_REQUEST, TLS_GREETING, Link, Part, Peer, encrypted
from mizzle.constants import capabilities as cap

Connect = Callable[..., Any]
HTTP = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n\r\n<html></html>"


def says(*data: bytes) -> Part:
    """Says this as soon as somebody comes, then takes whatever is said."""

    def part(link: Link) -> None:
        link.say(*data)
        link.until_end()

    return part


def says_and_closes(*data: bytes) -> Part:
    def part(link: Link) -> None:
        link.say(*data)

    return part


def replies(*payloads: bytes, first: int = 2) -> Part:
    """Greets, and answers the client's response with this."""

    def part(link: Link) -> None:
        link.greet()
        link.say(packets(*payloads, first=first))
        link.until_end()

    return part


def resets_after_greeting(link: Link) -> None:
    link.greet()
    link.reset()


def closes_after_greeting(link: Link) -> None:
    link.greet()


def closes_in_the_verdict(link: Link) -> None:
    link.greet()
    link.say(packets(ok(), first=2)[:-2])


def closes_before_the_settings(link: Link) -> None:
    link.greet()
    link.say(packets(ok(), first=2))
    assert b"SET NAMES" in (link.hear() or b"")


def refuses_the_settings(link: Link) -> None:
    link.greet()
    link.say(packets(ok(), first=2))
    link.answer(err(1115, "Unknown character set: 'utf8mb4'", "42000"))
    link.until_end()


class Case(NamedTuple):
    part: Part
    errno: int
    words: str
    sent: bool | None = None
    error: type[mizzle.Error] = mizzle.OperationalError


CASES = {
    "HTTP": Case(says(HTTP), 2012, r"not speak the MySQL protocol.*HTTP/1\.1 400", False),
    "SSH": Case(says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), 2012, "not speak the MySQL protocol.*SSH-2.0", False),
    "SMTP": Case(says(b"220 mail.example ESMTP\r\n"), 2012, "not speak the MySQL protocol.*220 mail", False),
    "zeros": Case(says(bytes(100)), 2012, "not speak the MySQL protocol", False),
    "an empty packet": Case(says(bytes(4)), 2012, "not speak the MySQL protocol", False),
    "closes at once": Case(says_and_closes(), 2013, "server closed the connection during connect", False),
    "closes in the greeting": Case(
        says_and_closes(packets(greeting(), first=0)[:30]), 2013, "server closed the connection during connect", False
    ),
    "closes after the greeting": Case(closes_after_greeting, 2013, "server closed the connection during connect"),
    "RST after the greeting": Case(resets_after_greeting, 2013, "connection broke during connect.*reset by peer"),
    "closes in the verdict": Case(closes_in_the_verdict, 2013, "server closed the connection during connect"),
    "closes before the settings": Case(closes_before_the_settings, 2013, "server closed the connection during connect"),
    "settings refused": Case(refuses_the_settings, 1115, "Unknown character set"),
    "greeting cut short": Case(
        says(packets(greeting()[:40], first=0)), 2012, "not speak the MySQL protocol.*8.0.43", False
    ),
    "greeting out of order": Case(says(packets(greeting(), first=1)), 2012, "not speak the MySQL protocol", False),
    "verdict out of order": Case(
        replies(ok(), first=7), 2027, "out of order: sequence number 2 expected, 7 received"
    ),
    "protocol 9": Case(says(packets(greeting(protocol=9), first=0)), 2012, "protocol version 9"),
    "protocol before 4.1": Case(
        says(packets(greeting("3.23.58", capabilities=cap.CLIENT_LONG_FLAG), first=0)),
        2012, r"3\.23\.58.*does not have the protocol", False, mizzle.NotSupportedError,
    ),
    "1040": Case(says_and_closes(packets(err(1040, "Too many connections", None), first=0)), 1040, "Too many"),
    "1129": Case(says_and_closes(packets(err(1129, "Host 'x' is blocked", None), first=0)), 1129, "is blocked"),
    "1130": Case(says_and_closes(packets(err(1130, "Host 'x' is not allowed", None), first=0)), 1130, "not allowed"),
    "access denied": Case(replies(err(1045, "Access denied for user 'ann'@'h'", "28000")), 1045, "Access denied"),
    "unknown plugin": Case(
        replies(auth_switch("authentication_oci_client")), 2059, "'authentication_oci_client' is not support"
    ),
    "hash of 4.0": Case(replies(b"\xfe"), 2059, "mysql_old_password.*before 4.1"),
    "password in the clear": Case(
        replies(auth_switch("mysql_clear_password", b"")), 2061, "mysql_clear_password.*(TLS|encrypt)"
    ),
    "no nonce": Case(replies(auth_switch("mysql_native_password", b"")), 2061, "nonce has 0 bytes"),
    "second factor": Case(replies(b"\x02authentication_fido\0"), 2061, "unexpected bytes"),
    "endless questions": Case(replies(b"\x01\x04", b"\x01\x04"), 2061, "unexpected bytes"),
    "nonsense": Case(replies(b"\x42nonsense"), 2061, "9 unexpected bytes"),
    "empty verdict": Case(replies(b""), 2027, "an empty packet"),
}  # fmt: skip


def refusal(connect: Connect, **keywords: Any) -> mizzle.Error:
    with pytest.raises(mizzle.Error) as caught:
        connect(**keywords)
    error = caught.value
    assert not error.alive
    assert "secret" not in repr((error, error.args, error.hint, error.__cause__))
    return error


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_strangers(peer: Callable[[Part], Peer], connect: Connect, case: Case) -> None:
    peer(case.part)
    error = refusal(connect)
    assert type(error) in {case.error, mizzle.MalformedPacket if case.errno == 2027 else case.error}
    assert error.errno == case.errno
    with pytest.raises(mizzle.Error, match=f"(?s){case.words}"):
        raise error
    if case.sent is not None:
        assert error.sent is case.sent


@pytest.mark.parametrize("part", [says(), lambda link: link.hear_bytes() and link.say(HTTP)], ids=["silent", "HTTP"])
def test_who_waits_to_be_spoken_to(peer: Callable[[Part], Peer], connect: Connect, part: Part) -> None:
    peer(part)
    error = refusal(connect, connect_timeout=0.1)
    assert isinstance(error, mizzle.OperationalError)
    assert error.errno == 2013
    assert "connect timed out" in error.args[1]
    assert error.sent is False


def test_a_reset_at_once(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """It comes while we connect, or when we are connected: who was faster decides."""
    peer(Link.reset)
    error = refusal(connect)
    assert error.errno in {2003, 2013}
    assert error.sent is False
    assert "reset by peer" in error.args[1]


def test_silence_after_the_greeting(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """The deadline is for all of connecting."""

    def part(link: Link) -> None:
        link.greet()
        link.until_end()

    peer(part)
    error = refusal(connect, connect_timeout=0.1)
    assert (error.errno, error.sent) == (2013, True)
    assert "connect timed out" in error.args[1]


def test_a_peer_that_drips(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """A byte now and then does not put the deadline off."""

    def part(link: Link) -> None:
        for byte in packets(greeting() + bytes(100_000), first=0):
            if not link.say(bytes((byte,))) or link.peer.event("over").wait(0.02):
                return

    started = peer(part)
    error = refusal(connect, connect_timeout=0.2)
    started.event("over").set()
    assert (error.errno, error.sent) == (2013, False)


def test_a_greeting_longer_than_allowed(peer: Callable[[Part], Peer], connect: Connect) -> None:
    peer(says(packets(greeting("x" * 5000), first=0)))
    error = refusal(connect, max_allowed_packet=4096)
    assert error.errno in {2012, 2020}
    assert "MySQL protocol" in error.args[1]


def test_nobody_there(remains: object, connect: Connect, peer: Callable[[Part], Peer]) -> None:  # noqa: ARG001
    peer(says()).close()
    error = refusal(connect)
    assert (error.errno, error.sent) == (2003, False)
    assert "refused" in error.args[1]
    assert "127.0.0.1:" in error.args[1]
    assert isinstance(error.__cause__, ConnectionRefusedError)


def test_no_unix_socket(remains: object, connect: Connect, tmp_path: Path) -> None:  # noqa: ARG001
    error = refusal(connect, unix_socket=str(tmp_path / "no.sock"))
    assert (error.errno, error.sent) == (2002, False)
    assert "no.sock" in error.args[1]
    assert "running" in (error.hint or "")


def test_a_unix_socket_that_nobody_serves(remains: object, connect: Connect, tmp_path: Path) -> None:  # noqa: ARG001
    path = tmp_path / "plain.file"
    path.touch()
    error = refusal(connect, unix_socket=str(path))
    assert (error.errno, error.sent) == (2002, False)
    assert "refused" in error.args[1]


@pytest.mark.filterwarnings("ignore:please use dns.resolver:DeprecationWarning")  # eventlet's use of dnspython
def test_unknown_host(remains: object, connect: Connect) -> None:  # noqa: ARG001
    error = refusal(connect, host="no-such-host.invalid")
    assert (error.errno, error.sent) == (2005, False)
    assert "no-such-host.invalid" in error.args[1]


# -- TLS -------------------------------------------------------------------------------------------------------------

DEMANDED = ("required", "verify_ca", "verify_identity")


@pytest.mark.parametrize("mode", DEMANDED)
def test_tls_demanded_and_not_offered(peer: Callable[[Part], Peer], connect: Connect, mode: str) -> None:
    heard = []

    def part(link: Link) -> None:
        link.say(packets(greeting(), first=0))
        heard.append(link.hear())

    peer(part).event("")
    error = refusal(connect, ssl_mode=mode)
    assert (error.errno, error.sent) == (2026, False)
    assert f"ssl_mode={mode!r} demands TLS, and the server does not offer it" in error.args[1]


@pytest.mark.parametrize("mode", ["preferred", *DEMANDED])
@pytest.mark.parametrize(
    "answer", [HTTP, packets(ok(), first=2), b"\x16\x03\x03\x00\x04junk", b"\x15\x03\x03\x00\x02\x02\x28"],
    ids=["HTTP", "OK in the clear", "a record of junk", "alert"],
)  # fmt: skip
def test_tls_offered_and_then_something_else(
    peer: Callable[[Part], Peer], connect: Connect, mode: str, answer: bytes
) -> None:
    heard: list[bytes] = []

    def part(link: Link) -> None:
        link.say(TLS_GREETING)
        heard.append(link.hear_bytes())
        link.say(answer)
        heard.extend(iter(link.hear_bytes, b""))

    started = peer(part)
    error = refusal(connect, ssl_mode=mode)
    assert (error.errno, error.sent) == (2026, False)
    assert "TLS handshake failed" in error.args[1]
    started.close()
    assert b"ann" not in b"".join(heard)  # neither user nor password, in any form, in the clear


@pytest.mark.parametrize("mode", ["preferred", *DEMANDED])
def test_plain_text_before_the_handshake(peer: Callable[[Part], Peer], connect: Connect, mode: str) -> None:
    """What comes in the clear must not pass for what is said later under TLS."""
    peer(says(TLS_GREETING, packets(ok(), first=3)))
    error = refusal(connect, ssl_mode=mode)
    assert (error.errno, error.sent) == (2026, False)
    assert "before the TLS handshake" in error.args[1]


def test_the_end_in_the_handshake(peer: Callable[[Part], Peer], connect: Connect) -> None:
    def part(link: Link) -> None:
        link.say(TLS_GREETING)
        heard = b""
        while len(heard) <= SSL_REQUEST:
            heard += link.hear_bytes()

    peer(part)
    error = refusal(connect, ssl_mode="required")
    assert error.errno == 2013
    assert "closed the connection during connect" in error.args[1]


def test_silence_in_the_handshake(peer: Callable[[Part], Peer], connect: Connect) -> None:
    peer(says(TLS_GREETING))
    error = refusal(connect, ssl_mode="required", connect_timeout=0.2)
    assert error.errno == 2013
    assert "connect timed out" in error.args[1]


def test_the_end_under_tls(peer: Callable[[Part], Peer], connect: Connect, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("127.0.0.1")

    def part(link: Link) -> None:
        encrypted(link, certificate)
        link.hear()

    peer(part)
    error = refusal(connect, ssl_mode="required")
    assert error.errno == 2013
    assert "closed the connection during connect" in error.args[1]


def test_nonsense_under_tls(peer: Callable[[Part], Peer], connect: Connect, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("127.0.0.1")

    def part(link: Link) -> None:
        encrypted(link, certificate)
        link.hear()
        link.say(packets(b"\x42nonsense", first=3))
        link.until_end()

    peer(part)
    error = refusal(connect, ssl_mode="required")
    assert error.errno == 2061


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [
        ("elsewhere.example", "verify_identity", "not for '127.0.0.1' but for: elsewhere.example"),
        ("127.0.0.1", "verify_ca", "comes from a CA that is not trusted here"),
    ],
)
def test_certificates_that_will_not_do(
    peer: Callable[[Part], Peer], connect: Connect, authority: trustme.CA, tmp_path: Path,
    name: str, mode: str, words: str,
) -> None:  # fmt: skip
    certificate = authority.issue_cert(name)
    trusted = authority if mode == "verify_identity" else trustme.CA()
    trusted.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def part(link: Link) -> None:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            encrypted(link, certificate)

    peer(part)
    error = refusal(connect, ssl_mode=mode, ssl_ca=str(tmp_path / "ca.pem"))
    assert (error.errno, error.sent) == (2026, False)
    assert words in error.args[1]
