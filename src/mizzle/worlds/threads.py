"""Threads: a blocking socket, and one who waits for it.

Knows blocking calls and OS threads. A command costs one send and one receive: the kernel watches the time (SO_RCVTIMEO,
where settimeout() would put a poll before each call), and the value it has stays armed for the next command.

A signal that is handled without an exception makes the kernel count SO_RCVTIMEO anew: a process that is signalled more
often than that waits longer for a silent server.
"""

from __future__ import annotations

import _socket
import collections
import contextlib
import logging
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from mizzle.engine.conversations import READ
from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, sockets
from mizzle.worlds.base import BROKEN, BUSY, ChannelBase

_NO_ANSWER = "no answer within the time that was given"


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.buffer = ReceiveBuffer()


_here = _PerThread()


class Channel(ChannelBase):
    """One connection, for one thread at a time."""

    __slots__ = ("_armed", "_turn")

    def __init__(self, sock: _socket.socket) -> None:
        super().__init__(sock)
        self._turn = threading.Lock()  # held while a conversation runs, and for ever after the end
        self._armed: float | None = None

    def run(self, conversation: Conversation, timeout: float | None = None) -> object:
        """Carry out one conversation; the calling thread waits until it is done."""
        if not self._turn.acquire(blocking=False):
            raise self._refusal(conversation)
        if self._pid != sockets.process.pid:
            self._turn.release()
            raise self._refusal(conversation)
        self._state = BUSY
        self._conversation = conversation
        self._owner = threading.get_ident()
        try:
            self._talk(conversation, timeout)
        except BaseException as failure:
            self._ended_by(conversation, failure)
            raise
        else:
            self._end()
        finally:
            if self._state is not BROKEN:
                self._turn.release()
                if self._aborted and self._turn.acquire(blocking=False):
                    self._break(self._reason())
        return conversation.result

    def _talk(self, conversation: Conversation, timeout: float | None) -> None:
        wire, sock, buffer = conversation.wire, self._sock, _here.buffer
        end = None if timeout is None else time.monotonic() + timeout
        if timeout != self._armed:
            self._arm(timeout)
        waited = False
        while want := conversation.advance():
            if wire.outgoing and self._flush(conversation, end):
                continue
            if want == READ or self._send_failure is not None:
                if waited and end is not None:
                    self._arm(end - time.monotonic())
                waited = True
                try:
                    n = sock.recv_into(wire.space(buffer))
                except BlockingIOError:
                    raise self._lost(conversation, TimeoutError(_NO_ANSWER)) from None
                except OSError as failure:
                    raise self._lost(conversation, failure) from failure
                if not n:
                    raise self._lost(conversation, None)
                wire.received(n)
        if wire.outgoing:
            self._flush(conversation, end)

    def _arm(self, timeout: float | None) -> None:
        """Let a receive end after that many seconds; None: never."""
        microseconds = 0 if timeout is None else max(int(timeout * 1e6), 1)
        value = struct.pack("@ll", *divmod(microseconds, 1_000_000))
        self._sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, value)
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
        timeout = None if end is None else max(end - time.monotonic(), 0) * 1000
        select = sockets.unpatched("select")
        poll = select.poll()
        poll.register(self._sock, select.POLLIN | select.POLLOUT)
        ready = poll.poll(timeout)
        if not ready:
            raise self._lost(conversation, TimeoutError("the server did not take the command in the time given"))
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

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _close(self) -> None:
        sockets.shut_down(self._sock)
        self._sock.close()

    def _is_elsewhere(self) -> bool:
        return not self._turn.acquire(blocking=False)

    def _caller(self) -> object:
        return threading.get_ident()

    def _name(self, user: Any) -> str:
        for thread in threading.enumerate():
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
            sock.settimeout(None)
            return Channel(sock)
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


# -- what a pool waits with -----------------------------------------------------------------------------------------

# The lock, the thread and the identity of threads as they are without monkey patching: a pool of this world serves OS
# threads whatever has been patched.
_native = sockets.unpatched("threading")
_log = logging.getLogger("mizzle")


class Signal:
    """Something to wait for that happens once; `set()` from any thread."""

    __slots__ = ("_waiting", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: collections.deque[Any] = collections.deque()  # a lock for each who waits, held until then

    def set(self) -> None:
        """Wake all who wait."""
        self.is_set = True
        with contextlib.suppress(IndexError):
            while True:
                self._waiting.popleft().release()

    def wait(self, timeout: float | None = None) -> bool:
        """True once it is set; False after `timeout` seconds."""
        if self.is_set:
            return True
        lock = _native.Lock()
        lock.acquire()
        self._waiting.append(lock)
        try:
            if not self.is_set:  # else set() may not have seen the lock
                lock.acquire(timeout=-1 if timeout is None else min(max(timeout, 0), _native.TIMEOUT_MAX))
        finally:
            with contextlib.suppress(ValueError):  # set() has it
                self._waiting.remove(lock)
        return self.is_set


def spawn(work: Callable[[], object], name: str) -> None:
    """Run `work` in a thread of its own, which does not keep the process alive."""
    _native.Thread(target=_report, args=(work, name), name=name, daemon=True).start()


def _report(work: Callable[[], object], name: str) -> None:
    try:
        work()
    except Exception:  # noqa: BLE001 - nobody else would hear of it
        _log.exception("%s failed", name)


def home() -> object:
    """Threads share what they like: nobody is at home anywhere."""
    return None


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
        try:
            _hear_idle(channel)
        finally:
            if channel._state is not BROKEN:
                channel._turn.release()


def _hear_idle(channel: Channel) -> None:
    engine = channel.engine
    try:
        n = channel._sock.recv_into(engine.wire.space(_here.buffer), 0, sockets.DONT_WAIT)
        if n:
            engine.wire.received(n)
    except BlockingIOError:
        return
    except Exception as failure:  # noqa: BLE001 - whatever a socket or TLS says, it is over
        channel._break(engine.lost_idle(failure), news=True)
        return
    if not n:
        channel._break(engine.lost_idle(None), news=True)
    elif engine.wire.unread:  # else it was TLS's own, such as a session ticket
        channel._break(engine.unsolicited(), news=True)
