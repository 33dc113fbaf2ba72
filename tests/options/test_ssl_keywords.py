"""The ssl keywords together: which ssl_mode comes of them."""

import ssl
from typing import Any

import pytest

from mizzle.options import connect_options


def context(verify: bool, name: bool) -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname = name
    made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    return made


STRICT, CHAIN, LOOSE = context(True, True), context(True, False), context(False, False)


@pytest.mark.parametrize(
    ("keywords", "mode"),
    [
        ({}, "preferred"),
        ({"ssl_mode": "required"}, "required"),
        ({"ssl": None}, "preferred"),
        ({"ssl": {}}, "preferred"),
        ({"ssl": True}, "required"),
        ({"ssl": "true"}, "required"),
        ({"ssl": False}, "disabled"),
        ({"ssl_disabled": True}, "disabled"),
        ({"ssl_disabled": True, "ssl_ca": "ca"}, "disabled"),
        ({"ssl_disabled": False}, "preferred"),
        ({"ssl_ca": "ca"}, "verify_ca"),
        ({"ssl_capath": "certs"}, "verify_ca"),
        ({"ssl_ca": "ca", "ssl_verify_cert": False}, "required"),
        ({"ssl_ca": "ca", "ssl_verify_cert": True}, "verify_ca"),
        ({"ssl_ca": "ca", "ssl_verify_identity": True}, "verify_identity"),
        ({"ssl_ca": "ca", "ssl_mode": "required"}, "required"),
        ({"ssl_ca": "ca", "ssl_mode": "verify_identity"}, "verify_identity"),
        ({"ssl_verify_cert": True}, "verify_ca"),
        ({"ssl_verify_cert": False}, "preferred"),
        ({"ssl_verify_identity": True}, "verify_identity"),
        ({"ssl_verify_identity": True, "ssl_verify_cert": False}, "verify_identity"),
        ({"ssl_cert": "c", "ssl_key": "k"}, "required"),
        ({"ssl_cipher": "AES256"}, "preferred"),
        ({"ssl": STRICT}, "verify_identity"),
        ({"ssl": CHAIN}, "verify_ca"),
        ({"ssl": LOOSE}, "required"),
        ({"ssl": STRICT, "ssl_mode": "required"}, "verify_identity"),
        ({"ssl": STRICT, "ssl_mode": "preferred"}, "preferred"),
        ({"ssl": {"ca": "ca"}}, "verify_identity"),
        ({"ssl": {"ca": "ca", "check_hostname": False}}, "verify_ca"),
        ({"ssl": {"ca": "ca", "verify_mode": "none"}}, "required"),
        ({"ssl": {"ca": "ca"}, "ssl_mode": "verify_ca"}, "verify_ca"),
        ({"ssl": {"ca": "ca"}, "ssl_verify_identity": False}, "verify_ca"),
        ({"ssl": {"cert": "c", "key": "k"}}, "required"),
        ({"ssl": {"verify_mode": ssl.CERT_REQUIRED}}, "verify_ca"),
        ({"ssl": {"verify_mode": ssl.CERT_NONE, "check_hostname": False}}, "required"),
        ({"ssl": {"check_hostname": "true"}}, "verify_identity"),
    ],
)
def test_mode(keywords: dict[str, Any], mode: str) -> None:
    options = connect_options(**keywords)
    assert options.ssl_mode == mode
    assert options.ssl_verify_identity is (mode == "verify_identity")
    assert options.ssl_verify_cert is (mode in {"verify_ca", "verify_identity"})


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"ssl_mode": "required", "ssl_disabled": True}, "ssl_disabled=True contradict"),
        ({"ssl_mode": "disabled", "ssl": True}, "ssl=True contradict"),
        ({"ssl_mode": "preferred", "ssl": True}, "ssl=True contradict"),
        ({"ssl_mode": "preferred", "ssl": False}, "ssl=False contradict"),
        ({"ssl_mode": "required", "ssl_verify_cert": True}, "ssl_verify_cert=True contradict"),
        ({"ssl_mode": "verify_ca", "ssl_verify_cert": False}, "ssl_verify_cert=False contradict"),
        ({"ssl_mode": "verify_ca", "ssl_verify_identity": True}, "ssl_verify_identity=True contradict"),
        ({"ssl_key": "k"}, "ssl_cert is not"),
        ({"ssl": STRICT, "ssl_ca": "ca"}, "ssl_ca must go into it"),
        ({"ssl": LOOSE, "ssl_mode": "verify_ca"}, "checks no more than 'required'"),
        ({"ssl": CHAIN, "ssl_mode": "verify_identity"}, "checks no more than 'verify_ca'"),
        ({"ssl": {"CA": "x"}}, r"unknown keys \['CA'\]"),
        ({"ssl": {"ca": 3}}, "ssl_ca in ssl is 3"),
        ({"ssl": {"verify_mode": "sometimes"}}, "verify_mode in ssl is 'sometimes'"),
        ({"ssl": {"check_hostname": "sometimes"}}, "check_hostname in ssl is 'sometimes'"),
        ({"ssl": {"verify_mode": False, "check_hostname": True}}, "cannot be checked without"),
    ],
)
def test_contradictions(keywords: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        connect_options(**keywords)


def test_dict_is_unfolded() -> None:
    keys = {"ca": "a", "capath": "b", "cert": "c", "key": "d", "password": "e", "cipher": "f"}
    options = connect_options(ssl=keys, ssl_cert="mine")
    assert options.ssl is None
    assert (options.ssl_ca, options.ssl_capath, options.ssl_cert, options.ssl_key) == ("a", "b", "mine", "d")
    assert (options.ssl_key_password, options.ssl_cipher) == ("e", "f")


def test_context_is_kept() -> None:
    assert connect_options(ssl=LOOSE).ssl is LOOSE
