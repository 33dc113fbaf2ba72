"""PEP 249's type objects and constructors."""

import datetime
import time

import pytest

from mizzle import types
from mizzle.constants import field_types

CODES = {name: value for name, value in vars(field_types).items() if name.startswith("MYSQL_TYPE_")}


@pytest.mark.parametrize(
    ("type_object", "names"),
    [
        (types.STRING, "STRING VAR_STRING VARCHAR ENUM SET JSON"),
        (types.BINARY, "BLOB TINY_BLOB MEDIUM_BLOB LONG_BLOB BIT GEOMETRY VECTOR"),
        (types.NUMBER, "TINY SHORT INT24 LONG LONGLONG DECIMAL NEWDECIMAL FLOAT DOUBLE YEAR"),
        (types.DATE, "DATE NEWDATE"),
        (types.TIME, "TIME"),
        (types.TIMESTAMP, "TIMESTAMP DATETIME"),
        (types.ROWID, ""),
    ],
)
def test_type_object_equals_its_codes_and_no_other(type_object: types.DBAPISet, names: str) -> None:
    wanted = {CODES[f"MYSQL_TYPE_{name}"] for name in names.split()}
    assert {code for code in CODES.values() if code == type_object} == wanted
    assert {code for code in CODES.values() if type_object == code} == wanted
    assert {code for code in CODES.values() if type_object != code} == set(CODES.values()) - wanted


def test_type_objects_compare_and_hash() -> None:
    assert types.DATETIME == types.TIMESTAMP
    assert types.STRING != types.BINARY
    assert len({types.STRING, types.BINARY, types.NUMBER, types.DATETIME, types.TIMESTAMP}) == 4
    assert types.STRING != "STRING"


def test_constructors() -> None:
    assert types.Date(2026, 11, 22) == datetime.date(2026, 11, 22)
    assert types.Time(1, 2, 3) == datetime.time(1, 2, 3)
    assert types.Timestamp(2026, 11, 22, 1, 2, 3) == datetime.datetime(2026, 11, 22, 1, 2, 3)


def test_constructors_from_ticks_are_local_time() -> None:
    ticks = 1_700_000_000.5
    local = time.localtime(ticks)
    assert types.DateFromTicks(ticks).timetuple()[:3] == local[:3]
    assert types.TimestampFromTicks(ticks) == datetime.datetime(*local[:6], microsecond=500_000)
    assert types.TimeFromTicks(ticks) == datetime.time(*local[3:6], microsecond=500_000)


@pytest.mark.parametrize("data", [b"a\0\xff", bytearray(b"a\0\xff"), memoryview(b"a\0\xff")])
def test_binary(data: bytes) -> None:
    made = types.Binary(data)
    assert made == b"a\0\xff"
    assert type(made) is bytes


@pytest.mark.parametrize("data", ["text", 3, None])
def test_binary_refuses_what_has_no_bytes(data: object) -> None:
    with pytest.raises(TypeError):
        types.Binary(data)  # type: ignore[arg-type]
