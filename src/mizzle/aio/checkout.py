"""What a pool's `connection()` gives; by hand in both faces, for the synchronous one is compiled whole.

Knows: how one enters a loan. Must not know: what a pool does for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from mizzle.loans import Loan

if TYPE_CHECKING:
    from mizzle.aio.connection import Connection


class Checkout(Loan):
    """The time for which a connection is lent. Made for one `async with`."""

    __slots__ = ()

    async def __aenter__(self) -> Connection:
        """Lend it: an idle one at once, else as soon as it is this caller's turn."""
        frame = sys._getframe(1)
        conn: Connection | None = self._begin(frame)
        if conn is None:
            pool: Any = self._pool
            lent: Connection = await pool._take(self._timeout, pool._taker(frame))
            self._conn = lent
            return lent
        return conn
