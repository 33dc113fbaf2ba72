"""Greenlets of gevent, nothing patched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

sleep = gevent.sleep


def run(count: int, work: Callable[[int], None]) -> None:
    gevent.joinall([gevent.spawn(work, number) for number in range(count)], raise_error=True)


def spawn(work: Callable[[], None]) -> Callable[[], object]:
    join: Callable[[], object] = gevent.spawn(work).join
    return join


def call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
