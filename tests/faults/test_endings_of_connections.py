"""Connections that end while nobody uses them, and waits that are interrupted: everybody is told, nothing is left."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gevent
import pytest
import trio

import mizzle
import mizzle.aio
from engine.dialogue import column, err, ok, packets, row
from faults.hostile import PATIENCE, Link, Part, Peer
from faults.remains import Remains
from mizzle.constants import field_types as ft
from plugins.worlds import World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet discourages its use, at import
    import eventlet

Talk = Callable[..., Any]
NUMBER = column("n", ft.MYSQL_TYPE_LONG, 63)
HEAD = packets(b"\x01", NUMBER)
# What becomes of a connection that is not closed at an interrupt is seen in servers/test_interrupted_statements.py.
USER = {"user": "ann", "password": "secret", "ssl_mode": "disabled", "host": "127.0.0.1", "on_interrupt": "close"}


def until(world: World, true: Callable[[], Any]) -> None:
    """Let everybody else go on until it is so."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come about"
        world.sleep(0)


# -- idle connections --------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    data: bytes
    how: str
    errno: int
    words: str


IDLE = {
    "4031 and EOF": Case(packets(err(4031, "disconnected because of inactivity"), first=0), "closes", 4031, "inactiv"),
    "4031": Case(packets(err(4031, "disconnected because of inactivity"), first=0), "stays", 4031, "inactiv"),
    "1927": Case(packets(err(1927, "Connection was killed", "70100"), first=0), "closes", 1927, "was killed"),
    "1053": Case(packets(err(1053, "Server shutdown in progress", "08S01"), first=2), "closes", 1053, "shutdown"),
    "EOF": Case(b"", "closes", 2013, "server closed the"),
    "RST": Case(b"", "resets", 2013, "broke|closed"),
    "an OK": Case(packets(ok(), first=0), "stays", 2027, "nobody asked for|out of order"),
    "HTTP": Case(b"HTTP/1.1 408 Request Timeout\r\n\r\n", "closes", 2027, "nobody asked for|out of order"),
    "half a packet": Case(b"\x09\0", "closes", 2027, "nobody asked for|server closed"),
}


@pytest.mark.parametrize("case", IDLE.values(), ids=IDLE)
def test_an_idle_connection_ends(world: World, talk: Talk, peers: list[Peer], case: Case) -> None:
    """Where a hub or loop listens it is known at once, with threads by the next command."""

    def part(link: Link) -> None:
        link.answer(ok(1))
        link.wait_for("idle")
        link.say(case.data)
        if case.how == "resets":
            link.reset()
        elif case.how == "closes":
            link.sock.close()
        link.signal("said")
        if case.how == "stays":
            link.until_end()

    conn = talk(part)
    conn.execute("SELECT 1")
    peers[-1].event("idle").set()
    assert peers[-1].event("said").wait(PATIENCE)
    if world.listens:
        until(world, lambda: not conn.open)
    with pytest.raises(mizzle.OperationalError, match=case.words) as caught:
        conn.execute("SELECT 2")
    error = caught.value
    assert error.errno == case.errno or (error.errno == 2013 and case.how == "closes" and case.errno == 2027)
    assert not error.alive
    if world.listens:
        assert error.sent is False
    with pytest.raises(mizzle.errors.ConnectionClosed, match="already closed"):
        conn.ping()
    assert conn.broken is not None


def test_the_end_between_two_batches(world: World, talk: Talk, peers: list[Peer]) -> None:
    """Rows that came before the end are still to be had."""

    def part(link: Link) -> None:
        link.hear()
        link.say(HEAD, packets(row(b"1"), first=3))
        link.wait_for("fetched")
        link.say(packets(row(b"2"), err(1927, "Connection was killed", "70100"), first=4))
        link.sock.close()
        link.signal("said")

    conn = talk(part)
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute("SELECT n FROM t")
    assert cur.fetchone() == (1,)
    peers[-1].event("fetched").set()
    assert peers[-1].event("said").wait(PATIENCE)
    for _ in range(5):
        world.sleep(0)
    with pytest.raises(mizzle.OperationalError, match="was killed") as caught:
        cur.fetchall()
    assert (caught.value.errno, caught.value.alive) == (1927, False)
    assert not conn.open


def test_all_rows_came_and_then_the_end(world: World, talk: Talk) -> None:
    """They are all handed out; then the connection is closed."""

    def part(link: Link) -> None:
        link.hear()
        link.say(HEAD, packets(row(b"1"), row(b"2"), ok(header=0xFE), first=3))

    conn = talk(part)
    cur = conn.cursor(mizzle.StreamingCursor)
    cur.execute("SELECT n FROM t")
    for _ in range(5):
        world.sleep(0)
    assert cur.fetchall() == [(1,), (2,)]
    with pytest.raises(mizzle.OperationalError, match=r"closed the|broke"):
        conn.ping()
    assert not conn.open


# -- interrupts --------------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """An interrupt that nobody has heard of."""


def press_control_c() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def query(port: int, conns: list[Any], world: str, **keywords: Any) -> None:
    conns.append(mizzle.connect(world=world, **USER, port=port, **keywords))
    conns[0].execute("SELECT n FROM t")


async def query_in_a_task(port: int, conns: list[Any], **keywords: Any) -> None:
    conns.append(await mizzle.aio.connect(**USER, port=port, **keywords))
    await conns[0].execute("SELECT n FROM t")


Way = Callable[[Peer, list[Any]], str]


def thread_and_control_c(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(KeyboardInterrupt):
        query(peer.port, conns, "threads")
    return "KeyboardInterrupt"


def eventlet_and_control_c(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(KeyboardInterrupt):
        query(peer.port, conns, "eventlet")
    return "KeyboardInterrupt"


def gevent_and_control_c(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(KeyboardInterrupt):
        query(peer.port, conns, "gevent")
    return "KeyboardInterrupt"


def asyncio_and_control_c(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(query_in_a_task(peer.port, conns))
    return "CancelledError"


def trio_and_control_c(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(KeyboardInterrupt):
        trio.run(query_in_a_task, peer.port, conns)
    return "KeyboardInterrupt"


def eventlet_timeout(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.25):
        query(peer.port, conns, "eventlet")
    return "Timeout"


def silent_eventlet_timeout(peer: Peer, conns: list[Any]) -> str:
    with eventlet.Timeout(0.25, False):
        query(peer.port, conns, "eventlet")
        raise AssertionError("it was swallowed")
    return "Timeout"


def killed_green_thread(peer: Peer, conns: list[Any]) -> str:
    green = eventlet.spawn(query, peer.port, conns, "eventlet")
    turns_until(eventlet, peer.event("heard").is_set)
    eventlet.kill(green)
    with pytest.raises(eventlet.greenlet.GreenletExit):
        green.wait()
    return "GreenletExit"


def green_thread_with_an_exception_of_our_own(peer: Peer, conns: list[Any]) -> str:
    green = eventlet.spawn(query, peer.port, conns, "eventlet")
    turns_until(eventlet, peer.event("heard").is_set)
    eventlet.kill(green, Stop)
    with pytest.raises(Stop):
        green.wait()
    return "Stop"


def gevent_timeout(peer: Peer, conns: list[Any]) -> str:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.25):
        query(peer.port, conns, "gevent")
    return "Timeout"


def silent_gevent_timeout(peer: Peer, conns: list[Any]) -> str:
    with gevent.Timeout(0.25, False):
        query(peer.port, conns, "gevent")
        raise AssertionError("it was swallowed")
    return "Timeout"


def killed_greenlet(peer: Peer, conns: list[Any]) -> str:
    green = gevent.spawn(query, peer.port, conns, "gevent")
    turns_until(gevent, peer.event("heard").is_set)
    green.kill()
    assert isinstance(green.get(), gevent.GreenletExit)  # that is how gevent has it
    return "GreenletExit"


def greenlet_with_an_exception_of_our_own(peer: Peer, conns: list[Any]) -> str:
    green = gevent.spawn(query, peer.port, conns, "gevent")
    turns_until(gevent, peer.event("heard").is_set)
    green.kill(Stop)
    with pytest.raises(Stop):
        green.get()
    return "Stop"


def cancelled_task(peer: Peer, conns: list[Any]) -> str:
    async def main() -> None:
        task = asyncio.ensure_future(query_in_a_task(peer.port, conns))
        while not peer.event("heard").is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    return "CancelledError"


def wait_for(peer: Peer, conns: list[Any]) -> str:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(query_in_a_task(peer.port, conns), 0.25)

    asyncio.run(asyncio.wait_for(main(), PATIENCE))
    return "CancelledError"


def cancelled_scope(peer: Peer, conns: list[Any]) -> str:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(query_in_a_task, peer.port, conns)
            while not peer.event("heard").is_set():
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

    trio.run(main)
    return "Cancelled"


def move_on_after(peer: Peer, conns: list[Any]) -> str:
    async def main() -> None:
        with trio.move_on_after(0.25) as scope:
            await query_in_a_task(peer.port, conns)
        assert scope.cancelled_caught

    trio.run(main)
    return "Cancelled"


def turns_until(library: Any, true: Callable[[], bool]) -> None:
    with library.Timeout(PATIENCE):
        while not true():
            library.sleep(0.001)  # a hub that never rests leaves its peer's thread no time


WAYS: dict[Way, str] = {
    thread_and_control_c: "threads",
    eventlet_and_control_c: "eventlet",
    gevent_and_control_c: "gevent",
    asyncio_and_control_c: "asyncio",
    trio_and_control_c: "trio",
    eventlet_timeout: "eventlet",
    silent_eventlet_timeout: "eventlet",
    killed_green_thread: "eventlet",
    green_thread_with_an_exception_of_our_own: "eventlet",
    gevent_timeout: "gevent",
    silent_gevent_timeout: "gevent",
    killed_greenlet: "gevent",
    greenlet_with_an_exception_of_our_own: "gevent",
    cancelled_task: "asyncio",
    wait_for: "asyncio",
    cancelled_scope: "trio",
    move_on_after: "trio",
}


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest, worlds: dict[str, World]) -> Iterator[Way]:
    """An interrupt, in a world that knows it; the peer presses ^C where the way's name says so."""
    if WAYS[request.param] not in worlds:
        pytest.skip("--worlds leaves its world out")
    stock = Remains(worlds[WAYS[request.param]])
    yield request.param
    stock.nothing()


def silent_after(part: Part, way: Way) -> Part:
    """Plays a part, says nothing more, and notes when the client has gone."""

    def whole(link: Link) -> None:
        part(link)
        link.signal("heard")
        if "control_c" in way.__name__:
            press_control_c()
        link.until_end()
        link.signal("gone")

    return whole


def no_answer(link: Link) -> None:
    link.let_in()
    link.hear()


def half_an_answer(link: Link) -> None:
    link.let_in()
    link.hear()
    link.say(HEAD, packets(row(b"1"), first=3)[:-1])


@pytest.mark.parametrize("part", [no_answer, half_an_answer])
def test_an_interrupted_query(way: Way, part: Part) -> None:
    conns: list[Any] = []
    with Peer(silent_after(part, way)) as peer:
        name = way(peer, conns)
        assert peer.event("gone").wait(PATIENCE)
        [conn] = conns
        assert not conn.open
        assert isinstance(conn.broken, mizzle.errors.ConnectionClosed)
        assert f"{name} interrupted COM_QUERY" in str(conn.broken)
        if isinstance(conn, mizzle.Connection):
            with pytest.raises(mizzle.errors.ConnectionClosed, match=f"{name} interrupted COM_QUERY"):
                conn.ping()
        else:
            with pytest.raises(mizzle.errors.ConnectionClosed, match=f"{name} interrupted COM_QUERY"):
                asyncio.run(conn.ping())


#: How a program starts its loop.
RUN: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "asyncio": lambda main: asyncio.run(main()),
    "trio": trio.run,
}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_while_rows_are_read(
    world: World, peer: Callable[[Part], Peer], stop: type[BaseException]
) -> None:
    """It comes where a hub or loop calls us, and ends the program all the same: it is not printed and forgotten."""

    def convert(text: str) -> None:
        raise stop(text)

    def part(link: Link) -> None:
        link.let_in()
        link.answer(b"\x01", NUMBER, row(b"1"), row(b"2"), ok(header=0xFE))
        link.until_end()

    if world.name == "eventlet-asyncio":
        pytest.skip("this hub of eventlet never runs again after what ends a program was raised in a callback")
    if world.name == "uvloop":
        pytest.skip("uvloop logs what a protocol raises and goes on, also what ends a program")
    conns: list[Any] = []
    port, conv = peer(part).port, {ft.MYSQL_TYPE_LONG: convert}
    run = RUN.get(world.name, lambda _: query(port, conns, world.kind, conv=conv))
    with pytest.raises(stop, match="1"):
        run(lambda: query_in_a_task(port, conns, conv=conv))
    for _ in range(3):
        world.sleep(0)
    assert not conns[0].open
    assert f"{stop.__name__} interrupted COM_QUERY" in str(conns[0].broken)


def nothing(link: Link) -> None:
    """Not even a greeting."""


@pytest.mark.parametrize("part", [nothing, Link.greet])
def test_an_interrupted_connect(way: Way, part: Part) -> None:
    conns: list[Any] = []
    with Peer(silent_after(part, way)) as peer:
        way(peer, conns)
        assert peer.event("gone").wait(PATIENCE)
    assert not conns


def test_closing_and_aborting_wakes_who_waits(world: World, talk: Talk, peers: list[Peer]) -> None:
    def part(link: Link) -> None:
        link.hear()
        link.signal("heard")
        link.until_end()

    for end in ("close", "abort"):
        conn = talk(part)
        waiting = world.spawn(conn.execute, "SELECT n FROM t")
        until(world, peers[-1].event("heard").is_set)
        getattr(conn, end)()
        with pytest.raises(mizzle.OperationalError, match="aborted") as caught:
            waiting.result()
        assert not caught.value.alive
        assert not conn.open
