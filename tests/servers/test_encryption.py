"""TLS: what each ssl_mode accepts of which server, and what the server says of the connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

import mizzle
from mizzle.testing import Server
from plugins.worlds import World

Connect = Callable[..., Any]
MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
#: The server's address in a way that its certificate does not have.
OTHER_NAME = "127.1"


@pytest.fixture(scope="session")
def strange_ca(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An authority that has signed nothing here."""
    path = tmp_path_factory.mktemp("strange") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)


def cipher_of(conn: Any) -> str:
    """What the server says it uses."""
    return str(conn.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'").fetchone()[1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.feature("TLS")
def test_modes(dial: Connect, server: Server, mode: str) -> None:
    conn = dial(ssl_mode=mode, ssl_ca=server.ca_file)
    if mode == "disabled":
        assert conn.tls is None
        assert cipher_of(conn) == ""
    else:
        assert conn.tls.cipher()[0] == cipher_of(conn)
        assert conn.tls.version() == "TLSv1.3"
    if mode.startswith("verify"):
        assert conn.tls.getpeercert()["subjectAltName"]


def test_encrypted_unasked(dial: Connect) -> None:
    assert cipher_of(dial()) != ""


def test_a_name_that_the_certificate_does_not_have(dial: Connect, server: Server) -> None:
    for mode in ("preferred", "required", "verify_ca"):
        assert cipher_of(dial(host=OTHER_NAME, ssl_mode=mode, ssl_ca=server.ca_file))
    with pytest.raises(mizzle.OperationalError, match=f"is not for '{OTHER_NAME}' but for: ") as caught:
        dial(host=OTHER_NAME, ssl_mode="verify_identity", ssl_ca=server.ca_file)
    assert caught.value.args[0] == 2026
    assert not caught.value.alive
    assert "verify_ca" in str(caught.value.hint)


def test_a_strange_authority(dial: Connect, server: Server, strange_ca: str) -> None:
    for mode in ("preferred", "required"):
        assert cipher_of(dial(ssl_mode=mode, ssl_ca=strange_ca))
    vouches = server.is_mariadb and server.version >= (11, 4)  # where no authority is named: test_vouching.py
    for given in ({"ssl_ca": strange_ca}, *([] if vouches else [{}])):
        for mode in ("verify_ca", "verify_identity"):
            with pytest.raises(mizzle.OperationalError, match="CA that is not trusted") as caught:
                dial(ssl_mode=mode, **given)
            assert caught.value.args[0] == 2026
            assert "ssl_ca" in str(caught.value.hint)


def test_the_ways_to_ask_for_it(dial: Connect, server: Server) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    for given in (
        {"ssl": context},
        {"ssl": {"ca": server.ca_file}},
        {"ssl": True},
        {"ssl_ca": server.ca_file},
        {"ssl_verify_identity": True, "ssl_ca": server.ca_file},
    ):
        assert cipher_of(dial(**given)), given
    assert not cipher_of(dial(ssl=False))
    assert not cipher_of(dial(ssl_disabled=True))


def test_versions_and_ciphers(dial: Connect) -> None:
    conn = dial(ssl_mode="required", tls_versions="TLSv1.2", ssl_cipher="ECDHE-ECDSA-AES256-GCM-SHA384:AES256-SHA256")
    assert conn.tls.version() == "TLSv1.2"
    assert cipher_of(conn) == "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.mark.feature("accounts that need a client certificate")
def test_a_client_certificate(dial: Connect, server: Server, users: Callable[..., str]) -> None:
    made = server.certificates
    assert made is not None
    user = users("IDENTIFIED BY 'pw' REQUIRE X509")
    for mode in ("disabled", "required"):
        with pytest.raises(mizzle.OperationalError, match="1045"):
            dial(user=user, password="pw", ssl_mode=mode)
    conn = dial(user=user, password="pw", ssl_cert=made.client_certificate, ssl_key=made.client_key)
    assert cipher_of(conn)


def test_an_account_that_requires_tls(dial: Connect, users: Callable[..., str]) -> None:
    user = users("IDENTIFIED BY 'pw' REQUIRE SSL")
    assert cipher_of(dial(user=user, password="pw"))
    with pytest.raises(mizzle.OperationalError, match="1045"):
        dial(user=user, password="pw", ssl_mode="disabled")


def test_a_file_that_is_not_there(dial: Connect, tmp_path: Path) -> None:
    with pytest.raises(mizzle.OperationalError, match=r"ssl_ca .*missing\.pem cannot be used"):
        dial(ssl_ca=tmp_path / "missing.pem")


def test_a_server_without_tls(
    server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]
) -> None:
    server = start_server(server_family, tls=False)
    for world in worlds.values():
        for mode in ("disabled", "preferred"):
            with world.connect(**server.connect_args(ssl_mode=mode)) as conn:
                assert conn.tls is None
        for mode in ("required", "verify_ca", "verify_identity"):
            with pytest.raises(mizzle.OperationalError, match="the server does not offer it") as caught:
                world.connect(**server.connect_args(ssl_mode=mode))
            assert caught.value.args[0] == 2026
            assert not caught.value.sent
        world.settle()


def test_an_expired_certificate(
    server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]
) -> None:
    server = start_server(server_family, tls="expired")
    for world in worlds.values():
        for mode in ("preferred", "required"):
            with world.connect(**server.connect_args(ssl_mode=mode, ssl_ca=server.ca_file)) as conn:
                assert cipher_of(conn)
        for mode in ("verify_ca", "verify_identity"):
            with pytest.raises(mizzle.OperationalError, match="certificate has expired") as caught:
                world.connect(**server.connect_args(ssl_mode=mode, ssl_ca=server.ca_file))
            assert caught.value.args[0] == 2026
        world.settle()
