"""Servers that want something in the login which is not theirs: in every world they get nothing, and cost nothing."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

import mizzle
from engine.dialogue import err, ok, packets
from faults.handshakes import COMMON, NONCE, auth_switch, greeting
from faults.hostile import Link, Part, Peer, encrypted
from mizzle.constants import capabilities as cap

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]
SECRET = {"password": "s3cret", "password2": "s3cret2", "openid_token": "s3cret-token", "dialog": lambda *_: "s3cret!"}


class Server(NamedTuple):
    """What it says when the client has said something, and how the client ends it."""

    answers: tuple[bytes, ...]
    errno: int
    words: str
    endless: bool = False


def plain(name: str, data: bytes = b"") -> Server:
    return Server((auth_switch(name, data),), 2061, f"'{name}' reported error: .*nothing was sent")


SERVERS = {
    "clear text": plain("mysql_clear_password"),
    "questions": plain("dialog", b"\x05Password: "),
    "id token": plain("authentication_openid_connect_client"),
    "clear text as the second factor": Server(
        (b"\x02mysql_clear_password\0",), 2061, "mysql_clear_password.*nothing was sent"
    ),
    "clear text after another": Server(
        (auth_switch("caching_sha2_password"), auth_switch("mysql_clear_password")), 2061, "nothing was sent"
    ),
    "asks the same again and again": Server(
        (auth_switch("mysql_native_password"),), 2012, "has no end: after 64", endless=True
    ),
    "asks for one and another": Server(
        (auth_switch("mysql_native_password"), auth_switch("caching_sha2_password")), 2012, "no end", endless=True
    ),
    "more without end": Server((b"\x01\x03",), 2061, "unexpected bytes", endless=True),
    "factors without end": Server((b"\x02mysql_native_password\0" + NONCE,), 2061, "factor 4 of 3", endless=True),
    "a file": Server((b"\xfb/etc/passwd",), 2061, "unexpected bytes"),
    "a file instead of the settings": Server((ok(), b"\xfb/etc/passwd", ok()), 2068, "local file '/etc/passwd'"),
    "a column count": Server((b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff",), 2027, "AuthSwitchRequest"),
    "gigantic counts after the login": Server((ok(), b"\xfe" + b"\xff" * 8), 2027, "18446744073709551615 columns"),
    "a long packet": Server((auth_switch("x" * 300_000),), 2020, "262144 are allowed"),
    "SCRAM that proves nothing": Server(
        (auth_switch("authentication_ldap_sasl_client", b"SCRAM-SHA-1"), ok()), 2061, "still owes"
    ),
    "certificates of no worth": Server((ok(info=b"\x01" + b"F" * 64), err(9999, "on a plain link")), 9999, "plain"),
}


def playing(answers: tuple[bytes, ...], endless: bool, heard: list[bytes]) -> Part:
    def part(link: Link) -> None:
        heard.append(link.greet(greeting(capabilities=COMMON | cap.CLIENT_MULTI_FACTOR_AUTHENTICATION)))
        number = 2
        for answer in itertools.cycle(answers) if endless else answers:
            if not link.say(packets(answer, first=number & 0xFF)):
                return
            said = link.hear()
            if said is None:
                return
            heard.append(said)
            number = 1 if said[:1] == b"\x03" else number + 2
        link.until_end()

    return part


@pytest.mark.parametrize("hostile", SERVERS.values(), ids=SERVERS)
def test_nothing_is_given_away(peer: Callable[[Part], Peer], connect: Connect, hostile: Server) -> None:
    heard: list[bytes] = []
    started = peer(playing(hostile.answers, hostile.endless, heard))
    with pytest.raises(mizzle.Error, match=f"(?s){hostile.words}") as caught:
        connect(**SECRET, local_infile=True)
    assert caught.value.errno == hostile.errno
    assert not caught.value.alive
    started.close()
    assert b"s3cret" not in b"".join(heard)
    assert b"root:" not in b"".join(heard)
    assert len(heard) < 70


def test_bounded_memory(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """A packet that has no end is refused by its header, however much of it comes."""

    def part(link: Link) -> None:
        link.greet()
        link.say(b"\xff\xff\xff\x02")
        while link.say(bytes(1 << 16)):
            pass

    peer(part)
    tracemalloc.start()
    try:
        with pytest.raises(mizzle.OperationalError, match="262144 are allowed"):
            connect()
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


REDIRECTS = {
    "in the message": ok(info=b"Location: mysql://127.0.0.1:%d/user=ann&ttl=9"),
    "as a session variable": ok(info=b"\0\x1a\x01\x18\x0credirect_url\x0amysql://x/"),
}


@pytest.mark.parametrize("verdict", REDIRECTS.values(), ids=REDIRECTS)
def test_who_was_not_asked_redirects_nobody(peer: Callable[[Part], Peer], connect: Connect, verdict: bytes) -> None:
    visitors: list[Link] = []
    elsewhere = peer(visitors.append)

    def part(link: Link) -> None:
        link.greet()
        link.say(packets(verdict.replace(b"%d", str(elsewhere.port).encode()), first=2))
        link.answer(ok())
        link.answer(ok(3))
        link.until_end()

    peer(part)
    assert connect().execute("DELETE").rowcount == 3
    assert not visitors


# -- over TLS, where secrets may go ----------------------------------------------------------------------------------


def asking(certificate: trustme.LeafCert, answer: bytes, heard: list[bytes]) -> Part:
    """A server with TLS that wants this, and lets in whoever says something."""

    def part(link: Link) -> None:
        encrypted(link, certificate)
        assert link.hear() is not None
        link.say(packets(answer, first=3))
        said = link.hear()
        if said is not None:
            heard.append(said)
            link.say(packets(ok(), first=5))
            link.answer(ok())
        link.until_end()

    return part


@pytest.mark.feature("OpenID Connect")
def test_id_tokens_from_everywhere(
    peer: Callable[[Part], Peer], connect: Connect, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("header.body.signature\n")
    heard: list[bytes] = []
    peer(asking(authority.issue_cert("127.0.0.1"), auth_switch("authentication_openid_connect_client", b""), heard))
    for given in (
        {"openid_token": "header.body.signature"},
        {"openid_token": lambda: b"header.body.signature"},
        {"openid_token_file": file},
    ):
        connect(ssl_mode="required", **given)
        assert heard.pop() == b"\x01\x15header.body.signature"
    with pytest.raises(mizzle.OperationalError, match="none was given"):
        connect(ssl_mode="required")
    assert heard == []


def test_an_id_token_that_is_not_there(peer: Callable[[Part], Peer], connect: Connect, tmp_path: Path) -> None:
    peer(Link.until_end)
    with pytest.raises(mizzle.OperationalError, match=r"openid_token_file .*missing cannot be read") as caught:
        connect(openid_token_file=tmp_path / "missing")
    assert not caught.value.sent


@pytest.mark.feature("dialog (PAM)")
def test_a_callback_that_fails(peer: Callable[[Part], Peer], connect: Connect, authority: trustme.CA) -> None:
    """What the user's own function raises is raised to the user."""
    heard: list[bytes] = []
    peer(asking(authority.issue_cert("127.0.0.1"), auth_switch("dialog", b"\x03Code?"), heard))

    def nobody_is_there(*_: Any) -> str:
        raise LookupError("nobody is there")

    with pytest.raises(LookupError, match="nobody is there"):
        connect(ssl_mode="required", dialog=nobody_is_there)
    connect(ssl_mode="required", dialog=lambda question, echo: f"{question} {echo}")
    assert heard == [b"Code? True\0"]
