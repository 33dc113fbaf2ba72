from mizzle.engine.literals import Literals
from mizzle.engine.packets import Column as Column
from mizzle.engine.placeholders import Template
from mizzle.engine.text_rows import Description

class Prepared:
    """A statement that a server prepares, or has prepared."""

    query: str | bytes
    session: int
    refused: bool
    expires: float
    def __init__(self, template: Template, query: str | bytes) -> None: ...
    @property
    def sql(self) -> bytes: ...
    @property
    def template(self) -> Template: ...
    @property
    def statement_id(self) -> int: ...
    @property
    def parameters(self) -> tuple[Column, ...]: ...
    @property
    def columns(self) -> tuple[Column, ...] | None: ...
    @property
    def description(self) -> Description | None: ...

class Kept:
    """The statements that a connection keeps, by their text, the one used last behind the others; None: as text."""

    statements: dict[str | bytes, Prepared | None]
    expire: bool
    def ready(self, query: str | bytes, writer: Literals) -> Prepared | None: ...
