"""Values as parameters of prepared statements: each Python type, byte by byte, and what cannot be bound."""

from __future__ import annotations

import datetime
import enum
import ipaddress
import struct
import time
import uuid
from array import array
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from dialogue import lenenc, packets
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import field_types as ft
from mizzle.engine.parameters import BulkExecutions, Executions, NotBindable, Parameters, Rows
from mizzle.engine.placeholders import Template
from mizzle.errors import ProgrammingError

HEAD = b"\x07\0\0\0" + b"\0" + b"\1\0\0\0"
UNSIGNED = 0x80


class Colour(enum.Enum):
    RED = "r"


class Text(str):
    __slots__ = ()


def template(count: int = 1) -> Template:
    return Template(", ".join(["%s"] * count))


def execute(*values: Any, codec: str = "utf8", encoders: Any = None) -> bytes:
    made = Template(", ".join(["%s"] * len(values)), codec)
    return Parameters(codec, encoders).execute(7, made, values)


def one(type_code: int, value: bytes, flags: int = 0) -> bytes:
    """An execution with one parameter that is not NULL."""
    return HEAD + b"\0" + b"\1" + bytes((type_code, flags)) + value


def integer(value: int) -> bytes:
    return one(ft.MYSQL_TYPE_LONGLONG, struct.pack("<q", value))


def text(value: bytes) -> bytes:
    return one(ft.MYSQL_TYPE_VAR_STRING, lenenc(value))


def decimal(value: bytes) -> bytes:
    return one(ft.MYSQL_TYPE_NEWDECIMAL, lenenc(value))


MOMENT = datetime.datetime(2024, 2, 29, 1, 2, 3, 45)
VALUES: list[tuple[Any, bytes]] = [
    (0, integer(0)),
    (-1, integer(-1)),
    (2**63 - 1, integer(2**63 - 1)),
    (-(2**63), integer(-(2**63))),
    (2**63, one(ft.MYSQL_TYPE_LONGLONG, struct.pack("<Q", 2**63), UNSIGNED)),
    (2**64 - 1, one(ft.MYSQL_TYPE_LONGLONG, b"\xff" * 8, UNSIGNED)),
    (2**64, decimal(b"18446744073709551616")),
    (-(2**63) - 1, decimal(b"-9223372036854775809")),
    (True, integer(1)),
    (False, integer(0)),
    (1.5, one(ft.MYSQL_TYPE_DOUBLE, struct.pack("<d", 1.5))),
    (-0.0, one(ft.MYSQL_TYPE_DOUBLE, struct.pack("<d", -0.0))),
    (Decimal("1.50"), decimal(b"1.50")),
    (Decimal("1E+5"), decimal(b"100000")),
    (Decimal("1E+200"), one(ft.MYSQL_TYPE_DOUBLE, struct.pack("<d", 1e200))),
    ("", text(b"")),
    ("it's ä \0", text("it's ä \0".encode())),
    ("𝄞" * 100, text(("𝄞" * 100).encode())),
    ("x" * 250, text(b"x" * 250)),
    ("x" * 251, text(b"x" * 251)),
    ("x" * 70000, text(b"x" * 70000)),
    ("x" * 0x1000000, text(b"x" * 0x1000000)),
    (b"\0\xff'", one(ft.MYSQL_TYPE_BLOB, lenenc(b"\0\xff'"))),
    (bytearray(b"ab"), one(ft.MYSQL_TYPE_BLOB, lenenc(b"ab"))),
    (memoryview(b"abcdef")[::2], one(ft.MYSQL_TYPE_BLOB, lenenc(b"ace"))),
    (MOMENT, text(b"2024-02-29 01:02:03.000045")),
    (MOMENT.replace(microsecond=0), text(b"2024-02-29 01:02:03")),
    (datetime.date(1, 2, 3), text(b"0001-02-03")),
    (datetime.time(23, 59), text(b"23:59:00")),
    (-datetime.timedelta(hours=838, minutes=59, seconds=59, microseconds=1), text(b"-838:59:59.000001")),
    (time.struct_time((2024, 1, 2, 3, 4, 5, 0, 0, 0)), text(b"2024-01-02 03:04:05")),
    (Colour.RED, text(b"r")),
    (Text("sub"), text(b"sub")),
    (uuid.UUID(int=1), text(str(uuid.UUID(int=1)).encode())),
    (ipaddress.ip_address("::1"), text(b"::1")),
    (array("f", [1, -2.5]), one(ft.MYSQL_TYPE_BLOB, lenenc(struct.pack("<2f", 1, -2.5)))),
    (memoryview(array("f", [1, -2.5, 3]))[::2], one(ft.MYSQL_TYPE_BLOB, lenenc(struct.pack("<2f", 1, 3)))),
]


@pytest.mark.parametrize(
    ("value", "packet"), VALUES, ids=[f"{type(value).__name__}{number}" for number, (value, _) in enumerate(VALUES)]
)
def test_every_type(value: Any, packet: bytes) -> None:
    assert execute(value) == packet


def test_no_parameters() -> None:
    assert execute() == HEAD
    assert Parameters().execute(7, template(0), (), 1) == b"\x07\0\0\0" + b"\1" + b"\1\0\0\0"


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 1000])
def test_the_null_bitmap_and_the_types(count: int) -> None:
    values = [None if number % 3 == 0 else number for number in range(count)]
    nulls = sum(1 << number for number, value in enumerate(values) if value is None)
    types = b"".join(bytes((ft.MYSQL_TYPE_NULL if value is None else ft.MYSQL_TYPE_LONGLONG, 0)) for value in values)
    packed = b"".join(struct.pack("<q", value) for value in values if value is not None)
    assert execute(*values) == HEAD + nulls.to_bytes((count + 7) // 8, "little") + b"\1" + types + packed


def test_names() -> None:
    made = Template("%(b)s, %(a)s, %(b)s")
    packet = Parameters().execute(7, made, {"a": 1, "b": 2})
    assert packet[-24:] == struct.pack("<qqq", 2, 1, 2)
    with pytest.raises(ProgrammingError, match=r"%\(a\)s"):
        Parameters().execute(7, made, {"b": 2})


def test_encoders() -> None:
    encoders = {complex: lambda value: [1, "x", b"y"][int(value.real)], list: len}
    assert execute(0j, encoders=encoders) == integer(1)
    assert execute(1 + 0j, encoders=encoders) == text(b"x")
    assert execute([5, 6], encoders=encoders) == integer(2)


def test_other_charsets() -> None:
    assert execute("ä", codec="latin1") == text(b"\xe4")
    assert execute("漢'\\", codec="gbk") == text("漢'\\".encode("gbk"))
    with pytest.raises(UnicodeEncodeError):
        execute("漢", codec="latin1")
    with pytest.raises(UnicodeEncodeError, match="would become"):
        execute("¥", codec="shift_jis")
    with pytest.raises(UnicodeEncodeError):
        execute("\ud800")
    with pytest.raises(ValueError, match="a template encoded in"):
        Parameters("latin1").execute(7, template(), (1,))


def test_streamed_parameters_have_a_type_and_no_value() -> None:
    packet = Parameters().execute(7, template(2), (object(), 5), 0, (0,))
    assert packet == HEAD + b"\0\1" + bytes((ft.MYSQL_TYPE_BLOB, 0, ft.MYSQL_TYPE_LONGLONG, 0)) + struct.pack("<q", 5)


@pytest.mark.parametrize("value", [[1, 2], (1,), {1}, frozenset()])
def test_sequences_cannot_be_bound(value: Any) -> None:
    with pytest.raises(NotBindable, match="parameter 1: a sequence") as refused:
        execute(value)
    assert not refused.value.sent


@pytest.mark.parametrize("value", [{"a": 1}, object(), float("nan"), float("inf"), Decimal("NaN")])
def test_what_literals_refuse_is_refused_too(value: Any) -> None:
    with pytest.raises(ProgrammingError, match="parameter 2: "):
        execute(1, value)


@pytest.mark.parametrize("values", [(), (1, 2), {"a": 1}])
def test_parameters_that_do_not_fit(values: Any) -> None:
    with pytest.raises(ProgrammingError):
        Parameters().execute(7, template(), values)


# -- many rows ---------------------------------------------------------------------------------------------------------


def batches(kind: type[Rows], rows: Any, limit: int = 1 << 20, count: int = 2) -> Rows:
    return kind(Parameters(), 7, template(count), rows, limit)


def executions(*rows: tuple[Any, ...]) -> bytes:
    return b"".join(packets(b"\x17" + Parameters().execute(7, template(2), row), first=0) for row in rows)


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63), st.text(max_size=300)), max_size=20), st.integers(1, 2000))
def test_executions_in_batches(rows: list[tuple[int, str]], limit: int) -> None:
    taken = 0
    made = batches(Executions, rows, limit)
    for packet, count in made:
        assert made.taken == taken
        assert packet == executions(*rows[taken : taken + count])
        assert count == 1 or len(packet) <= limit
        taken += count
    assert taken == len(rows)


def test_an_execution_of_several_frames_goes_alone() -> None:
    long = "x" * 0xFFFFFF
    found = list(batches(Executions, [(1, "a"), (2, long), (3, "b")]))
    assert [count for _, count in found] == [1, 1, 1]
    assert found[1][0] == packets(b"\x17" + Parameters().execute(7, template(2), (2, long)), first=0)


def bulk(types: bytes, *values: bytes) -> bytes:
    return b"\x07\0\0\0" + b"\x80\0" + types + b"".join(values)


NUMBER, TEXT = bytes((ft.MYSQL_TYPE_LONGLONG, 0)), bytes((ft.MYSQL_TYPE_VAR_STRING, 0))


def test_bulk() -> None:
    [(packet, count)] = batches(BulkExecutions, [(1, "a"), (None, None), (2, "b")])
    assert count == 3
    one, two = b"\0" + struct.pack("<q", 1), b"\0" + struct.pack("<q", 2)
    assert packet == bulk(NUMBER + TEXT, one, b"\0\1a", b"\1", b"\1", two, b"\0\1b")


def test_bulk_with_unit_results() -> None:
    [(packet, _)] = BulkExecutions(Parameters(), 7, template(1), [(1,)], 1 << 20, True)
    assert packet == b"\x07\0\0\0" + b"\xc0\0" + NUMBER + b"\0" + struct.pack("<q", 1)


def test_a_column_of_nulls_has_a_type_too() -> None:
    [(packet, _)] = batches(BulkExecutions, [(None, 1), (None, 2)])
    assert packet[6:10] == TEXT + NUMBER


def test_bulk_rows_of_other_types_are_another_batch() -> None:
    rows = [(None, 1), (1, 1), (2, None), (2.5, 1), (2**64 - 1, 1), (3, "x"), (4, None), (None, "y")]
    assert [count for _, count in batches(BulkExecutions, rows)] == [3, 1, 1, 3]


def test_bulk_batches_are_not_too_long() -> None:
    rows = [(number, "x" * 100) for number in range(100)]
    found = list(batches(BulkExecutions, rows, 1000))
    assert sum(count for _, count in found) == 100
    assert all(len(packet) <= 1000 for packet, _ in found)
    assert [count for _, count in batches(BulkExecutions, [(1, "x" * 5000)] * 2, 1000)] == [1, 1]


@pytest.mark.parametrize("kind", [Executions, BulkExecutions])
def test_an_error_comes_behind_the_rows_before_it(kind: type[Rows]) -> None:
    made = batches(kind, [(1, "a"), (2, "b"), (3, object()), (4, "c")])
    assert next(made)[1] == 2
    with pytest.raises(ProgrammingError, match="row 3: parameter 2: "):
        next(made)


@pytest.mark.parametrize("kind", [Executions, BulkExecutions])
def test_the_rows_that_are_left(kind: type[Rows]) -> None:
    rows = [(1, "a"), (2, [5]), (3, "c")]
    made = batches(kind, rows)
    next(made)
    with pytest.raises(NotBindable):
        next(made)
    assert list(made.rest()) == rows[1:]
    if kind is BulkExecutions:
        again = batches(kind, rows)
        next(again)
        assert list(again.rest(again=True)) == rows


@pytest.mark.parametrize("kind", [Executions, BulkExecutions])
def test_rows_are_taken_when_they_are_needed(kind: type[Rows]) -> None:
    def rows() -> Iterator[tuple[int, str]]:
        yield 1, "x" * 100
        yield 2, "x" * 100
        raise ArithmeticError

    made = batches(kind, rows(), 150)
    assert [next(made)[1]] == [1]
    with pytest.raises(ArithmeticError):
        next(made)
