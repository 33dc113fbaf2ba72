"""Servers that offer little, as MySQL 5.1 and 5.5 and the MySQL protocol of Drizzle did, and proxies with ways of their
own: through login, queries, prepared statements and the end."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import mizzle
from engine.dialogue import column, eof, err, lenenc, ok, packets, result_set, row
from engine.login_client import native
from faults.handshakes import COMMON, NONCE, auth_switch, greeting
from faults.hostile import Link, Part, Peer
from mizzle.constants import capabilities as cap
from mizzle.constants import field_types as ft
from mizzle.constants import status

pytestmark = pytest.mark.main_worlds

Connect = Callable[..., Any]
LATIN1 = 8
LEAST = cap.CLIENT_PROTOCOL_41 | cap.CLIENT_SECURE_CONNECTION
OF_5_1 = LEAST | cap.CLIENT_MYSQL | cap.CLIENT_LONG_FLAG | cap.CLIENT_CONNECT_WITH_DB | cap.CLIENT_TRANSACTIONS
OF_5_5 = OF_5_1 | cap.CLIENT_MULTI_STATEMENTS | cap.CLIENT_MULTI_RESULTS | cap.CLIENT_PLUGIN_AUTH
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
TEXT = column("s", charset=LATIN1)


class Kind(NamedTuple):
    """A server: what it says of itself."""

    version: str
    capabilities: int

    @property
    def greeting(self) -> bytes:
        return greeting(self.version, capabilities=self.capabilities, charset=LATIN1)


KINDS = {
    "Drizzle": Kind("7.1.36-stable", LEAST | cap.CLIENT_CONNECT_WITH_DB),
    "MySQL 5.1": Kind("5.1.73", OF_5_1),
    "MySQL 5.5": Kind("5.5.62-log", OF_5_5),
    "the least": Kind("4.1.1", LEAST),
}


class Heard(NamedTuple):
    """What the client says of itself to a server that knows neither plugins nor attributes."""

    capabilities: int
    charset: int
    user: bytes
    scramble: bytes
    rest: bytes


def parse(payload: bytes) -> Heard:
    user, _, rest = payload[32:].partition(b"\0")
    length = rest[0]
    return Heard(int.from_bytes(payload[:4], "little"), payload[8], user, rest[1 : 1 + length], rest[1 + length :])


def old(kind: Kind, heard: list[bytes]) -> Part:
    """Logs in, answers queries and one prepared statement, each in the form without CLIENT_DEPRECATE_EOF."""

    def part(link: Link) -> None:
        heard.append(link.greet(kind.greeting))
        link.say(packets(ok(), first=2))
        while (command := link.hear()) is not None:
            heard.append(command)
            link.say(answer_to(command))

    return part


ANSWERS = {
    b"\x03SELECT n, s": result_set([NUMBER, TEXT], [row(b"1", b"\xe9"), row(b"2", None)], deprecate_eof=False),
    b"\x03SELECT nothing": result_set([NUMBER], [], deprecate_eof=False),
    b"\x03INSERT": packets(ok(1, 17)),
    b"\x03BAD": packets(err(1064, "You have an error in your SQL syntax", "42000")),
    b"\x16": packets(b"\0" + struct.pack("<IHHBH", 5, 2, 1, 0, 0), column("?"), eof(), NUMBER, TEXT, eof()),
    b"\x17": packets(b"\2", NUMBER, TEXT, eof(), b"\0\0" + (7).to_bytes(4, "little") + lenenc(b"\xfc"), eof()),
}


def answer_to(command: bytes) -> bytes:
    return next((answer for start, answer in ANSWERS.items() if command.startswith(start)), packets(ok()))


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.mark.feature("servers that offer little (MySQL 5.1, 5.5, Drizzle)")
def test_everything_with_an_old_server(peer: Callable[[Part], Peer], connect: Connect, kind: Kind) -> None:
    heard: list[bytes] = []
    started = peer(old(kind, heard))
    conn = connect(database="shop", autocommit=True, connect_attrs={"a": "b"}, compress=True)
    said = parse(heard[0])
    assert (said.user, said.scramble) == (b"ann", native(nonce=NONCE))
    assert said.capabilities & ~kind.capabilities == 0
    assert said.rest.rstrip(b"\0") in {b"", b"shop", b"shop\0mysql_native_password"}
    assert any(b"SET NAMES utf8mb4, autocommit = 1" in command for command in heard)
    assert conn.execute("SELECT n, s FROM t").fetchall() == [(1, "é"), (2, None)]
    assert conn.execute("SELECT nothing").fetchall() == []
    cur = conn.execute("INSERT INTO t VALUES (%s)", ["x"])
    assert (cur.rowcount, cur.lastrowid) == (1, 17)
    with pytest.raises(mizzle.ProgrammingError, match="1064") as caught:
        conn.execute("BAD")
    assert caught.value.alive
    with conn.cursor(mizzle.StreamingCursor) as stream:
        stream.execute("SELECT n, s FROM t")
        assert list(stream) == [(1, "é"), (2, None)]
    assert conn.execute("SELECT n, s FROM t WHERE n = %s", [7], prepare=True).fetchall() == [(7, "ü")]
    conn.ping()
    conn.select_db("other")
    conn.close()
    started.close()
    assert heard[-1] == b"\x01"


def test_a_database_that_cannot_be_named_in_the_login(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """The server does not take it there: it is chosen afterwards, or refused; never left out in silence."""
    heard: list[bytes] = []
    peer(old(KINDS["the least"], heard))
    connect(database="shop", autocommit=True)
    assert b"\x02shop" in heard


# -- proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.feature("proxies (as ProxySQL, MaxScale)")
def test_a_proxy_that_asks_for_the_plugin_it_greeted_with(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """ProxySQL greets with its default and asks again, with another nonce, also for the same plugin."""
    other = bytes(range(60, 80))
    heard: list[bytes | None] = []

    def part(link: Link) -> None:
        link.greet(greeting("8.0.11 (ProxySQL)", plugin="caching_sha2_password"))
        link.say(packets(auth_switch("mysql_native_password", other + b"\0"), first=2))
        heard.append(link.hear())
        link.say(packets(ok(), first=4))
        link.answer(ok())
        link.until_end()

    peer(part)
    connect()
    assert heard == [native(nonce=other)]


def test_a_proxy_that_refuses_before_greeting(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """Without a server behind it; some count this error from 1, as if they had greeted."""
    refusal = err(9001, "Max connect timeout reached", "HY000")
    for first in (0, 1):
        peer(lambda link, first=first: link.say(packets(refusal, first=first)))
        with pytest.raises(mizzle.Error, match="Max connect timeout reached") as caught:
            connect()
        assert not caught.value.alive


@pytest.mark.feature("proxies (as ProxySQL, MaxScale)")
def test_a_proxy_that_knows_no_prepared_statements(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """It says so: asked for, that is an error; by itself, the statement goes as text."""

    def part(link: Link) -> None:
        link.let_in()
        while (command := link.hear()) is not None:
            refusal = err(1295, "This command is not supported in the prepared statement protocol yet", "HY000")
            rows = result_set([NUMBER], [row(b"7")])
            link.say(packets(refusal) if command[0] == 0x16 else rows)

    peer(part)
    conn = connect(prepare_threshold=1)
    for _ in range(3):
        assert conn.execute("SELECT n FROM t WHERE n = %s", [7]).fetchall() == [(7,)]


@pytest.mark.feature("proxies (as ProxySQL, MaxScale)")
def test_a_proxy_whose_greeting_is_another_servers(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """MaxScale greets as MariaDB with MySQL's bit set: no extended capabilities are spoken of then."""
    heard: list[bytes] = []
    extended = cap.MARIADB_CLIENT_CACHE_METADATA | cap.MARIADB_CLIENT_STMT_BULK_OPERATIONS

    def part(link: Link) -> None:
        heard.append(link.greet(greeting("5.5.5-10.11.9-MariaDB-maxScale", capabilities=COMMON | extended)))
        link.say(packets(ok(), first=2))
        link.answer(ok())
        link.until_end()

    peer(part)
    conn = connect()
    assert conn.get_server_info() == "10.11.9-MariaDB-maxScale"
    assert heard[0][28:32] == bytes(4)
    assert int.from_bytes(heard[0][:4], "little") & cap.CLIENT_MYSQL


def test_an_end_with_flags_of_its_own(peer: Callable[[Part], Peer], connect: Connect) -> None:
    """Flags that nobody has heard of change nothing."""

    def part(link: Link) -> None:
        link.let_in()
        link.hear()
        flags = 0xFFFF & ~(status.SERVER_MORE_RESULTS_EXISTS | status.SERVER_SESSION_STATE_CHANGED)
        link.say(result_set([NUMBER], [row(b"7")], flags=flags))
        link.until_end()

    peer(part)
    assert connect().execute("SELECT 7").fetchall() == [(7,)]
