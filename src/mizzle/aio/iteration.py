"""How a cursor is iterated over; by hand in both faces, for here Python's two protocols have little in common.

Knows: the iterator of the rows in hand. Must not know: where rows come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
Self = TypeVar("Self", bound="Rows[Any]")
END: Any = object()


class Rows(Generic[Row]):
    """`async for` and anext() over rows in hand. No generator: one that is left early needs a loop to end it."""

    _iterator: Iterator[Row]

    def __aiter__(self: Self) -> Self:
        return self

    async def __anext__(self) -> Row:
        row: Row = next(self._iterator, END)
        if row is END:
            raise StopAsyncIteration
        return row


class Batches(Rows[Row]):
    """The same over rows that come in batches."""

    async def _next_batch(self) -> bool:
        raise NotImplementedError

    async def __anext__(self) -> Row:
        row: Row = next(self._iterator, END)
        while row is END:
            if not await self._next_batch():
                raise StopAsyncIteration
            row = next(self._iterator, END)
        return row
