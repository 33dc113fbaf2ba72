"""What pools wait with: Signal, spawn, home, look."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from habitats import Asyncio, Eventlet, Habitat, Threads, Trio, turn, turns
from peers import PATIENCE, Link, Peer


async def wait(signal: Any, timeout: float | None = None) -> bool:
    got = signal.wait(timeout)
    return bool(await got if inspect.isawaitable(got) else got)


async def many_wait(habitat: Habitat, signal: Any, count: int) -> list[Any]:
    """Tasks that wait, each of them by now (threads: or are about to)."""
    waiting: list[None] = []

    async def begin() -> bool:
        waiting.append(None)
        return await wait(signal, PATIENCE)

    tasks = [habitat.spawn(begin()) for _ in range(count)]
    while len(waiting) < count:
        await turn(habitat)
    return tasks


def work_of(habitat: Habitat, function: Callable[[], Any]) -> Callable[[], Any]:
    async def work() -> None:
        function()

    return work if isinstance(habitat, (Asyncio, Trio)) else function


def test_it_happens_once(habitat: Habitat) -> None:
    async def test() -> None:
        signal = habitat.world.Signal()
        assert not signal.is_set
        assert await wait(signal, 0) is False
        assert await wait(signal, 0.001) is False
        tasks = await many_wait(habitat, signal, 5)
        signal.set()
        assert signal.is_set
        for task in tasks:
            assert await task.outcome() is True
        signal.set()
        assert await wait(signal) is True
        assert await wait(signal, 0) is True

    habitat.run(test())


def test_an_interrupt_leaves_it_valid(habitat: Habitat) -> None:
    async def test() -> None:
        signal = habitat.world.Signal()
        first, second = await many_wait(habitat, signal, 2)
        first.interrupt()
        if isinstance(habitat, Threads):  # a blocked call ends before an exception comes
            signal.set()
        with pytest.raises(habitat.interrupt):
            await first.outcome()
        signal.set()
        assert await second.outcome() is True

    habitat.run(test())


def test_an_interrupt_after_it_happened(habitat: Habitat) -> None:
    """The waiter is about to be woken, and is interrupted: one of both reaches him, and nobody is woken twice."""

    async def test() -> None:
        if isinstance(habitat, Threads):
            return
        signal = habitat.world.Signal()
        [task] = await many_wait(habitat, signal, 1)
        signal.set()
        task.interrupt()
        with suppress(habitat.interrupt):
            assert await task.outcome() is True
        for _ in range(3):
            await turn(habitat)

    habitat.run(test())


def test_threads_set_it_from_anywhere() -> None:
    habitat = Threads()
    for _ in range(50):
        signal = habitat.world.Signal()  # type: ignore[attr-defined]
        threads = [threading.Thread(target=signal.wait, args=(PATIENCE,)) for _ in range(4)]
        threads += [threading.Thread(target=signal.set) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_a_callback_of_the_hub_sets_it() -> None:
    from eventlet import hubs  # noqa: PLC0415 - for this one only

    habitat = Eventlet()

    async def test() -> None:
        signal = habitat.world.Signal()  # type: ignore[attr-defined]
        hubs.get_hub().schedule_call_global(0, signal.set)
        assert await wait(signal, PATIENCE) is True

    habitat.run(test())


def test_spawned_work(habitat: Habitat, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail() -> None:
        raise LookupError("nothing there")

    async def test() -> None:
        over = habitat.world.Signal()
        habitat.world.spawn(work_of(habitat, fail), "errand")
        habitat.world.spawn(work_of(habitat, lambda: (done.append("done"), over.set())), "work")
        assert await wait(over, PATIENCE)
        end = time.monotonic() + PATIENCE
        while "errand failed" not in caplog.text:
            assert time.monotonic() < end
            await turn(habitat)

    with caplog.at_level(logging.ERROR, "mizzle"):
        habitat.run(test())
    assert done == ["done"]
    assert "nothing there" in caplog.text


def test_everybody_is_at_home_somewhere(habitat: Habitat) -> None:
    async def test() -> None:
        here = habitat.world.place()
        assert habitat.world.place() is here
        assert (here is None) is isinstance(habitat, Threads)

    habitat.run(test())


@pytest.mark.parametrize("words", [b"", b"last words"])
def test_the_end_of_an_idle_connection_is_seen(habitat: Habitat, words: bytes) -> None:
    def hang_up(link: Link) -> None:
        link.say(link.hear() or b"")
        link.wait_for("go")
        if words:
            link.say(words)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), PATIENCE)
        habitat.world.look(channel)
        assert not channel.closed
        peer.event("go").set()
        await turns(habitat, lambda: [habitat.world.look(channel)] and channel.closed)
        assert channel.broken is not None
        habitat.world.look(channel)

    with Peer(hang_up) as peer:
        habitat.run(test(peer))


def test_looking_disturbs_nobody_who_is_at_work() -> None:
    """In the worlds where somebody has to look, a busy connection is not idle."""

    def answer_later(link: Link) -> None:
        question = link.hear()
        link.signal("heard")
        link.wait_for("go")
        link.say(question or b"")
        link.wait_for_end()

    habitat = Threads()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        task = habitat.spawn(habitat.talk(channel, channel.engine.ask(b"question"), PATIENCE))
        await habitat.until(peer.event("heard"))
        habitat.world.look(channel)  # type: ignore[attr-defined]
        peer.event("go").set()
        assert await task.outcome() == [b"question"]
        assert not channel.closed
        channel.abort()

    with Peer(answer_later) as peer:
        habitat.run(test(peer))
