"""What an engine does about an interrupted statement: it reads the rest of the answer, and has a late kill hit nothing.

Knows in which order that is said. Must not know who interrupted, or how a statement is killed.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from mizzle.constants.commands import COM_QUERY
from mizzle.errors import Error

if TYPE_CHECKING:
    from mizzle.engine.conversations import Engine

Steps = Generator[int, None, Any]


def drain(engine: Engine, steps: Steps) -> Steps:
    """Go on with the steps of a conversation that nobody waits for, to the end of the last result."""
    engine.discarding = True
    engine.progress.forget()
    try:
        while True:
            try:
                yield from steps
            except Error:  # the server's word is an end like another: 1317, if KILL QUERY came in time
                if not engine.settled and engine.streaming is None:
                    raise
            if engine.streaming is None:
                return
            steps = engine._fetch_batch(engine.streaming, False)
            if engine.streaming.finished:
                steps = engine._next_result(engine.streaming)
    finally:
        engine.discarding = False


def absorb(engine: Engine) -> Steps:
    """A statement for a KILL QUERY that may have come too late."""
    engine.begin(COM_QUERY, b"DO 0")
    yield from engine._answer()
