"""Greenlets of gevent, the standard library patched."""

from __future__ import annotations

import gevent.monkey

gevent.monkey.patch_all()

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

sleep = gevent.sleep


def run(count: int, work: Callable[[int], None]) -> None:
    gevent.joinall([gevent.spawn(work, number) for number in range(count)], raise_error=True)


def spawn(work: Callable[[], None]) -> Callable[[], object]:
    join: Callable[[], object] = gevent.spawn(work).join
    return join


def call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
