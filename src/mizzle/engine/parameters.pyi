"""Python values as the parameters of prepared statements."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mizzle.engine.literals import Literals
from mizzle.engine.placeholders import Template
from mizzle.errors import ProgrammingError

class NotBindable(ProgrammingError):
    """A value that text can hold and a parameter cannot."""

class Parameters(Literals):
    """What one connection binds to its prepared statements."""

    named: bool
    def __init__(self, codec: str = "utf8", encoders: Any = None, named: bool = False) -> None: ...
    def execute(
        self,
        statement_id: int,
        template: Template,
        args: object,
        flags: int = 0,
        streamed: tuple[int, ...] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> bytes:
        """COM_STMT_EXECUTE, behind its command byte."""

    def attributes(self, attributes: Mapping[str, Any]) -> bytes:
        """What stands before the statement of a COM_QUERY with these query attributes."""

class Rows(Iterator[tuple[bytes, int]]):
    """Iterates over batches of a statement's executions: what is sent, and how many rows are in it."""

    def __init__(
        self, parameters: Parameters, statement_id: int, template: Template, rows: Iterable[object], limit: int
    ) -> None: ...
    @property
    def taken(self) -> int: ...
    def __next__(self) -> tuple[bytes, int]: ...
    def rest(self, again: bool = False) -> Iterator[Any]:
        """The rows that are in no batch yet; `again`: and those of the last batch."""

class Executions(Rows):
    """COM_STMT_EXECUTE packets in their frames."""

class BulkExecutions(Rows):
    """COM_STMT_BULK_EXECUTE, behind its command byte."""

    def __init__(
        self,
        parameters: Parameters,
        statement_id: int,
        template: Template,
        rows: Iterable[object],
        limit: int,
        unit_results: bool = False,
    ) -> None: ...
