"""Logging in: every authentication plugin of the servers, good and bad passwords, one account after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import mizzle
from mizzle.testing import Server

Connect = Callable[..., Any]
PASSWORDS = {"empty": "", "long": "Ab3$" * 50, "unicode": "пароль 日本 😀 '\"\\%s", "spaces": " a b "}
WHO = "SELECT CURRENT_USER()"


def identified(server: Server, password: str) -> list[str]:
    """How an account can be identified on the server."""
    if server.is_mariadb:
        ed25519 = "VIA ed25519 USING PASSWORD(%s)"
        parsec = ["VIA parsec USING PASSWORD(%s)"] if server.has_plugin("auth_parsec") and password else []
        if not password and server.version < (11,):
            return ["BY %s"]  # its ed25519 lets nobody in
        return ["BY %s", ed25519, *parsec]
    return ["WITH caching_sha2_password BY %s", "WITH sha256_password BY %s"]


def test_each_plugin(connect: Connect, server: Server) -> None:
    for account in server.accounts.values():
        for password in (account.password, account.password.encode(), lambda account=account: account.password):
            with connect(user=account.user, password=password) as conn:
                assert conn.execute(WHO).fetchone() == (f"{account.user}@%",)


@pytest.mark.parametrize("name", PASSWORDS)
def test_passwords(connect: Connect, server: Server, users: Callable[..., str], name: str) -> None:
    password = PASSWORDS[name]
    for how in identified(server, password):
        user = users(f"IDENTIFIED {how}", [password])
        for _ in range(2):  # the second time the server remembers
            with connect(user=user, password=password) as conn:
                assert conn.execute(WHO).fetchone() == (f"{user}@%",)
        for wrong in {"wrong", "", password + "x"} - {password}:
            with pytest.raises(mizzle.OperationalError, match=f"Access denied for user '{user}'@") as caught:
                connect(user=user, password=wrong)
            assert caught.value.args[0] == 1045
            assert caught.value.sqlstate == "28000"
            assert not caught.value.alive
            assert caught.value.hint


def test_nobody(connect: Connect) -> None:
    with pytest.raises(mizzle.OperationalError, match="Access denied"):
        connect(user="nobody", password="x")


def test_the_plugin_to_start_with(connect: Connect) -> None:
    for plugin in ("mysql_native_password", "caching_sha2_password", "client_ed25519", "sha256_password", "nonsense"):
        with connect(auth_plugin=plugin) as conn:
            assert conn.execute(WHO).fetchone() == ("app@%",)


@pytest.mark.feature("passwords from a function")
def test_password_from_a_callable(connect: Connect, server: Server) -> None:
    asked = []

    def password() -> str:
        asked.append(1)
        return server.password

    for times in (1, 2):
        connect(password=password)
        assert len(asked) == times


def other_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.feature("caching_sha2_password: with an RSA key, over TLS, from the server's cache")
def test_caching_sha2_password_in_full_and_from_the_cache(
    connect: Connect, server: Server, admin: Any, tls: bool
) -> None:
    if server.is_mariadb:
        pytest.skip("MariaDB does not have this plugin")
    wrong_key = other_key()
    admin.execute("FLUSH PRIVILEGES")  # that empties the cache
    if not tls:
        with pytest.raises(mizzle.OperationalError, match="1045"):
            connect(server_public_key=wrong_key)
        [(_, key)] = admin.execute("SHOW STATUS LIKE 'Caching_sha2_password_rsa_public_key'")
        connect(server_public_key=key)
        admin.execute("FLUSH PRIVILEGES")
    connect()
    connect(server_public_key=wrong_key)  # which is not needed now


@pytest.mark.feature("Unix sockets")
def test_unix_socket(dial: Connect, server: Server, admin: Any) -> None:
    admin.execute("FLUSH PRIVILEGES")
    for account in server.accounts.values():
        conn = dial(unix_socket=server.unix_socket, user=account.user, password=account.password)
        assert conn.execute(WHO).fetchone() == (f"{account.user}@%",)
        assert conn.tls is None
        assert conn.host_info == "Localhost via UNIX socket"
    root = dial(unix_socket=server.unix_socket, user="root", password="")
    assert root.execute(WHO).fetchone() == ("root@localhost",)
    conn = dial(unix_socket=server.unix_socket, ssl_mode="verify_ca", ssl_ca=server.ca_file)
    assert conn.tls is not None
    conn.ping()


def test_an_account_with_two_ways_in(connect: Connect, server: Server, users: Callable[..., str]) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has no alternatives")
    user = users("IDENTIFIED VIA ed25519 USING PASSWORD('one') OR mysql_native_password USING PASSWORD('two')")
    for password in ("one", "two"):
        assert connect(user=user, password=password).execute(WHO).fetchone() == (f"{user}@%",)
    with pytest.raises(mizzle.OperationalError, match="1045"):
        connect(user=user, password="three")


def test_a_password_too_long_for_the_key(
    connect: Connect, server: Server, users: Callable[..., str], tls: bool
) -> None:
    if server.is_mariadb:
        pytest.skip("MariaDB does not encrypt passwords")
    password = "x" * 250
    for how in identified(server, password):
        user = users(f"IDENTIFIED {how}", [password])
        if tls:
            connect(user=user, password=password).ping()
        else:
            with pytest.raises(mizzle.OperationalError, match="too long for the server's RSA key"):
                connect(user=user, password=password)


@pytest.mark.feature("expired passwords")
def test_an_expired_password(connect: Connect, server: Server, users: Callable[..., str], admin: Any) -> None:
    user = users("IDENTIFIED BY 'old'")
    admin.execute(f"ALTER USER {user}@'%' PASSWORD EXPIRE")
    if server.is_mariadb:  # it lets us in, to change the password and for nothing else
        conn = connect(user=user, password="old")
    else:
        with pytest.raises(mizzle.OperationalError, match="1862") as refused:
            connect(user=user, password="old")
        assert not refused.value.alive
        assert "can_handle_expired_passwords=True" in str(refused.value.hint)
        conn = connect(user=user, password="old", can_handle_expired_passwords=True)
    with pytest.raises(mizzle.OperationalError, match="1820") as caught:
        conn.execute("SELECT 1")
    assert caught.value.alive
    assert "password has expired" in str(caught.value.hint)
    change = "SET PASSWORD = PASSWORD('new')" if server.is_mariadb else "ALTER USER USER() IDENTIFIED BY 'new'"
    conn.execute(change)
    assert conn.execute("SELECT 1").fetchone() == (1,)
    conn.reset()  # the session settings did not take effect at the login
    assert conn.execute("SELECT @@autocommit, @@character_set_client").fetchone() == (0, "utf8mb4")
    connect(user=user, password="new").ping()


def test_an_expired_password_that_ends_connections(
    connect: Connect, server: Server, users: Callable[..., str], admin: Any
) -> None:
    """MariaDB with disconnect_on_expired_password does as MySQL does."""
    if not server.is_mariadb:
        pytest.skip("MySQL always does so")
    user = users("IDENTIFIED BY 'old'")
    admin.execute(f"ALTER USER {user}@'%' PASSWORD EXPIRE")
    admin.execute("SET GLOBAL disconnect_on_expired_password = ON")
    try:
        with pytest.raises(mizzle.OperationalError, match="1862"):
            connect(user=user, password="old")
        conn = connect(user=user, password="old", can_handle_expired_passwords=True)
        conn.execute("SET PASSWORD = PASSWORD('new')")
    finally:
        admin.execute("SET GLOBAL disconnect_on_expired_password = OFF")
    assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_locked_account(connect: Connect, users: Callable[..., str], admin: Any) -> None:
    user = users("IDENTIFIED BY 'pw'")
    admin.execute(f"ALTER USER {user}@'%' ACCOUNT LOCK")
    with pytest.raises(mizzle.OperationalError, match="locked") as caught:
        connect(user=user, password="pw")
    assert caught.value.args[0] in {3118, 4151}


def test_databases_that_are_not_for_us(connect: Connect, users: Callable[..., str]) -> None:
    with pytest.raises(mizzle.OperationalError, match="1049") as caught:
        connect(database="nope")
    assert not caught.value.alive
    user = users("IDENTIFIED BY 'pw'")
    with pytest.raises(mizzle.OperationalError, match="1044"):
        connect(user=user, password="pw", database="mysql")


@pytest.mark.feature("COM_CHANGE_USER")
def test_change_user(connect: Connect, server: Server, admin: Any) -> None:
    conn = connect(autocommit=True, charset="latin1")
    number = conn.thread_id()
    admin.execute("FLUSH PRIVILEGES")
    for account in [*server.accounts.values()] * 2:
        conn.execute("SET @forgotten = 1, autocommit = 0")
        conn.set_charset("utf8mb4")
        conn.change_user(account.user, account.password, "information_schema")
        row = conn.execute("SELECT CURRENT_USER(), DATABASE(), @forgotten, @@autocommit, CONNECTION_ID()").fetchone()
        assert row == (f"{account.user}@%", "information_schema", None, 1, number)
        assert conn.execute("SELECT %s, HEX(%s)", ["é", "é"]).fetchone() == ("é", "E9")
    conn.change_user(server.user, server.password)
    assert conn.execute("SELECT DATABASE()").fetchone() == (None,)


def test_change_user_to_each_password(connect: Connect, server: Server, users: Callable[..., str]) -> None:
    conn = connect()
    for password in PASSWORDS.values():
        for how in identified(server, password):
            user = users(f"IDENTIFIED {how}", [password])
            conn.change_user(user, password, server.database)
            assert conn.execute(WHO).fetchone() == (f"{user}@%",)


def test_change_user_that_is_refused_ends_the_connection(dial: Connect) -> None:
    conn = dial()
    with pytest.raises(mizzle.OperationalError, match="1045") as caught:
        conn.change_user("app", "wrong")
    assert not caught.value.alive
    assert not conn.open
    with pytest.raises(mizzle.InterfaceError, match="already closed"):
        conn.ping()
