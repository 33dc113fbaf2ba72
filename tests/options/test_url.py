"""URLs: what they hold, and that no message shows a password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzle.options import connect_options
from mizzle.options.url import settings_in_url


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("mysql://", {}),
        ("mysql://h", {"host": "h"}),
        ("mariadb://h/", {"host": "h"}),
        ("mizzle://u@h", {"user": "u", "host": "h"}),
        ("mysql+mizzle://u:p@h:3307/d", {"user": "u", "password": "p", "host": "h", "port": "3307", "database": "d"}),
        ("MySQL://u:p@h", {"user": "u", "password": "p", "host": "h"}),
        ("mysql://u:p%40%2F%3A@h", {"user": "u", "password": "p@/:", "host": "h"}),
        ("mysql://u:p:q@h", {"user": "u", "password": "p:q", "host": "h"}),
        ("mysql://u:p@q@h", {"user": "u", "password": "p@q", "host": "h"}),
        ("mysql://u%40x:@h", {"user": "u@x", "host": "h"}),
        ("mysql://[::1]:3307/d", {"host": "::1", "port": "3307", "database": "d"}),
        ("mysql://u@[fe80::1%25eth0]", {"user": "u", "host": "fe80::1%eth0"}),
        ("mysql:///d?unix_socket=/run/my.sock", {"database": "d", "unix_socket": "/run/my.sock"}),
        ("mysql://h/d%C3%A9%2Fx", {"host": "h", "database": "dé/x"}),
        ("mysql://h?charset=utf8mb4&timeout=5", {"host": "h", "charset": "utf8mb4", "timeout": "5"}),
        ("mysql://h/?SSL-Mode=REQUIRED", {"host": "h", "ssl_mode": "REQUIRED"}),
        ("mysql://h/?init_command=SET+a%3D1%2B2", {"host": "h", "init_command": "SET a=1+2"}),
        ("mysql://h/?password=a%26b", {"host": "h", "password": "a&b"}),
    ],
)
def test_settings(url: str, wanted: dict[str, str]) -> None:
    assert settings_in_url(url) == wanted


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("h:3306/d", "does not start with mysql://"),
        ("user:s3cret@h/d", "does not start with mysql://"),
        ("postgresql://u:s3cret@h/d", "does not start with mysql://"),
        ("mysql://u:s3cret@h:x/d", "port is not a number"),
        ("mysql://u:s3cret", "port is not a number"),
        ("mysql://u:s3cret@h:0", "port is not a number"),
        ("mysql://u:s3cret@h:65536", "port is not a number"),
        ("mysql://u:s3cret@::1:3306", "IPv6 address goes in brackets"),
        ("mysql://u:s3cret@[::1", "IPv6"),
        ("mysql://u:s3cret@[::1]x", "IPv6"),
        ("mysql://u:s3cret/4@h/d", "write / as %2F"),
        ("mysql://u:s3cret#4@h/d", "# as %23"),
        ("mysql://u:s3cret@h/d#x", "# as %23"),
        ("mysql://u:s3cret%zz@h", "password has a % without"),
        ("mysql://u:s3cret%ff@h", "password is not UTF-8"),
        ("mysql://u:s3cret@h?charset", "setting=value"),
        ("mysql://u?x:s3cret@h=1", "name of a setting"),
        ("mysql://u:s3cret@h?user=other", "gives user twice"),
        ("mysql://u@h?password=s3cret&password=s3cret2", "gives password twice"),
    ],
)
def test_errors_show_no_password(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text) as caught:
        connect_options(url=url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_url_must_be_text() -> None:
    with pytest.raises(TypeError, match="url must be a str"):
        connect_options(url=b"mysql://h")


@given(
    st.text(min_size=1), st.text(), st.sampled_from(["h", "db.example.org", "[::1]"]), st.text(alphabet="/:@?#[]%&= \0")
)
def test_no_part_of_any_bad_url_can_show_a_password(user: str, tail: str, host: str, noise: str) -> None:
    message = ""
    try:
        connect_options(url=f"mysql://{user}:PASSWORD{noise}@{host}{tail}")
    except ValueError as error:
        message = str(error)
    assert "PASSWORD" not in message


def test_values_are_typed_and_named() -> None:
    options = connect_options(url="mysql://u:p@h/d?timeout=5&autocommit=1&ssl=true&max_allowed_packet=16M")
    assert (options.timeout, options.autocommit, options.ssl_mode, options.max_allowed_packet) == (
        5.0,
        True,
        "required",
        16 << 20,
    )
    with pytest.raises(ValueError, match="timeout in the URL is 'soon'"):
        connect_options(url="mysql://h?timeout=soon")
    with pytest.raises(ValueError, match="unknown setting 'tiemout' in the URL; did you mean 'timeout'"):
        connect_options(url="mysql://h?tiemout=5")
    with pytest.raises(ValueError, match="row_factory cannot be given in the URL"):
        connect_options(url="mysql://h?row_factory=dict")


def test_keywords_go_over_the_url() -> None:
    options = connect_options(url="mysql://u:p@h:3307/d?charset=latin1", host="other", database=None, port=None)
    assert (options.user, options.host, options.port, options.database) == ("u", "other", 3307, "d")
    assert connect_options(url="mysql:///?unix_socket=/s", host="h").unix_socket is None
    assert connect_options(url="mysql:///?unix_socket=/s", host="localhost").unix_socket == "/s"
    assert connect_options(url="mysql://h", unix_socket="/s").unix_socket == "/s"
    options = connect_options(url="mysql://h?collation=latin1_bin", charset="utf8mb4")
    assert (options.charset, options.collation) == ("utf8mb4", None)
    assert connect_options(url="mysql://h?ssl_mode=required", ssl_verify_identity=True).ssl_mode == "verify_identity"
