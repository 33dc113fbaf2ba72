"""Every character of every character set of a server, in both protocols: as a column's and as the connection's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import mizzle
from mizzle.constants import charsets
from mizzle.testing import Server

PIECE = 200
#: Sets that no server takes from a client.
SERVER_ONLY = {"ucs2", "utf16", "utf16le", "utf32"}
#: Those that hold more than the first 65,536 characters.
WIDE = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}


@pytest.fixture
def conn(server: Server) -> Iterator[Any]:
    with mizzle.connect(**server.connect_args(autocommit=True, ssl_mode="disabled")) as made:
        yield made


def all_characters(wide: bool) -> list[str]:
    codes = [*range(0xD800), *range(0xE000, 0x10000), *(range(0x10000, sys.maxunicode, 97) if wide else ())]
    return [chr(code) for code in codes]


def pieces(characters: list[str]) -> list[str]:
    return ["".join(characters[start : start + PIECE]) for start in range(0, len(characters), PIECE)]


def those_of(conn: Any, charset: str) -> list[str]:
    """The characters that the set has, as the server says: they survive it."""
    found = []
    for piece in pieces(all_characters(charset in WIDE)):
        [(survived,)] = conn.execute(
            f"SELECT CONVERT(CONVERT(%s USING {charset}) USING utf8mb4)", [piece], prepare=False
        )
        assert len(survived) == len(piece)  # a question mark for each that the set has not
        found += [one for one, other in zip(piece, survived, strict=True) if one == other]
    return found


@pytest.mark.feature("every character set")
def test_every_character_of_every_column(conn: Any) -> None:
    """Written in either protocol, read in either: the same text, and what was written."""
    names = [name for (name,) in conn.execute("SELECT character_set_name FROM information_schema.character_sets")]
    assert len(names) > 35
    for charset in sorted(set(names) - {"binary"}):
        written = pieces(those_of(conn, charset))
        assert sum(map(len, written)) >= 93, charset  # ASCII at the least; swe7 has other signs for two of its
        conn.execute(f"CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, s VARCHAR({PIECE}) CHARACTER SET {charset})")
        half = len(written) // 2
        for number, text in enumerate(written):
            conn.execute("INSERT INTO v VALUES (%s, %s)", (number, text), prepare=number < half)
        for prepare in (False, True):
            read = [text for (text,) in conn.execute("SELECT s FROM v ORDER BY id", (), prepare=prepare)]
            assert read == written, charset
        conn.execute("DROP TEMPORARY TABLE v")


def agreed(admin: Any, charset: str, codec: str, text: str) -> str:
    """The characters that have the same bytes here and on the server, both ways."""
    made, back = admin.execute(
        f"SELECT CAST(CONVERT(%s USING {charset}) AS BINARY), CONVERT(CONVERT(%s USING {charset}) USING utf8mb4)",
        [text, text],
    ).fetchone()
    if back == text and made == text.encode(codec):
        return text
    half = len(text) // 2
    return agreed(admin, charset, codec, text[:half]) + agreed(admin, charset, codec, text[half:]) if half else ""


@cache
def encodable(codec: str) -> list[str]:
    def can(character: str) -> bool:
        try:
            return character.encode(codec).decode(codec) == character
        except UnicodeError:
            return False

    return [character for character in all_characters(False) if can(character)]


@pytest.mark.feature("every character set")
def test_every_character_set_of_a_connection(server: Server, conn: Any) -> None:
    """The server is given the same characters in both protocols, and so are we."""
    for charset in sorted(set(charsets.charset_names()) - SERVER_ONLY - {"binary"}):
        if charset == "gb18030" and server.is_mariadb:
            continue  # it has none
        with mizzle.connect(**server.connect_args(autocommit=True, charset=charset, ssl_mode="disabled")) as speaker:
            codec = speaker.encoding
            known = pieces(encodable(codec))
            written = [agreed(conn, charset, codec, text) for text in known]
            least = 0.35 if codec == "latin_1" else 0.95  # which stands in for some that Python has not
            assert sum(map(len, written)) > least * sum(map(len, known)), charset
            speaker.execute(f"CREATE TEMPORARY TABLE v (id INT, s VARCHAR({PIECE}) CHARACTER SET utf8mb4, p INT)")
            for prepare in (False, True):
                for number, text in enumerate(written):
                    speaker.execute("INSERT INTO v VALUES (%s, %s, %s)", (number, text, int(prepare)), prepare=prepare)
            for prepare in (False, True):
                read = speaker.execute("SELECT s FROM v ORDER BY p, id", (), prepare=prepare).fetchall()
                assert [text for (text,) in read] == written * 2, charset
