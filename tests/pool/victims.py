"""Functions that run beside the test and can be interrupted: with whatever interrupts that world's programs."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import greenlet

from plugins.worlds import World


class Interrupted(BaseException):
    """What comes from outside."""


class Victim:
    """Runs a function; `interrupt()` throws Interrupted at it where it waits."""

    def __init__(self, world: World, function: Callable[[], Any]) -> None:
        self._world, self._function = world, function
        self._runner: Any = None
        self.task = world.spawn(self._run)

    def _run(self) -> Any:
        self._runner = threading.get_ident() if self._world.name == "threads" else greenlet.getcurrent()
        try:
            return self._function()
        except BaseException as failure:
            if type(failure).__name__ == "CancelledError":
                raise Interrupted from failure
            raise

    def interrupt(self) -> None:
        """At once, before anybody else has a turn; in asyncio before anything else happens to that task."""
        if self._world.name == "threads":  # comes when the thread runs again: a blocked call ends first
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._runner), ctypes.py_object(Interrupted))
        elif self._world.name == "asyncio":
            self.task._driving.cancel()  # type: ignore[attr-defined]
        else:
            from eventlet import hubs  # noqa: PLC0415 - for those only who run in this world

            hubs.get_hub().schedule_call_global(0, greenlet.getcurrent().switch)
            self._runner.throw(Interrupted)
