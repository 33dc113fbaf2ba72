"""asyncio, by its public interface alone, so that other loops of that interface do as well.

Knows loops, transports and tasks. Must not block the loop, nor touch one that is closed.

A BufferedProtocol receives into the loop's one shared buffer; its callback advances the conversation, and the future
that the task awaits is resolved once, when all is done. The transport exists from the first conversation on: a server
speaks first, and there is nobody to hear it before.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, Wire, sockets
from mizzle.worlds.background import logged_task
from mizzle.worlds.base import BUSY, DRAINING, READY, misuse
from mizzle.worlds.push import PushChannel

_T = TypeVar("_T")

_buffers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, ReceiveBuffer] = weakref.WeakKeyDictionary()


class _Protocol(asyncio.BufferedProtocol):
    """What the loop holds of a channel: it does not keep a forgotten channel alive."""

    __slots__ = ("_buffer", "_channel")

    def __init__(self, channel: Channel) -> None:
        self._channel = weakref.ref(channel)
        buffer = _buffers.get(channel._loop)
        if buffer is None:
            buffer = _buffers[channel._loop] = ReceiveBuffer()
        self._buffer = buffer

    def get_buffer(self, sizehint: int) -> Any:  # noqa: ARG002 - the loop does not know better than the wire
        channel = self._channel()
        return bytearray(4096) if channel is None else channel._wire.space(self._buffer)

    def buffer_updated(self, nbytes: int) -> None:
        channel = self._channel()
        if channel is not None:
            channel._received(nbytes)

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        channel = self._channel()
        if channel is not None:
            channel._ended(exc)

    def pause_writing(self) -> None:
        channel = self._channel()
        if channel is not None:
            channel._paused = True

    def resume_writing(self) -> None:
        channel = self._channel()
        if channel is not None:
            channel._paused = False
            # In another turn: a transport that is aborted in here says connection_lost() twice, and prints the second.
            channel._loop.call_soon(channel._writable)


class Channel(PushChannel):
    """One connection on one loop."""

    __slots__ = ("_deaf", "_loop", "_paused", "_transport", "_waiter")

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(sock, loop.time, loop.call_later)
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False  # the transport has enough to send for now
        self._deaf = False  # we have enough to read for now

    async def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling task waits until it is done."""
        if self._state is DRAINING and asyncio.current_task(self._loop) is not None:
            timeout = await self._rest_of_other(conversation, timeout)
        task = asyncio.current_task(self._loop)
        if self._state is not READY or task is None or self._aborted or self._pid != sockets.process.pid:
            raise self._refusal(conversation)
        self._state = BUSY
        self._conversation = conversation
        self._owner = task
        self._wire = conversation.wire
        try:
            if timeout is not None or self.read_timeout is not None or self.write_timeout is not None:
                self._watch(timeout)
            self._waiter = waiter = self._loop.create_future()
            if self._transport is None:
                await self._attach()
            if self._state is BUSY and self._step(conversation):
                self._end()
                return conversation.result
            if self._deaf:
                self._listen()
            await waiter
        except BaseException as failure:
            self._ended_by(conversation, failure)
            raise
        return conversation.result

    async def _attach(self) -> None:
        """Give the socket to the loop. What comes before the conversation has begun is kept for it."""
        self._sending = True
        protocol = _Protocol(self)
        sock = cast(socket.socket, self._sock)
        connect = self._loop.create_unix_connection if sock.family == socket.AF_UNIX else self._loop.create_connection
        transport, _ = await connect(lambda: protocol, sock=sock)
        self._transport = transport
        if self.closed:
            transport.abort()

    # -- what PushChannel calls -------------------------------------------------------------------------------------

    def _send(self, wire: Wire) -> bool:
        out = wire.outgoing
        assert out is not None
        assert self._transport is not None
        if self._paused:
            return False
        if len(out) > sockets.SEND_AT_ONCE:
            out = memoryview(out)[: sockets.SEND_AT_ONCE]
        self._transport.write(out)
        wire.sent(len(out))
        return not wire.outgoing

    def _await_writable(self) -> None:
        if not self._paused:
            self._loop.call_soon(self._writable)

    def _deafen(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()
        self._deaf = True

    def _listen(self) -> None:
        assert self._transport is not None
        self._transport.resume_reading()
        self._deaf = False

    def _wake(self, failure: BaseException | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():  # cancelled: its task is on its way to be told
            return
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(failure)

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _refusal(self, conversation: Conversation) -> BaseException:
        if self._pid == sockets.process.pid and not self.closed and asyncio.current_task(self._loop) is None:
            return misuse(f"this connection belongs to another event loop, and cannot run {conversation.name} on this")
        return super()._refusal(conversation)

    def _close(self) -> None:
        if self._transport is None or self._loop.is_closed():
            self._sock.close()
        else:
            sockets.shut_down(self._sock)
            self._transport.abort()  # the loop closes the socket in its next turn

    def _let_go(self) -> None:
        if self._transport is None or self._loop.is_closed():
            self._sock.close()
        else:
            sockets.shut_down(self._sock)  # the loop sees that, and closes the socket

    def _is_elsewhere(self) -> bool:
        if not self._loop.is_running():
            return False
        try:
            return asyncio.get_running_loop() is not self._loop
        except RuntimeError:
            return True

    def _signal(self) -> Signal:
        return Signal()

    def _caller(self) -> object:
        return asyncio.current_task(self._loop)

    def _name(self, user: Any) -> str:
        return f"task {user.get_name()!r}" if isinstance(user, asyncio.Task) else "another task"


async def open_channel(endpoint: Endpoint, timeout: float | None = None) -> Channel:
    """Connect, within `timeout` seconds from the name to the connection."""
    loop = asyncio.get_running_loop()
    deadline = sockets.Deadline(timeout)
    failures: list[tuple[sockets.Address, OSError]] = []
    for address, seconds in sockets.attempts(await _addresses(loop, endpoint, deadline), deadline):
        sock = sockets.make(socket.socket, address, endpoint)
        try:
            sock.setblocking(False)
            await _connect(sock, address, seconds, deadline)
            return Channel(sock, loop)
        except OSError as failure:
            sock.close()
            failures.append((address, failure))
        except BaseException:
            sock.close()
            raise
    raise sockets.unreachable(failures)


async def _connect(
    sock: socket.socket, address: sockets.Address, seconds: float | None, deadline: sockets.Deadline
) -> None:
    """Connect, within `seconds`: to watch the time, the loop's own sock_connect() would need a task beside."""
    loop = asyncio.get_running_loop()
    failure = sock.connect_ex(address.sockaddr)
    if failure in {errno.EINPROGRESS, errno.EINTR}:
        answered = Signal()
        loop.add_writer(sock, answered.set)
        try:
            if not await answered.wait(seconds):
                raise deadline.missed(f"connecting to {address}")
        finally:
            loop.remove_writer(sock)
        failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if failure:
        raise OSError(failure, os.strerror(failure))


async def _addresses(
    loop: asyncio.AbstractEventLoop, endpoint: Endpoint, deadline: sockets.Deadline
) -> list[sockets.Address]:
    known = sockets.known_addresses(endpoint)
    if known is not None:
        return known
    phase = f"looking up {endpoint.host!r}"
    seconds = deadline.left(phase)
    host, port, family, kind = sockets.question(endpoint)
    answers = loop.getaddrinfo(host, port, family=family, type=kind)
    return sockets.found(await _within(seconds, answers, deadline.missed(phase) if seconds is not None else None))


async def _within(seconds: float | None, work: Coroutine[Any, Any, _T], missed: BaseException | None) -> _T:
    """Await `work` for so long. It has ended, cancelled if need be, before this returns: its socket may be closed."""
    if seconds is None or missed is None:
        return await work
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, though nobody may ask any more
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        raise missed
    return task.result()


class Signal:
    """Something that happens once, for any number of tasks of one loop."""

    __slots__ = ("_waiting", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: list[asyncio.Future[bool]] = []

    def set(self) -> None:
        """Let it happen: all who wait go on."""
        self.is_set = True
        for waiter in self._waiting:
            _resolve(waiter, True)

    async def wait(self, timeout: float | None = None) -> bool:
        """True once it has happened; False after `timeout` seconds."""
        if self.is_set:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(waiter)
        timer = None if timeout is None else loop.call_later(timeout, _resolve, waiter, False)
        try:
            return await waiter
        finally:
            self._waiting.remove(waiter)
            if timer is not None:
                timer.cancel()


def _resolve(waiter: asyncio.Future[bool], answer: bool) -> None:
    if not waiter.done():
        waiter.set_result(answer)


_tasks: set[asyncio.Task[None]] = set()  # a loop holds its tasks weakly


def spawn(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    """Run `work` in a task beside the caller's. What it raises is logged."""
    task = asyncio.get_running_loop().create_task(logged_task(work, name)(), name=name)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


#: The running loop.
place = asyncio.get_running_loop


def look(_channel: Channel) -> None:
    """The loop has seen what there is to see."""
