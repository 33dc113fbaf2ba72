"""Python values as SQL literals, and statements with placeholders filled in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mizzle.engine.placeholders import Template

class Literals:
    """What one connection writes into its statements."""

    no_backslash_escapes: bool
    def __init__(self, codec: str = "utf8", encoders: Mapping[type, Callable[[Any], object]] | None = None) -> None: ...
    @property
    def codec(self) -> str: ...
    @property
    def encoders(self) -> dict[type, Callable[[Any], object]] | None: ...
    def speak(self, codec: str) -> int:
        """Write in this codec from now on."""
    def literal(self, value: object) -> bytes:
        """One value as an SQL literal."""
    def encode(self, sql: str | bytes) -> bytes:
        """A statement as it is: `%` means nothing here."""
    def statement(self, sql: str | bytes, args: Any, no_backslash_escapes: bool) -> bytes:
        """A statement with its values in it, for a server in that mode; without `args` (None) as it is."""
    def assemble(self, sql: str | bytes | Template, args: object) -> bytes:
        """The statement with its placeholders filled in."""

class Batches(Iterator[bytes]):
    """Iterates over statements of many rows: prefix, row, row …, suffix."""

    def __init__(
        self, literals: Literals, prefix: bytes, template: Template, suffix: bytes, rows: Iterable[object], limit: int
    ) -> None: ...
    def __next__(self) -> bytes: ...
