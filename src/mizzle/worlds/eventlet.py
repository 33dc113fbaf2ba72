"""Eventlet, natively: green threads wait, the hub works, nothing needs to be monkey-patched (and may be).

Knows hubs, listeners and greenlets. Must not block the hub's thread.

A hub listener stays registered for as long as the connection lives; its callback receives, advances the conversation
and switches to the green thread that waits only when all is done. What eventlet 0.41 asks of those who do that:

* A socket that is not a GreenSocket tells the hub of its number at once (`notify_opened`): listeners that its former
  user left behind would get our events. Should somebody close our number behind our back, the hub tells us likewise.
* epoll forgets a closed descriptor silently and its waiter sleeps for ever: shut down, remove the listener, close.
* A hub collects all callbacks of a turn before it makes any, so that one may come after its listener was removed.
* The hub takes an exception out of a callback for the end of the descriptor: it prints it and forgets our listener.
  The exception may be another's: a green thread that we woke, and that died of it, ends in our callback.
* A greenlet is switched to directly from the hub only; from elsewhere the hub is asked to do it, and looks again
  whether that greenlet still waits.
* One hub to an OS thread: a connection stays with the thread that opened it.
"""

from __future__ import annotations

import _socket
import errno
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import eventlet  # type: ignore[import-untyped]
import eventlet.event  # type: ignore[import-untyped]
from eventlet import hubs, tpool
from greenlet import getcurrent  # type: ignore[import-untyped]

from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, sockets
from mizzle.worlds.background import logged
from mizzle.worlds.base import BROKEN, BUSY, DRAINING, READY, misuse
from mizzle.worlds.green import GreenChannel

_native_thread = sockets.unpatched("threading")


class _PerThread(_native_thread.local):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        self.buffer = ReceiveBuffer()


_here = _PerThread()


class _Listener:
    """What the hub holds of a channel: it does not keep a forgotten channel alive, and cleans up after it."""

    __slots__ = ("_channel", "_hub", "_listener", "_sock")

    def __init__(self, channel: Channel) -> None:
        self._channel = weakref.ref(channel)
        self._hub = channel._hub
        self._sock = channel._sock
        self._listener = self._hub.add(self._hub.READ, self._sock.fileno(), self._ready, self._stolen, self._detach)
        self._listener.greenlet = self._hub.greenlet  # it outlives the green thread that happens to add it

    def remove(self) -> None:
        self._hub.remove(self._listener)

    def _ready(self, _fileno: int) -> None:
        channel = self._channel()
        if channel is None:
            self.remove()
            self._sock.close()
            return
        if channel._state is BROKEN or channel._pid != sockets.process.pid:
            return  # in a forked child the bytes are the parent's, and so is what the hub has registered
        try:
            n = self._sock.recv_into(channel._wire.space(channel._buffer))
        except BlockingIOError:
            return
        except OSError as failure:
            channel._ended(failure)
            return
        if n:
            channel._received(n)
        else:
            channel._ended(None)

    def _detach(self) -> None:
        """Our number was closed by somebody and belongs to another socket now: never touch it again."""
        self._sock.detach()

    def _stolen(self, failure: OSError) -> None:
        channel = self._channel()
        if channel is not None:
            channel._ended(failure)


class Channel(GreenChannel):
    """One connection on one OS thread's hub."""

    __slots__ = ("_thread",)

    def __init__(self, sock: _socket.socket) -> None:
        self._hub = hub = hubs.get_hub()
        super().__init__(sock, hub.clock, hub.schedule_call_global)
        self._thread = _native_thread.get_ident()
        self._buffer = _here.buffer
        self._listener = self._writer = self._waiter = None
        self._failure: BaseException | None = None

    def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling green thread waits until it is done."""
        if self._state is DRAINING:
            self._must_be_here(conversation)
            timeout = self._wait_for_rest(conversation, timeout)
        hub = self._hub
        waiter = getcurrent()
        if (
            self._state is not READY
            or hubs.get_hub() is not hub
            or waiter is hub.greenlet
            or self._aborted
            or self._pid != sockets.process.pid
        ):
            raise self._refusal(conversation)
        self._state = BUSY
        self._conversation = conversation
        self._owner = waiter
        self._wire = conversation.wire
        try:
            if self._step(conversation):
                self._end()
                return conversation.result
            if self._listener is None:
                self._listener = _Listener(self)
            if timeout is not None or self.read_timeout is not None or self.write_timeout is not None:
                self._watch(timeout)
            self._waiter = waiter
            while self._waiter is waiter:
                hub.switch()
        except BaseException as failure:
            self._waiter = self._failure = None
            self._ended_by(conversation, failure)
            raise
        if self._failure is not None:
            told, self._failure = self._failure, None
            raise told
        return conversation.result

    def _can_write(self, _fileno: int) -> None:
        if self._pid != sockets.process.pid:
            return
        self._writable()
        if not self._sending:
            self._stop_writing()

    # -- what PushChannel calls -------------------------------------------------------------------------------------

    def _await_writable(self) -> None:
        if self._writer is None:
            self._writer = self._hub.add(self._hub.WRITE, self._sock.fileno(), self._can_write, _ignore, None)

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._hub.remove(self._writer)
            self._writer = None

    def _wake(self, failure: BaseException | None) -> None:
        if self._waiter is None:
            return
        self._failure = failure
        if getcurrent() is self._hub.greenlet:
            self._switch()
        else:
            self._hub.schedule_call_global(0, self._switch)

    def _wake_soon(self, failure: BaseException) -> None:
        if self._waiter is not None:
            self._failure = failure
            self._hub.schedule_call_global(0, self._switch)

    def _switch(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        try:
            waiter.switch()
        except self._hub.SYSTEM_EXCEPTIONS:
            raise
        except BaseException:  # noqa: BLE001 - it ended a green thread, and is reported as the hub reports such ends
            self._hub.squelch_generic_exception(sys.exc_info())

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _must_be_here(self, conversation: Conversation) -> None:
        """Only green threads of the connection's own hub can wait for it."""
        if hubs.get_hub() is not self._hub or getcurrent() is self._hub.greenlet:
            raise self._refusal(conversation)

    def _refusal(self, conversation: Conversation) -> BaseException:
        if self.closed or self._pid != sockets.process.pid:
            return super()._refusal(conversation)
        if _native_thread.get_ident() != self._thread:
            return misuse(
                f"this connection belongs to the hub of thread {_thread_name(self._thread)} and cannot run "
                f"{conversation.name} on that of {_thread_name(_native_thread.get_ident())}: open one in each thread"
            )
        if hubs.get_hub() is not self._hub:
            return misuse("this connection belongs to a hub that use_hub() has replaced: open a new one")
        if getcurrent() is self._hub.greenlet:
            return misuse(
                f"{conversation.name} would have to wait in the hub's own greenlet, for which everybody waits: "
                f"call it from a green thread (eventlet.spawn)"
            )
        return super()._refusal(conversation)

    def _is_elsewhere(self) -> bool:
        return bool(_native_thread.get_ident() != self._thread)

    def _signal(self) -> Signal:
        return Signal()

    def _caller(self) -> object:
        return getcurrent()


def open_channel(endpoint: Endpoint, timeout: float | None = None) -> Channel:
    """Connect, within `timeout` seconds from the name to the connection."""
    deadline = sockets.Deadline(timeout)
    failures: list[tuple[sockets.Address, OSError]] = []
    addresses = sockets.known_addresses(endpoint) or _resolve(endpoint, deadline)
    for address, seconds in sockets.attempts(addresses, deadline):
        sock = sockets.make(_socket.socket, address, endpoint)
        try:
            hubs.notify_opened(sock.fileno())
            _connect(sock, address, seconds, deadline)
            return Channel(sock)
        except OSError as failure:
            sock.close()
            failures.append((address, failure))
        except BaseException:
            sock.close()
            raise
    raise sockets.unreachable(failures)


def adopt(sock: _socket.socket) -> Channel:
    """A channel over a socket that is connected already."""
    hubs.notify_opened(sock.fileno())
    sock.setblocking(False)
    return Channel(sock)


def _connect(sock: _socket.socket, address: sockets.Address, seconds: float | None, deadline: sockets.Deadline) -> None:
    sock.setblocking(False)
    result = sock.connect_ex(address.sockaddr)
    if result in (errno.EINPROGRESS, errno.EAGAIN):
        missed = deadline.missed(f"connecting to {address}") if seconds is not None else None
        wait: Any = hubs.trampoline
        wait(sock.fileno(), write=True, timeout=seconds, timeout_exc=missed)
        result = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if result:
        raise OSError(result, os.strerror(result))


def _resolve(endpoint: Endpoint, deadline: sockets.Deadline) -> list[sockets.Address]:
    """Eventlet's own resolver where that is in use, else the system's in one of eventlet's native threads."""
    phase = f"looking up {endpoint.host!r}"
    seconds = deadline.left(phase)
    with eventlet.Timeout(seconds, deadline.missed(phase) if seconds is not None else None):
        if os.environ.get("EVENTLET_NO_GREENDNS", "").lower() == "yes":
            found: Any = tpool.execute(sockets.resolve_blocking, endpoint)
            return list(found)
        from eventlet.green import socket as green  # type: ignore[import-untyped]  # noqa: PLC0415 - big, for names only

        return sockets.found(green.getaddrinfo(*sockets.question(endpoint)))


def _thread_name(ident: int) -> str:
    for thread in (*threading.enumerate(), *_native_thread.enumerate()):  # patched and original know their own
        if thread.ident == ident:
            return repr(thread.name)
    return str(ident)


def _ignore(*_: object) -> None:
    pass


class Signal:
    """Something that happens once, for any number of green threads of one hub."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = eventlet.event.Event()

    @property
    def is_set(self) -> bool:
        """Has it happened?"""
        return bool(self._event.ready())

    def set(self) -> None:
        """Let it happen: all who wait go on, in the hub's next turn."""
        if not self._event.ready():
            self._event.send()

    def wait(self, timeout: float | None = None) -> bool:
        """True once it has happened; False after `timeout` seconds."""
        with eventlet.Timeout(timeout, False):
            self._event.wait()
        return self.is_set


def spawn(work: Callable[[], None], name: str) -> None:
    """Run `work` in a green thread beside the caller's. What it raises is logged."""
    eventlet.spawn_n(logged(work, name))


def place() -> object:
    """The hub of this OS thread."""
    return hubs.get_hub()


def look(_channel: Channel) -> None:
    """The hub has seen what there is to see."""
