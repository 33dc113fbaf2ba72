"""Accounts that want more than a password, or none: the operating system's user, security keys, several factors."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.worlds import World
from servers.authenticator import Authenticator

Connect = Callable[..., Any]
WHO = "SELECT CURRENT_USER()"
OS_USER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def by_socket(admin: Any, server: Server) -> Iterator[str]:
    """An account that lets in who has its name in the operating system."""
    if not server.is_mariadb:
        pytest.skip("MySQL: test_mysqls_factors")
    there = OS_USER == "root"  # then the account is there, and without a password
    admin.execute(f"{'ALTER' if there else 'CREATE'} USER {OS_USER}@localhost IDENTIFIED VIA unix_socket")
    yield OS_USER
    admin.execute("ALTER USER root@localhost IDENTIFIED BY ''" if there else f"DROP USER {OS_USER}@localhost")


@pytest.mark.feature("unix_socket, auth_socket")
def test_unix_socket_accounts(dial: Connect, server: Server, by_socket: str) -> None:
    for password in ("", "whatever", lambda: "whatever"):
        conn = dial(unix_socket=server.unix_socket, user=by_socket, password=password, database=None)
        assert conn.execute(WHO).fetchone() == (f"{by_socket}@localhost",)


@pytest.mark.feature("dialog (PAM)")
def test_questions(server: Server, start_server: Callable[..., Server], worlds: dict[str, World]) -> None:
    """MariaDB's examples of the dialog that PAM has, too."""
    if not server.has_plugin("dialog_examples"):
        pytest.skip("this server has no accounts that ask questions")
    load = ["--plugin-load-add=dialog_examples.so", "--plugin-maturity=unknown"]
    server = start_server(server.family, arguments=load)
    with mizzle.connect(**server.connect_args()) as admin:
        admin.execute("CREATE USER two@localhost IDENTIFIED VIA two_questions USING 'pw'")
        admin.execute("CREATE USER three@localhost IDENTIFIED VIA three_attempts USING 'pw'")
    args = server.connect_args(unix_socket=server.unix_socket, database=None)
    for world in worlds.values():
        asked: list[tuple[str, bool]] = []

        def answer(question: str, echo: bool, asked: list[tuple[str, bool]] = asked) -> str:
            asked.append((question, echo))
            return "yes, of course" if echo else ["wrong", "pw"][len(asked) - 2]

        for user, password in (("two", "pw"), ("three", "wrong")):
            with world.connect(**args | {"user": user, "password": password, "dialog": answer}) as conn:
                assert conn.execute(WHO).fetchone() == (f"{user}@localhost",)
        assert asked == [("Are you sure ?", True), ("Password, please:", False), ("Password, please:", False)]
        with pytest.raises(mizzle.OperationalError, match=r"'Are you sure \?', and nobody answers"):
            world.connect(**args | {"user": "two", "password": "pw"})
        with pytest.raises(mizzle.OperationalError, match="1045"):
            world.connect(**args | {"user": "two", "password": "pw", "dialog": lambda *_: "no"})
        world.settle()


PLUGINS = ("auth_socket", "authentication_webauthn")


@pytest.mark.feature("unix_socket, auth_socket", "several factors", "WebAuthn")
def test_mysqls_factors(server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]) -> None:
    if server_family != "mysql97":
        pytest.skip("MariaDB has one factor")
    load = [f"--plugin-load-add={name}.so" for name in PLUGINS]
    arguments = [*load, "--authentication-webauthn-rp-id=mysql.example", "--authentication-policy=*,,"]
    server = start_server(server_family, arguments=arguments, tls=True)
    key = Authenticator()
    with mizzle.connect(**server.connect_args()) as admin:
        for sql in (
            f"CREATE USER sock@localhost IDENTIFIED WITH auth_socket AS '{OS_USER}'",
            f"CREATE USER two@localhost IDENTIFIED BY 'one' AND IDENTIFIED WITH auth_socket AS '{OS_USER}'",
            f"CREATE USER three@localhost IDENTIFIED BY 'one' AND IDENTIFIED WITH auth_socket AS '{OS_USER}' "
            "AND IDENTIFIED WITH authentication_webauthn",
            "CREATE USER touch@'%' IDENTIFIED WITH sha256_password BY 'one' "
            "AND IDENTIFIED WITH authentication_webauthn",
        ):
            admin.execute(sql)
    register(key, 2, **server.connect_args(user="touch", password="one", database=None))
    register(key, 3, **server.connect_args(user="three", password="one", database=None), unix_socket=server.unix_socket)
    for world in worlds.values():
        log_in(world, server, key)
        world.settle()


def register(key: Authenticator, factor: int, **where: Any) -> None:
    """As an account is registered: on a connection that is good for nothing else."""
    with pytest.raises(mizzle.OperationalError, match="4055") as caught:
        mizzle.connect(**where, webauthn=key.sign)
    assert "INITIATE REGISTRATION" in str(caught.value.hint)
    with mizzle.connect(**where, webauthn=key.sign, can_handle_expired_passwords=True) as conn:
        row = conn.execute(f"ALTER USER USER() {factor} FACTOR INITIATE REGISTRATION").fetchone()
        conn.execute(
            f"ALTER USER USER() {factor} FACTOR FINISH REGISTRATION SET CHALLENGE_RESPONSE AS %s",
            [key.register(row[0])],
        )


def log_in(world: World, server: Server, key: Authenticator) -> None:
    socket = {"unix_socket": server.unix_socket, "database": None}
    for user, password in (("sock", ""), ("two", lambda: "one"), ("three", "one")):
        args = server.connect_args(user=user, password=password, webauthn=key.sign, **socket)
        with world.connect(**args) as conn:
            assert conn.execute(WHO).fetchone() == (f"{user}@localhost",)
            conn.change_user(user, "one")
            assert conn.execute(WHO).fetchone() == (f"{user}@localhost",)
    touch = server.connect_args(user="touch", password="one", database=None)
    for options in ({}, {"ssl_mode": "verify_identity", "ssl_ca": server.ca_file}):
        with world.connect(**touch, webauthn=key.sign, **options) as conn:
            assert conn.execute(WHO).fetchone() == ("touch@%",)
    assert {(request.rp_id, request.credential_id) for request in key.asked} == {("mysql.example", key.credential_id)}
    for change, number in (({"webauthn": Authenticator().sign}, 1045), ({}, 2061), ({"password": "no"}, 1045)):
        with pytest.raises(mizzle.OperationalError, match=str(number)):
            world.connect(**touch | change)
    with pytest.raises(mizzle.OperationalError, match="1045"):
        world.connect(**server.connect_args(user="two", password="no", **socket))
