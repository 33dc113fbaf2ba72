"""mizzle on gevent's hub, nothing patched."""

from __future__ import annotations

from typing import Any

from bench.peers import mizzle_threads
from bench.peers.mizzle_threads import stream
from bench.task import Settings

__all__ = ["connect", "stream"]


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return mizzle_threads.connect(settings, own_defaults=own_defaults, world="gevent")
