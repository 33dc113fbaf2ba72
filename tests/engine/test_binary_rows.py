"""Binary protocol values: every type, its edges, equal to what the text protocol gives, and what is none of it."""

from __future__ import annotations

import datetime
import gc
import struct
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from dialogue import BINARY, UTF8MB4, column, lenenc
from dialogue import row as text_row
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import field_flags as flag
from mizzle.constants import field_types as ft
from mizzle.engine.binary_rows import decode_row
from mizzle.engine.packets import parse_column_definition
from mizzle.engine.text_rows import Decoding, RowFormat
from mizzle.errors import DataError, MalformedPacket

NOT_FIXED = 31


def row_format(*columns: bytes, **decoding: Any) -> RowFormat:
    return RowFormat(Decoding(**decoding), tuple(map(parse_column_definition, columns)))


def binary_row(*values: bytes | None) -> bytes:
    """A row of values as they are laid out."""
    nulls = sum(1 << (number + 2) for number, value in enumerate(values) if value is None)
    return b"\0" + nulls.to_bytes((len(values) + 9) // 8, "little") + b"".join(value or b"" for value in values)


def decode(definition: bytes, value: bytes, **decoding: Any) -> Any:
    return decode_row(row_format(definition, **decoding), binary_row(value))[0]


def both(definition: bytes, binary: bytes, text: str, **decoding: Any) -> Any:
    """One value that both protocols give alike."""
    made = row_format(definition, **decoding)
    [value] = decode_row(made, binary_row(binary))
    [expected] = made.decode_row(text_row(text.encode()))
    assert (type(value), value) == (type(expected), expected)
    return value


def number(type_code: int, flags: int = 0, decimals: int = 0, length: int = 11) -> bytes:
    return column("c", type_code, BINARY, flags, length, decimals)


INTEGERS = {
    ft.MYSQL_TYPE_TINY: "b",
    ft.MYSQL_TYPE_SHORT: "h",
    ft.MYSQL_TYPE_INT24: "i",
    ft.MYSQL_TYPE_LONG: "i",
    ft.MYSQL_TYPE_LONGLONG: "q",
}


@pytest.mark.parametrize("type_code", INTEGERS)
def test_integers(type_code: int) -> None:
    layout = INTEGERS[type_code]
    bits = 8 * struct.calcsize(layout)
    for value in (0, 1, -1, 1 << (bits - 2), (1 << (bits - 1)) - 1, -(1 << (bits - 1))):
        assert both(number(type_code), struct.pack("<" + layout, value), str(value)) == value
    for value in (0, 1, 1 << (bits - 1), (1 << bits) - 1):
        unsigned = number(type_code, flag.UNSIGNED_FLAG)
        assert both(unsigned, struct.pack("<" + layout.upper(), value), str(value)) == value


def test_year() -> None:
    for year in (0, 1901, 2155):
        both(number(ft.MYSQL_TYPE_YEAR, flag.UNSIGNED_FLAG), struct.pack("<H", year), f"{year:04}")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles(value: float) -> None:
    assert both(number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", value), repr(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_have_the_six_digits_that_are_printed(value: float) -> None:
    both(number(ft.MYSQL_TYPE_FLOAT, decimals=NOT_FIXED), struct.pack("<f", value), f"{value:.6g}")


@given(st.floats(-1e9, 1e9, width=32), st.integers(0, 10))
def test_a_declared_scale_rounds(value: float, decimals: int) -> None:
    both(number(ft.MYSQL_TYPE_FLOAT, decimals=decimals), struct.pack("<f", value), f"{value:.{decimals}f}")
    both(number(ft.MYSQL_TYPE_DOUBLE, decimals=decimals), struct.pack("<d", value), f"{value:.{decimals}f}")


@pytest.mark.parametrize("text", ["0", "-0.00", "12.340", "9" * 65])
def test_decimals(text: str) -> None:
    assert str(both(number(ft.MYSQL_TYPE_NEWDECIMAL), lenenc(text.encode()), text)) == text


def packed(*parts: int) -> bytes:
    """A date: year, month, day, hour, minute, second, microsecond, as many as there are."""
    year, rest = parts[0], parts[1:6]
    micro = struct.pack("<I", parts[6]) if len(parts) == 7 else b""
    body = struct.pack("<H", year) + bytes(rest) + micro
    return bytes((len(body),)) + body


def test_dates_and_datetimes() -> None:
    date, moment = number(ft.MYSQL_TYPE_DATE), number(ft.MYSQL_TYPE_DATETIME, decimals=6)
    assert both(date, packed(2024, 2, 29), "2024-02-29") == datetime.date(2024, 2, 29)
    assert both(date, packed(9999, 12, 31), "9999-12-31") == datetime.date(9999, 12, 31)
    for type_code in (ft.MYSQL_TYPE_DATETIME, ft.MYSQL_TYPE_TIMESTAMP):
        both(number(type_code), packed(2024, 2, 29), "2024-02-29 00:00:00")
        both(number(type_code), packed(2024, 2, 29, 23, 59, 58), "2024-02-29 23:59:58")
    assert both(moment, packed(1, 1, 1, 23, 59, 59, 999999), "0001-01-01 23:59:59.999999").microsecond == 999999


IMPOSSIBLE = [
    (ft.MYSQL_TYPE_DATE, 0, b"\0", "0000-00-00"),
    (ft.MYSQL_TYPE_DATE, 0, packed(2024, 0, 0), "2024-00-00"),
    (ft.MYSQL_TYPE_DATE, 0, packed(2023, 2, 31), "2023-02-31"),
    (ft.MYSQL_TYPE_DATETIME, 0, b"\0", "0000-00-00 00:00:00"),
    (ft.MYSQL_TYPE_DATETIME, 3, b"\0", "0000-00-00 00:00:00.000"),
    (ft.MYSQL_TYPE_TIMESTAMP, 6, packed(0, 1, 1, 1, 2, 3, 45), "0000-01-01 01:02:03.000045"),
    (ft.MYSQL_TYPE_DATETIME, NOT_FIXED, packed(2024, 13, 1, 1, 2, 3, 40), "2024-13-01 01:02:03.000040"),
    (ft.MYSQL_TYPE_DATETIME, NOT_FIXED, packed(2024, 1, 32), "2024-01-32 00:00:00"),
    (ft.MYSQL_TYPE_DATETIME, 0, packed(2024, 1, 1, 24, 0, 0), "2024-01-01 24:00:00"),
]


@pytest.mark.parametrize(("type_code", "decimals", "value", "text"), IMPOSSIBLE)
def test_impossible_dates(type_code: int, decimals: int, value: bytes, text: str) -> None:
    definition = number(type_code, decimals=decimals)
    assert both(definition, value, text) is None
    assert both(definition, value, text, zero_dates="str") == text
    with pytest.raises(DataError, match=text):
        decode(definition, value, zero_dates="raise")


def time_value(negative: int, days: int, *rest: int) -> bytes:
    body = struct.pack("<BI", negative, days) + bytes(rest[:3])
    body += struct.pack("<I", rest[3]) if len(rest) == 4 else b""
    return bytes((len(body),)) + body


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\0", "00:00:00"),
        (time_value(0, 0, 0, 0, 1), "00:00:01"),
        (time_value(1, 0, 0, 0, 0, 1), "-00:00:00.000001"),
        (time_value(0, 34, 22, 59, 59), "838:59:59"),
        (time_value(1, 34, 22, 59, 58, 999999), "-838:59:58.999999"),
        (time_value(1, 1, 6, 30, 15, 500000), "-30:30:15.500000"),
    ],
)
def test_times(value: bytes, text: str) -> None:
    both(number(ft.MYSQL_TYPE_TIME, decimals=6), value, text)


TEXTS = (ft.MYSQL_TYPE_VAR_STRING, ft.MYSQL_TYPE_STRING, ft.MYSQL_TYPE_BLOB, ft.MYSQL_TYPE_ENUM, ft.MYSQL_TYPE_SET)


@pytest.mark.parametrize("type_code", TEXTS)
@pytest.mark.parametrize("length", [0, 1, 250, 251, 65535, 65536])
def test_text_and_bytes(type_code: int, length: int) -> None:
    text = "ä" * (length // 2) + "x" * (length % 2)
    assert both(column("c", type_code, UTF8MB4), lenenc(text.encode()), text) == text
    assert both(column("c", type_code, BINARY), lenenc(text.encode()), text) == text.encode()
    assert both(column("c", type_code), lenenc(text.encode()), text, use_unicode=False) == text.encode()


def test_text_by_the_columns_charset() -> None:
    assert decode(column("c", charset=8), lenenc(b"\x80\xe4")) == "€ä"  # latin1
    assert decode(column("c", ft.MYSQL_TYPE_JSON, BINARY), lenenc('"ä"'.encode())) == '"ä"'
    with pytest.raises(UnicodeDecodeError):
        decode(column("c"), lenenc(b"\xff"))


@pytest.mark.parametrize("type_code", [ft.MYSQL_TYPE_BIT, ft.MYSQL_TYPE_GEOMETRY, ft.MYSQL_TYPE_VECTOR])
def test_bytes_whatever_the_charset(type_code: int) -> None:
    assert decode(column("c", type_code), lenenc(b"\x00\xff")) == b"\x00\xff"


@pytest.mark.parametrize("count", [1, 5, 6, 7, 8, 13, 14, 15, 100])
def test_the_null_bitmap(count: int) -> None:
    made = row_format(*[number(ft.MYSQL_TYPE_TINY)] * count)
    for null in {0, count // 2, count - 1}:
        values = [None if index == null else bytes((index,)) for index in range(count)]
        row = decode_row(made, binary_row(*values))
        assert row == tuple(None if index == null else index for index in range(count))
    assert decode_row(made, binary_row(*[None] * count)) == (None,) * count


CONVERTED = [
    (number(ft.MYSQL_TYPE_LONG), struct.pack("<i", -42), "-42"),
    (number(ft.MYSQL_TYPE_LONG, flag.UNSIGNED_FLAG | flag.ZEROFILL_FLAG, length=6), struct.pack("<I", 42), "000042"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", 1.0), "1"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", -0.0), "-0"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", 0.1), "0.1"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", -1234.5), "-1234.5"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", 1e14), "100000000000000"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", 1e22), "1e22"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=NOT_FIXED), struct.pack("<d", 1.5e-300), "1.5e-300"),
    (number(ft.MYSQL_TYPE_DOUBLE, decimals=2), struct.pack("<d", 1.5), "1.50"),
    (number(ft.MYSQL_TYPE_FLOAT, decimals=NOT_FIXED), struct.pack("<f", 16777217), "16777200"),
    (number(ft.MYSQL_TYPE_NEWDECIMAL), lenenc(b"1.50"), "1.50"),
    (number(ft.MYSQL_TYPE_DATE), packed(2024, 2, 9), "2024-02-09"),
    (number(ft.MYSQL_TYPE_DATETIME, decimals=3), packed(2024, 2, 9, 1, 2, 3, 45000), "2024-02-09 01:02:03.045"),
    (number(ft.MYSQL_TYPE_DATETIME), packed(2024, 2, 9), "2024-02-09 00:00:00"),
    (number(ft.MYSQL_TYPE_TIME), time_value(1, 34, 22, 59, 59), "-838:59:59"),
    (number(ft.MYSQL_TYPE_TIME, decimals=1), b"\0", "00:00:00.0"),
]


@pytest.mark.parametrize(("definition", "value", "text"), CONVERTED)
def test_converters_get_the_text_that_the_text_protocol_has(definition: bytes, value: bytes, text: str) -> None:
    code = parse_column_definition(definition).type_code
    assert both(definition, value, text, converters={code: lambda given: [given]}) == [text]


def test_converters_of_text_and_bytes() -> None:
    converters = {code: lambda given: [given] for code in (ft.MYSQL_TYPE_JSON, ft.MYSQL_TYPE_BLOB)}
    made = row_format(
        column("c", ft.MYSQL_TYPE_JSON, BINARY), column("c", ft.MYSQL_TYPE_BLOB, BINARY), converters=converters
    )
    row = decode_row(made, binary_row(lenenc(b"{}"), lenenc(b"\xff")))
    assert row == (["{}"], [b"\xff"])
    assert gc.is_tracked(row)


def test_plain_rows_are_not_the_garbage_collectors_business() -> None:
    made = row_format(number(ft.MYSQL_TYPE_LONG), number(ft.MYSQL_TYPE_NEWDECIMAL))
    row = decode_row(made, binary_row(b"\1\0\0\0", lenenc(b"1.5")))
    assert row == (1, Decimal("1.5"))
    assert not gc.is_tracked(row)


WHOLE = [
    (number(ft.MYSQL_TYPE_LONGLONG), struct.pack("<q", 7)),
    (number(ft.MYSQL_TYPE_DOUBLE), struct.pack("<d", 7)),
    (number(ft.MYSQL_TYPE_FLOAT), struct.pack("<f", 7)),
    (column("c"), lenenc(b"text")),
    (column("c"), lenenc(b"x" * 300)),
    (number(ft.MYSQL_TYPE_DATETIME), packed(2024, 1, 1, 1, 1, 1, 1)),
    (number(ft.MYSQL_TYPE_TIME), time_value(0, 1, 1, 1, 1, 1)),
    (number(ft.MYSQL_TYPE_TINY), b"\1"),
]


def test_truncated_at_every_length_and_with_a_tail() -> None:
    made = row_format(*[definition for definition, _ in WHOLE])
    data = binary_row(*[value for _, value in WHOLE])
    decode_row(made, data)
    for length in range(len(data)):
        with pytest.raises(MalformedPacket, match="BinaryResultsetRow"):
            decode_row(made, data[:length])
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        decode_row(made, data + b"x")


@pytest.mark.parametrize(
    ("definition", "value", "words"),
    [
        (number(ft.MYSQL_TYPE_DATE), b"\3\0\0\0", "a date of 3 bytes"),
        (number(ft.MYSQL_TYPE_TIME), b"\4" + bytes(4), "a TIME of 4 bytes"),
        (number(ft.MYSQL_TYPE_TIME), time_value(0, 2**32 - 1, 0, 0, 0), "no server has"),
        (number(ft.MYSQL_TYPE_TIME), time_value(0, 0, 24, 0, 0), "no server has"),
        (number(ft.MYSQL_TYPE_TIME), time_value(0, 0, 0, 0, 0, 1_000_000), "no server has"),
        (column("c"), b"\xfb", "0xFB"),
        (column("c"), b"\xfe" + b"\xff" * 8, "announced"),
    ],
)
def test_what_is_no_value(definition: bytes, value: bytes, words: str) -> None:
    with pytest.raises(MalformedPacket, match=words):
        decode(definition, value)


def test_what_is_no_row() -> None:
    with pytest.raises(MalformedPacket, match="begins with 0x00"):
        decode_row(row_format(number(ft.MYSQL_TYPE_TINY)), b"\1\0\1")


@given(st.binary(max_size=60))
def test_noise_is_a_row_or_malformed(noise: bytes) -> None:
    made = row_format(*[definition for definition, _ in WHOLE], use_unicode=False)
    with suppress(MalformedPacket):
        decode_row(made, b"\0" + noise)
