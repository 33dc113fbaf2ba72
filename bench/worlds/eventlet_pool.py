"""Green threads of eventlet; each call to the driver is made in eventlet's pool of 20 OS threads, one hop a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eventlet import tpool

from bench.worlds.eventlet import run, sleep, spawn

__all__ = ["call", "run", "sleep", "spawn"]


def call(function: Callable[..., Any], *args: Any) -> Any:
    return tpool.execute(function, *args)
