"""The connection phase without a server: greetings of all servers, every way to log in, whole and in every piece."""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from dialogue import err, ok, packets
from login_client import PASSWORD, Client, TLSServer, engine, native, payload_of, response, sha2

from faults.handshakes import COMMON, NONCE, Response, auth_switch, greeting, parse_response
from mizzle.constants import capabilities as cap
from mizzle.constants import status
from mizzle.engine.tls import TLSFilter
from mizzle.errors import Error, MalformedPacket, NotSupportedError, OperationalError

UTF8MB4 = b"SET NAMES utf8mb4"


# -- greetings ---------------------------------------------------------------------------------------------------------


class Greeting(NamedTuple):
    data: bytes
    version: str
    info: tuple[int, ...]
    is_mariadb: bool
    plugin: str


RECORDED = {
    "mariadb 10.11": (
        "640000000a352e352e352d31302e31312e31382d4d6172696144422d302b64656231327531000400"
        "0000595c416f2c2c356700feff080200ff81150000000000001d0000002b3a2549226b7428664b26"
        "78006d7973716c5f6e61746976655f70617373776f726400"
    ),
    "mariadb 11.8": (
        "680000000a31312e382e362d4d6172696144422d302b646562313375312066726f6d204465626961"
        "6e000400000040393d656448794c00feff2d0200ff81150000000000003d0000004f297a50606e2d"
        "3251235977006d7973716c5f6e61746976655f70617373776f726400"
    ),
    "mysql 9.7": (
        "4b0000000a392e372e342d32000900000018411b383e7e4d3800ffffff0200ffdf15000000000000"
        "0000000023653c66016c5b7236725b400063616368696e675f736861325f70617373776f726400"
    ),
}
_EXTENDED = (
    (COMMON & ~cap.CLIENT_MYSQL)
    | cap.MARIADB_CLIENT_PROGRESS
    | cap.MARIADB_CLIENT_STMT_BULK_OPERATIONS
    | cap.MARIADB_CLIENT_CACHE_METADATA
)
_OLD = COMMON & ~(cap.CLIENT_DEPRECATE_EOF | cap.CLIENT_CONNECT_ATTRS | cap.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
NATIVE, SHA2 = "mysql_native_password", "caching_sha2_password"


def made(version: str, capabilities: int, plugin: str) -> bytes:
    return packets(greeting(version, capabilities=capabilities, plugin=plugin), first=0)


GREETINGS = {
    # 5.5.x up to 5.5.9 leaves out the NUL behind the plugin's name
    "mysql 5.5": Greeting(
        packets(greeting("5.5.8-log", capabilities=_OLD)[:-1], first=0), "5.5.8-log", (5, 5, 8), False, NATIVE
    ),
    "mysql 5.5, no plugins": Greeting(
        made("5.5.62", _OLD & ~cap.CLIENT_PLUGIN_AUTH, ""), "5.5.62", (5, 5, 62), False, NATIVE
    ),
    "mysql 5.7": Greeting(made("5.7.44-log", COMMON, NATIVE), "5.7.44-log", (5, 7, 44), False, NATIVE),
    "mysql 8.0": Greeting(made("8.0.43", COMMON, SHA2), "8.0.43", (8, 0, 43), False, SHA2),
    "mysql 26.7": Greeting(made("26.7.0-cloud", COMMON, SHA2), "26.7.0-cloud", (26, 7, 0), False, SHA2),
    "mariadb 10.4": Greeting(
        made("5.5.5-10.4.34-MariaDB-log", _EXTENDED, NATIVE), "10.4.34-MariaDB-log", (10, 4, 34), True, NATIVE
    ),
    "mariadb 10.4 behind a proxy": Greeting(
        made("5.5.5-10.4.34", COMMON, NATIVE), "10.4.34", (10, 4, 34), True, NATIVE
    ),
    "mariadb 12": Greeting(
        made("12.2.2-MariaDB-ubu2404", _EXTENDED, NATIVE), "12.2.2-MariaDB-ubu2404", (12, 2, 2), True, NATIVE
    ),
    "no name": Greeting(made("12.1.1-vendor", _EXTENDED, NATIVE), "12.1.1-vendor", (12, 1, 1), True, NATIVE),
    "mariadb 10.11": Greeting(
        bytes.fromhex(RECORDED["mariadb 10.11"]), "10.11.18-MariaDB-0+deb12u1", (10, 11, 18), True, NATIVE
    ),
    "mariadb 11.8": Greeting(
        bytes.fromhex(RECORDED["mariadb 11.8"]), "11.8.6-MariaDB-0+deb13u1 from Debian", (11, 8, 6), True, NATIVE
    ),
    "mysql 9.7": Greeting(bytes.fromhex(RECORDED["mysql 9.7"]), "9.7.4-2", (9, 7, 4), False, SHA2),
}


@pytest.fixture(params=GREETINGS.values(), ids=GREETINGS)
def hello(request: pytest.FixtureRequest) -> Greeting:
    found: Greeting = request.param
    return found


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_greetings(hello: Greeting, chunk: int | None) -> None:
    client = Client(engine(), chunk)
    said = parse_any(client.hear(hello.data)[4:])
    made = client.engine
    assert made.server_version == hello.version
    assert made.server_version_info == hello.info
    assert made.is_mariadb is hello.is_mariadb
    assert made.status_flags & status.SERVER_STATUS_AUTOCOMMIT
    assert said.user == "ann"
    assert said.plugin in {hello.plugin, ""}
    assert len(said.auth) == (20 if hello.plugin == NATIVE else 32)
    # CLIENT_MYSQL is unset where the server leaves it unset: only then are MariaDB's own capabilities read
    assert said.capabilities & cap.CLIENT_MYSQL == hello_capabilities(hello) & cap.CLIENT_MYSQL


def hello_capabilities(hello: Greeting) -> int:
    at = hello.data.index(0, 5) + 1 + 4 + 8 + 1
    return int.from_bytes(hello.data[at : at + 2], "little")


def parse_any(payload: bytes) -> Response:
    """Also the answers to servers that know neither plugins nor lengths of more than a byte."""
    capabilities = int.from_bytes(payload[:4], "little")
    if capabilities & cap.CLIENT_PLUGIN_AUTH:
        return parse_response(payload)
    return parse_response(payload + b"\0")


@pytest.mark.parametrize("chunk", [None, 1])
def test_the_whole_phase(hello: Greeting, chunk: int | None) -> None:
    client = Client(engine(autocommit=True), chunk)
    client.hear(hello.data)
    none = b"\0\1" if client.engine.capabilities & cap.CLIENT_QUERY_ATTRIBUTES else b""
    said = client.hear(packets(ok(), first=2))
    assert said == packets(b"\x03" + none + b"SET NAMES utf8mb4, autocommit = 1", first=0)
    assert not client.done
    assert client.hear(packets(ok())) == b""
    assert client.done
    assert client.conversation.finished
    assert client.engine.settled


def test_cut_off_anywhere(hello: Greeting) -> None:
    """At each byte of it the client waits for more, and the end is a lost connection."""
    for length in range(len(hello.data)):
        client = Client(engine())
        if length:
            client.hear(hello.data[:length])
        assert not client.done
        error = client.conversation.lost(None)
        assert (error.errno, error.sent, error.alive) == (2013, False, False)
        assert "closed the connection during connect" in error.args[1]


def refusal(data: bytes) -> Error | None:
    """What a client thinks of this as a greeting: its last error, or None if it goes on."""
    client = Client(engine())
    try:
        client.hear(data)
    except (OperationalError, NotSupportedError) as error:
        refused: Error = error
    else:
        return None
    assert not refused.alive
    assert not client.conversation.finished
    return refused


def test_shorter_than_it_should_be(hello: Greeting) -> None:
    """A packet that is whole, and its content is not: a clear error or, of a server of old, an answer."""
    payload = hello.data[4:]
    for length in range(1, len(payload)):
        error = refusal(packets(payload[:length], first=0))
        assert error is None or error.errno in {2012, 2061, 2059}


def test_every_flipped_bit_is_an_answer_or_an_error(hello: Greeting) -> None:
    for at in range(len(hello.data)):
        for bit in (0x01, 0x80, 0xFF):
            data = bytearray(hello.data)
            data[at] ^= bit
            refusal(bytes(data))


@pytest.mark.parametrize("length", [1, 7, 40, 300])
def test_garbage(length: int) -> None:
    chance = random.Random(length)
    for _ in range(200):
        refusal(chance.randbytes(length))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
        (b"\x05\0\0\0\x0b\x08\x05\x1a\0", "version 11"),  # the X protocol's notice
        (packets(b"", first=0), "the MySQL protocol"),
        (packets(b"\x09" + greeting()[1:], first=0), "version 9"),
        (packets(greeting(), first=3), "the MySQL protocol"),
    ],
)
def test_others_than_servers(data: bytes, words: str) -> None:
    with pytest.raises(OperationalError, match=words) as caught:
        Client(engine()).hear(data)
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2012, False, False)
    assert "33060" in (caught.value.hint or "")


@pytest.mark.parametrize("errno", [1040, 1129, 1130, 1053])
@pytest.mark.parametrize("sqlstate", [None, "08004"])
@pytest.mark.parametrize("chunk", [None, 1])
def test_an_error_instead_of_a_greeting(errno: int, sqlstate: str | None, chunk: int | None) -> None:
    client = Client(engine(), chunk)
    with pytest.raises(OperationalError, match="no room") as caught:
        client.hear(packets(err(errno, "no room", sqlstate), first=0))
    assert (caught.value.errno, caught.value.sqlstate, caught.value.alive) == (errno, sqlstate, False)


def test_a_server_of_the_last_century() -> None:
    with pytest.raises(NotSupportedError, match=r"3\.23.*passwords of MySQL 4\.1"):
        Client(engine()).log_in(greeting("3.23.58", capabilities=cap.CLIENT_LONG_FLAG))


# -- capabilities ------------------------------------------------------------------------------------------------------

FLAGS = {
    cap.CLIENT_FOUND_ROWS: {"client_flag": cap.CLIENT_FOUND_ROWS},
    cap.CLIENT_CONNECT_WITH_DB: {"database": "db"},
    cap.CLIENT_LOCAL_FILES: {"local_infile": True},
    cap.CLIENT_MULTI_STATEMENTS: {"client_flag": cap.CLIENT_MULTI_STATEMENTS},
    cap.CLIENT_INTERACTIVE: {"client_flag": cap.CLIENT_INTERACTIVE},
}


@pytest.mark.parametrize("flag", FLAGS)
def test_what_is_on_request(flag: int) -> None:
    asked = engine(**FLAGS[flag])
    assert response(asked).capabilities & flag
    assert asked.capabilities & flag
    assert not response(engine()).capabilities & flag
    withheld = engine(**FLAGS[flag])
    response(withheld, greeting(capabilities=COMMON & ~flag))
    assert not withheld.capabilities & flag


def test_what_is_always_there() -> None:
    said = response(engine())
    for flag in (cap.CLIENT_PROTOCOL_41, cap.CLIENT_PLUGIN_AUTH, cap.CLIENT_DEPRECATE_EOF, cap.CLIENT_MULTI_RESULTS):
        assert said.capabilities & flag
    for flag in (cap.CLIENT_SSL, cap.CLIENT_COMPRESS, cap.CLIENT_QUERY_ATTRIBUTES):
        assert not said.capabilities & flag
    assert said.capabilities & ~COMMON == 0


def test_flags_that_change_the_protocol_are_not_for_users() -> None:
    flags = cap.CLIENT_SSL | cap.CLIENT_OPTIONAL_RESULTSET_METADATA
    offered = COMMON | flags
    assert not response(engine(client_flag=flags), greeting(capabilities=offered)).capabilities & flags


def test_of_mariadbs_own_capabilities_those_are_claimed_that_are_used() -> None:
    used = _EXTENDED & ~cap.MARIADB_CLIENT_COM_MULTI
    said = response(engine(), greeting("12.0.2-MariaDB", capabilities=_EXTENDED | used))
    assert said.mariadb_capabilities == used >> 32
    assert not said.capabilities & cap.CLIENT_MYSQL


def test_database_and_packet_size() -> None:
    said = response(engine(database="dä", max_allowed_packet=4096))
    assert (said.database, said.max_packet) == ("dä", 4096)
    assert response(engine()).database is None


def test_attributes() -> None:
    said = response(engine(program_name="nova", connect_attrs={"host_group": "blue" * 100}))
    assert said.attributes["_client_name"] == "mizzle"
    assert said.attributes["_pid"] == str(os.getpid())
    assert said.attributes["program_name"] == "nova"
    assert said.attributes["host_group"] == "blue" * 100
    assert said.attributes.keys() >= {"_client_version", "_os", "_platform", "_runtime"}
    assert response(engine(), greeting(capabilities=COMMON & ~cap.CLIENT_CONNECT_ATTRS)).attributes == {}


@pytest.mark.parametrize(
    ("options", "byte", "statement"),
    [
        ({}, 45, b"SET NAMES utf8mb4, autocommit = 0"),
        ({"charset": "latin1"}, 8, b"SET NAMES latin1, autocommit = 0"),
        ({"collation": "utf8mb4_0900_ai_ci"}, 255, b"SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci, autocommit = 0"),
        ({"collation": "utf8mb4_ja_0900_as_cs"}, 45, UTF8MB4 + b" COLLATE utf8mb4_ja_0900_as_cs, autocommit = 0"),
        ({"collation": "utf8mb4_uca1400_ai_ci"}, 45, UTF8MB4 + b" COLLATE utf8mb4_uca1400_ai_ci, autocommit = 0"),
        ({"autocommit": None}, 45, b"SET NAMES utf8mb4"),
        ({"sql_mode": "ANSI'x"}, 45, b"SET NAMES utf8mb4, autocommit = 0, sql_mode = 'ANSI''x'"),
    ],
)  # fmt: skip
def test_settings(options: dict[str, Any], byte: int, statement: bytes) -> None:
    """A collation's number may be over 255, where the greeting has a byte: SET NAMES says it in words."""
    said = Client(engine(**options)).log_in(greeting(), ok())
    assert parse_response(said[0]).charset == byte
    assert said[1] == b"\x03" + statement


def test_settings_that_the_server_refuses() -> None:
    client = Client(engine())
    client.log_in(greeting(), ok())
    with pytest.raises(OperationalError, match="Unknown character set"):
        client.hear(packets(err(1115, "Unknown character set: 'utf8mb4'", "42000")))


def test_a_name_with_a_nul() -> None:
    with pytest.raises(ValueError, match=r"user .*NUL"):
        Client(engine(user="a\0b")).log_in(greeting())


# -- authentication ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("password", "expected"), [(PASSWORD, native()), ("", b"")])
@pytest.mark.feature("mysql_native_password")
def test_native(password: str, expected: bytes) -> None:
    said = response(engine(password=password))
    assert (said.auth, said.plugin) == (expected, NATIVE)


def test_refused() -> None:
    client = Client(engine())
    with pytest.raises(OperationalError, match="Access denied") as caught:
        client.log_in(greeting(), err(1045, "Access denied for user 'ann'", "28000"))
    assert (caught.value.errno, caught.value.sqlstate, caught.value.alive) == (1045, "28000", False)
    assert "user and password" in (caught.value.hint or "")


OTHER = bytes(range(101, 121))


@pytest.mark.parametrize("plugin", ["", "no_such_plugin", "sha256_password", NATIVE, SHA2])
@pytest.mark.parametrize("chunk", [None, 1])
def test_switch(plugin: str, chunk: int | None) -> None:
    """Whatever the server's default is, the account's own plugin is what counts, and its nonce."""
    for asked, expected in ((NATIVE, native(nonce=OTHER)), (SHA2, sha2(nonce=OTHER))):
        client = Client(engine(), chunk)
        said = client.log_in(greeting(plugin=plugin or NATIVE), auth_switch(asked, OTHER + b"\0"), ok(), ok())
        assert said[1] == expected
        assert said[2].startswith(b"\x03SET NAMES")
        assert client.done


def test_a_plugin_of_ones_own_choice() -> None:
    said = response(engine(auth_plugin=SHA2))
    assert (said.plugin, said.auth) == (SHA2, sha2())


def test_caching_sha2_from_the_cache() -> None:
    client = Client(engine())
    said = client.log_in(greeting(plugin=SHA2), b"\x01\x03", ok(), ok())
    assert parse_response(said[0]).auth == sha2()
    assert said[1] == b""
    assert client.done


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def decrypted(key: rsa.RSAPrivateKey, data: bytes, nonce: bytes = NONCE) -> bytes:
    sha1 = hashes.SHA1()
    plain = key.decrypt(data, padding.OAEP(padding.MGF1(sha1), sha1, None))
    return bytes(byte ^ nonce[i % len(nonce)] for i, byte in enumerate(plain))


def test_caching_sha2_with_the_servers_key(key: rsa.RSAPrivateKey) -> None:
    client = Client(engine())
    said = client.log_in(greeting(plugin=SHA2), b"\x01\x04", b"\x01" + pem(key), ok(), ok())
    assert said[1] == b"\x02"
    assert decrypted(key, said[2]) == b"secret\0"
    assert client.done


def test_caching_sha2_with_our_key(key: rsa.RSAPrivateKey) -> None:
    """Then none is asked for: whoever stands in between gets nothing to replace."""
    client = Client(engine(server_public_key=pem(key)))
    said = client.log_in(greeting(plugin=SHA2), b"\x01\x04", ok(), ok())
    assert decrypted(key, said[1]) == b"secret\0"


def test_caching_sha2_over_a_unix_socket() -> None:
    client = Client(engine(secure=True))
    said = client.log_in(greeting(plugin=SHA2), b"\x01\x04", ok(), ok())
    assert said[1] == b"secret\0"


@pytest.mark.parametrize("answer", [b"\x01not a key", b"\x01", b"\x01\x04"])
def test_caching_sha2_with_no_key_at_all(answer: bytes) -> None:
    with pytest.raises(OperationalError, match=SHA2) as caught:
        Client(engine()).log_in(greeting(plugin=SHA2), b"\x01\x04", answer)
    assert (caught.value.errno, caught.value.alive) == (2061, False)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("more", [b"\x01\x05", b"\x01", b"\x01\x03\x03", b"\x01\x04\x04"])
def test_caching_sha2_with_a_strange_verdict(more: bytes) -> None:
    with pytest.raises(OperationalError, match="unexpected bytes") as caught:
        Client(engine()).log_in(greeting(plugin=SHA2), more)
    assert caught.value.errno == 2061


def test_caching_sha2_without_a_password() -> None:
    client = Client(engine(password=""))
    said = client.log_in(greeting(plugin=SHA2), ok(), ok())
    assert parse_response(said[0]).auth in {b"", b"\0"}
    assert client.done


@pytest.mark.feature("mysql_clear_password")
def test_clear_text_only_where_nobody_listens() -> None:
    switch = auth_switch("mysql_clear_password", b"")
    with pytest.raises(OperationalError, match=r"mysql_clear_password.*(TLS|encrypt)") as caught:
        Client(engine()).log_in(greeting(), switch)
    assert (caught.value.errno, caught.value.alive) == (2061, False)
    said = Client(engine(secure=True)).log_in(greeting(), switch, ok(), ok())
    assert said[1] == b"secret\0"


def test_clear_text_is_not_the_first_thing_said() -> None:
    """Not even to a server that greets with that plugin."""
    with pytest.raises(OperationalError, match="mysql_clear_password"):
        Client(engine()).log_in(greeting(plugin="mysql_clear_password"))


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        (auth_switch("authentication_oci_client", b""), "'authentication_oci_client' is not supported; mizzle has "),
        (auth_switch("mysql_old_password", NONCE), "before 4.1"),
        (b"\xfe", "before 4.1"),
        (auth_switch("x" * 5000, b""), "'x{64}' is not supported"),
        (auth_switch("\x1b[31m", b""), r"'\\+x1b\[31m' is not supported"),
    ],
)
def test_plugins_that_we_have_not(switch: bytes, words: str) -> None:
    with pytest.raises(OperationalError, match=words) as caught:
        Client(engine()).log_in(greeting(), switch)
    assert (caught.value.errno, caught.value.alive) == (2059, False)


@pytest.mark.parametrize("verdict", [b"\x05", b"\xfb/etc/passwd", b"", b"\0", b"\xff\x01", b"\xfeplugin"])
def test_verdicts_that_are_none(verdict: bytes) -> None:
    client = Client(engine())
    with pytest.raises((MalformedPacket, OperationalError)) as caught:
        client.log_in(greeting(), verdict)
    assert not caught.value.alive
    assert not client.conversation.finished


def test_the_rest_cut_off_anywhere() -> None:
    rest = packets(auth_switch(NATIVE, OTHER + b"\0"), first=2)
    for length in range(1, len(rest)):
        client = Client(engine())
        client.log_in(greeting())
        assert client.hear(rest[:length]) == b""
        error = client.conversation.lost(None)
        assert (error.errno, error.sent, error.alive) == (2013, True, False)


def test_change_user() -> None:
    client = Client(engine())
    client.log_in(greeting(), ok(), ok())
    conversation = client.engine.change_user("bob", b"other", "db")
    again = Client(client.engine, conversation=conversation)
    assert again.engine.connection_id == 77
    again.hear(packets(auth_switch(SHA2, OTHER + b"\0")))
    again.hear(packets(b"\x01\x03", first=3))
    assert payload_of(again.hear(packets(ok(), first=4))).startswith(b"\x03SET NAMES")
    again.hear(packets(ok()))
    assert again.done


def test_change_user_refused() -> None:
    client = Client(engine())
    client.log_in(greeting(), ok(), ok())
    again = Client(client.engine, conversation=client.engine.change_user("bob", b"other", ""))
    with pytest.raises(OperationalError, match="Access denied") as caught:
        again.hear(packets(err(1045, "Access denied for user 'bob'", "28000")))
    assert not caught.value.alive
    assert not again.conversation.finished


# -- TLS ---------------------------------------------------------------------------------------------------------------


OFFERED = COMMON | cap.CLIENT_SSL


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> Iterator[Callable[[str], ssl.SSLContext]]:
    def make(mode: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = mode == "verify_identity"
        context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("verify") else ssl.CERT_NONE
        authority.configure_trust(context)
        return context

    return make  # type: ignore[return-value]


@pytest.mark.parametrize("mode", ["preferred", "required", "verify_ca", "verify_identity"])
@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.feature("TLS")
def test_tls(authority: trustme.CA, trusting: Callable[[str], ssl.SSLContext], mode: str, chunk: int | None) -> None:
    client = Client(engine(ssl_mode=mode, ssl_context=trusting(mode)), chunk)
    server = TLSServer(authority.issue_cert("db.example"))
    said = client.hear(packets(greeting(plugin=SHA2, capabilities=OFFERED), first=0))
    assert said[:4] == b"\x20\0\0\x01"
    assert int.from_bytes(said[4:8], "little") & cap.CLIENT_SSL
    assert b"ann" not in said
    answer = server.shake_hands(client, said[36:])
    assert answer[3] == 2
    assert parse_response(answer[4:]).user == "ann"
    assert isinstance(client.engine.tls, ssl.SSLObject)
    assert server.say(client, b"\x01\x04", first=3) == packets(b"secret\0", first=4)  # nobody else reads it
    assert server.say(client, ok(), first=5).startswith(b"\x22\0\0\0\x03SET NAMES")
    server.say(client, ok(), first=1)
    assert client.done


def test_tls_to_another_host(authority: trustme.CA, trusting: Callable[[str], ssl.SSLContext]) -> None:
    client = Client(engine(ssl_mode="verify_identity", ssl_context=trusting("verify_identity")))
    server = TLSServer(authority.issue_cert("other.example"))
    said = client.hear(packets(greeting(capabilities=OFFERED), first=0))
    with pytest.raises(OperationalError, match=r"not for 'db\.example' but for: other\.example") as caught:
        server.shake_hands(client, said[36:])
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2026, False, False)


@pytest.mark.parametrize("mode", ["required", "verify_ca", "verify_identity"])
def test_tls_that_is_not_offered(mode: str) -> None:
    client = Client(engine(ssl_mode=mode))
    with pytest.raises(OperationalError, match=f"ssl_mode='{mode}' demands TLS") as caught:
        client.log_in(greeting())
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2026, False, False)


def test_tls_that_nobody_wants() -> None:
    assert not response(engine(), greeting(capabilities=OFFERED)).capabilities & cap.CLIENT_SSL
    unix = response(engine(ssl_mode="preferred", secure=True), greeting(capabilities=OFFERED))
    assert not unix.capabilities & cap.CLIENT_SSL
    plain = engine(ssl_mode="preferred")
    assert not response(plain).capabilities & cap.CLIENT_SSL
    assert plain.tls is None


@pytest.mark.parametrize("tail", [ok(), err(1045, "Access denied"), b"\0"])
def test_plain_text_before_tls(tail: bytes) -> None:
    """Behind the greeting, in the clear: it could be anybody's."""
    data = packets(greeting(capabilities=OFFERED), first=0) + packets(tail, first=2)
    client = Client(engine(ssl_mode="required"))
    with pytest.raises(OperationalError, match="before the TLS handshake") as caught:
        client.hear(data)
    assert (caught.value.errno, caught.value.sent) == (2026, False)


@pytest.mark.parametrize("answer", [packets(ok(), first=2), b"HTTP/1.1 400\r\n\r\n", bytes(range(100, 150))])
def test_no_tls_after_all(answer: bytes) -> None:
    client = Client(engine(ssl_mode="required"))
    client.hear(packets(greeting(capabilities=OFFERED), first=0))
    with pytest.raises(OperationalError, match="TLS handshake failed") as caught:
        client.hear(answer)
    assert (caught.value.errno, caught.value.sent, caught.value.alive) == (2026, False, False)


def test_an_error_in_the_clear_instead_of_tls() -> None:
    """As a server says that has no more room, or whose TLS is broken: not trusted, and not shown as the server's."""
    client = Client(engine(ssl_mode="verify_ca"))
    client.hear(packets(greeting(capabilities=OFFERED), first=0))
    with pytest.raises(OperationalError) as caught:
        client.hear(packets(err(1043, "Bad handshake", "08S01"), first=2))
    assert caught.value.errno == 2026


def test_the_filter_is_the_wires() -> None:
    client = Client(engine(ssl_mode="required"))
    client.hear(packets(greeting(capabilities=OFFERED), first=0))
    assert isinstance(client.conversation.wire.filter, TLSFilter)
