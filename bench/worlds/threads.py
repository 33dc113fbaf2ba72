"""No concurrency at all: one OS thread that calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

sleep = time.sleep


def run(count: int, work: Callable[[int], None]) -> None:
    for number in range(count):
        work(number)


def spawn(work: Callable[[], None]) -> Callable[[], object]:
    raise NotImplementedError(f"no work has anything beside a blocking caller, such as {work}")


def call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
