"""Green threads of eventlet, nothing patched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet

sleep = eventlet.sleep


def run(count: int, work: Callable[[int], None]) -> None:
    for green in [eventlet.spawn(work, number) for number in range(count)]:
        green.wait()


def spawn(work: Callable[[], None]) -> Callable[[], object]:
    wait: Callable[[], object] = eventlet.spawn(work).wait
    return wait


def call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
