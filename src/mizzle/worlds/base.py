"""What every channel does alike: who may use it, and how a conversation or a connection ends.

Knows the states of a connection and their transitions. Must not know how anybody waits: that is each world's own file.
"""

from __future__ import annotations

import _socket
import copy
import errno
import time
import warnings
from enum import Enum
from typing import Any, Final

from mizzle import errors
from mizzle.engine.wire import ReceiveBuffer
from mizzle.worlds import Conversation, Endpoint, Rescue, sockets

__all__ = ["BROKEN", "BUSY", "DRAINING", "READY", "ChannelBase", "hear_idle", "misuse"]


class State(Enum):
    """What run() finds.

    READY -> BUSY: a conversation runs (run). BUSY -> READY: it came to its end (_end). BUSY -> DRAINING: its owner was
    interrupted, the rest of it is read in the background (_begin_draining). DRAINING -> READY: that is done, and no
    KILL can come any more (_rested). Anything -> BROKEN, and that is for ever (_break).
    """

    READY = "ready"
    BUSY = "busy"
    DRAINING = "draining"
    BROKEN = "broken"


READY: Final = State.READY
BUSY: Final = State.BUSY
DRAINING: Final = State.DRAINING
BROKEN: Final = State.BROKEN


class ChannelBase:
    """A connected socket and the conversation that runs on it."""

    __slots__ = (
        "__weakref__", "_aborted", "_conversation", "_kept", "_kill_came_late", "_kill_is_due", "_owner", "_pid",
        "_reason_is_news", "_rest", "_send_failure", "_sock", "_state", "broken", "engine", "read_timeout", "rescue",
        "write_timeout",
    )  # fmt: skip

    def __init__(self, sock: _socket.socket) -> None:
        self._sock = sock
        self._state = READY
        self._pid = sockets.process.pid
        self._conversation: Conversation | None = None
        self._owner: Any = None  # whoever runs the conversation: a thread's id, a greenlet, a task
        self._kept = False  # something came while a command was not wholly sent
        self._send_failure: OSError | None = None
        self._aborted = False
        self._reason_is_news = False
        self._rest: Any = None  # while DRAINING: a Signal for those who wait for the end of that
        self._kill_is_due = False  # the rescue has not said yet what became of its KILL
        self._kill_came_late = False  # it was carried out, perhaps after the statement had ended
        self.broken: BaseException | None = None
        self.engine: Any = None
        self.rescue: Rescue | None = None
        self.read_timeout: float | None = None
        self.write_timeout: float | None = None

    # -- what a world must say --------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Leave the hub or loop, and close the socket."""
        raise NotImplementedError

    def _is_elsewhere(self) -> bool:
        """Does another thread have this connection in its hands, now?"""
        raise NotImplementedError

    def _caller(self) -> object:
        """Who calls: what `_owner` would be set to."""
        raise NotImplementedError

    def _name(self, user: Any) -> str:
        """That user in words."""
        raise NotImplementedError

    def _interrupted(self, conversation: Conversation, failure: BaseException) -> None:
        """Wake the owner, who waits in `conversation`, with this failure."""
        raise NotImplementedError

    def _signal(self) -> Any:
        """A Signal of this world."""
        raise NotImplementedError

    def _drain(self, rest: Conversation, limit: float) -> None:
        """Carry out `rest` in the background; when no KILL is due either, absorb one that came late, then _rested().

        All that within `limit` seconds, else _break().
        """
        raise NotImplementedError

    def _killed(self, hit: bool) -> None:
        """The rescue is through with it: was the KILL carried out?"""
        raise NotImplementedError

    # -- the same for all -------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Has the connection ended, for whatever reason?"""
        return self._state is BROKEN or self._aborted

    @property
    def draining(self) -> bool:
        """Is the rest of an interrupted command being read?"""
        return self._state is DRAINING

    def peer(self) -> Endpoint:
        """Where this very connection leads to: not a name, which may have several addresses."""
        address = self._sock.getpeername()
        if self._sock.family == _socket.AF_UNIX:
            return Endpoint(unix_socket=address)
        return Endpoint(*address[:2])

    def fileno(self) -> int:
        """The socket's number; -1 after the end."""
        return -1 if self.closed else self._sock.fileno()

    def abort(self) -> None:
        """End the connection now: no byte is sent, and who waits for an answer gets an error at once."""
        if self.closed:
            return
        if self._pid != sockets.process.pid:
            self._break(errors.connection_closed("a forked process closed its copy"))
            return
        self._aborted = True
        if self._is_elsewhere():
            sockets.shut_down(self._sock)  # that wakes the thread it belongs to, which does the rest
        elif self._conversation is not None:
            conversation = self._conversation
            self._interrupted(conversation, self._lost(conversation, None))
        else:
            if self.engine is not None and self.engine.streaming:
                self._kill_abandoned()
            ended = None if self.engine is None else self.engine.broken  # by COM_QUIT, perhaps
            self._break(ended or errors.connection_closed("it was aborted"))

    def _refusal(self, conversation: Conversation) -> BaseException:
        """Why this conversation may not begin."""
        if self._pid != sockets.process.pid:
            return misuse(
                f"process {self._pid} opened this connection and process {sockets.process.pid}, forked from it, "
                f"cannot use it: open a new connection after a fork"
            )
        if self.closed:
            return self._reason()
        other = self._conversation
        if self._state is DRAINING:
            running = "the end of an interrupted command"
        else:
            running = "another command" if other is None else other.name
        return misuse(
            f"{self._name(self._owner)} waits for {running} on this connection, so that {self._name(self._caller())} "
            f"cannot run {conversation.name} on it: use one connection for each, or a pool"
        )

    def _reason(self) -> BaseException:
        if self._reason_is_news and self.broken is not None:
            self._reason_is_news = False
            return self.broken
        broken = self.broken
        if broken is None:
            return errors.connection_closed("it was aborted")
        if isinstance(broken, errors.ConnectionClosed):
            return errors.ConnectionClosed(*broken.args, sent=False, alive=False)
        return errors.connection_closed(f"it was lost earlier: {broken.args[1] if broken.args[1:] else broken!r}")

    def _ended_by(self, conversation: Conversation, failure: BaseException) -> None:
        """An exception, from the engine or from outside, ended the conversation: what becomes of the connection?

        This is the one place that decides it. An ERR packet is an answer like another: the connection stands between
        commands again. A conversation that could go on, were it not for its owner, is gone on with in the background.
        After anything else nobody knows what is still to come on the connection: it is aborted.
        """
        if self._conversation is not conversation:
            return  # it had ended, or the connection had, before its owner was told
        if conversation.finished and not conversation.wire.outgoing:
            self._end()
            return
        if self._begin_draining(conversation):
            return
        if isinstance(failure, errors.Error):
            failure.alive = False  # an answer, but one that came before the command was wholly sent
        conversation.abandon(failure)
        self._break(_remembered(failure, conversation))

    def _too_late(self, conversation: Conversation, what: str) -> BaseException:
        """A deadline passed. Returns what the conversation's owner is told.

        A server that is slow with a statement is asked to end it. One that does not answer a mere sign of life is dead.
        """
        cause = TimeoutError(what)
        if conversation.killable:
            failure = conversation.overdue(cause)
            if self._begin_draining(conversation):
                return failure
        return self._lost(conversation, cause)

    def _lost(self, conversation: Conversation, cause: BaseException | None) -> BaseException:
        """The socket failed, ended (None) or was too slow. Returns what the conversation's owner is told."""
        said = self._last_words(conversation) if self._kept and not conversation.finished else None
        if self._aborted:
            cause = ConnectionAbortedError(errno.ECONNABORTED, "it was aborted")
            if self._state is BUSY and conversation.killable:
                self._kill_abandoned()
        failure = said or conversation.lost(cause or self._send_failure)
        if said is not None:
            conversation.abandon(said)
        self._break(_remembered(failure, conversation))
        return failure

    def _last_words(self, conversation: Conversation) -> BaseException | None:
        """The ERR packet that came while we were still sending: it explains more than "broken pipe"."""
        try:
            conversation.advance()
        except Exception as said:  # noqa: BLE001 - whatever it is, it is what the owner is told
            if isinstance(said, errors.Error):
                said.alive = False
            return said
        return None

    def _end(self) -> None:
        """The conversation is over, and the connection stands between commands."""
        self._kept = False
        self._conversation = None
        if self._state is BUSY:
            self._state = READY
            self._owner = None

    # -- after an interrupt -----------------------------------------------------------------------------------------

    def _begin_draining(self, conversation: Conversation) -> bool:
        """Go on with it in the background, and ask the server to end it. False if that cannot be done."""
        rescue = self.rescue
        if rescue is None or self._aborted or self._state is not BUSY:
            return False
        rest = conversation.drain()
        if rest is None:
            return False
        self._conversation = rest
        self._owner = None
        self._rest = self._signal()
        self._state = DRAINING
        self._kill_is_due = rest.killable and rescue.kills
        self._drain(rest, rescue.limit)
        if self._kill_is_due:
            rescue.kill(self._is_unread, self._killed)
        return True

    def _is_unread(self) -> bool:
        """Is the answer to the interrupted statement still to come, so that it has to be killed?"""
        return self._state is DRAINING and self._conversation is not None

    def _rested(self) -> None:
        """The rest is read, and no KILL can be under way that would hit another command."""
        if self._state is not DRAINING:
            return
        self._state = READY
        self._owner = None
        self._rest_has_come()

    def _rest_has_come(self) -> None:
        rest, self._rest = self._rest, None
        if rest is not None:
            rest.set()

    def _queue_up(self, conversation: Conversation) -> Any:
        """Who comes while the channel is DRAINING waits for the end of that: the Signal to wait for."""
        if self._owner is not None or self._pid != sockets.process.pid:
            raise self._refusal(conversation)
        self._owner = self._caller()
        return self._rest

    def _leave_queue(self) -> None:
        if self._state is DRAINING:
            self._owner = None

    def _wait_for_rest(self, conversation: Conversation, timeout: float | None) -> float | None:
        """Wait, in a world whose functions wait, until the channel is DRAINING no more. Returns what is left of it."""
        rest = self._queue_up(conversation)
        started = time.monotonic()
        try:
            came = rest.wait(timeout)
        finally:
            self._leave_queue()
        return self._time_left(conversation, started, timeout, came)

    async def _rest_of_other(self, conversation: Conversation, timeout: float | None) -> float | None:
        """The same in a world whose functions are awaited."""
        rest = self._queue_up(conversation)
        started = time.monotonic()
        try:
            came = await rest.wait(timeout)
        finally:
            self._leave_queue()
        return self._time_left(conversation, started, timeout, came)

    def _time_left(self, conversation: Conversation, started: float, timeout: float | None, came: bool) -> float | None:
        """What is left of `timeout` for one who had to wait since `started`; an error if the rest has not come by then.

        A hub's or loop's timer may be early by our clock: that it rang is what counts.
        """
        if timeout is None:
            return None
        left = timeout - (time.monotonic() - started)
        if left <= 0 or not came:
            text = f"{conversation.name} could not begin within {timeout:g} s: an interrupted command has not ended yet"
            raise errors.timed_out(text, sent=False, in_transaction=False)
        return left

    def _kill_abandoned(self) -> None:
        """The connection is given up in the middle of a statement, which the server shall not go on with."""
        if self.rescue is not None and self.rescue.kills:
            self.rescue.kill_session()

    def _break(self, reason: BaseException, *, news: bool = False) -> None:
        """The connection is over. `news`: nobody has been told yet, so the next run() raises the reason itself."""
        if self._state is BROKEN:
            return
        draining, self._state = self._state is DRAINING, BROKEN
        if draining:
            self._kill_abandoned()
        self._conversation = self._owner = None
        self._rest_has_come()
        self.broken = reason
        self._reason_is_news = news
        if self._pid == sockets.process.pid:
            self._close()
        else:
            self._close_copy()

    def _let_go(self) -> None:
        """What __del__ does with the socket: call no hub and no loop, in whatever thread it runs."""
        self._sock.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if getattr(self, "_state", BROKEN) is BROKEN:
            return
        if self._pid == sockets.process.pid:
            self._let_go()
            _warn(f"unclosed connection {self!r}", ResourceWarning, stacklevel=2, source=self)
        else:
            self._close_copy()

    def _close_copy(self) -> None:
        """In a forked child: the hub's epoll set and the session are the parent's, only the descriptor is ours.

        Straight to the C type, for a loop may have borrowed the socket object, which then puts off its end.
        """
        _socket.socket.close(self._sock)


def _remembered(failure: BaseException, conversation: Conversation) -> errors.Error:
    """What to keep of an exception that its owner has: not its traceback, which holds the owner's frames."""
    if isinstance(failure, errors.Error):
        return copy.copy(failure)
    return errors.connection_closed(f"{type(failure).__name__} interrupted {conversation.name}")


def hear_idle(channel: ChannelBase, buffer: ReceiveBuffer) -> None:
    """Take what has come on a connection that nobody uses or listens to: most often that is its end."""
    engine = channel.engine
    try:
        n = channel._sock.recv_into(engine.wire.space(buffer), 0, sockets.DONT_WAIT)
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


def misuse(text: str) -> errors.InterfaceError:
    """For a use of the connection that is refused; nothing happened to the connection."""
    return errors.InterfaceError(0, text[0].upper() + text[1:], sent=False)
