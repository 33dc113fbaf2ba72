"""A login's authentication as a whole: several factors, servers that vouch for themselves, and what no server gets."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any

import pytest
import trustme
from dialogue import ok, packets
from login_client import PASSWORD, Client, TLSServer, engine, native, payload_of, sha2

from faults.handshakes import COMMON, NONCE, auth_switch, greeting, parse_response
from mizzle.constants import capabilities as cap
from mizzle.engine.auth import PLUGINS
from mizzle.errors import Error, OperationalError

NATIVE, SHA2 = "mysql_native_password", "caching_sha2_password"
FACTORS = COMMON | cap.CLIENT_MULTI_FACTOR_AUTHENTICATION
OTHER = bytes(range(101, 121))


def next_factor(plugin: str, data: bytes = OTHER + b"\0") -> bytes:
    """Protocol::AuthNextFactor."""
    return b"\x02" + plugin.encode() + b"\0" + data


# -- several factors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("several factors")
def test_three_factors(chunk: int | None) -> None:
    client = Client(engine(password="one", password2="two", password3="three"), chunk)
    said = client.log_in(
        greeting(capabilities=FACTORS),
        next_factor(SHA2),
        b"\x01\x03",
        next_factor(NATIVE, NONCE + b"\0"),
        ok(),
        ok(),
    )
    first = parse_response(said[0])
    assert first.capabilities & cap.CLIENT_MULTI_FACTOR_AUTHENTICATION
    assert first.auth == native("one")
    assert said[1] == sha2("two", OTHER)
    assert said[3] == native("three")
    assert client.done


def test_a_factor_may_switch_plugins() -> None:
    client = Client(engine(password="one", password2="two"))
    said = client.log_in(greeting(capabilities=FACTORS), next_factor(SHA2), auth_switch(NATIVE, OTHER + b"\0"), ok())
    assert said[2] == native("two", OTHER)


def test_each_factor_has_its_own_password() -> None:
    """What is not given is empty: the first password is for nobody else."""
    client = Client(engine(password="one"))
    said = client.log_in(greeting(capabilities=FACTORS), next_factor(NATIVE), next_factor(SHA2))
    assert said[1:] == [b"", b"\0"]


def test_no_fourth_factor() -> None:
    client = Client(engine(password="a", password2="b", password3="c"))
    with pytest.raises(OperationalError, match="factor 4 of 3") as caught:
        client.log_in(greeting(capabilities=FACTORS), *[next_factor(NATIVE)] * 3)
    assert (caught.value.errno, caught.value.alive) == (2061, False)


def test_factors_that_were_not_agreed_on() -> None:
    client = Client(engine(password2="two"))
    with pytest.raises(OperationalError, match="unexpected bytes"):
        client.log_in(greeting(), next_factor(NATIVE))


def test_change_user_keeps_the_other_factors_to_their_user() -> None:
    for user, second in (("ann", native("two", OTHER)), ("bob", b"")):
        client = Client(engine(password="one", password2="two"))
        client.log_in(greeting(capabilities=FACTORS), ok(), ok())
        again = Client(client.engine, conversation=client.engine.change_user(user, b"other", ""))
        assert payload_of(again.hear(packets(next_factor(NATIVE)))) == second


# -- what no server gets -------------------------------------------------------------------------------------------


SWITCHES = {
    "auth_gssapi_client": b"svc\0Kerberos\0",
    "authentication_kerberos_client": b"\x03\0svc\x05\0REALM",
    "authentication_ldap_sasl_client": b"SCRAM-SHA-256",
    "authentication_openid_connect_client": b"",
    "authentication_webauthn_client": b"\x01\x20" + bytes(32) + b"\x04site",
    "caching_sha2_password": OTHER + b"\0",
    "client_ed25519": bytes(32),
    "dialog": b"\x05Password: ",
    "mysql_clear_password": b"",
    "mysql_native_password": OTHER + b"\0",
    "parsec": bytes(32),
    "sha256_password": OTHER + b"\0",
}


def secrets() -> dict[str, Any]:
    return {"password": "s3cret-pw", "openid_token": "t0ken", "dialog": lambda *_: "s3cret-answer"}


def test_every_plugin_is_here() -> None:
    assert SWITCHES.keys() == PLUGINS.keys()


@pytest.mark.parametrize("plugin", SWITCHES)
def test_no_plugin_gives_secrets_away_on_a_plain_link(plugin: str) -> None:
    """Whatever the server makes of it: also with questions behind it, and cut short at every length."""
    data = SWITCHES[plugin]
    for cut in range(len(data) + 1):
        for more in (b"\x01\x04", b"\x01\x05Password: ", b"\x01", b"\x01P\x00" + bytes(18), b"\x05Password: "):
            client = Client(engine(**secrets()))
            client.hear(packets(greeting(capabilities=FACTORS), first=0))
            said = b""
            try:
                said = client.hear(packets(auth_switch(plugin, data[:cut]), first=2))
                said += client.hear(packets(more, first=4 if said else 3))
            except Error as error:
                assert not error.alive  # noqa: PT017 - not every server is refused
                said += repr((error, error.hint)).encode()
            assert b"s3cret" not in said
            assert b"t0ken" not in said


def again_and_again(client: Client, payload: bytes, first: int = 2) -> None:
    for number in range(first, 250, 2):
        client.hear(packets(payload, first=number))


@pytest.mark.parametrize("plugin", [NATIVE, SHA2, "client_ed25519", "parsec", "dialog"])
def test_a_server_that_switches_without_end(plugin: str) -> None:
    client = Client(engine(secure=True, dialog=lambda *_: "yes"))
    client.hear(packets(greeting(), first=0))
    with pytest.raises(OperationalError, match="has no end: after 64 packets") as caught:
        again_and_again(client, auth_switch(plugin, SWITCHES[plugin]))
    assert (caught.value.errno, caught.value.alive) == (2012, False)


def test_questions_without_end() -> None:
    asked: list[str] = []

    def answer(question: str, _: bool) -> str:
        asked.append(question)
        return "yes"

    client = Client(engine(secure=True, dialog=answer))
    client.hear(packets(greeting(), first=0))
    client.hear(packets(auth_switch("dialog", b""), first=2))
    with pytest.raises(OperationalError, match="has no end"):
        again_and_again(client, b"\x02?", first=3)
    assert asked == ["?"] * len(asked)
    assert 60 < len(asked) < 65


def test_an_ok_before_the_server_has_proven_itself() -> None:
    """SCRAM: who does not know the password can say OK, but not what it owes."""
    client = Client(engine())
    [_, first] = client.log_in(greeting(), auth_switch("authentication_ldap_sasl_client", b"SCRAM-SHA-256"))
    client.hear(packets(b"\x01r=" + first.rpartition(b"r=")[2] + b"xyz,s=QSXCR+Q6sek8bf92,i=4096", first=4))
    with pytest.raises(OperationalError, match="says OK and still owes a proof that it knows the password") as caught:
        client.hear(packets(ok(), first=6))
    assert (caught.value.errno, caught.value.alive) == (2061, False)


@pytest.mark.parametrize("length", [256 * 1024 + 1, 0xFFFFFF])
def test_packets_of_a_login_are_short(length: int) -> None:
    """Whatever max_allowed_packet says: nobody has been let in."""
    client = Client(engine(max_allowed_packet=1 << 30))
    client.hear(packets(greeting(), first=0))
    with pytest.raises(OperationalError, match="262144 are allowed") as caught:
        client.hear(length.to_bytes(3, "little") + b"\x02")
    assert caught.value.errno == 2020


def test_afterwards_they_may_be_long() -> None:
    client = Client(engine(max_allowed_packet=1 << 29))
    client.log_in(greeting(), ok(), ok())
    assert client.engine.max_allowed_packet == 1 << 29


# -- servers that vouch for themselves -------------------------------------------------------------------------------


MARIADB = COMMON & ~cap.CLIENT_MYSQL | cap.CLIENT_SSL


def vouching(certificate: trustme.LeafCert, password: str = PASSWORD, nonce: bytes = NONCE) -> bytes:
    """An OK packet as MariaDB 11.4 sends it over TLS."""
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    stored = hashlib.sha1(hashlib.sha1(password.encode()).digest()).digest()
    proof = hashlib.sha256(stored + nonce + hashlib.sha256(der).digest()).hexdigest()
    return ok(info=b"\x01" + proof.upper().encode())


class Vouching:
    """A client that verifies without a CA, in TLS with a server whose CA nobody knows, up to the client's response."""

    def __init__(self, version: str = "11.8.2-MariaDB", **options: Any) -> None:
        self.certificate = trustme.CA().issue_cert("elsewhere.example")
        self.client = Client(engine(**{"ssl_mode": "verify_identity"} | options))
        self.server = TLSServer(self.certificate)
        said = self.client.hear(packets(greeting(version, capabilities=MARIADB), first=0))
        self.response = parse_response(self.server.shake_hands(self.client, said[36:])[4:])


@pytest.mark.parametrize("mode", ["verify_ca", "verify_identity"])
def test_a_certificate_that_the_server_vouches_for(mode: str) -> None:
    made = Vouching(ssl_mode=mode)
    assert made.response.auth == native()
    said = made.server.say(made.client, vouching(made.certificate), first=3)
    assert b"SET NAMES" in said
    made.server.say(made.client, ok(), first=1)
    assert made.client.done


NOT_VOUCHING = {
    "nothing": ok(),
    "another password": vouching(trustme.CA().issue_cert("x"), "other"),
    "another certificate": vouching(trustme.CA().issue_cert("x")),
    "half of it": ok(info=b"\x01" + b"A" * 32),
    "something else": ok(info=b"\x02" + b"A" * 64),
}


@pytest.mark.parametrize("verdict", NOT_VOUCHING.values(), ids=NOT_VOUCHING)
def test_a_certificate_that_the_server_does_not_vouch_for(verdict: bytes) -> None:
    made = Vouching()
    with pytest.raises(OperationalError, match="not trusted: the server does not vouch for it") as caught:
        made.server.say(made.client, verdict, first=3)
    assert (caught.value.errno, caught.value.alive) == (2026, False)
    assert "ssl_ca" in (caught.value.hint or "")


@pytest.mark.parametrize("plugin", sorted(SWITCHES.keys() - {NATIVE, "client_ed25519", "parsec"}))
def test_unproven_servers_get_no_plugin_that_gives_secrets_away(plugin: str) -> None:
    made = Vouching(**secrets())
    with pytest.raises(OperationalError, match=f"not trusted: the login is by '{plugin}'") as caught:
        made.server.say(made.client, auth_switch(plugin, SWITCHES[plugin]), first=3)
    assert caught.value.errno == 2026


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("10.11.9-MariaDB", {}), ("11.3.2-MariaDB", {}), ("11.8.2-MariaDB", {"password": ""}),
        ("11.8.2-MariaDB", {"ssl_ca": "ca"}),
    ],
)  # fmt: skip
def test_who_cannot_vouch_is_verified_as_ever(version: str, options: dict[str, Any], tmp_path: Any) -> None:
    if options.get("ssl_ca"):
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        options = {"ssl_ca": str(tmp_path / "ca.pem")}
    with pytest.raises(OperationalError, match="comes from a CA that is not trusted"):
        Vouching(version, **options)
