"""Servers that send their clients elsewhere, where those asked for it: not to other hosts, not round and round, and
nothing is said there that would not be said here. And logins that end anywhere."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from engine.dialogue import ok, packets
from faults.handshakes import COMMON, NONCE, auth_switch, greeting
from faults.hostile import Link, Part, Peer
from mizzle.constants import capabilities as cap

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]
SECRET = {"password": "s3cret", "password2": "s3cret2", "openid_token": "s3cret-token", "dialog": lambda *_: "s3cret!"}


def redirecting(url: bytes, heard: list[bytes]) -> Part:
    """Lets everybody in, sends them elsewhere, and serves who stays."""

    def part(link: Link) -> None:
        heard.append(link.greet())
        link.say(packets(ok(info=b"Location: " + url), first=2))
        while (command := link.answer(ok(3))) is not None:
            heard.append(command)

    return part


@pytest.mark.parametrize(
    "url",
    [
        b"mysql://localhost:%d/",
        b"mysql://127.0.0.2:%d/",
        b"mysql://ann@localhost:%d/?ssl_mode=disabled",
        b"mysql:///etc/passwd",
        b"mysql://127.0.0.1:99999",
        b"mysql://" + b"x" * 60_000,
        b"mysql://\xff\xfe:1",
    ],
    ids=lambda url: url[8:30].decode("latin-1"),
)
def test_nobody_goes_to_another_host_or_nowhere(peer: Callable[[Part], Peer], connect: Connect, url: bytes) -> None:
    visitors: list[Link] = []
    elsewhere = peer(visitors.append)
    heard: list[bytes] = []
    peer(redirecting(url.replace(b"%d", str(elsewhere.port).encode()), heard))
    conn = connect(**SECRET, redirect="preferred")
    assert conn.execute("DELETE").rowcount == 3
    with pytest.raises(mizzle.OperationalError, match="redirect='enforced', and "):
        connect(**SECRET, redirect="enforced")
    assert not visitors
    assert b"s3cret" not in b"".join(heard)


def test_round_and_round(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """The second server is not asked where to go from there."""
    visits: list[str] = []
    first: list[Peer] = []

    def second_part(link: Link) -> None:
        visits.append("second")
        redirecting(b"mysql://127.0.0.1:%d" % first[0].port, [])(link)

    second = peer(second_part)

    def first_part(link: Link) -> None:
        visits.append("first")
        redirecting(b"mysql://127.0.0.1:%d" % second.port, [])(link)

    first.append(peer(first_part))
    conn = connect(redirect="enforced")
    assert conn.execute("DELETE").rowcount == 3
    assert visits == ["first", "second"]


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog", "authentication_openid_connect_client"])
def test_a_second_server_that_asks_for_more(peer: Callable[[Part], Peer], connect: Connect, plugin: str) -> None:
    """It is none that a secret is given to; who would have gone there stays."""
    heard: list[bytes] = []

    def asking(link: Link) -> None:
        heard.append(link.greet())
        link.say(packets(auth_switch(plugin, b"\x05Password: "), first=2))
        while data := link.hear_bytes():
            heard.append(data)

    second = peer(asking)
    peer(redirecting(b"mysql://127.0.0.1:%d" % second.port, []))
    conn = connect(**SECRET, redirect="preferred")
    assert conn.execute("DELETE").rowcount == 3
    with pytest.raises(mizzle.OperationalError, match="not to be had"):
        connect(**SECRET, redirect="enforced")
    assert len(heard) == 2
    assert b"s3cret" not in b"".join(heard)


# -- logins that end anywhere ------------------------------------------------------------------------------------------

ANSWERS = {
    "switch": auth_switch("caching_sha2_password"),
    "key": b"\x01" + b"-----BEGIN PUBLIC KEY-----\nMIIB",
    "factor": b"\x02mysql_native_password\0" + NONCE,
    "verdict": ok(info=b"\x01" + b"F" * 64),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("framed", [False, True], ids=["bytes", "packets"])
def test_truncated_logins(peer: Callable[[Part], Peer], connect: Connect, answer: bytes, framed: bool) -> None:
    """The answer to the login ends anywhere: as a stream that breaks off, and as a packet that is too short."""
    lengths = iter(range(0, len(answer), 3))

    def part(link: Link) -> None:
        link.greet(greeting(capabilities=COMMON | cap.CLIENT_MULTI_FACTOR_AUTHENTICATION))
        length = next(lengths)
        link.say(packets(answer[:length], first=2) if framed else packets(answer, first=2)[: 4 + length])
        if framed:
            link.hear()

    peer(part)
    tracemalloc.start()
    try:
        for _ in range(0, len(answer), 3):
            with pytest.raises(mizzle.Error) as caught:
                connect(password="s3cret")
            assert not caught.value.alive
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
