"""PyMySQL's look at character sets, over mizzle's table."""

from __future__ import annotations

from typing import NamedTuple

from mizzle.constants import charsets


class Charset(NamedTuple):
    """A collation with its character set."""

    id: int
    name: str
    collation: str

    @property
    def is_default(self) -> bool:
        """Is it the one that its character set has unless told otherwise?"""
        return charsets.default_collation(self.name).collation == self.collation

    @property
    def encoding(self) -> str:
        """Python's codec."""
        return charsets.default_collation(self.name).codec

    @property
    def is_binary(self) -> bool:
        """Are bytes just bytes?"""
        return self.id == charsets.BINARY_ID


def charset_by_name(name: str) -> Charset:
    """The character set of that name with its default collation; "utf8" is taken for utf8mb4 here, as in PyMySQL."""
    name = name.lower()
    found = charsets.default_collation("utf8mb4" if name == "utf8" else name)
    return Charset(found.id, found.charset, found.collation)


def charset_by_id(id: int) -> Charset:
    """The collation of that number."""
    found = charsets.by_id(id)
    return Charset(found.id, found.charset, found.collation)
