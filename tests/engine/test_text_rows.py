"""Text protocol values: every type, its edges, and what is none of it."""

from __future__ import annotations

import datetime
import gc
import math
from decimal import Decimal
from typing import Any

import pytest
from dialogue import BINARY, UTF8MB4, column, row
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import field_types as ft
from mizzle.constants.charsets import by_collation
from mizzle.engine.packets import parse_column_definition
from mizzle.engine.text_rows import Decoding, RowFormat
from mizzle.errors import DataError, MalformedPacket

UTC_DAY = datetime.datetime(2024, 2, 29, 23, 59, 59)


def row_format(*types: int | tuple[int, int], **decoding: Any) -> RowFormat:
    pairs = [each if isinstance(each, tuple) else (each, BINARY) for each in types]
    columns = tuple(parse_column_definition(column("c", code, charset)) for code, charset in pairs)
    return RowFormat(Decoding(**decoding), columns)


def decode(type_code: int, text: bytes | None, charset: int = BINARY, **decoding: Any) -> Any:
    return row_format((type_code, charset), **decoding).decode_row(row(text))[0]


INTEGERS = (
    ft.MYSQL_TYPE_TINY,
    ft.MYSQL_TYPE_SHORT,
    ft.MYSQL_TYPE_INT24,
    ft.MYSQL_TYPE_LONG,
    ft.MYSQL_TYPE_LONGLONG,
    ft.MYSQL_TYPE_YEAR,
)


@pytest.mark.parametrize("type_code", INTEGERS)
@pytest.mark.parametrize("text", ["0", "-0", "-1", "00042", "2024", "-128", "9" * 18, str(-(2**63)), str(2**64 - 1)])
def test_integers(type_code: int, text: str) -> None:
    value = decode(type_code, text.encode())
    assert value == int(text)
    assert type(value) is int


@pytest.mark.parametrize("text", [b"", b"-", b"1x", b"x", b"1.5", b"--1"])
def test_what_is_no_integer(text: bytes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        decode(ft.MYSQL_TYPE_LONG, text)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "1.5",
        "-123.456",
        "0.1",
        "1e300",
        "1.7976931348623157e308",
        "-5e-324",
        "123456789012345",
        "9007199254740993",
        "0.000000000000000000000001",
        "3.4028235e38",
        "2.2250738585072014e-308",
        "1.",
    ],
)
def test_floats(text: str) -> None:
    value = decode(ft.MYSQL_TYPE_DOUBLE, text.encode())
    assert value == float(text)
    assert math.copysign(1, value) == math.copysign(1, float(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back(value: float) -> None:
    assert decode(ft.MYSQL_TYPE_DOUBLE, repr(value).encode()) == value


@given(st.integers(-(10**19), 10**19), st.integers(0, 30))
def test_short_floats_are_rounded_as_python_rounds(digits: int, scale: int) -> None:
    text = f"{Decimal(digits).scaleb(-scale):f}"
    assert decode(ft.MYSQL_TYPE_DOUBLE, text.encode()) == float(text)


@given(st.integers(0, 2**53 - 1), st.integers(0, 20))
def test_half_way_between_two_floats_is_rounded_as_python_rounds(digits: int, shift: int) -> None:
    half = Decimal(2 * digits + 1) * 2**shift / 2
    for text in (f"{half:f}", f"{half + Decimal('0.001'):f}", f"{half - Decimal('0.001'):f}"):
        assert decode(ft.MYSQL_TYPE_DOUBLE, text.encode()) == float(text)


@pytest.mark.parametrize("text", [b"", b"-", b".", b"1.2.3", b"abc", b"1" * 100 + b"x"])
def test_what_is_no_float(text: bytes) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        decode(ft.MYSQL_TYPE_FLOAT, text)


@pytest.mark.parametrize("text", ["0", "-0.00", "12.340", "9" * 65, "-0." + "1" * 30])
def test_decimals(text: str) -> None:
    value = decode(ft.MYSQL_TYPE_NEWDECIMAL, text.encode())
    assert type(value) is Decimal
    assert str(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000-01-01", datetime.date(1000, 1, 1)),
        ("0001-01-01", datetime.date(1, 1, 1)),
        ("9999-12-31", datetime.date(9999, 12, 31)),
        ("2024-02-29", datetime.date(2024, 2, 29)),
        ("2000-02-29", datetime.date(2000, 2, 29)),
    ],
)
def test_dates(text: str, value: datetime.date) -> None:
    assert decode(ft.MYSQL_TYPE_DATE, text.encode()) == value


@pytest.mark.parametrize("type_code", [ft.MYSQL_TYPE_DATETIME, ft.MYSQL_TYPE_TIMESTAMP])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-02-29 23:59:59", UTC_DAY),
        ("2024-02-29 23:59:59.1", UTC_DAY.replace(microsecond=100000)),
        ("2024-02-29 23:59:59.000001", UTC_DAY.replace(microsecond=1)),
        ("2024-02-29 23:59:59.999999", UTC_DAY.replace(microsecond=999999)),
        ("9999-12-31 00:00:00", datetime.datetime(9999, 12, 31)),
    ],
)
def test_datetimes(type_code: int, text: str, value: datetime.datetime) -> None:
    assert decode(type_code, text.encode()) == value


IMPOSSIBLE = [
    (ft.MYSQL_TYPE_DATE, "0000-00-00"),
    (ft.MYSQL_TYPE_DATE, "2024-00-00"),
    (ft.MYSQL_TYPE_DATE, "2024-13-01"),
    (ft.MYSQL_TYPE_DATE, "2023-02-29"),
    (ft.MYSQL_TYPE_DATE, "1900-02-29"),
    (ft.MYSQL_TYPE_DATE, "2024-04-31"),
    (ft.MYSQL_TYPE_DATE, "2024-1-1"),
    (ft.MYSQL_TYPE_DATETIME, "0000-00-00 00:00:00"),
    (ft.MYSQL_TYPE_DATETIME, "2024-01-00 00:00:00"),
    (ft.MYSQL_TYPE_DATETIME, "2024-01-01 24:00:00"),
    (ft.MYSQL_TYPE_DATETIME, "2024-01-01 10:00:00."),
    (ft.MYSQL_TYPE_DATETIME, "2024-01-01 10:00:00.1234567"),
    (ft.MYSQL_TYPE_DATETIME, "2024-01-01"),
    (ft.MYSQL_TYPE_DATETIME, ""),
]


@pytest.mark.parametrize(("type_code", "text"), IMPOSSIBLE)
def test_impossible_dates_are_none_by_default(type_code: int, text: str) -> None:
    assert decode(type_code, text.encode()) is None


@pytest.mark.parametrize(("type_code", "text"), IMPOSSIBLE)
def test_impossible_dates_as_str(type_code: int, text: str) -> None:
    assert decode(type_code, text.encode(), zero_dates="str") == text


@pytest.mark.parametrize(("type_code", "text"), IMPOSSIBLE)
def test_impossible_dates_raised(type_code: int, text: str) -> None:
    with pytest.raises(DataError, match=r"does not exist.*zero_dates"):
        decode(type_code, text.encode(), zero_dates="raise")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0.0),
        ("00:00:01", 1.0),
        ("-00:00:00.000001", -0.000001),
        ("23:59:59.5", 86399.5),
        ("838:59:59", 3020399.0),
        ("-838:59:59.000000", -3020399.0),
        ("-100:00:01.500000", -360001.5),
    ],
)
def test_times_are_timedeltas(text: str, seconds: float) -> None:
    assert decode(ft.MYSQL_TYPE_TIME, text.encode()) == datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", [b"", b"-", b":", b"1:2:3", b"00:60:00", b"00:00:60", b"x0:00:00", b"00:00:00.", b"12345:00:00"]
)
def test_what_is_no_time(text: bytes) -> None:
    with pytest.raises(DataError, match="is not a TIME"):
        decode(ft.MYSQL_TYPE_TIME, text)


TEXTS = (
    ft.MYSQL_TYPE_VARCHAR,
    ft.MYSQL_TYPE_VAR_STRING,
    ft.MYSQL_TYPE_STRING,
    ft.MYSQL_TYPE_ENUM,
    ft.MYSQL_TYPE_SET,
    ft.MYSQL_TYPE_TINY_BLOB,
    ft.MYSQL_TYPE_BLOB,
    ft.MYSQL_TYPE_MEDIUM_BLOB,
    ft.MYSQL_TYPE_LONG_BLOB,
)


@pytest.mark.parametrize("type_code", TEXTS)
@pytest.mark.parametrize("text", ["", "a", "ä€𝄞", "x" * 300, "\0"])
def test_text_and_bytes(type_code: int, text: str) -> None:
    assert decode(type_code, text.encode(), UTF8MB4) == text
    assert decode(type_code, text.encode(), BINARY) == text.encode()
    assert decode(type_code, text.encode(), UTF8MB4, use_unicode=False) == text.encode()


@pytest.mark.parametrize(
    ("collation", "encoded", "text"),
    [
        ("latin1_swedish_ci", b"\x80\xe4", "€ä"),
        ("utf8mb3_general_ci", "ä€".encode(), "ä€"),
        ("gbk_chinese_ci", "漢".encode("gbk"), "漢"),
        ("sjis_japanese_ci", "表".encode("cp932"), "表"),
        ("ucs2_general_ci", "ä€".encode("utf-16-be"), "ä€"),
        ("utf16le_general_ci", "𝄞".encode("utf-16-le"), "𝄞"),
        ("utf32_general_ci", "𝄞".encode("utf-32-be"), "𝄞"),
        ("koi8r_general_ci", "ж".encode("koi8-r"), "ж"),
    ],
)
def test_text_by_the_columns_charset(collation: str, encoded: bytes, text: str) -> None:
    assert decode(ft.MYSQL_TYPE_VAR_STRING, encoded, by_collation(collation).id) == text


def test_undecodable_text() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(ft.MYSQL_TYPE_VAR_STRING, b"\xff", UTF8MB4)


def test_json_is_text_though_mysql_calls_it_binary() -> None:
    assert decode(ft.MYSQL_TYPE_JSON, '{"a": "ä"}'.encode(), BINARY) == '{"a": "ä"}'


@pytest.mark.parametrize("type_code", [ft.MYSQL_TYPE_BIT, ft.MYSQL_TYPE_GEOMETRY, ft.MYSQL_TYPE_VECTOR])
def test_bytes_whatever_the_charset(type_code: int) -> None:
    assert decode(type_code, b"\x00\xff", UTF8MB4) == b"\x00\xff"


def test_null_of_every_type() -> None:
    types = [
        *INTEGERS,
        *TEXTS,
        ft.MYSQL_TYPE_NULL,
        ft.MYSQL_TYPE_DATETIME,
        ft.MYSQL_TYPE_NEWDECIMAL,
        ft.MYSQL_TYPE_JSON,
    ]
    assert row_format(*types).decode_row(row(*[None] * len(types))) == (None,) * len(types)


def test_converters() -> None:
    made = row_format(
        (ft.MYSQL_TYPE_JSON, BINARY),
        (ft.MYSQL_TYPE_BLOB, BINARY),
        (ft.MYSQL_TYPE_LONG, BINARY),
        converters={ft.MYSQL_TYPE_JSON: lambda text: [text], ft.MYSQL_TYPE_BLOB: lambda raw: [raw]},
    )
    values = made.decode_row(row(b'"\xc3\xa4"', b"\xff", b"3"))
    assert values == (['"ä"'], [b"\xff"], 3)
    assert gc.is_tracked(values)


def test_plain_rows_are_not_the_garbage_collectors_business() -> None:
    assert not gc.is_tracked(
        row_format(ft.MYSQL_TYPE_LONG, ft.MYSQL_TYPE_DATETIME).decode_row(row(b"1", b"2024-01-01 00:00:00"))
    )


WIDE = [ft.MYSQL_TYPE_LONG, (ft.MYSQL_TYPE_VAR_STRING, UTF8MB4), ft.MYSQL_TYPE_BLOB, ft.MYSQL_TYPE_DATETIME]
WIDE_ROW = row(b"17", b"a" * 300, None, b"2024-01-01 00:00:00")


def test_a_row_truncated_at_every_length() -> None:
    made = row_format(*WIDE)
    assert made.decode_row(WIDE_ROW)[0] == 17
    for length in range(len(WIDE_ROW)):
        with pytest.raises(MalformedPacket, match="TextResultsetRow"):
            made.decode_row(WIDE_ROW[:length])


def test_a_row_with_a_tail() -> None:
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        row_format(*WIDE).decode_row(WIDE_ROW + b"\xfb")


def test_a_value_that_claims_to_be_endless() -> None:
    with pytest.raises(MalformedPacket, match="announced"):
        row_format(ft.MYSQL_TYPE_BLOB).decode_row(b"\xfe" + b"\xff" * 7 + b"\x7f" + b"x")


@given(st.binary(max_size=60))
def test_no_row_breaks_the_decoder(payload: bytes) -> None:
    made = row_format(
        ft.MYSQL_TYPE_LONG,
        ft.MYSQL_TYPE_DOUBLE,
        ft.MYSQL_TYPE_DATETIME,
        ft.MYSQL_TYPE_TIME,
        (ft.MYSQL_TYPE_VAR_STRING, UTF8MB4),
    )
    try:
        assert len(made.decode_row(payload)) == 5
    except (MalformedPacket, ValueError, DataError):
        return


def test_description() -> None:
    made = row_format((ft.MYSQL_TYPE_VAR_STRING, UTF8MB4))
    assert made.description == (("c", ft.MYSQL_TYPE_VAR_STRING, None, 255, 255, 0, True),)
    assert made.description is made.description
