"""mizzle with blocking sockets, statements prepared by themselves once they were seen five times."""

from __future__ import annotations

from typing import Any

from bench.peers import mizzle_threads
from bench.task import Settings

stream = mizzle_threads.stream


def connect(settings: Settings, *, own_defaults: bool = False) -> Any:
    return mizzle_threads.connect(settings, own_defaults=own_defaults, prepare_threshold=5)
