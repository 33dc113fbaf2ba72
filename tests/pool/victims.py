"""Functions that run beside the test and are interrupted at once: with whatever interrupts that world's programs."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import greenlet

from plugins.worlds import Interrupted, World

CANCELLED = {"CancelledError", "Cancelled"}


class Victim:
    """Runs a function; `interrupt()` throws Interrupted, or the loop's own, at it where it waits."""

    def __init__(self, world: World, function: Callable[[], Any]) -> None:
        self._world, self._function = world, function
        self._runner: Any = None
        self.task = world.spawn(self._run)

    def _run(self) -> Any:
        self._runner = greenlet.getcurrent() if self._world.one_thread else threading.get_ident()
        try:
            return self._function()
        except BaseException as failure:
            if type(failure).__name__ in CANCELLED:
                raise Interrupted from failure
            raise

    def interrupt(self) -> None:
        """Before anybody else has a turn; in a loop before anything else happens to that task."""
        if not self._world.one_thread:  # comes when the thread runs again: a blocked call ends first
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._runner), ctypes.py_object(Interrupted))
        elif self._world.kind == "eventlet":
            from eventlet import hubs  # noqa: PLC0415 - for those only who run in this world

            hubs.get_hub().schedule_call_global(0, greenlet.getcurrent().switch)
            self._runner.throw(Interrupted)
        elif self._world.kind == "gevent":
            import gevent  # noqa: PLC0415 - for those only who run in this world

            gevent.get_hub().loop.run_callback(greenlet.getcurrent().switch)
            self._runner.throw(Interrupted)
        else:
            self.task.interrupt()
