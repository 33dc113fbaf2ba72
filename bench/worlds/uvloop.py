"""One loop of uvloop's, which is asyncio's in C."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import uvloop


def run_coroutine(work: Coroutine[Any, Any, Any]) -> Any:
    return uvloop.run(work)
