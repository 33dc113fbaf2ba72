"""gevent, natively: greenlets wait, the hub works, nothing needs to be monkey-patched (and may be).

Knows hubs, watchers and greenlets. Must not block the hub's thread.

An io watcher stays started for as long as the connection lives; its callback receives, advances the conversation and
switches to the greenlet that waits only when all is done. What gevent 26.9 asks of those who do that:

* libev forgets a closed descriptor silently and its waiter sleeps for ever: shut down, stop the watcher, close.
* An exception out of an io watcher's callback is printed and stops the watcher. It may be another's: a raw greenlet
  that we woke, and that died of it, ends in our callback.
* A watcher counts for those who wait until nothing is left to do (`gevent.wait()`), and whoever waits for what no
  watcher can bring gets LoopExit: ours counts while a conversation runs, and not while the connection is idle.
* A greenlet is switched to directly from the hub only; from elsewhere the hub is asked to do it, and looks again
  whether that greenlet still waits.
* One hub to an OS thread, and its watchers are touched in that thread only: a connection stays with the thread that
  opened it.
* A forked child has the hub and all that was started on it, and hears what is said to the parent: it must not listen.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import gevent  # type: ignore[import-untyped]
import gevent.event  # type: ignore[import-untyped]
from gevent import monkey
from greenlet import getcurrent  # type: ignore[import-untyped]

from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, sockets
from mizzle.worlds.background import logged
from mizzle.worlds.base import BUSY, DRAINING, READY, misuse
from mizzle.worlds.green import GreenChannel

_READ, _WRITE = 1, 2  # what an io watcher is for

_get_hub: Callable[[], Any] = gevent.get_hub
_native_ident: Callable[[], int] = monkey.get_original("_thread", "get_ident")
_buffers: weakref.WeakKeyDictionary[Any, ReceiveBuffer] = weakref.WeakKeyDictionary()


class _Timer:
    """A call that is due later, and may be taken back."""

    __slots__ = ("_watcher",)

    def __init__(self, loop: Any, delay: float, callback: Callable[[], None]) -> None:
        self._watcher = loop.timer(delay, ref=False)
        self._watcher.start(callback, update=True)

    def cancel(self) -> None:
        _stop(self._watcher)


class _Listener:
    """What the hub holds of a channel: it does not keep a forgotten channel alive, and cleans up after it."""

    __slots__ = ("_channel", "_sock", "watcher")

    def __init__(self, channel: Channel) -> None:
        self._channel = weakref.ref(channel)
        self._sock = channel._sock
        self.watcher = channel._hub.loop.io(self._sock.fileno(), _READ)
        self.watcher.start(self._ready)

    def remove(self) -> None:
        _stop(self.watcher)

    def _ready(self) -> None:
        channel = self._channel()
        if channel is None:
            self.remove()
            self._sock.close()
            return
        if channel._pid != sockets.process.pid:
            self.remove()
            return
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


class Channel(GreenChannel):
    """One connection on one OS thread's hub."""

    __slots__ = ()

    def __init__(self, sock: _socket.socket) -> None:
        self._hub = hub = _get_hub()
        super().__init__(sock, time.monotonic, functools.partial(_Timer, hub.loop))
        buffer = _buffers.get(hub)
        if buffer is None:
            buffer = _buffers[hub] = ReceiveBuffer()
        self._buffer = buffer
        self._listener = self._writer = self._waiter = None
        self._failure: BaseException | None = None

    def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling greenlet waits until it is done."""
        if self._state is DRAINING:
            self._must_be_here(conversation)
            timeout = self._wait_for_rest(conversation, timeout)
        hub = self._hub
        waiter = getcurrent()
        if (
            self._state is not READY
            or _get_hub() is not hub
            or waiter is hub
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
            listener = self._listener
            if listener is None:
                self._listener = listener = _Listener(self)
            if timeout is not None or self.read_timeout is not None or self.write_timeout is not None:
                self._watch(timeout)
            self._waiter = waiter
            listener.watcher.ref = True
            try:
                while self._waiter is waiter:
                    hub.switch()
            finally:
                if self._listener is listener:
                    listener.watcher.ref = False
        except BaseException as failure:
            self._waiter = self._failure = None
            self._ended_by(conversation, failure)
            raise
        if self._failure is not None:
            told, self._failure = self._failure, None
            raise told
        return conversation.result

    # -- what PushChannel calls -------------------------------------------------------------------------------------

    def _await_writable(self) -> None:
        if self._writer is None:
            self._writer = self._hub.loop.io(self._sock.fileno(), _WRITE)
            self._writer.start(self._can_write)

    def _can_write(self) -> None:
        if self._pid == sockets.process.pid:
            self._writable()
        if not self._sending or self._pid != sockets.process.pid:
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writer is not None:
            _stop(self._writer)
            self._writer = None

    def _wake(self, failure: BaseException | None) -> None:
        if self._waiter is None:
            return
        self._failure = failure
        if getcurrent() is self._hub:
            self._switch()
        else:
            self._hub.loop.run_callback(self._switch)

    def _wake_soon(self, failure: BaseException) -> None:
        if self._waiter is not None:
            self._failure = failure
            self._hub.loop.run_callback(self._switch)

    def _switch(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        try:
            waiter.switch()
        except BaseException:  # noqa: BLE001 - it ended a greenlet, and is reported as the hub reports such ends
            self._hub.handle_error(waiter, *sys.exc_info())

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _close_copy(self) -> None:
        """In a forked child libev registers all that it watches anew, and ends the process over a closed descriptor."""
        self._stop_writing()
        self._deafen()
        super()._close_copy()

    def _must_be_here(self, conversation: Conversation) -> None:
        """Only greenlets of the connection's own hub can wait for it."""
        if _get_hub() is not self._hub or getcurrent() is self._hub:
            raise self._refusal(conversation)

    def _refusal(self, conversation: Conversation) -> BaseException:
        if self.closed or self._pid != sockets.process.pid:
            return super()._refusal(conversation)
        if self._is_elsewhere():
            return misuse(
                f"this connection belongs to the hub of thread {_thread_name(self._hub.thread_ident)} and cannot run "
                f"{conversation.name} on that of {_thread_name(_native_ident())}: open one in each thread"
            )
        if _get_hub() is not self._hub:
            return misuse("this connection belongs to a hub that was destroyed: open a new one")
        if getcurrent() is self._hub:
            return misuse(
                f"{conversation.name} would have to wait in the hub's own greenlet, for which everybody waits: "
                f"call it from a greenlet (gevent.spawn)"
            )
        return super()._refusal(conversation)

    def _is_elsewhere(self) -> bool:
        return bool(_native_ident() != self._hub.thread_ident)

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
    sock.setblocking(False)
    return Channel(sock)


def _connect(sock: _socket.socket, address: sockets.Address, seconds: float | None, deadline: sockets.Deadline) -> None:
    sock.setblocking(False)
    result = sock.connect_ex(address.sockaddr)
    if result in (errno.EINPROGRESS, errno.EAGAIN):
        hub = _get_hub()
        writable = hub.loop.io(sock.fileno(), _WRITE)
        missed = deadline.missed(f"connecting to {address}") if seconds is not None else None
        try:
            with gevent.Timeout(seconds, missed):
                hub.wait(writable)
        finally:
            writable.close()
        result = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if result:
        raise OSError(result, os.strerror(result))


def _resolve(endpoint: Endpoint, deadline: sockets.Deadline) -> list[sockets.Address]:
    """Ask gevent's resolver, whichever this process has chosen."""
    phase = f"looking up {endpoint.host!r}"
    seconds = deadline.left(phase)
    with gevent.Timeout(seconds, deadline.missed(phase) if seconds is not None else None):
        return sockets.found(_get_hub().resolver.getaddrinfo(*sockets.question(endpoint)))


def _stop(watcher: Any) -> None:
    """For good. One whose loop was destroyed has been stopped with it."""
    with contextlib.suppress(ValueError):
        watcher.stop()
        watcher.close()


def _thread_name(ident: int) -> str:
    for thread in threading.enumerate():
        if thread.ident == ident:
            return repr(thread.name)
    return str(ident)


class Signal:
    """Something that happens once, and that greenlets of one thread wait for."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = gevent.event.Event()

    @property
    def is_set(self) -> bool:
        """Has it happened?"""
        return bool(self._event.is_set())

    def set(self) -> None:
        """It happens: wake all who wait."""
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has happened: True; False after `timeout` seconds."""
        return bool(self._event.wait(timeout))


def spawn(work: Callable[[], object], name: str) -> None:
    """Run `work` beside the caller; what it raises is logged."""
    greenlet: Any = gevent.spawn(logged(work, name))
    greenlet.name = name


place = _get_hub


def look(_channel: Channel) -> None:
    """The hub has seen what there is to see."""
