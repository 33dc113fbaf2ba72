from collections.abc import Callable
from typing import Any

from mizzle.engine.packets import Column

Description = tuple[tuple[str, int, None, int, int, int, bool], ...]

class Decoding:
    """How a connection wants its values: shared by all connections with the same wishes."""

    zero_dates: str
    use_unicode: bool
    converters: dict[int, Callable[[Any], Any]]
    codec: str
    def __init__(
        self,
        *,
        zero_dates: str = "none",
        use_unicode: bool = True,
        converters: dict[int, Callable[[Any], Any]] | None = None,
        codec: str = "utf8",
    ) -> None: ...

class RowFormat:
    """What the column definitions of a result say, made ready for decoding."""

    columns: tuple[Column, ...]
    decoding: Decoding
    def __init__(self, decoding: Decoding, columns: tuple[Column, ...]) -> None: ...
    @property
    def description(self) -> Description: ...
    def decode_row(self, payload: bytes) -> tuple[Any, ...]: ...
