"""mizzle for gevent, not monkey-patched: the surface of `mizzle`, with connections that wait in gevent's hub.

Knows: that `world="gevent"` is meant. Must not know: gevent, which is imported when the first connection is made.
"""

from typing import TYPE_CHECKING, Any

import mizzle
from mizzle import *  # noqa: F403  # pyright: ignore[reportAssignmentType] (the same surface, but for what follows)

if TYPE_CHECKING:
    from mizzle.sync import Connection

__all__ = mizzle.__all__  # pyright: ignore[reportUnsupportedDunderAll]


def connect(**keywords: Any) -> "Connection":  # type: ignore[no-redef]
    """Connect to a server, in gevent's world; see `mizzle.connect`."""
    return mizzle.connect(**{"world": "gevent", **keywords})


class Pool(mizzle.Pool):  # type: ignore[no-redef]
    """A pool in gevent's world; see `mizzle.Pool`."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"world": "gevent", **keywords})


class NullPool(mizzle.NullPool):  # type: ignore[no-redef]
    """The same without idle connections; see `mizzle.NullPool`."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"world": "gevent", **keywords})


def __getattr__(name: str) -> Any:
    return getattr(mizzle, name)
