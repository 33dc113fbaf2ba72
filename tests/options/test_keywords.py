"""connect_options(): one keyword at a time, and keywords together."""

import dataclasses
import gc
import json
import pickle
import ssl
import weakref
from typing import Any

import pytest

from mizzle.constants import charsets
from mizzle.constants.capabilities import (
    CLIENT_COMPRESS,
    CLIENT_FOUND_ROWS,
    CLIENT_INTERACTIVE,
    CLIENT_MULTI_STATEMENTS,
)
from mizzle.errors import NotSupportedError
from mizzle.options import ConnectOptions, connect_options, password_bytes
from mizzle.options.keywords import SETTINGS


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    assert connect_options() == ConnectOptions(user="somebody")


def test_user_without_a_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_login() -> str:
        raise OSError("no login")

    monkeypatch.setattr("getpass.getuser", no_login)
    assert connect_options().user == ""


@pytest.mark.parametrize(
    ("keyword", "value", "wanted"),
    [
        ("host", "db1", "db1"),
        ("host", "", "localhost"),
        ("port", "3307", 3307),
        ("port", 0, 3306),
        ("port", None, 3306),
        ("password", "pä", b"p\xc3\xa4"),
        ("password", b"\xff", b"\xff"),
        ("password", None, b""),
        ("charset", "UTF8MB4", "utf8mb4"),
        ("charset", "utf8", "utf8mb3"),
        ("charset", "latin1", "latin1"),
        ("charset", "binary", "binary"),
        ("collation", "utf8mb4_Bin", "utf8mb4_bin"),
        ("collation", "newer_than_this", "newer_than_this"),
        ("autocommit", "1", True),
        ("autocommit", "off", False),
        ("autocommit", None, None),
        ("connect_timeout", "5", 5.0),
        ("connect_timeout", 2, 2.0),
        ("connect_timeout", None, None),
        ("read_timeout", None, None),
        ("timeout", 0.5, 0.5),
        ("client_flag", CLIENT_MULTI_STATEMENTS, CLIENT_MULTI_STATEMENTS),
        ("local_infile", "true", True),
        ("max_allowed_packet", "16M", 16 << 20),
        ("max_allowed_packet", "1g", 1 << 30),
        ("max_allowed_packet", 4096, 4096),
        ("ssl_mode", "VERIFY-IDENTITY", "verify_identity"),
        ("tls_versions", "TLSv1.3", ("TLSv1.3",)),
        ("tls_versions", ["tlsv1.2", "TLSv1.3"], ("TLSv1.2", "TLSv1.3")),
        ("zero_dates", "raise", "raise"),
        ("server_public_key", "-----BEGIN PUBLIC KEY-----\nx", b"-----BEGIN PUBLIC KEY-----\nx"),
        ("connect_attrs", {"a": "b"}, {"a": "b"}),
        ("row_factory", dict, dict),
        ("cursorclass", dict, dict),
        ("conv", {10: str}, {10: str}),
        ("world", "eventlet", "eventlet"),
    ],
)
def test_value(keyword: str, value: object, wanted: object) -> None:
    assert getattr(connect_options(**{keyword: value}), keyword) == wanted


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("host", 3),
        ("host", "/run/mysqld/mysqld.sock"),
        ("host", "a\0b"),
        ("port", "x"),
        ("port", 65536),
        ("port", -1),
        ("port", 3306.0),
        ("port", True),
        ("user", 3),
        ("user", "a\0b"),
        ("database", b"db"),
        ("charset", "klingon"),
        ("charset", "utf16"),
        ("charset", "ucs2"),
        ("collation", "utf8mb4_bin; DROP TABLE x"),
        ("autocommit", "maybe"),
        ("autocommit", 2),
        ("connect_timeout", 0),
        ("connect_timeout", -1),
        ("connect_timeout", "soon"),
        ("connect_timeout", float("nan")),
        ("connect_timeout", True),
        ("read_timeout", 0),
        ("write_timeout", -3),
        ("timeout", [1]),
        ("client_flag", -1),
        ("client_flag", 1 << 40),
        ("max_allowed_packet", 10),
        ("max_allowed_packet", "16X"),
        ("max_allowed_packet", 1 << 31),
        ("connect_attrs", {"a": 1}),
        ("connect_attrs", [("a", "b")]),
        ("ssl_mode", "verify"),
        ("ssl", 3),
        ("ssl_ca", 3),
        ("tls_versions", "TLSv1.1"),
        ("tls_versions", 3),
        ("zero_dates", "maybe"),
        ("server_public_key", "/etc/mysql/key.pem"),
        ("conv", {("a",): str}),
        ("conv", {(1, 2): str}),
        ("conv", {1.5: str}),
        ("json", "loads"),
        ("vector", "list"),
        ("cursorclass", "DictCursor"),
        ("row_factory", 3),
        ("use_unicode", "utf8"),
        ("read_default_file", 3),
    ],
)
def test_value_that_is_not_allowed(keyword: str, value: object) -> None:
    with pytest.raises(ValueError, match=keyword) as caught:
        connect_options(**{keyword: value})
    assert repr(value) in str(caught.value)
    assert "expected" in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("password", [123456, "a\0b", b"a\0b", ["secret"], "\ud800"])
def test_password_that_is_not_allowed_is_not_shown(password: object) -> None:
    with pytest.raises(ValueError, match="password is not usable") as caught:
        connect_options(password=password)
    assert repr(password)[1:-1] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_unknown_keyword() -> None:
    with pytest.raises(TypeError, match="no keyword 'pasword'; did you mean 'password'"):
        connect_options(pasword="secret")
    with pytest.raises(TypeError, match="did you mean 'read_default_file'"):
        connect_options(default_file="x")
    with pytest.raises(TypeError, match=r"no keyword 'xyzzy'; there are: .*, host, "):
        connect_options(xyzzy=1)


def test_aliases_of_pymysql() -> None:
    options = connect_options(passwd="pw", db="test", binary_prefix=True, compress=False, named_pipe=None)
    assert (options.password, options.database) == (b"pw", "test")
    assert connect_options(passwd="pw", password="pw").password == b"pw"
    with pytest.raises(ValueError, match="password and passwd are the same setting"):
        connect_options(passwd="one", password="two")


@pytest.mark.parametrize("keyword", ["named_pipe", "defer_connect", "auth_plugin_map"])
def test_what_mizzle_does_not_have(keyword: str) -> None:
    with pytest.raises(NotSupportedError, match=keyword) as caught:
        connect_options(**{keyword: True})
    assert caught.value.sent is False


@pytest.mark.parametrize(
    ("given", "compress"),
    [
        (None, None),
        (False, None),
        ("0", None),
        (True, "best"),
        ("true", "best"),
        (1, "best"),
        ("zlib", "zlib"),
        ("ZSTD", "zstd"),
    ],
)
def test_compression(given: Any, compress: str | None) -> None:
    assert connect_options(compress=given).compress == compress
    if isinstance(given, str):
        assert connect_options(url=f"mysql://h/?compress={given}").compress == compress


def test_more_of_compression() -> None:
    assert connect_options(client_flag=CLIENT_COMPRESS).compress == "zlib"
    assert connect_options(client_flag=CLIENT_COMPRESS, compress="zstd").compress == "zstd"
    assert connect_options(compress="zstd", compress_level=22, compress_threshold="0").compress_threshold == 0
    for wrong in ({"compress": "lz4"}, {"compress_level": 0}, {"compress": "zlib", "compress_level": 10}):
        with pytest.raises(ValueError, match="compress"):
            connect_options(**wrong)


def test_prepared_statements() -> None:
    assert (connect_options().prepare_threshold, connect_options().prepared_cache_size) == (0, 100)
    options = connect_options(url="mysql://h/?prepare_threshold=5&prepared_cache_size=7&prepared_lifetime=60")
    assert (options.prepare_threshold, options.prepared_cache_size, options.prepared_lifetime) == (5, 7, 60.0)
    for wrong in ({"prepare_threshold": -1}, {"prepared_cache_size": 0}, {"prepared_lifetime": 0}):
        with pytest.raises(ValueError, match="prepare"):
            connect_options(**wrong)


def test_conversions() -> None:
    plain = connect_options()
    assert (plain.json, plain.uuid, plain.inet, plain.vector) == (None, False, False, "bytes")
    assert connect_options(json=True).json is json.loads
    assert connect_options(url="mysql://h/?json=true&uuid=1&vector=numpy").json is json.loads
    assert connect_options(json=False).json is None
    assert connect_options(json=str.upper).json is str.upper
    keys = {1: str, "json": str, ("text", "latin1"): str, (252, "binary"): str, dict: str}
    assert connect_options(conv=keys).conv == keys


def test_password_callable() -> None:
    def password() -> str:
        return "fresh"

    assert connect_options(password=password).password is password
    assert password_bytes(password()) == b"fresh"
    assert password_bytes(b"x") == b"x"
    assert password_bytes(None) == b""
    with pytest.raises(TypeError, match="must give str or bytes, not int"):
        password_bytes(3)


def test_found_rows_is_a_client_flag() -> None:
    assert connect_options().found_rows is False
    assert connect_options(client_flag=CLIENT_FOUND_ROWS).found_rows is True
    options = connect_options(found_rows=True, client_flag=CLIENT_MULTI_STATEMENTS)
    assert options.client_flag == CLIENT_FOUND_ROWS | CLIENT_MULTI_STATEMENTS
    assert connect_options(found_rows=False, client_flag=CLIENT_FOUND_ROWS).client_flag == 0


def test_interactive_is_a_client_flag() -> None:
    assert connect_options(interactive=True).client_flag == CLIENT_INTERACTIVE
    assert connect_options(interactive=True, found_rows=True).client_flag == CLIENT_INTERACTIVE | CLIENT_FOUND_ROWS
    assert not connect_options(interactive=False, client_flag=CLIENT_INTERACTIVE).interactive
    assert connect_options(url="mysql://h/?interactive=1").interactive


def test_program_name_is_an_attribute() -> None:
    attrs = {"team": "x"}
    options = connect_options(program_name="report", connect_attrs=attrs)
    assert options.connect_attrs == {"team": "x", "program_name": "report"}
    assert attrs == {"team": "x"}


def test_collation_brings_its_charset() -> None:
    assert connect_options(collation="latin1_german2_ci").charset == "latin1"
    assert connect_options(collation="utf8mb4_bin", charset="utf8mb4").charset == "utf8mb4"
    with pytest.raises(ValueError, match="belongs to latin1, but charset is 'utf8mb4'"):
        connect_options(collation="latin1_german2_ci", charset="utf8mb4")
    with pytest.raises(ValueError, match="no server takes utf16"):
        connect_options(collation="utf16_bin")


def test_repr_hides_secrets() -> None:
    shown = repr(connect_options(user="u", password="s3cret", ssl_cert="c", ssl_key="k", ssl_key_password="k3y"))
    assert "s3cret" not in shown
    assert "k3y" not in shown
    assert "user='u'" in shown


def test_options_are_frozen_and_can_be_copied() -> None:
    options = connect_options(host="db1", user="u", password="p")
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.host = "db2"  # type: ignore[misc]
    assert dataclasses.replace(options, host="db2").host == "db2"
    assert pickle.loads(pickle.dumps(options)) == options


def test_what_is_remembered_is_not_taken_for_something_else() -> None:
    """Keywords that were settled once are not read again: but only if they are the very same."""
    assert connect_options(port=3307, user="u").port == 3307
    with pytest.raises(ValueError, match=r"port is 3307\.0"):  # which is equal, and has the same hash
        connect_options(port=3307.0, user="u")
    attributes = {"a": "b"}
    assert connect_options(connect_attrs=attributes).connect_attrs == {"a": "b"}
    attributes["c"] = "d"
    assert connect_options(connect_attrs=attributes).connect_attrs == {"a": "b", "c": "d"}
    context = ssl.create_default_context()
    assert connect_options(ssl=context).ssl_mode == "verify_identity"
    context.check_hostname = False
    assert connect_options(ssl=context).ssl_mode == "verify_ca"


@pytest.mark.parametrize("word", ["password", "passwd", "password2", "openid_token"])
def test_a_secret_is_not_remembered(word: str) -> None:
    def secret() -> str:
        return "s3cret"

    options = connect_options(user="u", **{word: secret})
    gone = weakref.ref(secret)
    del options, secret
    gc.collect()
    assert gone() is None
    assert connect_options(user="u").password == b""


def test_every_setting_is_a_field_or_part_of_one() -> None:
    fields = {field.name for field in dataclasses.fields(ConnectOptions)}
    flags = {"found_rows", "interactive", "can_handle_expired_passwords"}
    assert SETTINGS.keys() - fields == flags | {"ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"}
    assert fields <= SETTINGS.keys()


def test_every_charset_that_can_be_asked_for_has_a_codec() -> None:
    for name in charsets.charset_names():
        charset = charsets.default_collation(name)
        if charset.codec != "binary":
            assert "aå".encode(charset.codec, "ignore").decode(charset.codec)[0] == "a"


@pytest.mark.parametrize("value", [ssl.create_default_context(), {"ca": "/ca.pem"}])
def test_objects_are_for_keywords(value: object) -> None:
    assert connect_options(ssl=value).ssl_mode == "verify_identity"
