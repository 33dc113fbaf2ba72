from typing import Any

from mizzle.engine.packets import Column
from mizzle.engine.text_rows import Description, RowFormat
from mizzle.errors import Error

class Result:
    """What one statement gave: rows, or counts. `rows` is None for a statement without a result set."""

    format: RowFormat | None
    rows: list[tuple[Any, ...]] | None
    affected_rows: int
    last_insert_id: int
    warning_count: int
    status_flags: int
    finished: bool
    next: Result | Error | None
    @property
    def columns(self) -> tuple[Column, ...] | None: ...
    @property
    def description(self) -> Description | None: ...
    @property
    def counts(self) -> tuple[int, int, int]: ...
    @property
    def info(self) -> str: ...
