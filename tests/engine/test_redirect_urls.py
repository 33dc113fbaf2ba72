"""Where a server sends its clients to: in which forms it says so, and which addresses are obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzle.engine.redirects import Target, parse_target, redirect_in


@pytest.mark.parametrize(
    ("info", "variables", "url"),
    [
        (b"", {}, None),
        (b"words", {"autocommit": "ON", "redirect_url": ""}, None),
        (b"", {"redirect_url": "mysql://h:1"}, "mysql://h:1"),
        (b"Location: mysql://[h]:1/?user=u&ttl=5\n", {}, "mysql://[h]:1/?user=u&ttl=5"),
        (b"Location: mysql://h:1/user=u&ttl=5", {"redirect_url": ""}, "mysql://h:1/user=u&ttl=5"),
        (b"Location: file:///etc/passwd", {}, None),
        (b"\xff Location: mysql://h \xff", {}, "mysql://h"),
    ],
)
@pytest.mark.feature("redirects")
def test_where_to_go(info: bytes, variables: dict[str, str], url: str | None) -> None:
    assert redirect_in(info, variables) == url


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
