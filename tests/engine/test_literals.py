"""Values and statements as the bytes of a query: every type, every charset, and nothing that leaves its quotes."""

from __future__ import annotations

import datetime as dt
import enum
import fractions
import ipaddress
import math
import numbers
import sys
import time
import types
import uuid
from array import array
from collections import OrderedDict, namedtuple
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzle.engine.literals import Literals
from mizzle.errors import NotSupportedError, ProgrammingError

CHARWISE = ["gbk", "gb18030", "big5", "cp950", "shift_jis", "cp932"]
BYTEWISE = ["cp1252", "latin1", "ascii", "koi8_r", "hp_roman8", "tis_620", "euc_jp", "euc_kr", "cp949", "gb2312"]


class Colour(enum.Enum):
    RED = "r'd"


class Level(enum.IntEnum):
    HIGH = 3


class Word(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


class Number(int):
    def __repr__(self) -> str:
        return "1); DROP TABLE t"

    __str__ = __repr__


Point = namedtuple("Point", "x y")


# --------------------------------------------------------------------------------------------- a server's reading of it

UNESCAPED = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a", "\\": "\\", '"': '"', "'": "'"}


def characters(data: bytes, charset: str) -> list[bytes]:
    """Cut into characters as the server's tables do, without Python's codecs; bytes that fit nowhere stand alone."""

    def length(at: int) -> int:
        first, second = data[at], data[at + 1] if at + 1 < len(data) else 0
        if charset in {"big5", "cp950"}:
            return 2 if 0xA1 <= first <= 0xF9 and (0x40 <= second <= 0x7E or 0xA1 <= second <= 0xFE) else 1
        if charset in {"shift_jis", "cp932"}:
            lead = 0x81 <= first <= 0x9F or 0xE0 <= first <= 0xFC
            return 2 if lead and 0x40 <= second <= 0xFC and second != 0x7F else 1
        if charset in {"gbk", "gb18030"} and 0x81 <= first <= 0xFE:
            if 0x40 <= second <= 0xFE and second != 0x7F:
                return 2
            return 4 if charset == "gb18030" and 0x30 <= second <= 0x39 else 1
        return 1

    cut, at = [], 0
    while at < len(data):
        size = length(at)
        cut.append(data[at : at + size])
        at += size
    return cut


def read(literal: bytes, charset: str = "utf8", no_backslash_escapes: bool = False) -> str | bytes:
    """The value of one string literal, read as the server reads it; fails if anything stands after its last quote."""
    binary = literal.startswith(b"_binary")
    rest = literal.removeprefix(b"_binary").lstrip()
    if rest.startswith(b"X'"):
        assert rest.endswith(b"'")
        return bytes.fromhex(rest[2:-1].decode("ascii"))
    parts = characters(rest, charset)
    assert parts[0] == b"'"
    value, at = [], 1
    while True:
        part = parts[at]
        at += 1
        if part == b"'":
            if at == len(parts):
                break
            assert parts[at] == b"'", f"the quotes end before {b''.join(parts[at:])!r}"
            at += 1
        elif part == b"\\" and not no_backslash_escapes:
            part = UNESCAPED[parts[at].decode("ascii")].encode("ascii")
            at += 1
        value.append(part)
    content = b"".join(value)
    return content if binary else content.decode(charset)


# ------------------------------------------------------------------------------------------------------------ each type


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, b"NULL"),
        (True, b"1"),
        (False, b"0"),
        (0, b"0"),
        (-1, b"-1"),
        (99, b"99"),
        (2**63 - 1, b"9223372036854775807"),
        (2**63, b"9223372036854775808"),
        (-(2**63), b"-9223372036854775808"),
        (-(2**63) - 1, b"-9223372036854775809"),
        (10**64, b"1" + b"0" * 64),
        (0.0, b"0e0"),
        (-0.0, b"-0e0"),
        (1.0, b"1e0"),
        (-1.5, b"-1.5e0"),
        (0.1, b"0.1e0"),
        (0.000001, b"0.000001e0"),
        (-0.000021, b"-0.000021e0"),
        (1e-7, b"1e-07"),
        (1 / 3, b"0.3333333333333333e0"),
        (123456789.123456, b"123456789.123456e0"),
        (1e15, b"1000000000000000e0"),
        (1e22, b"1e+22"),
        (sys.float_info.max, b"1.7976931348623157e+308"),
        (5e-324, b"5e-324"),
        (Decimal("1.50"), b"1.50"),
        (Decimal("-0.00"), b"-0.00"),
        (Decimal("1E+5"), b"100000"),
        (Decimal("1E-20"), b"0.00000000000000000001"),
        (Decimal("1E+999999"), b"1E+999999"),
        ("", b"''"),
        ("it's", b"'it''s'"),
        ("\0\n\r\x1a\\\"'\t%", b"'\\0\\n\\r\\Z\\\\\\\"''\t%'"),
        ("é", b"'\xc3\xa9'"),
        ("é'\\", b"'\xc3\xa9''\\\\'"),
        ("你'", b"'\xe4\xbd\xa0'''"),
        ("😀'", b"'\xf0\x9f\x98\x80'''"),
        (b"", b"_binary''"),
        (b"\0\xff'\\", b"_binary'\\0\xff''\\\\'"),
        (bytearray(b"ab"), b"_binary'ab'"),
        (memoryview(b"abcd"), b"_binary'abcd'"),
        (memoryview(b"abcd")[::2], b"_binary'ac'"),
        (array("f", [0.5]), b"_binary'\\0\\0\\0?'"),
        (memoryview(array("f", [0.5, 1, 0.5]))[::2], b"_binary'\\0\\0\\0?\\0\\0\\0?'"),
        (ipaddress.ip_address("10.0.0.1"), b"'10.0.0.1'"),
        (dt.date(2024, 2, 29), b"'2024-02-29'"),
        (dt.date.min, b"'0001-01-01'"),
        (dt.datetime(2024, 2, 29, 1, 2, 3), b"'2024-02-29 01:02:03'"),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), b"'9999-12-31 23:59:59.999999'"),
        (dt.datetime(1, 1, 1, microsecond=7), b"'0001-01-01 00:00:00.000007'"),
        (dt.time(1, 2, 3), b"'01:02:03'"),
        (dt.time(23, 59, 59, 10), b"'23:59:59.000010'"),
        (dt.timedelta(0), b"'00:00:00'"),
        (dt.timedelta(hours=838, minutes=59, seconds=59), b"'838:59:59'"),
        (dt.timedelta(days=-1), b"'-24:00:00'"),
        (dt.timedelta(microseconds=-1), b"'-00:00:00.000001'"),
        (dt.timedelta(seconds=-1, microseconds=-500000), b"'-00:00:01.500000'"),
        (dt.timedelta(hours=-25, microseconds=1), b"'-24:59:59.999999'"),
        (dt.timedelta.max, b"'23999999999:59:59.999999'"),
        (dt.timedelta.min, b"'-23999999976:00:00'"),
        (time.gmtime(86400), b"'1970-01-02 00:00:00'"),
        (uuid.UUID(int=1), b"'00000000-0000-0000-0000-000000000001'"),
        (Colour.RED, b"'r''d'"),
        (Level.HIGH, b"3"),
        (Word("wo'rd"), b"'wo''rd'"),
        (Number(5), b"5"),
        (Number(2**70), b"1180591620717411303424"),
        (fractions.Fraction(1, 4), b"0.25e0"),
        ([1, 2], b"(1, 2)"),
        ((1, "a", None), b"(1, 'a', NULL)"),
        ([(1, 2), (3, 4)], b"((1, 2), (3, 4))"),
        ({7}, b"(7)"),
        (frozenset({7}), b"(7)"),
        (Point(1, 2), b"(1, 2)"),
    ],
    ids=lambda value: repr(bytes(value) if isinstance(value, memoryview) else value),  # no addresses: they differ
)
def test_each_type(value: Any, literal: bytes) -> None:
    assert Literals().literal(value) == literal


def test_a_tzinfo_is_dropped_as_other_drivers_do() -> None:
    india = dt.timezone(dt.timedelta(hours=5, minutes=30))
    assert Literals().literal(dt.datetime(2024, 1, 1, 12, tzinfo=india)) == b"'2024-01-01 12:00:00'"
    assert Literals().literal(dt.time(12, tzinfo=india)) == b"'12:00:00'"


def test_an_encoder_may_convert_aware_datetimes_instead() -> None:
    def to_utc(value: dt.datetime) -> dt.datetime:
        return value.astimezone(dt.timezone.utc) if value.tzinfo else value

    literals = Literals(encoders={dt.datetime: to_utc})
    india = dt.timezone(dt.timedelta(hours=5, minutes=30))
    assert literals.literal(dt.datetime(2024, 1, 1, 12, tzinfo=india)) == b"'2024-01-01 06:30:00'"
    assert literals.literal(dt.datetime(2024, 1, 1, 12)) == b"'2024-01-01 12:00:00'"


def test_subclasses_of_dates_are_written_as_dates() -> None:
    stamp = type("Timestamp", (dt.datetime,), {})(2024, 1, 1)
    assert Literals().literal(stamp) == b"'2024-01-01 00:00:00'"
    assert Literals().literal(type("Day", (dt.date,), {})(2024, 1, 1)) == b"'2024-01-01'"


def test_numbers_of_other_libraries_through_the_numeric_tower() -> None:
    class Int64:
        def __int__(self) -> int:
            return 64

    class Bool:
        dtype = types.SimpleNamespace(kind="b")
        shape = ()

        def __bool__(self) -> bool:
            return True

    numbers.Integral.register(Int64)
    assert Literals().literal(Int64()) == b"64"
    assert Literals().literal(Bool()) == b"1"


class NotATime(dt.datetime):
    """As pandas.NaT: an instance of datetime that holds some date and equals nothing."""

    __hash__ = dt.datetime.__hash__

    def __eq__(self, other: object) -> bool:
        return False


REFUSED = [
    (math.nan, "no such number: nan"),
    (-math.inf, "no such number: -inf"),
    (Decimal("NaN"), "no such number"),
    (Decimal("sNaN"), "no such number"),
    (Decimal("-Infinity"), "no such number"),
    (10**5000, "int of 16610 bits"),
    ({}, "type dict"),
    (OrderedDict(a=1), "type collections.OrderedDict"),
    (object(), "type object"),
    (1j, "type complex"),
    (iter([1]), "type list_iterator"),
    (range(3), "type range"),
    (array("d", [1]), "type array.array"),
    (NotATime(2024, 1, 1), "NotATime"),
    ([], "empty list"),
    (set(), "empty set"),
    ([1, [{}]], "type dict"),
]


@pytest.mark.parametrize(("value", "what"), REFUSED, ids=[what for _, what in REFUSED])
def test_what_is_no_sql_value_is_refused_by_name(value: Any, what: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        Literals().assemble("SELECT %s, %s", (1, value))
    errno, message = caught.value.args
    assert errno == 2036
    assert message.startswith("parameter 2: ")
    assert what in message
    assert caught.value.hint
    assert not caught.value.sent
    with pytest.raises(ProgrammingError, match=r"parameter %\(größe\)s: "):
        Literals().assemble("SELECT %(a)s, %(größe)s", {"a": 1, "größe": value})


def test_a_list_that_contains_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ProgrammingError, match="nested more than 16 deep"):
        Literals().literal(endless)


def test_a_failure_after_the_text_grew_leaves_nothing_behind() -> None:
    literals = Literals()
    for size in (10, 1000, 100_000):
        with pytest.raises(ProgrammingError):
            literals.assemble("SELECT %s, %s", ("x" * size, {}))
        assert literals.literal("x" * size) == b"'" + b"x" * size + b"'"


# ------------------------------------------------------------------------------------------------------------- encoders


def test_what_an_encoder_returns_is_written_as_a_value_and_cannot_leave_its_quotes() -> None:
    literals = Literals(encoders={complex: lambda value: f"{value.real}' OR '1", dict: lambda _: b"\\", str: str.upper})
    assert literals.literal(1j) == b"'0.0'' OR ''1'"
    assert literals.literal({}) == b"_binary'\\\\'"
    assert literals.literal(["a", {}]) == b"('A', _binary'\\\\')"
    assert literals.encoders is not None


def test_encoders_serve_subclasses_and_go_before_everything_else() -> None:
    literals = Literals(encoders={enum.Enum: lambda value: value.name, int: lambda value: value + 1})
    assert literals.literal(Colour.RED) == b"'RED'"
    assert literals.literal(Level.HIGH) == b"4"  # its first base class with an encoder
    assert literals.literal(1) == b"2"


def test_an_encoders_own_error_escapes() -> None:
    def fail(_: object) -> object:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Literals(encoders={str: fail}).assemble("%s", ("x",))


def test_an_encoder_may_use_the_same_literals() -> None:
    literals = Literals(encoders={complex: lambda _: literals.literal("inner").decode()})
    assert literals.assemble("%s %s", ("a", 1j)) == b"'a' '''inner'''"


def test_an_encoder_that_returns_what_it_cannot_write() -> None:
    with pytest.raises(ProgrammingError, match="parameter 1: a value of type object"):
        Literals(encoders={str: lambda _: object()}).assemble("%s", ("x",))


# ------------------------------------------------------------------------------------------------------------- escaping

SPECIAL = st.sampled_from("\0\n\r\x1a\\\"'%_`\t")
TEXT = st.lists(st.one_of(SPECIAL, st.characters(exclude_categories=["Cs"])), max_size=40).map("".join)
BINARY = st.lists(st.one_of(st.sampled_from(b"\0\n\r\x1a\\\"'\xbf\x81"), st.integers(0, 255)), max_size=40).map(bytes)


def literals_in(codec: str, no_backslash_escapes: bool) -> Literals:
    literals = Literals(codec)
    literals.no_backslash_escapes = no_backslash_escapes
    return literals


@settings(max_examples=60, deadline=None)
@given(TEXT, st.booleans())
def test_text_is_read_back(text: str, no_backslash_escapes: bool) -> None:
    literal = literals_in("utf8", no_backslash_escapes).literal(text)
    assert read(literal, no_backslash_escapes=no_backslash_escapes) == text


@settings(max_examples=60, deadline=None)
@given(BINARY, st.booleans(), st.sampled_from(["utf8", *BYTEWISE, *CHARWISE]))
def test_bytes_are_read_back(data: bytes, no_backslash_escapes: bool, codec: str) -> None:
    literal = literals_in(codec, no_backslash_escapes).literal(data)
    assert read(literal, codec, no_backslash_escapes) == data


@settings(max_examples=60, deadline=None)
@given(TEXT, st.booleans(), st.sampled_from(BYTEWISE + CHARWISE))
def test_text_in_other_charsets_is_read_back_or_refused(text: str, no_backslash_escapes: bool, codec: str) -> None:
    text = text.encode(codec, "ignore").decode(codec)
    literal = literals_in(codec, no_backslash_escapes).literal(text)
    assert read(literal, codec, no_backslash_escapes) == text


@pytest.mark.parametrize("codec", CHARWISE)
def test_every_character_with_a_second_byte_like_a_backslash_or_quote(codec: str) -> None:
    found = 0
    for lead in range(0x81, 0xFF):
        for trail in b"\\'":
            try:
                char = bytes([lead, trail]).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(char) != 1:
                continue
            found += 1
            for text in (char, char + "'", char + "\\", "\\" + char, char * 2 + " OR 1=1 -- "):
                for mode in (False, True):
                    assert read(literals_in(codec, mode).literal(text), codec, mode) == text
    assert found > 30


@pytest.mark.parametrize("codec", ["utf8", *BYTEWISE, *CHARWISE])
def test_the_classic_attack(codec: str) -> None:
    """0xBF before a quote: with a backslash between, gbk reads 0xBF5C as one character and the quote ends the text."""
    attack = b"\xbf' OR 1=1 -- "
    for mode in (False, True):
        literals = literals_in(codec, mode)
        assert read(literals.literal(attack), codec, mode) == attack
        text = attack.decode(codec, "ignore")
        assert read(literals.literal(text), codec, mode) == text


def test_a_quote_is_doubled_so_that_a_wrongly_known_sql_mode_lets_nothing_out() -> None:
    assert b"\\'" not in Literals().literal("' OR 1=1 -- ")
    assert b"\\'" not in Literals().literal(b"' OR 1=1 -- ")


@pytest.mark.parametrize("text", ["\u00a5", "\u00a5' OR 1=1 -- ", "a\u203e"])
def test_python_encodes_the_yen_sign_as_a_backslash_in_shift_jis(text: str) -> None:
    assert "\u00a5".encode("shift_jis") == b"\\"
    with pytest.raises(UnicodeEncodeError) as caught:
        Literals("shift_jis").literal(text)
    assert caught.value.object[caught.value.start : caught.value.end] in "\u00a5\u203e"


def test_the_yen_sign_in_euc_jp_is_escaped_as_the_backslash_that_it_becomes() -> None:
    assert Literals("euc_jp").literal("\u00a5' OR 1=1 -- ") == b"'\\\\'' OR 1=1 -- '"


def test_a_minus_that_cp932_only_reads_back_as_another_is_no_error() -> None:
    assert Literals("cp932").literal("1\u22122") == b"'1\x81\x7c2'"


@pytest.mark.parametrize("codec", ["utf8", "latin1", "gbk", "cp932"])
@pytest.mark.parametrize("text", ["\ud800", "x" * 50 + "\udfff'"])
def test_lone_surrogates_raise_python_s_own_error(codec: str, text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        Literals(codec).assemble("SELECT %s", (text,))
    with pytest.raises(UnicodeEncodeError):
        Literals(codec).assemble(f"SELECT '{text}', %s", (1,))


@pytest.mark.parametrize(("codec", "text"), [("cp1252", "你"), ("gbk", "😀"), ("ascii", "é"), ("shift_jis", "é")])
def test_what_the_charset_does_not_have(codec: str, text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        Literals(codec).literal(text)
    with pytest.raises(UnicodeEncodeError):
        Literals(codec).encode(text)


@pytest.mark.parametrize("codec", ["big5hkscs", "utf_16_le", "utf_7", "iso2022_jp", "hz", "cp037", "shift_jis_2004"])
def test_codecs_that_cannot_be_escaped_safely_are_refused(codec: str) -> None:
    with pytest.raises(NotSupportedError, match=codec):
        Literals(codec)


def test_charset_binary_speaks_utf8() -> None:
    assert (
        Literals("binary").assemble("SELECT 'ü', %s, %s", ("é", b"\xff"))
        == "SELECT 'ü', 'é', _binary'".encode() + b"\xff'"
    )


@pytest.mark.parametrize("char", ["a", "'", "\xe9", "\u4f60", "\U0001f600", "\0"])
def test_every_length_around_the_buffer_s_own_area(char: str) -> None:
    literals = Literals()
    for size in [*range(9), *range(252, 258), *range(338, 343), *range(508, 514), *range(1020, 1026), 9000]:
        text = char * size
        assert read(literals.literal(text)) == text
        assert read(literals.literal(text.encode())) == text.encode()
    assert read(Literals("gbk").literal(b"\\" * 2000)) == b"\\" * 2000


def test_special_bytes_at_every_offset_of_a_long_text() -> None:
    for at in range(40):
        for special in "\0\n\r\x1a\\\"'\x7f\x80\t":
            text = "x" * at + special + "y" * (40 - at)
            assert read(Literals().literal(text)) == text


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_the_shortest_that_read_back(value: float) -> None:
    literal = Literals().literal(value).decode("ascii")
    assert "e" in literal
    assert float(literal) == value
    assert math.copysign(1, float(literal)) == math.copysign(1, value)
    assert Decimal(literal) == Decimal(repr(value))


@settings(max_examples=60, deadline=None)
@given(st.decimals(min_value=-(10**8), max_value=10**8, places=6, allow_nan=False))
def test_floats_of_few_digits_are_the_shortest_that_read_back(value: Decimal) -> None:
    number = float(value)
    literal = Literals().literal(number).decode("ascii")
    assert float(literal) == number
    assert Decimal(literal) == Decimal(repr(number))


@settings(max_examples=60, deadline=None)
@given(st.integers(-(2**70), 2**70), st.timedeltas(), st.datetimes(), st.times())
def test_numbers_and_times_as_python_writes_them(
    number: int, span: dt.timedelta, stamp: dt.datetime, clock: dt.time
) -> None:
    literals = Literals()
    assert literals.literal(number) == str(number).encode()
    assert literals.literal(stamp) == f"'{stamp}'".encode()
    assert literals.literal(clock) == f"'{clock}'".encode()
    sign, size = ("-", -span) if span < dt.timedelta(0) else ("", span)
    hours, rest = divmod(size, dt.timedelta(hours=1))
    expected = f"'{sign}{hours:02}:{(dt.datetime.min + rest).strftime('%M:%S')}"
    expected += f".{rest.microseconds:06}'" if rest.microseconds else "'"
    assert literals.literal(span) == expected.encode()
