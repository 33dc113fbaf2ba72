"""One run of trio."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import trio


def run_coroutine(work: Coroutine[Any, Any, Any]) -> Any:
    async def main() -> Any:
        return await work

    return trio.run(main)
