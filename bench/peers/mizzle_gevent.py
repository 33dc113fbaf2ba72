"""mizzle on gevent's hub, nothing patched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.peers import mizzle_threads
from bench.peers.mizzle_threads import stream
from bench.task import Settings

__all__ = ["connect", "pool", "stream"]


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return mizzle_threads.connect(settings, own_defaults=own_defaults, world="gevent")


def pool(settings: Settings, size: int, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    return mizzle_threads.pool(settings, size, world="gevent", **options)
