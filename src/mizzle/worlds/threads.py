"""Threads: a blocking socket, and one who waits for it.

Knows blocking calls and OS threads. A command costs one send and one receive: the kernel watches the time (SO_RCVTIMEO,
where settimeout() would put a poll before each call), and the value it has stays armed for the next command.

A signal that is handled without an exception makes the kernel count SO_RCVTIMEO anew: a process that is signalled more
often than that waits longer for a silent server.
"""

from __future__ import annotations

import _socket
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from mizzle import errors
from mizzle.engine.conversations import READ
from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, sockets
from mizzle.worlds.background import logged
from mizzle.worlds.base import BROKEN, BUSY, READY, ChannelBase, hear_idle
from mizzle.worlds.exchange import AGAIN, UNSENT, arm, exchange

_native = sockets.unpatched("threading")


class _PerThread(_native.local):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        self.buffer = ReceiveBuffer()


_here = _PerThread()


class Channel(ChannelBase):
    """One connection, for one thread at a time."""

    __slots__ = ("_armed", "_fd", "_kill_is_over", "_turn")

    def __init__(self, sock: _socket.socket) -> None:
        super().__init__(sock)
        self._fd = sock.fileno()
        self._turn = _native.Lock()  # held while a conversation runs, and for ever after the end
        self._armed: float | None = None
        self._kill_is_over: Signal

    def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling thread waits until it is done."""
        if not self._turn.acquire(False):
            timeout = self._wait_for_turn(conversation, timeout)
        if self._pid != sockets.process.pid:
            self._turn.release()
            raise self._refusal(conversation)
        self._state = BUSY
        self._conversation = conversation
        self._owner = _native.get_ident()
        try:
            self._talk(conversation, timeout)
        except BaseException as failure:
            self._ended_by(conversation, failure)
            raise
        self._end()
        return conversation.result

    def _wait_for_turn(self, conversation: Conversation, timeout: float | None) -> float | None:
        """While the end of an interrupted command is read, wait for that; whoever else has the turn has it rightly."""
        while True:
            rest = self._rest
            over = rest is None or rest.is_set  # asked before the turn, which is given back before the rest is set
            if self._turn.acquire(blocking=False):
                return timeout
            if over:
                raise self._refusal(conversation)
            timeout = self._wait_for_rest(conversation, timeout)

    def _talk(self, conversation: Conversation, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        patience = self.read_timeout if timeout is None else least(timeout, self.read_timeout)
        if patience != self._armed:
            self._arm(patience)
        want = exchange(conversation, self._fd, sockets.DONT_WAIT, _here.buffer, end is not None)
        while want == AGAIN:
            self._arm_until(end)
            want = exchange(conversation, self._fd, sockets.DONT_WAIT, _here.buffer, True)
        if want:
            self._talk_on(conversation, want, timeout, end)

    def _talk_on(self, conversation: Conversation, want: int, timeout: float | None, end: float | None) -> None:
        """Go on from where exchange() came to; nothing is left to be sent when this returns."""
        wire = conversation.wire
        if want < 0:
            raise self._not_received(conversation, OSError(-want, os.strerror(-want)), timeout, end)
        while want and want != UNSENT:
            heard = wire.outgoing is not None and self._flush(conversation, end)
            if not heard and (want == READ or self._send_failure is not None):
                self._receive(conversation, timeout, end)
            want = conversation.advance()
        if wire.outgoing:
            self._flush(conversation, end)

    def _receive(self, conversation: Conversation, timeout: float | None, end: float | None) -> None:
        self._arm_until(end)
        try:
            n = self._sock.recv_into(conversation.wire.space(_here.buffer))
        except OSError as failure:
            raise self._not_received(conversation, failure, timeout, end) from failure
        if not n:
            raise self._lost(conversation, None)
        conversation.wire.received(n)

    def _not_received(
        self, conversation: Conversation, failure: OSError, timeout: float | None, end: float | None
    ) -> BaseException:
        """What a receive that failed is to the conversation's owner."""
        if isinstance(failure, BlockingIOError):
            return self._too_late(conversation, self._lateness(timeout, end))
        return self._lost(conversation, failure)

    def _lateness(self, timeout: float | None, end: float | None) -> str:
        if timeout is not None and end is not None and (self.read_timeout is None or time.monotonic() >= end):
            return f"no answer within {timeout:g} s"
        return f"the server sent no byte for {self.read_timeout:g} s (read_timeout)"

    def _arm_until(self, end: float | None) -> None:
        """Let the next receive of a conversation that has to be over then end in time."""
        if end is not None:
            self._arm(least(end - time.monotonic(), self.read_timeout))

    def _arm(self, timeout: float | None) -> None:
        """Let a receive end after that many seconds; None: never."""
        arm(self._fd, 0 if timeout is None else max(int(timeout * 1e6), 1))
        self._armed = timeout

    def _flush(self, conversation: Conversation, end: float | None) -> bool:
        """Send all of `outgoing`. True: the server has said something meanwhile, which is put aside."""
        wire = conversation.wire
        heard = False
        while (out := wire.outgoing) and self._send_failure is None:
            try:
                wire.sent(self._sock.send(out, sockets.DONT_WAIT))
                if not wire.outgoing:
                    return heard
            except BlockingIOError:
                pass
            except OSError as failure:  # why it failed, reading tells: an ERR packet may be waiting for us
                self._send_failure = failure
                return heard
            heard |= self._wait_both_ways(conversation, end)
        return heard

    def _wait_both_ways(self, conversation: Conversation, end: float | None) -> bool:
        """Wait until the socket takes more. A server that is talking itself may not, so hear it: true if it did."""
        left = None if end is None else max(end - time.monotonic(), 0)
        patience = least(left, self.write_timeout)
        select = sockets.unpatched("select")
        poll = select.poll()
        poll.register(self._sock, select.POLLIN | select.POLLOUT)
        ready = poll.poll(None if patience is None else patience * 1000)
        if not ready:
            limit = "the time given" if patience == left else f"{self.write_timeout:g} s (write_timeout)"
            raise self._too_late(conversation, f"the server did not take the command in {limit}")
        if not ready[0][1] & ~select.POLLOUT:
            return False
        wire = conversation.wire
        try:
            n = self._sock.recv_into(wire.space(_here.buffer), 0, sockets.DONT_WAIT)
        except BlockingIOError:
            return False
        except OSError as failure:
            raise self._lost(conversation, failure) from failure
        if not n:
            raise self._lost(conversation, None)
        wire.received(n)
        wire.keep()
        self._kept = True
        return True

    # -- the rest of a conversation whose owner was interrupted, in a thread of its own ----------------------------

    def _drain(self, rest: Conversation, limit: float) -> None:
        self._kill_is_over = Signal()
        try:
            spawn(lambda: self._clean_up(rest, limit), "mizzle: the rest of a command")
        except RuntimeError as failure:  # no thread is to be had
            self._break(errors.connection_closed(f"the rest of a command could not be read: {failure}"))

    def _clean_up(self, rest: Conversation, limit: float) -> None:
        end = time.monotonic() + limit
        try:
            self._finish(rest, end)
            if self._kill_is_due and not self._kill_is_over.wait(max(end - time.monotonic(), 0)):
                raise errors.connection_closed(f"KILL QUERY was not answered within {limit:g} s")
            if self._kill_came_late:
                self._kill_came_late = False
                self._finish(self.engine.absorb(), end)
        except errors.Error as failure:
            self._break(failure)
        else:
            self._rested()

    def _finish(self, conversation: Conversation, end: float) -> None:
        self._conversation = conversation
        try:
            self._talk(conversation, max(end - time.monotonic(), 0.001))
        except errors.Error:
            if not conversation.finished:
                raise
        self._conversation = None

    def _killed(self, hit: bool) -> None:
        self._kill_came_late = hit
        self._kill_is_due = False
        self._kill_is_over.set()

    def _rested(self) -> None:
        """First the turn, then the word that the rest has come: who waits for that takes the turn at once."""
        rest = self._rest
        self._state = READY
        self._owner = None
        self._give_turn()
        rest.set()

    def _rest_has_come(self) -> None:
        if self._rest is not None:
            self._rest.set()  # it stays: another thread may just be about to wait for it

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _end(self) -> None:
        ChannelBase._end(self)
        self._give_turn()

    def _give_turn(self) -> None:
        self._turn.release()
        if self._aborted and self._turn.acquire(blocking=False):
            self._break(self._reason())

    def _close(self) -> None:
        sockets.shut_down(self._sock)
        self._sock.close()

    def _signal(self) -> Signal:
        return Signal()

    def _is_elsewhere(self) -> bool:
        return not self._turn.acquire(blocking=False)

    def _caller(self) -> object:
        return _native.get_ident()

    def _name(self, user: Any) -> str:
        for thread in (*threading.enumerate(), *_native.enumerate()):  # patched and original know their own
            if thread.ident == user:
                return f"thread {thread.name!r}"
        return "another thread"


def open_channel(endpoint: Endpoint, timeout: float | None = None) -> Channel:
    """Connect, within `timeout` seconds; the system's resolver cannot be interrupted, but its time counts."""
    deadline = sockets.Deadline(timeout)
    failures: list[tuple[sockets.Address, OSError]] = []
    addresses = sockets.known_addresses(endpoint) or sockets.resolve_blocking(endpoint)
    for address, seconds in sockets.attempts(addresses, deadline):
        sock = sockets.make(_socket.socket, address, endpoint)
        try:
            sock.settimeout(seconds)
            sock.connect(address.sockaddr)
            return adopt(sock)
        except TimeoutError as failure:
            sock.close()
            failures.append((address, deadline.missed(f"connecting to {address}") if seconds is not None else failure))
        except OSError as failure:
            sock.close()
            failures.append((address, failure))
        except BaseException:
            sock.close()
            raise
    raise sockets.unreachable(failures)


def adopt(sock: _socket.socket) -> Channel:
    """A channel over a socket that is connected already."""
    sock.settimeout(None)
    return Channel(sock)


def least(*limits: float | None) -> float | None:
    """The shortest of some times; None is no limit."""
    return min((limit for limit in limits if limit is not None), default=None)


class Signal:
    """Something that happens once, for any number of threads."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = _native.Event()

    @property
    def is_set(self) -> bool:
        """Has it happened?"""
        return bool(self._event.is_set())

    def set(self) -> None:
        """Let it happen: all who wait go on."""
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """True once it has happened; False after `timeout` seconds."""
        return bool(self._event.wait(timeout))


def spawn(work: Callable[[], None], name: str) -> None:
    """Run `work` beside the caller, in a thread that does not keep the program alive. What it raises is logged."""
    _native.Thread(target=logged(work, name), name=name, daemon=True).start()


def place() -> None:
    """There is but one: any thread can do what another has begun."""


_POLLIN = sockets.unpatched("select").POLLIN


class _Eyes(_native.local):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        self.poll = sockets.unpatched("select").poll()


_eyes = _Eyes()


def look(channel: Channel) -> None:
    """See what came on a connection that nobody uses or listens to; it is `closed` after, if that was its end."""
    if channel._state is BROKEN:
        return
    poll = _eyes.poll
    poll.register(channel._sock, _POLLIN)
    try:
        if not poll.poll(0):  # a third of the time that a receive takes to raise BlockingIOError
            return
    finally:
        poll.unregister(channel._sock)
    if channel._turn.acquire(blocking=False):
        hear_idle(channel, _here.buffer)
        if channel.broken is None:
            channel._give_turn()
