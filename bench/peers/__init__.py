"""One small file a driver: how to connect with the same settings, and how to get an unbuffered cursor.

Everywhere: TCP, no TLS, utf8mb4, autocommit, all else as the driver has it. `own_defaults` leaves TLS to the driver.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, cast

from bench.task import Settings


class Peer(Protocol):
    """A driver with blocking calls, PEP 249."""

    def connect(self, settings: Settings, *, own_defaults: bool = False) -> Any: ...
    def stream(self, connection: Any) -> Any: ...
    def pool(self, settings: Settings, size: int, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """A pool of so many: what lends a connection for a `with` block, and what closes it all."""


class AsyncPeer(Protocol):
    """A driver for asyncio; the names of PEP 249, awaited."""

    async def connect(self, settings: Settings, *, own_defaults: bool = False) -> Any: ...
    async def cursor(self, connection: Any, *, streamed: bool = False) -> Any: ...
    async def close(self, connection: Any) -> None: ...
    async def pool(self, settings: Settings, size: int, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """The same; what closes is awaited."""


def load(name: str) -> Peer:
    return cast(Peer, import_module(f"bench.peers.{name}"))


def load_async(name: str) -> AsyncPeer:
    return cast(AsyncPeer, import_module(f"bench.peers.{name}"))
