"""The worlds for the tests: one synchronous text, run with threads, with green threads and with asyncio's tasks.

A test that asks for `world` runs in each of them (`--worlds=threads,asyncio` chooses), one that asks for `tls` runs
without and with TLS (`--tls=plain`). A World connects, and has the few verbs that tests of concurrency need: spawn,
event, sleep.

asyncio's functions have to be awaited, which a text shared with the others cannot say. `Waiting` stands before each of
mizzle.aio's objects and awaits what they return. Where the text is the test itself, that runs the loop until the thing
is done. Where it was spawned, the text runs in a greenlet under a task: to wait, it hands the awaitable to the task
(`_drive`), which awaits it like any other coroutine and then switches back with what came of it. So all spawned texts
are tasks of one loop, and what is tested are mizzle.aio's own objects, awaited by tasks.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any

import greenlet
import pytest

import mizzle
import mizzle.aio

PATIENCE = 60.0  # seconds after which a test that still waits is wrong


class World:
    """How programs of one kind connect, run several things at a time and wait."""

    name: str
    #: Does everything that is spawned run in the test's own OS thread?
    one_thread = True

    def connect(self, **keywords: Any) -> Any:
        return mizzle.connect(world=self.name, **keywords)

    def spawn(self, function: Callable[..., Any], *args: Any) -> Task:
        """Run a function beside the test; its `result()` is waited for."""
        task = Task(self.event(), function, args)
        self._start(task)
        return task

    def event(self) -> Any:
        """Something to `wait()` for until it is `set()`."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """Let the others run for a while."""
        raise NotImplementedError

    def _start(self, task: Task) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        """Let what was closed be closed in fact, and raise what nobody was told."""

    def close(self) -> None:
        """Nothing is done in this world any more."""


class Task:
    """A function that was spawned."""

    def __init__(self, ended: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._ended, self._function, self._args = ended, function, args
        self._value: Any = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._function(*self._args)
        except BaseException as failure:  # noqa: BLE001 - raised by result()
            self._failure = failure
        self._ended.set()

    def result(self) -> Any:
        """Wait for its end: what it returned or raised."""
        self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return self._value


class Threads(World):
    name = "threads"
    one_thread = False

    def event(self) -> Any:
        return _ThreadEvent()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _start(self, task: Task) -> None:
        threading.Thread(target=task.run, daemon=True).start()


class _ThreadEvent(threading.Event):
    def wait(self, timeout: float | None = PATIENCE) -> bool:
        assert super().wait(timeout), "nothing happened"
        return True


class Eventlet(World):
    name = "eventlet"

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # eventlet discourages its use, at import
            import eventlet  # noqa: PLC0415 - for those only who run in this world
            import eventlet.event  # noqa: PLC0415
        self._eventlet = eventlet

    def event(self) -> Any:
        return _GreenEvent(self._eventlet)

    def sleep(self, seconds: float) -> None:
        self._eventlet.sleep(seconds)

    def _start(self, task: Task) -> None:
        self._eventlet.spawn(task.run)


class _GreenEvent:
    def __init__(self, eventlet: Any) -> None:
        self._eventlet = eventlet
        self._event = eventlet.event.Event()

    def set(self) -> None:
        if not self._event.ready():
            self._event.send()

    def wait(self) -> None:
        with self._eventlet.Timeout(PATIENCE):
            self._event.wait()


class Asyncio(World):
    name = "asyncio"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._complaints: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _, context: self._complaints.append(context))

    def connect(self, **keywords: Any) -> Any:
        keywords = {name: _asynchronous(value) for name, value in keywords.items()}
        return Waiting(self.wait, self.wait(mizzle.aio.connect(**keywords)))

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Await it, from a text that is not a coroutine."""
        here = greenlet.getcurrent()
        if isinstance(here, _Text):
            return here.parent.switch(awaitable)
        return self._loop.run_until_complete(awaitable)  # type: ignore[arg-type]

    def event(self) -> Any:
        return _LoopEvent(self.wait)

    def sleep(self, seconds: float) -> None:
        self.wait(asyncio.sleep(seconds))

    def _start(self, task: Task) -> None:
        driving = self._loop.create_task(_drive(task.run))
        task._driving = driving  # type: ignore[attr-defined] - the loop itself holds tasks weakly

    def settle(self) -> None:
        self.wait(asyncio.sleep(0))  # a transport closes its socket in the loop's next turn
        complaints, self._complaints = self._complaints, []
        assert not complaints

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


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
        return self._shown(self._target.__aexit__(*failure))

    def __iter__(self) -> Iterator[Any]:
        rows = self._target.__aiter__()
        while True:
            try:
                yield self._wait(rows.__anext__())
            except StopAsyncIteration:
                return

    def _shown(self, value: Any) -> Any:
        if inspect.isawaitable(value):
            value = self._wait(value)
        if isinstance(value, (mizzle.aio.Connection, mizzle.aio.Cursor, mizzle.aio.Statement, mizzle.aio.Transaction)):
            return Waiting(self._wait, value)
        return value


def _asynchronous(value: Any) -> Any:
    """What an argument is for mizzle.aio: its own class for one of mizzle's, the object itself for a Waiting."""
    if isinstance(value, Waiting):
        return value._target
    if isinstance(value, type) and value.__module__.startswith("mizzle.sync."):
        return getattr(mizzle.aio, value.__name__)
    return value


WORLDS: dict[str, type[World]] = {kind.name: kind for kind in (Threads, Eventlet, Asyncio)}
TLS = ("plain", "tls")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mizzle")
    group.addoption(
        "--worlds", default=",".join(WORLDS), metavar="WORLDS", help="worlds to test in (default: %(default)s)"
    )
    group.addoption("--tls", default=",".join(TLS), metavar="TLS", help="plain, tls or both (default: %(default)s)")


def chosen(config: pytest.Config, option: str, known: tuple[str, ...]) -> list[str]:
    """The words that an option was given, each one that is known."""
    words = [word for word in config.getoption(option).split(",") if word]
    if unknown := set(words) - set(known):
        raise pytest.UsageError(f"--{option}: no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return words


def pytest_configure(config: pytest.Config) -> None:
    chosen(config, "worlds", tuple(WORLDS))
    chosen(config, "tls", TLS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        names = chosen(metafunc.config, "worlds", tuple(WORLDS))
        metafunc.parametrize("world", names, indirect=True, scope="session")
    if "tls" in metafunc.fixturenames:
        metafunc.parametrize("tls", chosen(metafunc.config, "tls", TLS), indirect=True)


@pytest.fixture(scope="session")
def worlds(pytestconfig: pytest.Config) -> Iterator[dict[str, World]]:
    """All worlds that this run is for, by name: for a test too dear to be run in each."""
    made = {name: WORLDS[name]() for name in chosen(pytestconfig, "worlds", tuple(WORLDS))}
    yield made
    for world in made.values():
        with closing(world):
            world.settle()


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest, worlds: dict[str, World]) -> World:
    """Each world in turn."""
    return worlds[request.param]


@pytest.fixture
def tls(request: pytest.FixtureRequest) -> bool:
    """Is the connection to be encrypted? Both in turn."""
    return bool(request.param == "tls")
