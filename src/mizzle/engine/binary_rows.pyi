from typing import Any

from mizzle.engine.text_rows import RowFormat

def decode_row(format: RowFormat, payload: bytes) -> tuple[Any, ...]: ...
