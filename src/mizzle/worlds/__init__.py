"""The worlds: sockets, hubs, loops and clocks; bytes in, bytes out; no word of MySQL.

A world moves bytes between a socket and an engine that does no I/O. It knows how its threads, green threads or tasks
wait; it must not know what the bytes mean, and it imports nothing of the faces and no other world. This is the contract
that every world keeps and that any further one (a bare loop too: examples/selectors_loop.py) has to keep:

1. A command is a `Conversation`. `advance()` answers DONE, READ or WRITE, or raises. Whatever `wire.outgoing` holds is
   sent before a READ is waited for. WRITE means: send at least some of it, then advance again. After DONE what is left
   is sent (COM_QUIT has no reply). One round trip is one wait.
2. Push worlds (eventlet, gevent, asyncio) advance from the callback that received the bytes; who waits is woken once,
   when all is done, however many chunks came. A callback does one receive and at most one send, so that between two
   chunks of a big result everybody else has a turn. A command always waits for its answer, hence for the hub, at least
   once: nothing more is needed for fairness.
3. Pull worlds (threads, trio) loop: advance, flush, receive.
4. Deadlines belong to the world. `open_channel(timeout=)` covers names and connecting, `run(timeout=)` one
   conversation with all its waits; the face hands on what is left of a deadline that covers several. Push worlds keep
   one lazily re-armed timer a connection, threads let the kernel watch (SO_RCVTIMEO), trio has a scope a command.
5. While a conversation runs the channel is BUSY. A second one is refused before a byte is sent, with an error that
   names both users. So is use from another process, from another thread's hub, from another loop, and after the end.
6. An interrupt (deadline, CancelledError, trio.Cancelled, a hub's Timeout, GreenletExit, KeyboardInterrupt: any
   BaseException) is raised to its owner at once. What then becomes of the connection is decided in one place,
   `ChannelBase._ended_by`: it stays READY if the conversation had come to its end. If it could go on, the channel is
   DRAINING: the world reads the rest in the background (`Conversation.drain`), and the face's `Rescue` has the server
   end the statement. Within `Rescue.limit` seconds the channel is READY again, or aborted; who calls run() meanwhile
   waits for that. A KILL that may have come too late is absorbed before the channel is READY. In all other cases, and
   without a rescue, it is aborted. No one ever sees another's rows, and no statement is killed but the interrupted one.
7. Bytes or EOF on an idle connection break it at once; the next `run()` raises the reason (the engine decodes the
   server's last ERR packet), later ones `ConnectionClosed`. Pull worlds have nobody who listens to an idle socket:
   there the next command meets the same words as its answer, unless somebody asks the world to `look()` before. Between
   two batches of a streamed result bytes are legitimate: the world keeps one chunk, then stops listening until the next
   conversation.
8. The world is chosen for each connection, never at import (`resolve`, `resolve_async`).
9. While a command is not wholly sent the world also reads: a server may answer before it has taken everything, and
   two sides that only send wait for ever. What arrives meanwhile is put aside with `wire.keep()`. A socket is shut down
   before it is closed (that wakes who waits), leaves its hub before it is closed, and is never touched after;
   a forked child only closes its copy; `__del__` warns and lets go of the socket, and calls no hub and no loop.

All connections of a thread, hub or loop receive into one shared `ReceiveBuffer`: nothing may run between `received()`
and the return of `advance()` (or `keep()`).
"""

from __future__ import annotations

import _socket
import contextlib
import importlib
import sys
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol, cast, overload

__all__ = [
    "AsyncChannel", "AsyncWorld", "Channel", "Conversation", "Endpoint", "Engine", "Rescue", "Signal", "Wire", "World",
    "resolve", "resolve_async",
]  # fmt: skip

_WORLDS = ("threads", "eventlet", "gevent", "asyncio", "trio", "scripted")


class Endpoint(NamedTuple):
    """Where a server listens, and what the socket to it shall be like."""

    host: str = "localhost"
    port: int = 3306
    unix_socket: str | None = None
    bind_address: str | None = None
    keepalive: bool = True


class Wire(Protocol):
    """What a world sees of an engine's wire."""

    @property
    def outgoing(self) -> bytes | memoryview | None: ...
    @property
    def unread(self) -> bytes: ...
    def sent(self, n: int, /) -> object: ...
    def space(self, buffer: Any, /) -> memoryview: ...
    def received(self, n: int, /) -> object: ...
    def keep(self) -> object: ...


class Conversation(Protocol):
    """One command and its answer, as the engine hands it to a world."""

    @property
    def wire(self) -> Wire: ...
    @property
    def result(self) -> object: ...
    @property
    def finished(self) -> bool: ...
    @property
    def name(self) -> str: ...
    @property
    def killable(self) -> bool: ...
    def advance(self) -> int: ...
    def lost(self, cause: BaseException | None, /) -> BaseException: ...
    def overdue(self, cause: TimeoutError, /) -> BaseException: ...
    def drain(self) -> Conversation | None: ...
    def abandon(self, cause: BaseException, /) -> object: ...


class Engine(Protocol):
    """What a world asks the engine when no conversation runs."""

    @property
    def streaming(self) -> bool: ...
    def absorb(self) -> Conversation: ...
    def unsolicited(self) -> BaseException: ...
    def lost_idle(self, cause: BaseException | None, /) -> BaseException: ...


class Rescue(Protocol):
    """What a face gives a channel for the case that a command is interrupted."""

    @property
    def limit(self) -> float:
        """Seconds in which the channel must have come to rest."""
        ...

    @property
    def kills(self) -> bool:
        """Can it have the server end a statement?"""
        ...

    def kill(self, wanted: Callable[[], bool], over: Callable[[bool], None], /) -> None:
        """Do so in the background, again and again while `wanted()` says so, and call `over(done)` in the end."""
        ...

    def kill_session(self) -> None:
        """End the statement of a channel that is closed, and its session."""
        ...


class Signal(Protocol):
    """Something that happens once. Each world has a class of that name; in asyncio and trio `wait` is awaited."""

    @property
    def is_set(self) -> bool: ...
    def set(self) -> None:
        """Wake all who wait: in threads from any thread, else from the thread of the hub or loop."""
        ...

    def wait(self, timeout: float | None = None) -> Any:
        """True once it has happened; False after `timeout` seconds."""
        ...


class _AnyChannel(Protocol):
    #: Set once by the face, before the first run().
    engine: Any
    #: Set by the face when the login is done. None: an interrupted connection is closed.
    rescue: Rescue | None
    #: Seconds without a byte from the server, or without it taking one, while a conversation runs.
    read_timeout: float | None
    write_timeout: float | None

    @property
    def draining(self) -> bool: ...
    def peer(self) -> Endpoint:
        """Where this very connection leads to: not a name, which may have several addresses."""
        ...

    @property
    def closed(self) -> bool: ...
    @property
    def broken(self) -> BaseException | None: ...
    def abort(self) -> None: ...
    def fileno(self) -> int: ...


class Channel(_AnyChannel, Protocol):
    """One connection in a world whose functions wait."""

    def run(self, conversation: Conversation, timeout: float | None = None) -> Any: ...


class AsyncChannel(_AnyChannel, Protocol):
    """One connection in a world whose functions are awaited."""

    async def run(self, conversation: Conversation, timeout: float | None = None) -> Any: ...


class World(Protocol):
    """A module of this package."""

    Signal: Callable[[], Signal]

    def open_channel(self, endpoint: Endpoint, timeout: float | None = None) -> Channel: ...
    def adopt(self, sock: _socket.socket) -> Channel:
        """A channel over a socket that is connected already; not in `scripted`, which has none."""
        ...

    def spawn(self, work: Callable[[], None], name: str) -> None:
        """Run `work` beside the caller. What it raises is logged."""
        ...

    def place(self) -> object:
        """The hub or loop that the caller is in; in threads None, for there anybody can do anything."""
        ...

    def look(self, channel: Any) -> None:
        """See, without waiting, what came on an idle connection, where no hub or loop listens to those."""
        ...


class AsyncWorld(Protocol):
    """The same, awaited."""

    Signal: Callable[[], Signal]

    async def open_channel(self, endpoint: Endpoint, timeout: float | None = None) -> AsyncChannel: ...
    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None: ...
    def place(self) -> object: ...
    def look(self, channel: Any) -> None: ...


@overload
def resolve(name: Literal["asyncio", "trio"]) -> AsyncWorld: ...  # type: ignore[overload-overlap]
@overload
def resolve(name: str) -> World: ...
def resolve(name: str) -> World | AsyncWorld:
    """The world of that name, imported now; "auto" is threads, or the hub whose patches `socket` wears."""
    return cast("World | AsyncWorld", _load(_patched_with() if name == "auto" else name))


def resolve_async(name: str) -> AsyncWorld:
    """The same for those who await; "auto" is the loop that the calling task is in."""
    return cast("AsyncWorld", _load(_running_loop() if name == "auto" else name))


@cache
def _load(name: str) -> Any:
    if name not in _WORLDS:
        raise ValueError(f"there is no world {name!r}: choose one of auto, {', '.join(_WORLDS)}")
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ImportError(
            f"world={name!r} needs the package {name}: pip install 'mizzle[{name}]'", name=name
        ) from error


def _patched_with() -> str:
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("socket"):
        return "eventlet"
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("socket"):
        return "gevent"
    return "threads"


def _running_loop() -> str:
    """One may run inside the other: an asyncio task has asyncio's answer, else a trio task has trio's."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_task():
        return "asyncio"
    asyncio = sys.modules.get("asyncio")
    with contextlib.suppress(RuntimeError):  # no loop of asyncio in this thread
        if asyncio is not None and asyncio.current_task() is not None:
            return "asyncio"
    return "trio"
