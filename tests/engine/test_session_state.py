"""What a login's OK packet says of the session, byte by byte, and the addresses that a server may redirect to."""

from __future__ import annotations

import contextlib

import pytest
from dialogue import lenenc, ok
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import session_track as track
from mizzle.constants import status
from mizzle.engine.packets import parse_ok
from mizzle.engine.session_state import Change, Target, parse_login_ok, parse_session_state, parse_target, redirect_in
from mizzle.errors import MalformedPacket

CHANGED = status.SERVER_STATUS_AUTOCOMMIT | status.SERVER_SESSION_STATE_CHANGED


def change(kind: int, *values: bytes) -> bytes:
    return bytes((kind,)) + lenenc(b"".join(map(lenenc, values)))


def login_ok(*changes: bytes, info: bytes = b"") -> bytes:
    return ok(flags=CHANGED) + lenenc(info) + lenenc(b"".join(changes))


VARIABLES = change(track.SESSION_TRACK_SYSTEM_VARIABLES, b"autocommit", b"ON", b"redirect_url", b"mysql://h:1")
SCHEMA = change(track.SESSION_TRACK_SCHEMA, b"test")


def test_changes() -> None:
    assert parse_session_state(b"") == []
    assert parse_session_state(SCHEMA + VARIABLES) == [
        Change(track.SESSION_TRACK_SCHEMA, (b"test",)),
        Change(0, (b"autocommit", b"ON", b"redirect_url", b"mysql://h:1")),
    ]
    assert parse_session_state(change(9, b"x" * 300)) == [Change(9, (b"x" * 300,))]


def test_truncated_at_every_length() -> None:
    whole = login_ok(SCHEMA, VARIABLES, info=b"words")
    assert parse_login_ok(whole)[0] == "words"
    for length in range(len(whole)):
        if length == 7:  # an OK packet without any words
            continue
        with pytest.raises(MalformedPacket):
            parse_login_ok(whole[:length])
    for length in range(1, len(VARIABLES)):
        with pytest.raises(MalformedPacket):
            parse_session_state(VARIABLES[:length])


@given(st.binary(max_size=60))
def test_noise_is_something_or_malformed(noise: bytes) -> None:
    for data in (noise, login_ok(noise)):
        with contextlib.suppress(MalformedPacket):
            redirect_in(data)


def test_the_engines_own_parser_passes_over_it() -> None:
    whole = login_ok(SCHEMA, VARIABLES, info=b"words")
    assert parse_ok(whole).info == b"words"
    assert parse_ok(ok(flags=CHANGED)).info == b""
    for length in range(8, len(whole)):
        with pytest.raises(MalformedPacket):
            parse_ok(whole[:length])
    with pytest.raises(MalformedPacket):
        parse_ok(whole + b"x")


@pytest.mark.parametrize(
    ("payload", "url"),
    [
        (ok(), None),
        (ok(info=b"words"), None),
        (login_ok(SCHEMA), None),
        (login_ok(change(0, b"redirect_url", b"")), None),
        (login_ok(change(0, b"redirect_url")), None),
        (login_ok(SCHEMA, VARIABLES), "mysql://h:1"),
        (ok(info=b"Location: mysql://[h]:1/?user=u&ttl=5\n"), "mysql://[h]:1/?user=u&ttl=5"),
        (login_ok(SCHEMA, info=b"Location: mysql://h:1/user=u&ttl=5"), "mysql://h:1/user=u&ttl=5"),
        (ok(info=b"Location: file:///etc/passwd"), None),
    ],
)
@pytest.mark.feature("redirects")
def test_where_to_go(payload: bytes, url: str | None) -> None:
    assert redirect_in(payload) == url


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("mysql://db.example.com", Target("db.example.com", 3306, None)),
        ("mariadb://db.example.com:3307/", Target("db.example.com", 3307, None)),
        ("mysql://u%40x@10.0.0.1:1", Target("10.0.0.1", 1, "u@x")),
        ("mysql://h:1/?user=u%40x&ttl=5", Target("h", 1, "u@x")),
        ("mysql://h:1/user=u&ttl=5", Target("h", 1, "u")),
        ("mysql://[::1]:3306/", Target("::1", 3306, None)),
        ("mysql://h:1/?unix_socket=/tmp/s&ssl_mode=disabled", Target("h", 1, None)),
        ("mysql:///tmp/mysql.sock", None),
        ("mysql://%2Ftmp%2Fs", None),
        ("mysql://h:99999", None),
        ("mysql://h:x", None),
        ("file:///etc/passwd", None),
        ("unix:/tmp/mysql.sock", None),
        ("/tmp/mysql.sock", None),
        ("mysql://h h", None),
        ("mysql://[::1", None),
        ("", None),
    ],
)
def test_addresses(url: str, target: Target | None) -> None:
    assert parse_target(url) == target


@given(st.text(max_size=60))
def test_noise_is_an_address_or_none(url: str) -> None:
    for text in (url, f"mysql://{url}"):
        target = parse_target(text)
        assert target is None or ("/" not in target.host and 0 < target.port < 65536)
