"""What makes `connect` awaitable and a context manager at once, and takes passwords that have to be awaited; by hand,
the synchronous face has no need of it.

Knows: nothing but that. Must not know: how connecting is done.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mizzle.aio import connecting
from mizzle.options import connect_options, password_bytes

if TYPE_CHECKING:
    from mizzle.aio.connection import Connection
    from mizzle.options import ConnectOptions


def connect(**keywords: Any) -> Connecting:
    """Connect to a server: `conn = await connect(…)` or `async with connect(…) as conn`, which closes at its end.

    The keywords are those of `mizzle.connect`. A callable `password` may also return an awaitable here.
    """
    return Connecting(keywords)


async def establish(options: ConnectOptions, connection_class: type[Connection] | None = None) -> Connection:
    """Connect by settled options; the password is asked for now, and awaited where it has to be."""
    if callable(password := options.password):
        secret = password()
        secret = await secret if inspect.isawaitable(secret) else secret
        options = dataclasses.replace(options, password=password_bytes(secret))
    return await connecting.establish(options, connection_class)


class Connecting:
    """A connection that will be opened by `await` or `async with`, once."""

    def __init__(self, keywords: dict[str, Any]) -> None:
        self._keywords = keywords
        self._connection: Connection | None = None

    def __await__(self) -> Generator[Any, Any, Connection]:
        return self._connect().__await__()

    async def _connect(self) -> Connection:
        keywords = dict(self._keywords)
        connection_class = keywords.pop("connection_class", None)
        return await establish(connect_options(**keywords), connection_class)

    async def __aenter__(self) -> Connection:
        self._connection = await self._connect()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()
