"""One test for every world: a test is a coroutine, and its habitat runs it the way that world's programs run.

Under threads and eventlet nothing in it ever suspends: each `await` is a function that waits where it stands.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import trio
from peers import PATIENCE
from toy import Conversation, Engine

from mizzle.worlds import Endpoint, resolve, resolve_async

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet discourages its use, at import
    import eventlet
    import eventlet.event
    from eventlet import tpool
import gevent
import gevent.event

Test = Coroutine[Any, Any, Any]


def straight(coroutine: Test) -> Any:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it suspended")


class Interrupted(BaseException):
    """What interrupt() raises in a thread or green thread."""


class Threads:
    name = "threads"
    interrupt = Interrupted

    def __init__(self) -> None:
        self.world = resolve("threads")

    def run(self, test: Test) -> Any:
        return straight(test)

    async def open(self, endpoint: Endpoint, timeout: float | None = None) -> Any:
        channel = self.world.open_channel(endpoint, timeout)
        channel.engine = Engine()
        return channel

    async def talk(self, channel: Any, conversation: Conversation, timeout: float | None = None) -> Any:
        return channel.run(conversation, timeout)

    async def until(self, event: threading.Event) -> None:
        assert event.wait(PATIENCE)

    def spawn(self, test: Test) -> ThreadTask:
        return ThreadTask(test)

    async def settled(self, channel: Any) -> None:
        """Until the world had occasion to see what came on an idle socket. Here nobody looks."""


class ThreadTask:
    def __init__(self, test: Test) -> None:
        self._future: Future[Any] = Future()
        self._thread = threading.Thread(target=self._run, args=(test,), name="other")
        self._thread.start()

    def _run(self, test: Test) -> None:
        try:
            self._future.set_result(straight(test))
        except BaseException as failure:  # noqa: BLE001 - raised by outcome()
            self._future.set_exception(failure)

    def interrupt(self) -> None:
        """An exception from outside; a blocked call ends first, as it does for a signal in the main thread."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(Interrupted)
        )

    async def outcome(self) -> Any:
        self._thread.join(PATIENCE)
        return self._future.result(0)


class Eventlet:
    name = "eventlet"
    interrupt = Interrupted

    def __init__(self) -> None:
        self.world = resolve("eventlet")

    def run(self, test: Test) -> Any:
        with eventlet.Timeout(PATIENCE):
            return straight(test)

    open = Threads.open
    talk = Threads.talk

    async def until(self, event: threading.Event) -> None:
        assert tpool.execute(event.wait, PATIENCE)

    def spawn(self, test: Test) -> GreenTask:
        return GreenTask(test)

    async def settled(self, channel: Any) -> None:
        await turns(self, lambda: channel.closed)


class EventletHub(Eventlet):
    """On another hub: a thread has one at a time, and gets its own back."""

    def __init__(self, hub: str) -> None:
        super().__init__()
        self.name, self._hub = f"eventlet-{hub}", hub

    def run(self, test: Test) -> Any:
        here = eventlet.hubs._threadlocal.__dict__  # where eventlet keeps a thread's hub
        before = dict(here)
        eventlet.hubs.use_hub(self._hub)
        hub = eventlet.hubs.get_hub()
        try:
            return super().run(test)
        finally:
            if hub.running:
                hub.abort(wait=True)
            if self._hub == "asyncio":
                hub.loop.close()
            here.clear()
            here.update(before)

    async def until(self, event: threading.Event) -> None:
        while not event.is_set():  # the thread pool belongs to the hub that was first to use it
            eventlet.sleep(0.001)


class GreenTask:
    def __init__(self, test: Test) -> None:
        self._event = eventlet.event.Event()
        self.green = eventlet.spawn(self._run, test)

    def _run(self, test: Test) -> None:
        try:
            self._event.send((straight(test), None))
        except BaseException as failure:  # noqa: BLE001 - raised by outcome()
            self._event.send((None, failure))

    def interrupt(self) -> None:
        eventlet.kill(self.green, Interrupted())

    async def outcome(self) -> Any:
        result, failure = self._event.wait()
        if failure is not None:
            raise failure
        return result


class Gevent:
    name = "gevent"
    interrupt = Interrupted

    def __init__(self) -> None:
        self.world = resolve("gevent")

    def run(self, test: Test) -> Any:
        with gevent.Timeout(PATIENCE):
            return straight(test)

    open = Threads.open
    talk = Threads.talk

    async def until(self, event: threading.Event) -> None:
        assert gevent.get_hub().threadpool.apply(event.wait, (PATIENCE,))

    def spawn(self, test: Test) -> Greenlet:
        return Greenlet(test)

    async def settled(self, channel: Any) -> None:
        await turns(self, lambda: channel.closed)


class Greenlet:
    def __init__(self, test: Test) -> None:
        self._event = gevent.event.AsyncResult()
        self.green = gevent.spawn(self._run, test)

    def _run(self, test: Test) -> None:
        try:
            self._event.set((straight(test), None))
        except BaseException as failure:  # noqa: BLE001 - raised by outcome()
            self._event.set((None, failure))

    def interrupt(self) -> None:
        self.green.kill(Interrupted())

    async def outcome(self) -> Any:
        result, failure = self._event.get()
        if failure is not None:
            raise failure
        return result


class Asyncio:
    interrupt = asyncio.CancelledError

    def __init__(
        self, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop, name: str = "asyncio"
    ) -> None:
        self.name = name
        self.world = resolve_async("asyncio")
        self.new_loop = new_loop
        self._opened: weakref.WeakSet[Any] = weakref.WeakSet()

    def run(self, test: Test) -> Any:
        loop = self.new_loop()
        complaints: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        try:
            result = loop.run_until_complete(asyncio.wait_for(test, PATIENCE))
            loop.run_until_complete(loop.shutdown_default_executor())
        except BaseException:
            for channel in self._opened:  # which a test that failed has left open: uvloop would wait for them for ever
                channel.abort()
            loop.run_until_complete(asyncio.sleep(0))
            raise
        finally:
            loop.close()
        assert not complaints
        return result

    async def open(self, endpoint: Endpoint, timeout: float | None = None) -> Any:
        channel = await self.world.open_channel(endpoint, timeout)
        channel.engine = Engine()
        self._opened.add(channel)
        return channel

    async def talk(self, channel: Any, conversation: Conversation, timeout: float | None = None) -> Any:
        return await channel.run(conversation, timeout)

    async def until(self, event: threading.Event) -> None:
        assert await asyncio.get_running_loop().run_in_executor(None, event.wait, PATIENCE)

    def spawn(self, test: Test) -> Task:
        return Task(test)

    async def settled(self, channel: Any) -> None:
        await turns(self, lambda: channel.closed)


class Task:
    def __init__(self, test: Test) -> None:
        self._task = asyncio.ensure_future(test)
        self._task.set_name("other")

    def interrupt(self) -> None:
        self._task.cancel()

    async def outcome(self) -> Any:
        return await self._task


class Trio:
    name = "trio"
    interrupt = trio.Cancelled

    def __init__(self) -> None:
        self.world = resolve_async("trio")
        self._opened: weakref.WeakSet[Any] = weakref.WeakSet()
        self.nursery: trio.Nursery

    def run(self, test: Test) -> Any:
        async def main() -> Any:
            with trio.fail_after(PATIENCE):
                async with trio.open_nursery() as self.nursery:
                    return await test

        return trio.run(main)

    open = Asyncio.open
    talk = Asyncio.talk

    async def until(self, event: threading.Event) -> None:
        assert await trio.to_thread.run_sync(event.wait, PATIENCE)

    def spawn(self, test: Test) -> TrioTask:
        return TrioTask(self.nursery, test)

    async def settled(self, channel: Any) -> None:
        """As under threads, nobody looks at an idle socket."""


class TrioTask:
    def __init__(self, nursery: trio.Nursery, test: Test) -> None:
        self._future: Future[Any] = Future()
        self._ended = trio.Event()
        self._scope = trio.CancelScope()
        nursery.start_soon(self._run, test, name="other")

    async def _run(self, test: Test) -> None:
        with self._scope:
            try:
                self._future.set_result(await test)
            except BaseException as failure:
                self._future.set_exception(failure)
                if not isinstance(failure, Exception):
                    raise
            finally:
                self._ended.set()

    def interrupt(self) -> None:
        self._scope.cancel()

    async def outcome(self) -> Any:
        await self._ended.wait()
        return self._future.result(0)


Habitat = Threads | Eventlet | Gevent | Asyncio | Trio


async def turn(habitat: Habitat) -> None:
    """Let everybody else go on once."""
    if isinstance(habitat, Asyncio):
        await asyncio.sleep(0)
    elif isinstance(habitat, Eventlet):
        eventlet.sleep(0)
    elif isinstance(habitat, Gevent):
        gevent.sleep(0)
    elif isinstance(habitat, Trio):
        await trio.lowlevel.checkpoint()


async def turns(habitat: Habitat, condition: Callable[[], bool]) -> None:
    """Let everybody else go on until something is so; the habitat's patience bounds it."""
    while not condition():
        await turn(habitat)
