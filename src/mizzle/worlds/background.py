"""What runs beside the callers: nobody waits for it, so that the log is told how it failed.

Knows nothing of how a world runs it: that is each one's `spawn`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

__all__ = ["logged", "logged_task"]

_log = logging.getLogger("mizzle")


def logged(work: Callable[[], object], name: str) -> Callable[[], None]:
    """The same work; what it raises is logged."""

    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("%s failed", name)

    return run


def logged_task(work: Callable[[], Awaitable[object]], name: str) -> Callable[[], Coroutine[Any, Any, None]]:
    """The same for work that is awaited."""

    async def run() -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 - nobody else would hear of it
            _log.exception("%s failed", name)

    return run
