"""The worlds whose functions are awaited: asyncio on its own loop and on uvloop's, and trio.

That is what a text shared with the others cannot say. `Waiting` stands before each of mizzle.aio's objects and awaits
what they return. Where the text is the test itself, that runs the loop until the thing is done. Where it was spawned,
the text runs in a greenlet under a task: to wait, it hands the awaitable to the task (`_drive`), which awaits it like
any other coroutine and then switches back with what came of it. So all spawned texts are tasks of one loop, and what is
tested are mizzle.aio's own objects, awaited by tasks.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import greenlet

import mizzle
import mizzle.aio
from mizzle.loans import AsyncLoan
from plugins.worlds import PATIENCE, Task, World

#: Of a pool: called with a connection, or the pool.
HOOKS = {"check", "init", "reconnect_failed", "reset", "setup"}


class Awaited(World):
    """A loop, and mizzle.aio in it."""

    def connect(self, **keywords: Any) -> Any:
        keywords = {name: _asynchronous(value) for name, value in keywords.items()}
        return Waiting(self.wait, self.wait(mizzle.aio.connect(**keywords)))

    def pool(self, kind: str = "Pool", **keywords: Any) -> Any:
        for name in HOOKS & keywords.keys():
            if callable(keywords[name]):
                keywords[name] = self._hook(keywords[name])
        keywords = {name: _asynchronous(value) for name, value in keywords.items()}

        async def make() -> Any:
            return getattr(mizzle.aio, kind)(**keywords)

        return Waiting(self.wait, self.wait(make()))

    def _hook(self, function: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
        return lambda conn: _drive(functools.partial(function, Waiting(self.wait, conn)))

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Await it, from a text that is not a coroutine."""
        here = greenlet.getcurrent()
        if isinstance(here, _Text):
            return here.parent.switch(awaitable)
        return self._run(awaitable)

    def _run(self, awaitable: Awaitable[Any]) -> Any:
        """Let the loop run until it is done."""
        raise NotImplementedError


class Asyncio(Awaited):
    name = kind = "asyncio"

    def __init__(self) -> None:
        self._loop = self._new_loop()
        self._complaints: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _, context: self._complaints.append(context))

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    def _run(self, awaitable: Awaitable[Any]) -> Any:
        return self._loop.run_until_complete(awaitable)  # type: ignore[arg-type]

    def event(self) -> Any:
        return _LoopEvent(self.wait)

    def sleep(self, seconds: float) -> None:
        self.wait(asyncio.sleep(seconds))

    def _start(self, task: Task) -> None:
        driving = self._loop.create_task(_drive(task.run))  # the loop itself holds tasks weakly
        task.interrupt = driving.cancel

    def settle(self) -> None:
        self.wait(asyncio.sleep(0))  # a transport closes its socket in the loop's next turn
        complaints, self._complaints = self._complaints, []
        assert not complaints

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class Uvloop(Asyncio):
    name = "uvloop"

    def __init__(self) -> None:
        super().__init__()
        one, other = socket.socketpair()  # with its first stream a loop opens a descriptor that it keeps in reserve
        with other:
            transport, _ = self._run(self._loop.create_connection(asyncio.Protocol, sock=one))
            transport.close()
        self.settle()

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        import uvloop  # noqa: PLC0415 - for those only who run in this world

        return uvloop.new_event_loop()


class Trio(Awaited):
    """One run of trio, in a greenlet: what the test's text waits for is awaited by its main task.

    While the text runs, the run stands still in that task. It must not be in the way of others in this thread, so that
    what trio keeps of a running run is put away meanwhile, and ^C stays Python's.
    """

    name = kind = "trio"
    listens = False

    def __init__(self) -> None:
        import trio  # noqa: PLC0415 - for those only who run in this world
        from trio._core._run import GLOBAL_RUN_CONTEXT  # noqa: PLC0415

        self._trio = trio
        self._here = GLOBAL_RUN_CONTEXT.__dict__
        self._of_the_run: dict[str, Any] = {}
        self._live = greenlet.greenlet(lambda wanted: trio.run(self._main, wanted))
        self.nursery: Any = None
        self._main_task: Any = None
        self.sleep(0)

    async def _main(self, wanted: Awaitable[Any] | None) -> None:
        text = greenlet.getcurrent().parent
        self._main_task = self._trio.lowlevel.current_task()
        async with self._trio.open_nursery() as self.nursery:
            while wanted is not None:
                try:
                    came = await wanted
                except BaseException as failure:  # noqa: BLE001 - the text's own
                    wanted = text.throw(failure)
                else:
                    wanted = text.switch(came)

    def _run(self, awaitable: Awaitable[Any] | None) -> Any:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with self.inside():
                return self._live.switch(awaitable)
        finally:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """For what trio's functions say that they do in the run that is running."""
        if isinstance(greenlet.getcurrent(), _Text):
            yield
            return
        self._here.update(self._of_the_run)
        try:
            yield
        finally:
            self._of_the_run = dict(self._here)
            self._here.clear()

    def event(self) -> Any:
        return _TrioEvent(self, self._trio)

    def sleep(self, seconds: float) -> None:
        self.wait(self._trio.sleep(seconds))

    def _start(self, task: Task) -> None:
        scope = self._trio.CancelScope()

        async def scoped() -> None:
            with scope:
                await _drive(task.run)

        def interrupt() -> None:
            with self.inside():
                scope.cancel()

        task.interrupt = interrupt
        with self.inside():
            self.nursery.start_soon(scoped)

    def under_way(self) -> list[str]:
        """Tasks, and what they wait for."""

        async def look() -> list[str]:
            lowlevel = self._trio.lowlevel
            root = lowlevel.current_root_task()
            nurseries = [self.nursery, *root.child_nurseries]
            tasks = [task for nursery in nurseries for task in nursery.child_tasks if task is not self._main_task]
            waiting = lowlevel.current_statistics().io_statistics
            return [
                *map(repr, tasks),
                f"reading {waiting.tasks_waiting_read}",
                f"writing {waiting.tasks_waiting_write}",
            ]

        return self.wait(look())  # type: ignore[no-any-return]

    def settle(self) -> None:
        for _ in range(3):  # until a run has heard what it was told from outside, such as abort()
            self.sleep(0)

    def close(self) -> None:
        if self._live:
            self._run(None)


class _Text(greenlet.greenlet):
    """A text that runs under a task, which awaits what the text waits for."""


async def _drive(text: Callable[[], Any]) -> Any:
    running = _Text(text)
    wanted = running.switch()
    while not running.dead:
        try:
            came = await wanted
        except BaseException as failure:  # noqa: BLE001 - the text's own
            wanted = running.throw(failure)
        else:
            wanted = running.switch(came)
    return wanted


class _LoopEvent:
    def __init__(self, wait: Callable[[Awaitable[Any]], Any]) -> None:
        self._wait = wait
        self._event = asyncio.Event()
        self.set = self._event.set

    def wait(self) -> None:
        self._wait(asyncio.wait_for(self._event.wait(), PATIENCE))


class _TrioEvent:
    def __init__(self, world: Trio, trio: Any) -> None:
        self._world, self._trio = world, trio
        self._event = trio.Event()

    def set(self) -> None:
        with self._world.inside():
            self._event.set()

    def wait(self) -> None:
        async def patiently() -> None:
            with self._trio.fail_after(PATIENCE):
                await self._event.wait()

        self._world.wait(patiently())


class Waiting:
    """One of mizzle.aio's objects, for a text that does not await: every awaitable that it gives is waited for."""

    __slots__ = ("_target", "_wait")

    def __init__(self, wait: Callable[[Awaitable[Any]], Any], target: Any) -> None:
        object.__setattr__(self, "_wait", wait)
        object.__setattr__(self, "_target", target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not inspect.isroutine(value):
            return self._shown(value)

        @functools.wraps(value)
        def call(*args: Any, **keywords: Any) -> Any:
            args = tuple(map(_asynchronous, args))
            return self._shown(value(*args, **{key: _asynchronous(word) for key, word in keywords.items()}))

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target, name, _asynchronous(value))

    def __repr__(self) -> str:
        return repr(self._target)

    def __enter__(self) -> Any:
        return self._shown(self._target.__aenter__())

    def __exit__(self, *failure: Any) -> Any:
        return self._wait(self._target.__aexit__(*failure))

    def __iter__(self) -> Iterator[Any]:
        rows = self._target.__aiter__()
        while True:
            try:
                yield self._wait(rows.__anext__())
            except StopAsyncIteration:
                return

    def _shown(self, value: Any) -> Any:
        if inspect.isawaitable(value) and not isinstance(value, AsyncLoan):
            value = self._wait(value)
        kinds = (mizzle.aio.Connection, mizzle.aio.Cursor, mizzle.aio.Statement, mizzle.aio.Transaction, AsyncLoan)
        if isinstance(value, kinds):
            return Waiting(self._wait, value)
        return value


def itself(thing: Any) -> Any:
    """mizzle's own object, in whatever world."""
    return thing._target if isinstance(thing, Waiting) else thing


def _asynchronous(value: Any) -> Any:
    """What an argument is for mizzle.aio: its own class for one of mizzle's, the object itself for a Waiting."""
    if isinstance(value, type) and value.__module__.startswith("mizzle.sync."):
        return getattr(mizzle.aio, value.__name__)
    return itself(value)
