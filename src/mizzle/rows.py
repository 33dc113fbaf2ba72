"""Row factories: what one row of a result looks like to the program.

Knows: the names of a result's columns. Must not know: connections, cursors, the wire.

A factory is called once for each result with its columns and gives the function that turns one tuple of values into a
row. Users write their own in the same way:

    def upper_row(columns):
        names = [column.name.upper() for column in columns]
        return lambda values: dict(zip(names, values))

    conn.cursor(row_factory=upper_row)
"""

from __future__ import annotations

import functools
import keyword
import operator
import re
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from mizzle.errors import ProgrammingError

__all__ = [
    "RowFactory",
    "RowMaker",
    "TupleRow",
    "args_row",
    "class_row",
    "column_names",
    "dict_row",
    "namedtuple_row",
    "scalar_row",
    "tuple_row",
]

Row = TypeVar("Row")
TupleRow: TypeAlias = tuple[Any, ...]
RowMaker: TypeAlias = Callable[[TupleRow], Row]


class NamedColumn(Protocol):
    """What a factory may read of a column (the engine's Column has more)."""

    @property
    def name(self) -> str:
        """The name or alias in the result."""
        ...

    @property
    def table(self) -> str:
        """The name or alias of the table, or an empty string."""
        ...


RowFactory: TypeAlias = Callable[[Sequence[NamedColumn]], RowMaker[Row]]


def column_names(columns: Sequence[NamedColumn]) -> list[str]:
    """The names of the columns; a name that was there before becomes `table.name`, as in PyMySQL."""
    names: list[str] = []
    seen: set[str] = set()
    for column in columns:
        name = column.name
        if name in seen:
            name = f"{column.table}.{name}"
        seen.add(name)
        names.append(name)
    return names


def tuple_row(columns: Sequence[NamedColumn]) -> RowMaker[TupleRow]:  # noqa: ARG001 (the shape of a factory)
    """Rows are tuples: the default, and the only one that costs nothing."""
    return tuple


def dict_row(columns: Sequence[NamedColumn]) -> RowMaker[dict[str, Any]]:
    """Rows are dicts by column name; see `column_names` for names that occur twice."""
    names = column_names(columns)
    return lambda values: dict(zip(names, values))  # noqa: B905 (strict= would double the cost; lengths agree)


def namedtuple_row(columns: Sequence[NamedColumn]) -> RowMaker[NamedTuple]:
    """Rows are named tuples. `_` stands for what an identifier cannot have; `f` goes before what is no field name yet.

    A name that occurs twice is `_N` the second time, N its position, as `namedtuple(rename=True)` has it.
    """
    return _namedtuple_maker(tuple(column.name for column in columns))


@functools.lru_cache(maxsize=512)
def _namedtuple_maker(names: tuple[str, ...]) -> RowMaker[NamedTuple]:
    made: Any = namedtuple("Row", [_field_name(name) for name in names], rename=True)  # type: ignore[misc]
    make: RowMaker[NamedTuple] = made._make
    return make


def _field_name(name: str) -> str:
    field = re.sub(r"\W", "_", name)
    if not field.isidentifier() or keyword.iskeyword(field) or field.startswith("_"):
        field = "f" + field
    return field


def class_row(cls: Callable[..., Row]) -> RowFactory[Row]:
    """Rows are `cls(**{column: value})`: dataclasses, attrs and pydantic classes, or any callable."""

    def factory(columns: Sequence[NamedColumn]) -> RowMaker[Row]:
        names = [column.name for column in columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ProgrammingError(
                0, f"class_row: the result has more than one column named {', '.join(twice)}; give them aliases with AS"
            )
        return lambda values: cls(**dict(zip(names, values)))  # noqa: B905 (lengths agree)

    return factory


def args_row(function: Callable[..., Row]) -> RowFactory[Row]:
    """Rows are `function(*values)`."""

    def factory(columns: Sequence[NamedColumn]) -> RowMaker[Row]:  # noqa: ARG001 (the shape of a factory)
        return lambda values: function(*values)

    return factory


def scalar_row(columns: Sequence[NamedColumn]) -> RowMaker[Any]:  # noqa: ARG001 (the shape of a factory)
    """Rows are the value of the first column: for `SELECT COUNT(*)` and the like."""
    return operator.itemgetter(0)
