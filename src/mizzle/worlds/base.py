"""What every channel does alike: who may use it, and how a conversation or a connection ends.

Knows the states of a connection and their transitions. Must not know how anybody waits: that is each world's own file.
"""

from __future__ import annotations

import _socket
import copy
import errno
import warnings
from enum import Enum
from typing import Any, Final

from mizzle import errors
from mizzle.worlds import Conversation, sockets

__all__ = ["BROKEN", "BUSY", "READY", "ChannelBase"]


class State(Enum):
    """READY -> BUSY by run(); BUSY -> READY at the end of a conversation; anything -> BROKEN, and that is for ever."""

    READY = "ready"
    BUSY = "busy"
    BROKEN = "broken"


READY: Final = State.READY
BUSY: Final = State.BUSY
BROKEN: Final = State.BROKEN


class ChannelBase:
    """A connected socket and the conversation that runs on it."""

    __slots__ = (
        "__weakref__", "_aborted", "_conversation", "_kept", "_owner", "_pid", "_reason_is_news", "_send_failure",
        "_sock", "_state", "broken", "engine",
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
        self.broken: BaseException | None = None
        self.engine: Any = None

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

    # -- the same for all -------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Has the connection ended, for whatever reason?"""
        return self._state is BROKEN or self._aborted

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
            self._break(errors.connection_closed("it was aborted"))

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
        commands again. After anything else nobody knows what is still to come on it: it is aborted.
        """
        if self._conversation is not conversation:
            return  # it had ended, or the connection had, before its owner was told
        if conversation.finished and not conversation.wire.outgoing:
            self._end()
            return
        if isinstance(failure, errors.Error):
            failure.alive = False  # an answer, but one that came before the command was wholly sent
        conversation.abandon(failure)
        self._break(_remembered(failure, conversation))

    def _lost(self, conversation: Conversation, cause: BaseException | None) -> BaseException:
        """The socket failed, ended (None) or was too slow. Returns what the conversation's owner is told."""
        said = self._last_words(conversation) if self._kept and not conversation.finished else None
        if self._aborted:
            cause = ConnectionAbortedError(errno.ECONNABORTED, "it was aborted")
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
        self._state = READY
        self._kept = False
        self._conversation = self._owner = None

    def _break(self, reason: BaseException, *, news: bool = False) -> None:
        """The connection is over. `news`: nobody has been told yet, so the next run() raises the reason itself."""
        if self._state is BROKEN:
            return
        self._state = BROKEN
        self._conversation = self._owner = None
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


def misuse(text: str) -> errors.InterfaceError:
    """For a use of the connection that is refused; nothing happened to the connection."""
    return errors.InterfaceError(0, text[0].upper() + text[1:], sent=False)
