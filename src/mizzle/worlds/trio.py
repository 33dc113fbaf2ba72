"""trio: a task waits until its socket is ready, and carries on its conversation itself.

Knows tasks, cancel scopes and runs. Must not block the run, nor swallow a cancellation that is not its own.

A world that pulls, as threads do. Every wait for the socket is a checkpoint, and a command that need not wait has one
all the same, so that a task that runs many of them starves nobody. trio 0.35 wants those who wait for a socket to be
told before it is closed (`notify_closing`), and may be touched from another thread by its token only.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import math
import os
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.lowlevel import checkpoint, current_task, current_trio_token, wait_readable, wait_writable

from mizzle import errors
from mizzle.engine.conversations import READ, WRITE
from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, sockets
from mizzle.worlds.background import logged_task
from mizzle.worlds.base import BROKEN, BUSY, DRAINING, READY, ChannelBase, hear_idle, misuse

_run_buffer: trio.lowlevel.RunVar[ReceiveBuffer] = trio.lowlevel.RunVar(__name__)


class Channel(ChannelBase):
    """One connection in one run of trio."""

    __slots__ = ("_buffer", "_failure", "_kill_is_over", "_token")

    def __init__(self, sock: _socket.socket) -> None:
        super().__init__(sock)
        self._token = current_trio_token()
        try:
            self._buffer = _run_buffer.get()
        except LookupError:
            self._buffer = ReceiveBuffer()
            _run_buffer.set(self._buffer)
        self._kill_is_over: Signal
        self._failure: BaseException | None = None  # what the owner is told when it next looks up

    async def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling task waits until it is done."""
        if self._state is DRAINING and self._is_here():
            timeout = await self._rest_of_other(conversation, timeout)
        if self._state is not READY or self._aborted or self._pid != sockets.process.pid or not self._is_here():
            raise self._refusal(conversation)
        await trio.lowlevel.checkpoint_if_cancelled()
        self._state = BUSY
        self._conversation = conversation
        self._owner = current_task()
        try:
            waited = await (self._talk(conversation) if timeout is None else self._talk_within(timeout, conversation))
        except BaseException as failure:
            self._ended_by(conversation, failure)
            raise
        self._end()
        if not waited:
            await trio.lowlevel.cancel_shielded_checkpoint()
        return conversation.result

    async def _talk_within(self, timeout: float, conversation: Conversation) -> bool:
        with trio.move_on_after(timeout):
            return await self._talk(conversation)
        raise self._too_late(conversation, f"no answer within {timeout:g} s")

    async def _talk(self, conversation: Conversation) -> bool:
        """Did it have to wait?"""
        wire = conversation.wire
        waited = False
        while want := conversation.advance():
            if wire.outgoing and await self._flush(conversation):
                continue
            if want == WRITE:
                await self._wait(checkpoint())
            if want == READ or self._send_failure is not None:
                waited = True
                await self._hear(conversation)
                while not self._receive(conversation):
                    await self._hear(conversation)
        if wire.outgoing:
            await self._flush(conversation)
        return waited

    async def _hear(self, conversation: Conversation) -> None:
        """Wait until something comes, for `read_timeout` at most."""
        if self.read_timeout is None:
            await self._wait(wait_readable(self._sock))
            return
        with trio.move_on_after(self.read_timeout) as scope:
            await self._wait(wait_readable(self._sock))
        if scope.cancelled_caught:
            what = f"the server sent no byte for {self.read_timeout:g} s (read_timeout)"
            raise self._too_late(conversation, what)

    def _receive(self, conversation: Conversation) -> bool:
        """Take what has come. False: nothing had."""
        try:
            n = self._sock.recv_into(conversation.wire.space(self._buffer))
        except BlockingIOError:
            return False
        except OSError as failure:
            raise self._lost(conversation, failure) from failure
        if not n:
            raise self._lost(conversation, None)
        conversation.wire.received(n)
        return True

    async def _flush(self, conversation: Conversation) -> bool:
        """Send all of `outgoing`. True: the server has said something meanwhile, which is put aside."""
        wire = conversation.wire
        heard = False
        while (out := wire.outgoing) and self._send_failure is None:
            if len(out) > sockets.SEND_AT_ONCE:
                out = memoryview(out)[: sockets.SEND_AT_ONCE]
            try:
                wire.sent(self._sock.send(out))
                if wire.outgoing:
                    await self._wait(checkpoint())
                continue
            except BlockingIOError:
                pass
            except OSError as failure:  # why it failed, reading tells: an ERR packet may be waiting for us
                self._send_failure = failure
                return heard
            with trio.move_on_after(math.inf if self.write_timeout is None else self.write_timeout) as scope:
                await self._wait(self._ready_either_way())
            if scope.cancelled_caught:
                what = f"the server took no byte of the command for {self.write_timeout:g} s (write_timeout)"
                raise self._too_late(conversation, what)
            if self._receive(conversation):
                wire.keep()
                self._kept = heard = True
        return heard

    async def _ready_either_way(self) -> None:
        """Wait until the socket takes more. A server that is talking itself may not, so wait for its words too."""
        async with trio.open_nursery() as nursery:

            async def first(ready: Callable[[Any], Awaitable[None]]) -> None:
                with contextlib.suppress(trio.ClosedResourceError):  # both are told
                    await ready(self._sock)
                nursery.cancel_scope.cancel()

            nursery.start_soon(first, wait_readable)
            nursery.start_soon(first, wait_writable)

    async def _wait(self, ready: Awaitable[None]) -> None:
        """Await it; another task may have ended the connection meanwhile."""
        with contextlib.suppress(trio.ClosedResourceError):
            await ready
        if self._failure is not None:
            raise self._failure

    def abort(self) -> None:
        """End the connection now: no byte is sent, and who waits for an answer gets an error at once."""
        super().abort()
        if self._state is not BROKEN:  # from elsewhere: the socket was shut down, its run closes it
            try:
                self._token.run_sync_soon(self._abort_here)
            except trio.RunFinishedError:
                self._break(self._reason())

    def _abort_here(self) -> None:
        if self._conversation is None:
            self._break(self._reason())

    # -- the rest of a conversation whose owner was interrupted, in a task of the system's -------------------------

    def _drain(self, rest: Conversation, limit: float) -> None:
        self._kill_is_over = Signal()
        spawn(lambda: self._clean_up(rest, limit), "mizzle: the rest of a command")

    async def _clean_up(self, rest: Conversation, limit: float) -> None:
        reason = errors.connection_closed(f"an interrupted command did not come to its end within {limit:g} s")
        if self._state is not DRAINING:
            return  # aborted before this task began
        try:
            with trio.move_on_after(limit):
                await self._finish(rest)
                if self._kill_is_due:
                    await self._kill_is_over.wait()
                if self._kill_came_late:
                    self._kill_came_late = False
                    await self._finish(self.engine.absorb())
                self._rested()
        except errors.Error as failure:
            reason = errors.connection_closed(f"the rest of an interrupted command was not to be had: {failure}")
        finally:
            if self._state is DRAINING:
                self._break(reason)

    async def _finish(self, conversation: Conversation) -> None:
        self._conversation = conversation
        try:
            await self._talk(conversation)
        except errors.Error:
            if not conversation.finished:
                raise
        self._conversation = None

    def _killed(self, hit: bool) -> None:
        self._kill_came_late = hit
        self._kill_is_due = False
        self._kill_is_over.set()

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _signal(self) -> Signal:
        return Signal()

    def _refusal(self, conversation: Conversation) -> BaseException:
        if self._pid == sockets.process.pid and not self.closed and not self._is_here():
            return misuse(
                f"this connection belongs to another run of trio, and cannot run {conversation.name} outside of that"
            )
        return super()._refusal(conversation)

    def _interrupted(self, conversation: Conversation, failure: BaseException) -> None:
        del conversation
        self._failure = failure

    def _close(self) -> None:
        sockets.shut_down(self._sock)
        if self._is_here():
            trio.lowlevel.notify_closing(self._sock)
        self._sock.close()

    def _is_here(self) -> bool:
        """Is it this connection's run that calls?"""
        return trio.lowlevel.in_trio_run() and current_trio_token() is self._token

    def _is_elsewhere(self) -> bool:
        return not self._is_here()

    def _caller(self) -> object:
        return current_task()

    def _name(self, user: Any) -> str:
        return f"task {user.name!r}" if isinstance(user, trio.lowlevel.Task) else "another task"


async def open_channel(endpoint: Endpoint, timeout: float | None = None) -> Channel:
    """Connect, within `timeout` seconds from the name to the connection."""
    await checkpoint()
    deadline = sockets.Deadline(timeout)
    failures: list[tuple[sockets.Address, OSError]] = []
    addresses = sockets.known_addresses(endpoint) or await _resolve(endpoint, deadline)
    for address, seconds in sockets.attempts(addresses, deadline):
        sock = sockets.make(_socket.socket, address, endpoint)
        try:
            await _connect(sock, address, seconds, deadline)
            return Channel(sock)
        except OSError as failure:
            sock.close()
            failures.append((address, failure))
        except BaseException:
            sock.close()
            raise
    raise sockets.unreachable(failures)


async def _connect(
    sock: _socket.socket, address: sockets.Address, seconds: float | None, deadline: sockets.Deadline
) -> None:
    sock.setblocking(False)
    result = sock.connect_ex(address.sockaddr)
    if result in (errno.EINPROGRESS, errno.EAGAIN):
        with trio.move_on_after(math.inf if seconds is None else seconds) as scope:
            await wait_writable(sock)
        if scope.cancelled_caught:
            raise deadline.missed(f"connecting to {address}")
        result = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if result:
        raise OSError(result, os.strerror(result))


async def _resolve(endpoint: Endpoint, deadline: sockets.Deadline) -> list[sockets.Address]:
    """Ask trio's resolver: the system's in a native thread, unless the program has set another."""
    phase = f"looking up {endpoint.host!r}"
    seconds = deadline.left(phase)
    with trio.move_on_after(math.inf if seconds is None else seconds):
        return sockets.found(await trio.socket.getaddrinfo(*sockets.question(endpoint)))
    raise deadline.missed(phase)


class Signal:
    """Something that happens once, and that tasks of one run wait for."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = trio.Event()

    @property
    def is_set(self) -> bool:
        """Has it happened?"""
        return self._event.is_set()

    def set(self) -> None:
        """It happens: wake all who wait."""
        self._event.set()

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has happened: True; False after `timeout` seconds."""
        with trio.move_on_after(math.inf if timeout is None else timeout):
            await self._event.wait()
        return self._event.is_set()


def spawn(work: Callable[[], Awaitable[object]], name: str) -> None:
    """Run `work` beside the caller, at the longest until the run ends; what it raises is logged."""
    trio.lowlevel.spawn_system_task(logged_task(work, name), name=name)


def place() -> object:
    """The run that the caller is in."""
    return current_trio_token()


def look(channel: Channel) -> None:
    """See what came on a connection that nobody uses or listens to; it is `closed` after, if that was its end."""
    if channel._state is READY:
        hear_idle(channel, channel._buffer)
