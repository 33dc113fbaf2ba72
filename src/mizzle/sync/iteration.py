"""How a cursor is iterated over; by hand in both faces, for here Python's two protocols have little in common.

Knows: the iterator of the rows in hand. Must not know: where rows come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
END: Any = object()


class Rows(Generic[Row]):
    """`for` and next() over rows that are all in hand: `for` gets the list's own iterator, no call for each row."""

    _iterator: Iterator[Row]

    def __iter__(self) -> Iterator[Row]:
        return self._iterator

    def __next__(self) -> Row:
        return next(self._iterator)


class Batches(Rows[Row]):
    """The same over rows that come in batches."""

    def _next_batch(self) -> bool:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Row]:
        while True:
            yield from self._iterator
            if not self._next_batch():
                return

    def __next__(self) -> Row:
        row: Row = next(self._iterator, END)
        while row is END:
            if not self._next_batch():
                raise StopIteration
            row = next(self._iterator, END)
        return row
