from collections.abc import Callable
from typing import Any

from mizzle.engine.packets import Column, ColumnDescription

Description = tuple[ColumnDescription, ...]
Converters = dict[int | str | tuple[int | str, str], Callable[[Any], Any]]

class Decoding:
    """How a connection wants its values: shared by all connections with the same wishes."""

    zero_dates: str
    use_unicode: bool
    converters: Converters
    codec: str
    extended: bool
    def __init__(
        self,
        *,
        zero_dates: str = "none",
        use_unicode: bool = True,
        converters: Converters | None = None,
        codec: str = "utf8",
        extended: bool = False,
    ) -> None: ...

class RowFormat:
    """What the column definitions of a result say, made ready for decoding."""

    columns: tuple[Column, ...]
    decoding: Decoding
    def __init__(self, decoding: Decoding, columns: tuple[Column, ...]) -> None: ...
    @property
    def description(self) -> Description: ...
    def decode_row(self, payload: bytes) -> tuple[Any, ...]: ...
