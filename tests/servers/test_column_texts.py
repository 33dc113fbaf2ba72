"""Text, bytes and what is kept in them, in and out; the character sets of columns and of the connection."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from test_column_numbers import same, there_and_back

from mizzle.testing import Server

pytestmark = pytest.mark.protocols("prepared")

WORLD = "日本 Ελλάδα naïve 😀🏴󠁧󠁢󠁳󠁣󠁴󠁿"
AWKWARD = "'\"`\\ \\' \0 \n\r\x1a %s %% ; -- /* */ _binary'x'"
TEXTS = ["CHAR(100)", "VARCHAR(100)", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"]
BLOBS = ["VARBINARY(300)", "BLOB", "MEDIUMBLOB", "LONGBLOB"]
EVERY_BYTE = bytes(range(256))
# What each can hold of other languages; every one has ASCII with its quotes and backslash.
COLUMNS = {
    "latin1": "naïve €",
    "latin2": "žluťoučký",
    "cp1251": "мир",
    "greek": "Ελλάδα",
    "utf8mb3": "日本 €",
    "utf8mb4": WORLD,
    "ucs2": "日本 €",
    "utf16": WORLD,
    "utf32": WORLD,
    "gbk": "中文",
    "sjis": "日本ソ表",
    "big5": "功許蓋",
    "ujis": "日本",
    "euckr": "한국",
    "gb18030": "中文😀",
}
CONNECTIONS = ["latin1", "latin2", "cp1251", "greek", "utf8mb3", "utf8mb4", "gbk", "sjis", "big5", "ujis", "euckr"]


@pytest.mark.parametrize("name", TEXTS)
def test_text(conn: Any, name: str) -> None:
    values = ["", "a", AWKWARD, WORLD, "x" * 60]
    assert same(there_and_back(conn, f"{name} CHARACTER SET utf8mb4", values), values)


@pytest.mark.parametrize("name", BLOBS)
def test_bytes(conn: Any, name: str) -> None:
    values = [b"", b"a", AWKWARD.encode(), EVERY_BYTE, b"\xff\xfe\x00"]
    assert same(there_and_back(conn, name, values), values)


def test_tinyblob_and_binary(conn: Any) -> None:
    assert same(there_and_back(conn, "TINYBLOB", [b"", EVERY_BYTE[:255]]), [b"", EVERY_BYTE[:255]])
    conn.execute("DROP TEMPORARY TABLE v")
    assert same(there_and_back(conn, "BINARY(4)", [b"ab", b"\0\xff\0\xff"]), [b"ab\0\0", b"\0\xff\0\xff"])


@pytest.mark.bytes_alone
@pytest.mark.parametrize("size", [0, 250, 251, 252, 65535, 65536, 70000])
def test_lengths_at_which_their_encoding_changes(conn: Any, size: int) -> None:
    text, data = "ä" * size, b"\xe4" * size
    assert conn.execute("SELECT %s, %s, LENGTH(%s)", [text, data, data]).fetchall() == [(text, data, size)]
    assert conn.execute(f"SELECT REPEAT('a', {size})").fetchall() == [("a" * size,)]


def test_bytes_like_objects(conn: Any) -> None:
    values = [bytearray(b"a'\\"), memoryview(EVERY_BYTE)[::2]]
    assert same(there_and_back(conn, "BLOB", values), [b"a'\\", EVERY_BYTE[::2]])


def test_enum_and_set(conn: Any) -> None:
    assert same(there_and_back(conn, "ENUM('small', 'größer', '')", ["größer", "small", ""]), ["größer", "small", ""])
    conn.execute("DROP TEMPORARY TABLE v")
    assert same(there_and_back(conn, "SET('a', 'b', 'c')", ["a,c", "", "b"]), ["a,c", "", "b"])


def test_json(conn: Any) -> None:
    document = '{"a": [1, 2.5, null, true], "é": "😀 \\" \\\\"}'
    assert same(there_and_back(conn, "JSON", [document, "[]"]), [document, "[]"])
    assert conn.execute("SELECT JSON_OBJECT('k', %s)", ["v'\""]).fetchone() == ('{"k": "v\'\\""}',)


@pytest.mark.feature("geometries")
def test_geometry_is_bytes(conn: Any) -> None:
    conn.execute("CREATE TEMPORARY TABLE g (p POINT, any_kind GEOMETRY)")
    conn.execute("INSERT INTO g VALUES (ST_GeomFromText('POINT(1 2)'), NULL)")
    point = struct.pack("<IBIdd", 0, 1, 1, 1.0, 2.0)
    assert conn.execute("SELECT * FROM g").fetchall() == [(point, None)]
    conn.execute("INSERT INTO g (any_kind) VALUES (%s)", [point])
    assert conn.execute("SELECT ST_X(any_kind) FROM g WHERE p IS NULL").fetchall() == [(1.0,)]


def test_uuid(conn: Any, server: Server) -> None:
    value = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
    assert same(there_and_back(conn, "UUID" if server.is_mariadb else "CHAR(36)", [value]), [str(value)])


def test_types_of_mariadb(conn: Any, server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has no INET6")
    assert same(there_and_back(conn, "INET6", ["::1", "2001:db8::ff"]), ["::1", "2001:db8::ff"])


@pytest.mark.parametrize("charset", COLUMNS)
def test_column_in_a_character_set(conn: Any, server: Server, charset: str) -> None:
    if charset == "gb18030" and server.is_mariadb:
        pytest.skip("MariaDB has no gb18030")
    values = [COLUMNS[charset], f"a'b\\{COLUMNS[charset]}\"", ""]
    assert same(there_and_back(conn, f"TEXT CHARACTER SET {charset}", values), values)


@pytest.mark.parametrize("charset", CONNECTIONS)
def test_connection_in_a_character_set(connect: Callable[..., Any], charset: str) -> None:
    conn = connect(autocommit=True, charset=charset)
    assert conn.character_set_name() == charset
    assert conn.execute("SELECT @@character_set_client, @@character_set_results").fetchone() == (charset, charset)
    word = COLUMNS[charset]
    assert conn.execute("SELECT HEX(CONVERT(%s USING utf8mb4))", [word]).fetchone() == (word.encode().hex().upper(),)
    values = [word, f"{word}'", f"'{word}\\", f"\\'{word}\"\n"]
    # To MySQL the backslash of sjis is U+FF3C, where it meets another character set.
    assert same(there_and_back(conn, f"TEXT CHARACTER SET {charset}", values), values)
    conn.execute("DROP TEMPORARY TABLE v")
    data = [EVERY_BYTE, b"\xbf'", b"\x95\\'"]
    assert same(there_and_back(conn, "BLOB", data), data)
    name = word[:2]  # identifiers have no emoji
    assert conn.execute(f"SELECT 1 AS `{name}`").description[0][0] == name


def test_a_character_that_the_connection_does_not_have(connect: Callable[..., Any]) -> None:
    conn = connect(charset="latin1")
    with pytest.raises(UnicodeEncodeError):
        conn.execute("SELECT %s", ["日本"])
    assert conn.execute("SELECT %s", ["é"]).fetchone() == ("é",)


def test_changing_the_character_set(conn: Any) -> None:
    conn.set_charset("latin1")
    assert conn.execute("SELECT %s, HEX(%s)", ["é", "é"]).fetchone() == ("é", "E9")
    conn.set_charset("utf8mb4", "utf8mb4_bin")
    assert conn.execute("SELECT %s, @@collation_connection", [WORLD]).fetchone() == (WORLD, "utf8mb4_bin")


def test_bytes_where_text_is_not_wanted(connect: Callable[..., Any]) -> None:
    conn = connect(use_unicode=False)
    assert conn.execute("SELECT 'é', 1, _binary'x'").fetchone() == ("é".encode(), 1, b"x")
