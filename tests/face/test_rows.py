"""Row factories, without a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from mizzle import rows
from mizzle.errors import ProgrammingError


class Column(NamedTuple):
    name: str
    table: str = ""


def columns(*names: str) -> list[Column]:
    return [Column(name, "t") for name in names]


def test_tuple_row_changes_nothing() -> None:
    values = (1, "a")
    assert rows.tuple_row(columns("id", "name"))(values) is values


def test_dict_row() -> None:
    assert rows.dict_row(columns("id", "name"))((1, "a")) == {"id": 1, "name": "a"}


def test_dict_row_names_a_second_column_by_its_table() -> None:
    make = rows.dict_row([Column("id", "a"), Column("id", "b"), Column("x", "b")])
    assert make((1, 2, 3)) == {"id": 1, "b.id": 2, "x": 3}


def test_namedtuple_row() -> None:
    row: Any = rows.namedtuple_row(columns("id", "name"))((1, "a"))
    assert row == (1, "a")
    assert (row.id, row.name) == (1, "a")


@pytest.mark.parametrize(
    ("name", "field"),
    [("COUNT(*)", "COUNT___"), ("1", "f1"), ("class", "fclass"), ("_x", "f_x"), ("größe", "größe"), ("", "f")],
)
def test_namedtuple_row_makes_field_names(name: str, field: str) -> None:
    row: Any = rows.namedtuple_row(columns(name))((7,))
    assert getattr(row, field) == 7


def test_namedtuple_row_with_the_same_name_twice() -> None:
    row: Any = rows.namedtuple_row(columns("id", "id"))((1, 2))
    assert (row.id, row._1) == (1, 2)


def test_namedtuple_classes_are_made_once() -> None:
    first, second = (rows.namedtuple_row(columns("a", "b"))((1, 2)) for _ in range(2))
    assert type(first) is type(second)


@dataclass
class Person:
    id: int
    name: str


def test_class_row() -> None:
    assert rows.class_row(Person)(columns("id", "name"))((1, "a")) == Person(1, "a")


def test_class_row_refuses_columns_of_the_same_name() -> None:
    with pytest.raises(ProgrammingError, match="more than one column named id"):
        rows.class_row(Person)(columns("id", "id"))


def test_args_row() -> None:
    assert rows.args_row(Person)(columns("x", "y"))((1, "a")) == Person(1, "a")


def test_scalar_row() -> None:
    assert rows.scalar_row(columns("n"))((5,)) == 5
