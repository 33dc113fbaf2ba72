"""Certificates that nobody has signed but the server vouches for with the account's password (MariaDB from 11.4 on)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

import mizzle
from faults.hostile import Peer
from mizzle.testing import Server
from plugins.worlds import World
from servers.middleman import middleman

Connect = Callable[..., Any]
VERIFYING = ("verify_ca", "verify_identity")
WHO = "SELECT CURRENT_USER()"


@pytest.fixture(autouse=True)
def only_servers_that_vouch(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        server: Server = request.getfixturevalue("server")
        if not server.is_mariadb or server.version < (11, 4):
            pytest.skip("this server does not vouch for its certificate")


@pytest.fixture
def between(server: Server) -> Iterator[Peer]:
    """Who stands between us and the server."""
    with Peer(middleman(server.port, trustme.CA().issue_cert("127.0.0.1"))) as peer:
        yield peer


@pytest.mark.feature("TLS certificates that the server vouches for")
def test_each_plugin_that_can(dial: Connect, server: Server) -> None:
    for account in server.accounts.values():
        for mode in VERIFYING:
            conn = dial(user=account.user, password=account.password, ssl_mode=mode)
            assert conn.tls is not None
            assert conn.execute(WHO).fetchone() == (f"{account.user}@%",)
            conn.change_user("app", "app-pw")
            conn.reset()
            assert conn.execute(WHO).fetchone() == ("app@%",)


def test_a_wrong_password_is_refused_as_ever(dial: Connect) -> None:
    with pytest.raises(mizzle.OperationalError, match="1045"):
        dial(password="wrong", ssl_mode="verify_identity")


def test_no_password_vouches_for_nothing(dial: Connect, users: Callable[..., str]) -> None:
    user = users("IDENTIFIED BY ''")
    with pytest.raises(mizzle.OperationalError, match="CA that is not trusted"):
        dial(user=user, password="", ssl_mode="verify_ca")


def test_who_stands_between(dial: Connect, server: Server, between: Peer) -> None:
    """He can be connected through, and is found out by all plugins where that matters."""
    assert dial(port=between.port, ssl_mode="required").execute(WHO).fetchone() == ("app@%",)
    for account in server.accounts.values():
        for mode in VERIFYING:
            with pytest.raises(mizzle.OperationalError, match="does not vouch for it") as caught:
                dial(port=between.port, user=account.user, password=account.password, ssl_mode=mode)
            assert caught.value.args[0] == 2026
            assert "stand between" in str(caught.value.hint)


@pytest.mark.feature("TLS certificates that the server vouches for")
def test_a_certificate_that_the_server_made_itself(
    server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]
) -> None:
    """Nothing is configured on either side."""
    if server_family != "mariadb118":
        pytest.skip("this server does not vouch for its certificate")
    server = start_server(server_family)
    for world in worlds.values():
        with world.connect(**server.connect_args(ssl_mode="verify_identity")) as conn:
            assert conn.execute(WHO).fetchone() == ("app@%",)
        world.settle()
