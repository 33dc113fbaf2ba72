"""Character sets: the Python codec of each, and the collation ids that servers gave to generate_constants.py.

The codecs were chosen by asking MySQL 9.7 for the Unicode character of every code of every set and comparing. Where
Python has no codec (armscii8, dec8, geostd8, keybcs2, swe7) it is latin_1: ASCII is right (in swe7 but for ten
signs), no byte is lost, other characters come out as the Latin-1 ones with the same number; over a utf8mb4 connection
the server converts them properly. sjis is shift_jis, which differs in one character of 7,070 (cp932: in seven); euckr
is cp949, which has the extension of the server's; latin1 is cp1252, which leaves five control codes undefined.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

STORE = Path(__file__).parent / "collations.tsv"

CODECS = {
    "armscii8": "latin_1",
    "ascii": "ascii",
    "big5": "big5",
    "binary": "binary",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1256": "cp1256",
    "cp1257": "cp1257",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "cp932": "cp932",
    "dec8": "latin_1",
    "eucjpms": "euc_jp",
    "euckr": "cp949",
    "gb18030": "gb18030",
    "gb2312": "gb2312",
    "gbk": "gbk",
    "geostd8": "latin_1",
    "greek": "iso8859_7",
    "hebrew": "iso8859_8",
    "hp8": "hp_roman8",
    "keybcs2": "latin_1",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "latin1": "cp1252",
    "latin2": "iso8859_2",
    "latin5": "iso8859_9",
    "latin7": "iso8859_13",
    "macce": "mac_latin2",
    "macroman": "mac_roman",
    "sjis": "shift_jis",
    "swe7": "latin_1",
    "tis620": "tis_620",
    "ucs2": "utf_16_be",
    "ujis": "euc_jp",
    "utf16": "utf_16_be",
    "utf16le": "utf_16_le",
    "utf32": "utf_32_be",
    "utf8mb3": "utf8",
    "utf8mb4": "utf8",
}

# MySQL and MariaDB have given these new defaults, each one that the other does not know; these ids are known to both.
DEFAULTS = {"utf8mb4": "utf8mb4_general_ci", "utf8mb3": "utf8mb3_general_ci"}


class Collation(NamedTuple):
    """A line of collations.tsv."""

    id: int
    name: str
    charset: str
    default_of: str
    servers: str


def stored() -> list[Collation]:
    """What collations.tsv holds, by id."""
    lines = (line.split("\t") for line in STORE.read_text().splitlines()[1:])
    return [Collation(int(number), *rest) for number, *rest in lines]


def refresh(urls: list[str]) -> None:
    """Read the collations of running servers anew; all of them together make collations.tsv."""
    found: dict[tuple[int, str], Collation] = {}
    charset_of: dict[int, str] = {}
    for url in urls:
        family, rows = read_server(url)
        for number, name, charset, is_default in rows:
            # 213 is utf8mb3_croatian_ci in MySQL and utf8mb3_croatian_mysql561_ci in MariaDB: the codec is the same
            if charset_of.setdefault(number, charset) != charset:
                raise SystemExit(f"collation id {number} belongs to {charset_of[number]} here and to {charset} there")
            known = found.get((number, name), Collation(number, name, charset, "", ""))
            found[number, name] = known._replace(
                default_of=" ".join(filter(None, (known.default_of, family if is_default == "Yes" else ""))),
                servers=" ".join(filter(None, (known.servers, family))),
            )
    lines = ["\t".join(Collation._fields), *("\t".join(map(str, row)) for _, row in sorted(found.items()))]
    STORE.write_text("\n".join(lines) + "\n")


def read_server(url: str) -> tuple[str, list[tuple[int, str, str, str]]]:
    """Family of the server and its collations: id, name, charset, whether default."""
    import pymysql  # noqa: PLC0415  not mizzle: it cannot be imported before its constants are there

    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        if "MariaDB" in str(cursor.fetchall()):
            # uca1400_ai_ci is one collation of several character sets, with an id for each
            cursor.execute(
                "SELECT id, full_collation_name, character_set_name, is_default"
                " FROM information_schema.collation_character_set_applicability"
            )
            return "mariadb", list(cursor.fetchall())
        cursor.execute("SELECT id, collation_name, character_set_name, is_default FROM information_schema.collations")
        return "mysql", list(cursor.fetchall())


def python_module() -> str:
    """The text of mizzle/constants/charsets.py."""
    by_charset: dict[str, list[Collation]] = {}
    for row in stored():
        by_charset.setdefault(row.charset, []).append(row)
    if unknown := by_charset.keys() - CODECS.keys():
        raise SystemExit(f"no codec chosen for {sorted(unknown)}: add it to tools/charset_table.py")
    entries = []
    for charset, rows in sorted(by_charset.items()):
        default = DEFAULTS.get(charset) or next(row.name for row in rows if row.default_of)
        words = " ".join(f"{row.id}={row.name.removeprefix(charset)}" for row in rows)
        text = "\n        ".join(f'"{line} "' for line in wrap(words, 105, break_on_hyphens=False))
        entries.append(
            f'    "{charset}": (\n        "{CODECS[charset]}",\n        "{default}",\n        {text},\n    ),\n'
        )
    return TEMPLATE.replace("{entries}", "".join(entries))


TEMPLATE = '''"""Character sets and collations of MySQL 9.7 and MariaDB 11.8, and the Python codec of each.

Why a codec is what it is, and what is done where Python has none: tools/charset_table.py.
"""

from functools import cache, lru_cache
from typing import Final, NamedTuple


class Charset(NamedTuple):
    """A collation with its character set; `codec` is "binary" where bytes are bytes."""

    id: int
    collation: str
    charset: str
    codec: str


BINARY_ID: Final = 63

# charset: codec, default collation, "id=rest of the collation's name ..."
_TABLE: Final[dict[str, tuple[str, str, str]]] = {
{entries}}


def charset_names() -> tuple[str, ...]:
    """All character sets, in alphabetical order."""
    return tuple(_TABLE)


def by_id(id: int) -> Charset:
    """The collation with that id; one that is not in the table is taken to be of utf8mb4, as all new ones are."""
    found = _by_id().get(id)
    return found if found is not None else Charset(id, f"utf8mb4_unknown_{id}", "utf8mb4", "utf8")


def by_collation(name: str) -> Charset:
    """The collation of that name; LookupError where there is none. utf8_x is utf8mb3_x."""
    name = name.lower()
    if name.startswith("utf8_"):
        name = f"utf8mb3_{name[5:]}"
    try:
        return _by_collation()[name]
    except KeyError:
        raise LookupError(f"unknown collation {name!r}") from None


@lru_cache
def default_collation(charset_name: str) -> Charset:
    """The collation that a character set gets where none is said; LookupError for an unknown set. utf8 is utf8mb3."""
    name = charset_name.lower()
    try:
        return _by_collation()[_TABLE["utf8mb3" if name == "utf8" else name][1]]
    except KeyError:
        raise LookupError(f"unknown character set {charset_name!r}") from None


@cache
def _by_id() -> dict[int, Charset]:
    # Backwards, so that the first name stays where an id has two.
    return {charset.id: charset for charset in reversed(_all())}


@cache
def _by_collation() -> dict[str, Charset]:
    # Backwards, so that the lowest id stays where MySQL and MariaDB have given a name to two.
    return {charset.collation: charset for charset in reversed(_all())}


def _all() -> list[Charset]:
    return [
        Charset(int(number), charset + rest, charset, codec)
        for charset, (codec, _, collations) in _TABLE.items()
        for number, _, rest in (entry.partition("=") for entry in collations.split())
    ]
'''
