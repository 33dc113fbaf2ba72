"""A world without a network: it plays the server's part of a written dialogue. Public: for your own tests too.

Knows the form of a script and compares bytes. Must not know what they mean.

A script has a line for each thing that happens; what follows a "#" is a comment:

    < 0a 00 00 01 ...     the server says these bytes (hexadecimal, spaces as you like)
    > 03 00 00 00 03 ??   the client must say exactly these; ?? is any one byte
    <EOF                  the server closes the connection

`Script.read(path)` and `Script.parse(text)` make one, `Channel(script)` plays it, with `chunk=1` byte by byte. As a
world for connect(), `unix_socket` is the path of the script. `Recorder` writes one down from a connection that is real.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from mizzle import errors
from mizzle.engine.conversations import READ
from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, Rescue, Wire

__all__ = ["Channel", "Recorder", "Script", "Step", "open_channel"]

_CLIENT, _SERVER, _EOF = ">", "<", "<EOF"


class Step(NamedTuple):
    """What one side says: `data`, where `any_byte` has the offsets that may differ. `line`: where it is written."""

    speaker: str
    data: bytes
    line: int = 0
    any_byte: frozenset[int] = frozenset()


class Script:
    """A dialogue, step by step; lines of one speaker that follow each other are one step."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Script:
        """From a file."""
        return cls.parse(Path(path).read_text())

    @classmethod
    def parse(cls, text: str) -> Script:
        """From text; ValueError names the line that cannot be understood."""
        steps: list[Step] = []
        for number, line in enumerate(text.splitlines(), 1):
            content = line.partition("#")[0].strip()
            if not content:
                continue
            step = _parse_line(content, number)
            if steps and steps[-1].speaker == step.speaker:
                before = steps.pop()
                shifted = frozenset(offset + len(before.data) for offset in step.any_byte)
                step = Step(step.speaker, before.data + step.data, before.line, before.any_byte | shifted)
            steps.append(step)
        return cls(steps)

    def __str__(self) -> str:
        return "".join(_format_step(step) for step in self.steps)


def _parse_line(content: str, number: int) -> Step:
    if content == _EOF:
        return Step(_EOF, b"", number)
    speaker, digits = content[0], "".join(content[1:].split())
    pairs = [digits[i : i + 2] for i in range(0, len(digits), 2)]
    any_byte = frozenset(offset for offset, pair in enumerate(pairs) if pair == "??")
    try:
        data = bytes.fromhex("".join(pairs).replace("??", "00"))
    except ValueError:
        data = b""
    if speaker not in (_CLIENT, _SERVER) or not data:
        raise ValueError(f'line {number} of the script is not "> hex", "< hex" or "<EOF": {content!r}')
    return Step(speaker, data, number, any_byte)


def _format_step(step: Step) -> str:
    if step.speaker == _EOF:
        return f"{_EOF}\n"
    lines = []
    for start in range(0, len(step.data), 16):
        part = step.data[start : start + 16]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        pairs = ("??" if start + i in step.any_byte else f"{byte:02x}" for i, byte in enumerate(part))
        lines.append(f"{step.speaker} {' '.join(pairs):<47}  # {shown}\n")
    return "".join(lines)


class Channel:
    """One connection to a script. A client that leaves it gets an AssertionError that shows where."""

    def __init__(self, script: Script, *, chunk: int | None = None) -> None:
        self.engine: Any = None
        self.rescue: Rescue | None = None
        self.read_timeout: float | None = None
        self.write_timeout: float | None = None
        self.closed = False
        self.draining = False
        self.broken: BaseException | None = None
        self._steps = list(reversed(script.steps))
        self._chunk = chunk
        self._buffer = ReceiveBuffer()

    @property
    def at_end(self) -> bool:
        """Has all of the script been played?"""
        return not self._steps

    def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation with the script; there is nothing to wait for, so `timeout` has no use."""
        del timeout
        if self.closed:
            raise errors.connection_closed(str(self.broken or "the channel was closed"))
        try:
            while want := conversation.advance():
                self._listen(conversation.wire)
                if want == READ:
                    self._speak(conversation)
            self._listen(conversation.wire)
        except BaseException as failure:
            if not conversation.finished and not self.closed:
                conversation.abandon(failure)
                self._break(failure)
            raise
        return conversation.result

    def abort(self) -> None:
        """End the connection."""
        self._break(errors.connection_closed("it was aborted"))

    def fileno(self) -> int:
        """-1: there is no socket."""
        return -1

    def peer(self) -> Endpoint:
        """Nowhere."""
        return Endpoint()

    def _break(self, reason: BaseException) -> None:
        if not self.closed:
            self.closed = True
            self.broken = reason

    def _listen(self, wire: Wire) -> None:
        """Compare what the client says with the script."""
        while wire.outgoing:
            said = bytes(wire.outgoing)
            step = self._steps[-1] if self._steps else Step("nothing more", b"")
            if step.speaker != _CLIENT or _differs_at(step, said) is not None:
                raise AssertionError(_difference(step, said))
            n = min(len(said), len(step.data))
            self._advance_step(step, n)
            wire.sent(n)

    def _speak(self, conversation: Conversation) -> None:
        """Say a chunk of what the script has for the server."""
        step = self._steps[-1] if self._steps else Step("nothing more", b"")
        if step.speaker == _EOF:
            self._steps.pop()
            failure = conversation.lost(None)
            self._break(failure)
            raise failure
        if step.speaker != _SERVER:
            raise AssertionError(f"the client waits for the server, but the script has\n{_format_expected(step)}")
        space = conversation.wire.space(self._buffer)
        n = min(len(step.data), len(space), self._chunk or len(space))
        space[:n] = step.data[:n]
        self._advance_step(step, n)
        conversation.wire.received(n)

    def _advance_step(self, step: Step, n: int) -> None:
        self._steps.pop()
        if n < len(step.data):
            left = frozenset(offset - n for offset in step.any_byte if offset >= n)
            self._steps.append(Step(step.speaker, step.data[n:], step.line, left))


def _format_expected(step: Step) -> str:
    where = f" (line {step.line})" if step.line else ""
    return f"{_format_step(step) if step.data else step.speaker}{where}"


def _differs_at(step: Step, said: bytes) -> int | None:
    """The first byte that is not what the step has, as far as both go."""
    pairs = enumerate(zip(said, step.data, strict=False))
    return next((at for at, (got, expected) in pairs if got != expected and at not in step.any_byte), None)


def _difference(step: Step, said: bytes) -> str:
    if step.speaker != _CLIENT:
        return f"the client says\n{_format_step(Step(_CLIENT, said))}but the script has\n{_format_expected(step)}"
    at = _differs_at(step, said) or 0
    start = at - at % 16
    return (
        f"the client differs at byte {at} of what it has to say on line {step.line} and after: it says\n"
        f"{_format_step(Step(_CLIENT, said[start : start + 16]))}"
        f"but the script has\n{_format_step(Step(_CLIENT, step.data[start : start + 16]))}"
    )


def open_channel(endpoint: Endpoint, timeout: float | None = None) -> Channel:
    """Play the script whose path is the endpoint's `unix_socket`."""
    del timeout
    if endpoint.unix_socket is None:
        raise ValueError('world="scripted" plays a file: give its path as unix_socket')
    return Channel(Script.read(endpoint.unix_socket))


class Recorder:
    """Writes down what passes through a channel of any world: `recorder.script` when it is over.

    `recorder.watch(conversation)` stands for the conversation in run(): `channel.run(recorder.watch(engine.ping()))`.
    """

    def __init__(self) -> None:
        self.script = Script([])

    def watch(self, conversation: Conversation) -> Conversation:
        """The same conversation, overheard."""
        return cast(Conversation, _Watched(conversation, self))

    def note(self, speaker: str, data: bytes) -> None:
        steps = self.script.steps
        if steps and steps[-1].speaker == speaker:
            data = steps.pop().data + data
        steps.append(Step(speaker, data))


class _Watched:
    """A conversation whose wire is a watched one."""

    def __init__(self, conversation: Conversation, recorder: Recorder) -> None:
        self._conversation = conversation
        self._recorder = recorder
        self.wire = _WatchedWire(conversation.wire, recorder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conversation, name)

    def lost(self, cause: BaseException | None) -> BaseException:
        if cause is None:
            self._recorder.note(_EOF, b"")
        return self._conversation.lost(cause)


class _WatchedWire:
    def __init__(self, wire: Wire, recorder: Recorder) -> None:
        self._wire = wire
        self._recorder = recorder
        self._given = memoryview(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def sent(self, n: int) -> object:
        self._recorder.note(_CLIENT, bytes((self._wire.outgoing or b"")[:n]))
        return self._wire.sent(n)

    def space(self, buffer: Any) -> memoryview:
        self._given = self._wire.space(buffer)
        return self._given

    def received(self, n: int) -> object:
        self._recorder.note(_SERVER, bytes(self._given[:n]))
        self._given = memoryview(b"")
        return self._wire.received(n)


def spawn(work: Callable[[], None], name: str) -> None:
    """Nobody is interrupted here, and nothing runs in the background."""
    raise NotImplementedError(f'{name}: world="scripted" has no background')


def place() -> None:
    """There is but one."""
