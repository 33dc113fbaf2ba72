"""What makes `connect` awaitable and a context manager at once; by hand, the synchronous face has no need of it.

Knows: nothing but that. Must not know: how connecting is done.
"""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mizzle.aio import connecting

if TYPE_CHECKING:
    from mizzle.aio.connection import Connection


def connect(**keywords: Any) -> Connecting:
    """Connect to a server: `conn = await connect(…)` or `async with connect(…) as conn`, which closes at its end.

    The keywords are those of `mizzle.connect`. A callable `password` may also return an awaitable here.
    """
    return Connecting(keywords)


class Connecting:
    """A connection that will be opened by `await` or `async with`, once."""

    def __init__(self, keywords: dict[str, Any]) -> None:
        self._keywords = keywords
        self._connection: Connection | None = None

    def __await__(self) -> Generator[Any, Any, Connection]:
        return self._connect().__await__()

    async def _connect(self) -> Connection:
        return await connecting.connect(**self._keywords)

    async def __aenter__(self) -> Connection:
        self._connection = await self._connect()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()
