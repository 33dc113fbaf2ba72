"""What only asyncio can do to a connection: closed loops, other loops, cancellation between two steps."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from habitats import Asyncio
from peers import Link, Peer
from toy import DONE, Conversation

from mizzle import errors


def test_a_loop_that_was_closed_first(peer: Peer) -> None:
    habitat = Asyncio()

    async def test() -> Any:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), 5)
        return channel

    channels = [habitat.run(test())]
    channels[0].abort()
    assert channels[0].closed
    assert channels[0]._sock.fileno() == -1

    def forget() -> None:
        channels.clear()
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed transport"):  # the loop's own
        forget()


def test_another_loop_is_refused(peer: Peer) -> None:
    habitat = Asyncio()
    first = asyncio.new_event_loop()
    channel = first.run_until_complete(habitat.open(peer.endpoint))
    first.run_until_complete(habitat.talk(channel, channel.engine.ask(b"hello"), 5))

    async def elsewhere() -> None:
        with pytest.raises(errors.InterfaceError, match="another event loop"):
            await habitat.talk(channel, channel.engine.ask(b"hello"), 5)

    habitat.run(elsewhere())
    assert first.run_until_complete(habitat.talk(channel, channel.engine.ask(b"hello"), 5)) == [b"hello"]
    channel.abort()
    first.run_until_complete(asyncio.sleep(0))
    first.close()


def test_cancelled_after_the_answer_has_come(peer: Peer) -> None:
    """The conversation is over, only its task does not know: the connection is in order."""
    habitat = Asyncio()

    tasks: list[asyncio.Future[Any]] = []

    class CancelledAtItsEnd(Conversation):
        def advance(self) -> int:
            want = super().advance()
            if want == DONE:
                tasks[0].cancel()
            return want

    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        engine = channel.engine
        tasks.append(asyncio.ensure_future(channel.run(CancelledAtItsEnd(engine, "ASK", engine._ask(b"hello", 1)), 5)))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert not channel.closed
        assert await channel.run(engine.ask(b"hello"), 5) == [b"hello"]
        channel.abort()

    habitat.run(test())


def test_cancelled_and_answered_in_the_same_turn() -> None:
    habitat = Asyncio()

    def answer(link: Link) -> None:
        while (question := link.hear()) is not None:
            link.say(question)
            link.signal("said")

    async def ask(channel: Any) -> Any:
        return await channel.run(channel.engine.ask(b"hello"), 5)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await ask(channel)
        peer.event("said").clear()
        task = asyncio.ensure_future(ask(channel))
        await asyncio.sleep(0)
        peer.event("said").wait(10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if not channel.closed:
            assert await ask(channel) == [b"hello"]
        channel.abort()

    with Peer(answer) as peer:
        habitat.run(test(peer))


def test_timers_end_with_the_connection(peer: Peer) -> None:
    habitat = Asyncio()

    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        for _ in range(20):
            await channel.run(channel.engine.ask(b"hello"), 30)
        timer = channel._watchdog._timer
        assert timer is not None
        assert not timer.cancelled()
        channel.abort()
        assert timer.cancelled()

    habitat.run(test())


def test_a_connection_that_connects_while_it_is_cancelled(peer: Peer) -> None:
    habitat = Asyncio()

    async def ask(channel: Any) -> Any:
        return await channel.run(channel.engine.ask(b"hello"), 5)

    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        task = asyncio.ensure_future(ask(channel))
        await asyncio.sleep(0)  # the transport is not there yet
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert channel.closed
        await asyncio.sleep(0)

    habitat.run(test())
