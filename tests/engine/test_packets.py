"""Every packet parser: whole, truncated at every length, with a tail. And every builder against the manual's layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dialogue import column, err, ok
from hypothesis import given
from hypothesis import strategies as st

from mizzle.constants import capabilities as cap
from mizzle.constants import field_types
from mizzle.engine import packets
from mizzle.errors import Error, MalformedPacket, OperationalError, ProgrammingError

NONCE = bytes(range(1, 21))
MYSQL_CAPABILITIES = 0xDFFFFFFF


def greeting(
    version: bytes = b"9.7.0", capabilities: int = MYSQL_CAPABILITIES, extended: int = 0, plugin: bytes = b"x\0"
) -> bytes:
    return (
        b"\x0a" + version + b"\0"
        + (77).to_bytes(4, "little")
        + NONCE[:8] + b"\0"
        + (capabilities & 0xFFFF).to_bytes(2, "little")
        + b"\xff"
        + (2).to_bytes(2, "little")
        + (capabilities >> 16).to_bytes(2, "little")
        + b"\x15"
        + bytes(6) + extended.to_bytes(4, "little")
        + NONCE[8:] + b"\0"
        + plugin
    )  # fmt: skip


# Parsers whose payload has one length only, and what they must say of it.
EXACT: list[tuple[Callable[[bytes], Any], bytes, Callable[[Any], Any], Any]] = [
    (packets.parse_eof, b"\xfe\x03\x00\x22\x00", tuple, (0, 0, 0x22, 3, b"", b"")),
    (packets.parse_column_count, b"\x05", int, 5),
    (packets.parse_column_count, b"\xfc\x00\x01", int, 256),
    (packets.parse_column_count, b"\xfd\x00\x00\x01", int, 65536),
    (packets.parse_column_count, b"\xfe" + (1 << 40).to_bytes(8, "little"), int, 1 << 40),
    (
        packets.parse_column_definition,
        column("ä", field_types.MYSQL_TYPE_LONGLONG, 63, 33, 20, 0),
        lambda c: (c.schema, c.table, c.org_table, c.name, c.org_name, c.charset_id, c.length, c.type_code, c.flags),
        ("db", "t", "ot", "ä", "oc", 63, 20, field_types.MYSQL_TYPE_LONGLONG, 33),
    ),
]


@pytest.mark.parametrize(("parse", "payload", "shown", "expected"), EXACT)
def test_whole(parse: Callable[[bytes], Any], payload: bytes, shown: Callable[[Any], Any], expected: Any) -> None:
    assert shown(parse(payload)) == expected


@pytest.mark.parametrize(("parse", "payload"), [case[:2] for case in EXACT])
def test_truncated_at_every_length(parse: Callable[[bytes], Any], payload: bytes) -> None:
    for length in range(len(payload)):
        with pytest.raises(MalformedPacket) as caught:
            parse(payload[:length])
        assert caught.value.packet
        assert 0 <= caught.value.offset <= length


@pytest.mark.parametrize(("parse", "payload"), [case[:2] for case in EXACT])
def test_with_a_tail(parse: Callable[[bytes], Any], payload: bytes) -> None:
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        parse(payload + b"\0")


OK_FIXED = ok(300, 70000, 0x0102, 4)


@pytest.mark.parametrize("size", [0, 1, 40, 250, 251, 60000])
def test_ok_with_its_info(size: int) -> None:
    info = b"i" * size
    assert packets.parse_ok(ok(300, 70000, 0x0102, 4, info)) == (300, 70000, 0x0102, 4, info, b"")


def test_ok_whose_info_has_no_length() -> None:
    assert packets.parse_ok(OK_FIXED + b"Rows matched: 1").info == b"Rows matched: 1"


def test_ok_truncated_at_every_length() -> None:
    for length in range(len(OK_FIXED)):
        with pytest.raises(MalformedPacket, match="OK"):
            packets.parse_ok(OK_FIXED[:length])


def test_err() -> None:
    error = packets.parse_err(err(1064, "nö", "42000"))
    assert isinstance(error, ProgrammingError)
    assert (error.args, error.sqlstate, error.alive) == ((1064, "nö"), "42000", True)


def test_err_before_the_login_has_no_sqlstate() -> None:
    error = packets.parse_err(err(1040, "Too many connections", None))
    assert (error.args, error.sqlstate) == ((1040, "Too many connections"), None)


def test_err_truncated_at_every_length() -> None:
    whole = err(1064, "m", "42000")
    for length in range(len(whole)):
        if length == 3 or length == len(whole) - 1:  # a number alone, a message that is empty: complete
            assert isinstance(packets.parse_err(whole[:length]), Error)
        else:
            with pytest.raises(MalformedPacket, match="ERR"):
                packets.parse_err(whole[:length])


def test_err_with_undecodable_text() -> None:
    assert packets.parse_err(b"\xff\x28\x04#42000\xff\xfe").args[1] == "\ufffd\ufffd"


def test_handshake_of_mysql() -> None:
    found = packets.parse_handshake(greeting(plugin=b"caching_sha2_password\0"))
    assert found == ("9.7.0", 77, MYSQL_CAPABILITIES, 255, 2, NONCE, "caching_sha2_password")


def test_handshake_of_mariadb_has_extended_capabilities() -> None:
    found = packets.parse_handshake(greeting(b"11.8.2-MariaDB", MYSQL_CAPABILITIES & ~cap.CLIENT_MYSQL, extended=0x1D))
    assert found.capabilities >> 32 == 0x1D
    assert not found.capabilities & cap.CLIENT_MYSQL


def test_handshake_extended_bytes_count_only_without_client_mysql() -> None:
    assert packets.parse_handshake(greeting(extended=0x1D)).capabilities >> 32 == 0


def test_handshake_truncated_at_every_length() -> None:
    whole = greeting(plugin=b"")
    short_form = len(b"\x0a9.7.0\0") + 4 + 8 + 1 + 2  # of servers before 4.1: no more than that
    for length in range(len(whole)):
        if length == short_form:
            assert packets.parse_handshake(whole[:length]).charset_id == 0
        else:
            with pytest.raises(MalformedPacket, match="Handshake"):
                packets.parse_handshake(whole[:length])


def test_handshake_of_another_protocol() -> None:
    with pytest.raises(OperationalError, match="protocol version 9"):
        packets.parse_handshake(b"\x09" + greeting()[1:])


def test_auth_switch_request() -> None:
    request = packets.parse_auth_switch_request(b"\xfemysql_native_password\0" + NONCE + b"\0")
    assert request == ("mysql_native_password", NONCE + b"\0")


def test_auth_switch_request_of_old_passwords() -> None:
    assert packets.parse_auth_switch_request(b"\xfe") == ("mysql_old_password", b"")


def test_auth_switch_request_without_an_end() -> None:
    name = b"\xfemysql_native_password"
    for length in range(2, len(name) + 1):
        with pytest.raises(MalformedPacket, match="NUL"):
            packets.parse_auth_switch_request(name[:length])


def test_local_infile_request() -> None:
    assert packets.parse_local_infile_request(b"\xfb/etc/passwd") == b"/etc/passwd"
    with pytest.raises(MalformedPacket):
        packets.parse_local_infile_request(b"")


@given(st.integers(min_value=0, max_value=(1 << 64) - 2))
def test_lenenc_int_round_trip(value: int) -> None:
    assert packets.parse_column_count(packets.build_lenenc_int(value)) == value


@pytest.mark.parametrize("first", [0xFB, 0xFF])
def test_lenenc_int_that_is_none(first: int) -> None:
    with pytest.raises(MalformedPacket, match="does not begin"):
        packets.parse_column_count(bytes((first,)))


@given(st.binary(max_size=80))
def test_no_payload_breaks_a_parser(payload: bytes) -> None:
    """Whatever comes, the outcome is a value or an error of ours."""
    for parse in (
        packets.parse_ok, packets.parse_eof, packets.parse_err, packets.parse_handshake, packets.parse_column_count,
        packets.parse_column_definition, packets.parse_auth_switch_request, packets.parse_local_infile_request,
    ):  # fmt: skip
        try:
            parse(payload)
        except Error:
            continue


# -- builders --------------------------------------------------------------------------------------------------------


def test_ssl_request() -> None:
    flags = cap.CLIENT_MYSQL | cap.CLIENT_SSL
    assert packets.build_ssl_request(flags, 1 << 24, 45) == flags.to_bytes(
        4, "little"
    ) + b"\0\0\0\x01" + b"\x2d" + bytes(23)


def test_handshake_response() -> None:
    flags = (
        cap.CLIENT_MYSQL | cap.CLIENT_CONNECT_WITH_DB | cap.CLIENT_PLUGIN_AUTH | cap.CLIENT_CONNECT_ATTRS
        | cap.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    )  # fmt: skip
    built = packets.build_handshake_response(flags, 1, 45, b"me", b"\x01\x02", b"db", b"plug", b"\1a\1b")
    assert built[32:] == b"me\0" + b"\x02\x01\x02" + b"db\0" + b"plug\0" + b"\x04\x01a\x01b"


def test_handshake_response_to_an_old_server() -> None:
    built = packets.build_handshake_response(cap.CLIENT_PROTOCOL_41, 1, 45, b"me", b"\x01", b"db", b"plug", b"\1a\1b")
    assert built[32:] == b"me\0\x01\x01"


def test_mariadb_capabilities_go_where_mysql_has_zeros() -> None:
    flags = cap.CLIENT_PROTOCOL_41 | cap.MARIADB_CLIENT_EXTENDED_METADATA
    built = packets.build_ssl_request(flags, 1, 45)
    assert built[28:32] == (cap.MARIADB_CLIENT_EXTENDED_METADATA >> 32).to_bytes(4, "little")
    assert packets.build_ssl_request(flags | cap.CLIENT_MYSQL, 1, 45)[28:32] == bytes(4)


@pytest.mark.parametrize("name", ["user", "database"])
def test_a_nul_cannot_be_smuggled_into_a_name(name: str) -> None:
    values = {"user": b"u", "database": b"d", name: b"x\0y"}
    with pytest.raises(ValueError, match=f"{name} may not contain a NUL"):
        packets.build_change_user(0, 45, values["user"], b"", values["database"], b"p", b"")


def test_change_user() -> None:
    built = packets.build_change_user(
        cap.CLIENT_PLUGIN_AUTH | cap.CLIENT_CONNECT_ATTRS, 255, b"u", b"\x09", b"d", b"p", b""
    )
    assert built == b"u\0" + b"\x01\x09" + b"d\0" + b"\xff\x00" + b"p\0" + b"\x00"


def test_connect_attributes_over_250_bytes() -> None:
    attributes = packets.build_attributes({"k": "v" * 300})
    assert attributes == b"\x01k" + b"\xfc\x2c\x01" + b"v" * 300
    flags = cap.CLIENT_PLUGIN_AUTH | cap.CLIENT_CONNECT_ATTRS
    built = packets.build_change_user(flags, 255, b"u", b"", b"d", b"p", attributes)
    assert built.endswith(b"\xfc\x31\x01" + attributes)
