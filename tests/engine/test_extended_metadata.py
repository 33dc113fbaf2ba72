"""MariaDB's extended metadata in column definitions, type names, and the converters that are chosen by them."""

from __future__ import annotations

import itertools
import json
import struct
import sys
import uuid
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from dialogue import BINARY, UTF8MB4, column, engine, lenenc, ok, packets, play, row
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import capabilities as cap
from mizzle.constants import field_flags
from mizzle.constants import field_types as t
from mizzle.engine.packets import ColumnDescription, parse_column_definition
from mizzle.engine.results import Result
from mizzle.errors import MalformedPacket, NotSupportedError
from mizzle.options import connect_options

CAPABILITIES = cap.CLIENT_PROTOCOL_41 | cap.CLIENT_DEPRECATE_EOF | cap.MARIADB_CLIENT_EXTENDED_METADATA


def said(kind: int, word: bytes) -> bytes:
    return bytes((kind,)) + lenenc(word)


@pytest.mark.parametrize(
    ("extended", "wanted"),
    [
        (b"", None),
        (said(0, b"uuid"), "uuid"),
        (said(1, b"json"), "json"),
        (said(0, b"point") + said(1, b"json"), "point"),
        (said(1, b"json") + said(0, b"point"), "point"),
        (said(7, b"what is to come") + said(0, b"inet6"), "inet6"),
        (said(0, b"x" * 300), "x" * 300),
    ],
)
@pytest.mark.feature("extended column types")
def test_extended_types(extended: bytes, wanted: str | None) -> None:
    found = parse_column_definition(column("n", extended=extended), "utf8", True)
    assert (found.name, found.extended_type) == ("n", wanted)


def test_without_it_nothing_is_there() -> None:
    assert parse_column_definition(column("n")).extended_type is None


def test_truncated_at_every_length() -> None:
    whole = column(extended=said(0, b"uuid") + said(1, b"json"))
    for length in range(len(whole)):
        with pytest.raises(MalformedPacket):
            parse_column_definition(whole[:length], "utf8", True)
    with pytest.raises(MalformedPacket):
        parse_column_definition(whole + b"x", "utf8", True)


@pytest.mark.parametrize("extended", [b"\0", b"\0\x05uuid", b"\0\xfc\xff\xff", said(0, b"uuid") + b"\1"])
def test_items_do_not_reach_over_their_end(extended: bytes) -> None:
    with pytest.raises(MalformedPacket):
        parse_column_definition(column(extended=extended), "utf8", True)


@given(st.binary(max_size=40))
def test_noise_is_some_type_or_malformed(extended: bytes) -> None:
    try:
        found = parse_column_definition(column(extended=extended), "utf8", True)
    except MalformedPacket:
        return
    assert found.extended_type is None or isinstance(found.type_name, str)


def test_every_type_has_a_name() -> None:
    known = {value for name, value in vars(t).items() if name.startswith("MYSQL_TYPE_")}
    for code, charset in itertools.product(range(256), (BINARY, UTF8MB4)):
        name = parse_column_definition(column(type_code=code, charset=charset)).type_name
        # Those that no server sends to a client have none.
        assert name.islower()
        assert name != f"type {code}" or code not in known or code in {17, 18, 19, 20, 243, 244}
    assert parse_column_definition(column(type_code=t.MYSQL_TYPE_STRING, flags=field_flags.SET_FLAG)).type_name == "set"


def test_description() -> None:
    found = parse_column_definition(column("n", extended=said(0, b"uuid")), "utf8", True).description
    assert type(found) is ColumnDescription
    assert found == ("n", t.MYSQL_TYPE_VAR_STRING, None, 255, 255, 0, True)
    assert (found.name, found.type_code, found.null_ok) == ("n", t.MYSQL_TYPE_VAR_STRING, True)
    assert (found.type_name, found.extended_type, found.column.org_table) == ("uuid", "uuid", "ot")


# -- what values become -----------------------------------------------------------------------------------------------


def read(definition: bytes, value: bytes, extended: bool = True, **options: Any) -> Any:
    """One value of one column, on a connection with these options."""
    wishes = connect_options(user="u", password="", ssl_mode="disabled", **options)
    made = engine(**{name: getattr(wishes, name) for name in options})
    made.agree(CAPABILITIES if extended else CAPABILITIES & ~cap.MARIADB_CLIENT_EXTENDED_METADATA)
    answer = packets(b"\1", definition, row(value), ok(header=0xFE))
    result: Result = play(made.query(b"SELECT"), answer, 1)
    assert result.rows is not None
    [(found,)] = result.rows
    return found


UUID = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
FLOATS = struct.pack("<3f", 1, 2.5, -3)


def test_conversions_are_for_who_asks() -> None:
    assert read(column(extended=said(0, b"uuid")), str(UUID).encode()) == str(UUID)
    assert read(column(extended=said(1, b"json")), b"[1]") == "[1]"
    assert read(column(type_code=t.MYSQL_TYPE_VECTOR, charset=BINARY), FLOATS, extended=False) == FLOATS


@pytest.mark.parametrize("use_unicode", [True, False])
def test_uuid_and_addresses(use_unicode: bool) -> None:
    wishes: dict[str, Any] = {"uuid": True, "inet": True, "use_unicode": use_unicode}
    assert read(column(extended=said(0, b"uuid")), str(UUID).encode(), **wishes) == UUID
    assert read(column(extended=said(0, b"inet4")), b"10.0.0.1", **wishes) == IPv4Address("10.0.0.1")
    assert read(column(extended=said(0, b"inet6")), b"::1", **wishes) == IPv6Address("::1")


def test_json_of_both_families() -> None:
    text = json.dumps({"é": [1]}, ensure_ascii=False).encode()
    mysql = column(type_code=t.MYSQL_TYPE_JSON, charset=BINARY)
    assert read(mysql, text, extended=False, json=True) == {"é": [1]}
    assert read(column(extended=said(1, b"json")), text, json=True) == {"é": [1]}
    assert read(column(extended=b""), text, json=True) == text.decode()
    assert read(mysql, text, extended=False, json=str.upper) == text.decode().upper()
    assert read(column(extended=said(1, b"json")), text, json=True, conv={"json": len}) == len(text.decode())


@pytest.mark.parametrize(
    ("wish", "kind"), [("bytes", "bytes"), ("array", "array"), ("memoryview", "memoryview"), ("numpy", "ndarray")]
)
def test_vectors(wish: str, kind: str) -> None:
    found = read(column(type_code=t.MYSQL_TYPE_VECTOR, charset=BINARY), FLOATS, extended=False, vector=wish)
    assert type(found).__name__ == kind
    assert list(found) == (list(FLOATS) if wish == "bytes" else [1, 2.5, -3])


def test_vectors_as_numpy_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(NotSupportedError, match="NumPy") as raised:
        read(column(), b"", vector="numpy", conv={0: str})  # a Decoding of its own: none is kept from before
    assert "mizzle[numpy]" in str(raised.value.hint)


def test_the_converter_that_knows_most_is_taken() -> None:
    chosen: dict[Any, Any] = {
        t.MYSQL_TYPE_VAR_STRING: lambda _: "code",
        (t.MYSQL_TYPE_VAR_STRING, "utf8mb4"): lambda _: "code and charset",
        "varchar": lambda _: "name",
        ("varchar", "utf8mb4"): lambda _: "name and charset",
    }
    for wanted in ("name and charset", "name", "code and charset", "code"):
        assert read(column(), b"x", extended=False, conv=chosen) == wanted
        chosen = {key: convert for key, convert in chosen.items() if convert("") != wanted}
    assert read(column(), b"x", extended=False, conv={("varchar", "latin1"): len, "blob": len}) == "x"


def test_connections_that_want_the_same_share_their_formats() -> None:
    definition = column(type_code=t.MYSQL_TYPE_VECTOR, charset=BINARY)
    formats = []
    for wish in ("array", "array", "memoryview"):
        made = engine(vector=wish)
        result: Result = play(made.query(b"SELECT"), packets(b"\1", definition, row(FLOATS), ok(header=0xFE)))
        formats.append(result.description)
    assert formats[0] is formats[1]
    assert formats[2] is not formats[0]
