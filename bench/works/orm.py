"""What the works of object mappers have in common: how much is done, with which keys, and what must come of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bench.task import Task, check

#: Where the keys begin that transactions add.
ADDED = 1_000_000
WARM_UP = 10
_START = datetime.datetime(2024, 1, 1)


@dataclass(frozen=True)
class Amount:
    """How many units of a work one run does, and for how many objects at once."""

    units: int
    size: int
    #: Does it write to objects that are there beforehand? None: it does not write.
    writes: bool | None = None
    #: What the figure counts: units, not objects.
    by_unit: bool = False


AMOUNTS = {
    "key": Amount(3000, 1),
    "load": Amount(60, 1000),
    "insert": Amount(30, 1000, writes=False),
    "update": Amount(100, 100, writes=True),
    "transaction": Amount(800, 2, writes=True, by_unit=True),
}


class Plan:
    """The keys of each unit, those of the warm-up first."""

    def __init__(self, task: Task) -> None:
        self.unit = task.work.split("-")[1]
        self.amount = amount = AMOUNTS[self.unit]
        limit = task.sizes.rows - amount.size if amount.writes is None else ADDED
        starts = [number * amount.size % limit + 1 for number in range(WARM_UP + amount.units)]
        units = [range(start, start + amount.size) for start in starts]
        self.warm_up, self.measured = units[:WARM_UP], units[WARM_UP:]

    @property
    def things(self) -> int:
        """What the figure is divided by."""
        return self.amount.units * (1 if self.amount.by_unit else self.amount.size)

    @property
    def written(self) -> list[int]:
        """The keys that are written, or written to."""
        return [key for keys in (*self.warm_up, *self.measured) for key in keys]

    @property
    def beforehand(self) -> list[int]:
        """The keys that have to be there."""
        return self.written if self.amount.writes else []

    def check(self, count: int, amount: Decimal | None) -> None:
        """Of the table that is written, when all is done."""
        keys = [] if self.amount.writes is None else self.written
        added = [ADDED + key for key in keys[:: self.amount.size]] if self.unit == "transaction" else []
        expected = sum(Decimal(key) / 100 for key in (*keys, *added)) + (len(keys) if self.unit == "update" else 0)
        check("objects and amount afterwards", (count, amount or 0), (len(keys) + len(added), expected))


def shares(units: list[range], workers: int) -> list[list[range]]:
    """The units of each worker."""
    return [units[number::workers] for number in range(workers)]


def values(keys: Iterable[int]) -> list[dict[str, Any]]:
    """The columns of an object of the table that is written, by their names, for each key."""
    return [
        {"id": key, "name": f"O'Brien number {key}", "amount": Decimal(key) / 100, "created": _START} for key in keys
    ]
