"""The worlds for the tests: one synchronous text, run with threads, with green threads and with tasks of a loop.

A World connects, and has the few verbs that tests of concurrency need: spawn, event, sleep. This file has what they
have in common, and threads; hubs.py has those with green threads, loops.py those whose functions are awaited, and
matrix.py says which there are and in which a test runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import mizzle

PATIENCE = 60.0  # seconds after which a test that still waits is wrong


class World:
    """How programs of one kind connect, run several things at a time and wait."""

    #: What the tests call it.
    name: str
    #: What mizzle calls it.
    kind: str
    #: Does everything that is spawned run in the test's own OS thread?
    one_thread = True
    #: Does somebody listen to idle connections?
    listens = True
    #: Can one that waits be interrupted from outside?
    interrupts = True

    def connect(self, **keywords: Any) -> Any:
        return mizzle.connect(world=self.kind, **keywords)

    def pool(self, kind: str = "Pool", **keywords: Any) -> Any:
        return getattr(mizzle, kind)(world=self.kind, **keywords)

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

    def enter(self) -> None:
        """The next test is for this world."""

    def leave(self) -> None:
        """It was."""

    def settle(self) -> None:
        """Let what was closed be closed in fact, and raise what nobody was told."""

    def close(self) -> None:
        """Nothing is done in this world any more."""


class Interrupted(BaseException):
    """What `Task.interrupt()` raises in a green thread; in a task of a loop it is the loop's own."""


class Task:
    """A function that was spawned. `interrupt()` raises something in it, where the world has that."""

    interrupt: Callable[[], object]

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
    name = kind = "threads"
    one_thread = listens = interrupts = False

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
