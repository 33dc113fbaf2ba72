"""A protocol of one page for the tests of the worlds: frames of a four-byte length and a payload, no server needed.

It has the engine's interface and, unlike the engine, is strict about its use: a world that breaks a rule of the
contract fails an assertion here.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterable

from mizzle import errors

DONE, READ, WRITE = 0, 1, 2


def frame(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


class Wire:
    """Bytes that came, bytes to go."""

    def __init__(self, room: int = 65536) -> None:
        self.shared = bytearray(room)
        self.own = bytearray()
        self.given = 0  # how much space a world has in its hands
        self.fresh = 0  # received, neither advanced nor kept
        self.outgoing: bytes | memoryview | None = None
        self.largest_send = 0

    def sent(self, n: int) -> None:
        assert self.outgoing is not None
        assert 0 <= n <= len(self.outgoing)
        self.outgoing = memoryview(self.outgoing)[n:] or None

    def space(self, _buffer: object) -> memoryview:
        assert not self.fresh, "received bytes were neither looked at nor kept"
        self.given = len(self.shared)
        return memoryview(self.shared)

    def received(self, n: int) -> None:
        assert 0 < n <= self.given
        self.given = 0
        self.fresh = n

    @property
    def unread(self) -> bytes:
        return bytes(self.own) + bytes(self.shared[: self.fresh])

    def keep(self) -> None:
        self.own += self.shared[: self.fresh]
        self.fresh = 0

    def queue(self, data: bytes) -> None:
        self.outgoing = data if self.outgoing is None else bytes(self.outgoing) + data

    def next_frame(self) -> bytes | None:
        self.keep()
        if len(self.own) < 4:
            return None
        (length,) = struct.unpack_from("<I", self.own)
        if len(self.own) < 4 + length:
            return None
        payload = bytes(self.own[4 : 4 + length])
        del self.own[: 4 + length]
        return payload


class Conversation:
    def __init__(self, engine: Engine, name: str, steps: Generator[int, None, object]) -> None:
        self.engine, self.wire, self.name, self._steps = engine, engine.wire, name, steps
        self.result: object = None
        self.finished = False
        self.ended: BaseException | str | None = None
        self.last = DONE

    def advance(self) -> int:
        assert self.ended is None, "advanced after its end"
        try:
            self.last = next(self._steps)
        except StopIteration as stop:
            self.result, self.finished, self.ended = stop.value, True, "done"
            self.wire.keep()
            return DONE
        except BaseException as failure:
            self.ended = failure
            self.finished = isinstance(failure, errors.ProgrammingError)
            raise
        self.wire.keep()
        return self.last

    @property
    def killable(self) -> bool:
        return self.name not in ("LEAVE", "SAY")

    def overdue(self, cause: TimeoutError) -> BaseException:
        return errors.timed_out(f"{self.name} timed out: {cause}", sent=True, in_transaction=False)

    def drain(self) -> Conversation | None:
        if self.ended is not None:
            return None
        self.ended = "drained"
        return Conversation(self.engine, f"the rest of {self.name}", self._steps)

    def lost(self, cause: BaseException | None) -> BaseException:
        what = "timed out" if isinstance(cause, TimeoutError) else "lost"
        self._end(cause or EOFError())
        return errors.connection_lost(f"{self.name} {what}", cause=cause, sent=True)

    def abandon(self, cause: BaseException) -> None:
        self._end(cause)

    def _end(self, cause: BaseException) -> None:
        self._steps.close()
        if self.ended is None:
            self.ended = cause
        self.engine.broken = cause


class Engine:
    def __init__(self) -> None:
        self.wire = Wire()
        self.streaming = False
        self.broken: BaseException | None = None

    def _conversation(self, name: str, steps: Generator[int, None, object]) -> Conversation:
        return Conversation(self, name, steps)

    def ask(self, question: bytes, answers: int = 1) -> Conversation:
        """Send a frame, take that many. An answer "!text" is an error, "?text" one that leaves all in disorder."""
        return self._conversation("ASK", self._ask(question, answers))

    def _ask(self, question: bytes, answers: int) -> Generator[int, None, list[bytes]]:
        self.wire.queue(frame(question))
        taken: list[bytes] = []
        while len(taken) < answers:
            while (answer := self.wire.next_frame()) is None:
                yield READ
            if answer.startswith(b"!"):
                raise errors.ProgrammingError(1064, answer[1:].decode())
            if answer.startswith(b"?"):
                raise errors.malformed_packet("toy", 0, answer[1:].decode())
            taken.append(answer)
        return taken

    def pour(self, parts: Iterable[bytes]) -> Conversation:
        """Send many frames, one WRITE each, then take one answer."""
        return self._conversation("POUR", self._pour(parts))

    def _pour(self, parts: Iterable[bytes]) -> Generator[int, None, bytes]:
        for part in parts:
            self.wire.queue(frame(part))
            yield WRITE
        while (answer := self.wire.next_frame()) is None:
            yield READ
        if answer.startswith(b"!"):
            raise errors.ProgrammingError(1064, answer[1:].decode())
        return answer

    def say(self, words: bytes) -> Conversation:
        """Send a frame that has no answer."""
        return self._conversation("SAY", self._say(words))

    def _say(self, words: bytes) -> Generator[int, None, None]:
        self.wire.queue(frame(words))
        return
        yield READ

    def leave(self) -> Conversation:
        """Send a frame, and end in another step: the peer may be gone by then."""
        return self._conversation("LEAVE", self._leave())

    def _leave(self) -> Generator[int, None, None]:
        self.wire.queue(frame(b"bye"))
        yield WRITE

    def batch(self) -> Conversation:
        """The frames that have come, at least one; between batches the server may go on. b"." ends them."""
        return self._conversation("BATCH", self._batch())

    def _batch(self) -> Generator[int, None, list[bytes]]:
        taken: list[bytes] = []
        self.streaming = True
        while not taken:
            while (answer := self.wire.next_frame()) is not None:
                taken.append(answer)
                if answer == b".":
                    self.streaming = False
                    return taken
            if not taken:
                yield READ
        return taken

    def absorb(self) -> Conversation:
        return self.ask(b"absorb")

    def unsolicited(self) -> BaseException:
        said = self.wire.next_frame()
        self.broken = errors.connection_lost(f"idle, the server said {said!r}", cause=None, sent=False)
        return self.broken

    def lost_idle(self, cause: BaseException | None) -> BaseException:
        self.broken = errors.connection_lost("lost while idle", cause=cause, sent=False)
        return self.broken
