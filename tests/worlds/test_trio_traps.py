"""What only trio can do to a connection: runs, cancel scopes, checkpoints, guests; and the loop that `auto` finds."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import pytest
import trio
import trio.testing
from habitats import Trio
from peers import Link, Peer
from toy import Engine

from mizzle import errors
from mizzle.worlds import resolve_async
from mizzle.worlds.trio import Signal, spawn


async def connect(peer: Peer) -> Any:
    channel = await resolve_async("trio").open_channel(peer.endpoint, 10)
    channel.engine = Engine()
    return channel


def silent(link: Link) -> None:
    while link.hear() is not None:
        link.signal("heard")


def test_every_command_is_a_checkpoint(peer: Peer) -> None:
    """Also one that has no answer, and one whose answer has come with the last."""

    async def test() -> None:
        channel = await connect(peer)
        with trio.testing.assert_checkpoints():
            await channel.run(channel.engine.say(b"hello"))
        with trio.testing.assert_checkpoints():
            await channel.run(channel.engine.ask(b"hello"), 5)
        await channel.run(channel.engine.ask(b"hello"), 5)
        channel.engine.wire.own += b"\x02\0\0\0ok"
        with trio.testing.assert_checkpoints():
            await channel.run(channel.engine.batch())
        channel.abort()

    Trio().run(test())


def test_in_a_cancelled_scope_nothing_is_sent(peer: Peer) -> None:
    async def test() -> None:
        channel = await connect(peer)
        with trio.CancelScope() as scope:
            scope.cancel()
            await channel.run(channel.engine.ask(b"never sent"), 5)
        assert scope.cancelled_caught
        assert await channel.run(channel.engine.ask(b"hello"), 5) == [b"hello"]
        channel.abort()

    Trio().run(test())


def test_the_callers_own_deadline_is_his() -> None:
    """It is raised as he set it, not as a timeout of ours, though both have passed."""

    async def test(quiet: Peer) -> None:
        channel = await connect(quiet)
        with pytest.raises(trio.TooSlowError), trio.fail_after(0.05):
            await channel.run(channel.engine.ask(b"hello"), 5)
        assert channel.closed
        assert "Cancelled interrupted ASK" in str(channel.broken)

    with Peer(silent) as quiet:
        Trio().run(test(quiet))


def test_cancelled_while_both_ways_are_waited_for() -> None:
    """Two tasks wait for the socket then; what comes out is the cancellation alone."""

    def deaf(link: Link) -> None:
        link.wait_for("over")

    async def test(peer: Peer) -> None:
        channel = await connect(peer)
        with trio.move_on_after(0.1) as scope:
            await channel.run(channel.engine.ask(b"q" * 20_000_000), 10)
        assert scope.cancelled_caught
        assert channel.closed
        peer.event("over").set()

    with Peer(deaf) as peer:
        Trio().run(test(peer))


def test_a_run_that_has_ended(peer: Peer) -> None:
    channels = []

    async def test() -> None:
        channels.append(await connect(peer))
        await channels[0].run(channels[0].engine.ask(b"hello"), 5)

    async def in_another() -> None:
        with pytest.raises(errors.InterfaceError, match="another run of trio"):
            await channels[0].run(channels[0].engine.ask(b"hello"), 5)

    trio.run(test)
    trio.run(in_another)
    channels[0].abort()
    assert channels[0]._sock.fileno() == -1


def test_an_idle_connection_aborted_by_another_thread(peer: Peer) -> None:
    """Nobody listens to it, so the run is told, and closes it."""

    async def test() -> None:
        channel = await connect(peer)
        await trio.to_thread.run_sync(channel.abort)
        while channel._sock.fileno() != -1:
            await trio.lowlevel.checkpoint()
        with pytest.raises(errors.ConnectionClosed, match="aborted"):
            await channel.run(channel.engine.ask(b"hello"))

    Trio().run(test())


def test_a_run_has_one_buffer(peer: Peer) -> None:
    async def test() -> None:
        one, other = await connect(peer), await connect(peer)
        assert one._buffer is other._buffer
        one.abort()
        other.abort()

    Trio().run(test())


def name_of_auto() -> str:
    name: str = resolve_async("auto").__name__  # type: ignore[attr-defined]
    return name


def test_auto_is_the_loop_of_the_task() -> None:
    async def name() -> str:
        return name_of_auto()

    assert trio.run(name) == "mizzle.worlds.trio"
    assert asyncio.run(name()) == "mizzle.worlds.asyncio"


def test_auto_where_trio_is_a_guest_of_asyncio() -> None:
    """Both run in one thread: what counts is whose task asks."""

    async def guest(names: queue.Queue[str]) -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            names.put(name_of_auto())

    async def host() -> tuple[list[str], list[str]]:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()
        names: queue.Queue[str] = queue.Queue()
        trio.lowlevel.start_guest_run(
            guest, names, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=ended.set_result
        )
        own = []
        while not ended.done():
            own.append(name_of_auto())
            await asyncio.sleep(0)
        ended.result().unwrap()
        return own, list(names.queue)

    own, guests = asyncio.run(host())
    assert set(own) == {"mizzle.worlds.asyncio"}
    assert guests == ["mizzle.worlds.trio"] * 3


def test_a_signal_and_work_beside(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        signal = Signal()
        assert not await signal.wait(0)

        async def work() -> None:
            await trio.lowlevel.checkpoint()
            signal.set()
            raise ValueError("a mistake")

        spawn(work, "the work")
        assert await signal.wait()
        assert signal.is_set
        assert await signal.wait(0)

    Trio().run(test())
    assert "the work failed" in caplog.text
    assert "a mistake" in caplog.text
