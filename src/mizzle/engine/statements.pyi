from collections.abc import Iterable, Mapping
from typing import Any

from mizzle.engine.conversations import Conversation, Engine
from mizzle.engine.parameters import Parameters
from mizzle.engine.prepared import Prepared
from mizzle.engine.results import Result

def prepare(engine: Engine, statement: Prepared) -> Conversation[None]: ...
def forget(engine: Engine, statement: Prepared) -> None: ...
def execute(
    engine: Engine,
    statement: Prepared,
    parameters: Parameters,
    args: Any,
    flags: int = 0,
    streamed: tuple[int, ...] = (),
    attributes: Mapping[str, Any] | None = None,
    stream: bool = False,
) -> Conversation[Result]: ...
def send_long_data(engine: Engine, statement: Prepared, sources: dict[int, Iterable[bytes]]) -> Conversation[None]: ...
def pipeline(
    engine: Engine, statement: Prepared, packets: bytes, count: int
) -> Conversation[tuple[int, list[tuple[int, Exception]]]]: ...
def execute_bulk(
    engine: Engine, statement: Prepared, payload: bytes, unit_results: bool = False
) -> Conversation[Result]: ...
def fetch(engine: Engine, statement: Prepared, result: Result, count: int) -> Conversation[list[tuple[Any, ...]]]: ...
