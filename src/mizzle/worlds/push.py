"""Channels that a hub or loop calls back.

Knows in which order bytes and steps of a conversation follow each other when sending and receiving are events. Must not
know whose events: a world gives `_send`, `_await_writable`, `_wake` and `_deafen`, and calls `_received`, `_ended`,
`_writable` from its callbacks, and `_step` to begin.
"""

from __future__ import annotations

import _socket
import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

from mizzle import errors
from mizzle.engine.conversations import DONE, WRITE
from mizzle.worlds import Conversation, Wire
from mizzle.worlds.base import DRAINING, READY, ChannelBase
from mizzle.worlds.watchdog import Watchdog

__all__ = ["PushChannel", "weakly"]


def weakly(method: Any) -> Callable[..., None]:
    """A bound method that does not keep its object alive: what a hub or loop may hold of a channel."""
    assert isinstance(method, MethodType)
    reference, function = weakref.ref(method.__self__), method.__func__

    def call(*args: object) -> None:
        channel = reference()
        if channel is not None:
            function(channel, *args)

    return call


class PushChannel(ChannelBase):
    """A channel whose conversations go on in callbacks."""

    __slots__ = ("_gone", "_sending", "_timeout", "_want", "_watchdog", "_wire")

    def __init__(self, sock: _socket.socket, clock: Callable[[], float], call_later: Callable[..., Any]) -> None:
        super().__init__(sock)
        self._wire: Wire
        self._want = DONE
        self._timeout: float | None = None  # what the conversation was given, for the message
        self._sending = False  # a command is not wholly sent yet
        self._gone: tuple[BaseException | None] | None = None  # the link's end, behind rows that wait to be fetched
        self._watchdog = Watchdog(clock, call_later, weakly(self._expired))

    # -- what a world must say --------------------------------------------------------------------------------------

    def _send(self, wire: Wire) -> bool:
        """Offer `outgoing` to the socket once. True: all of it is gone, or the socket is dead, as reading will tell."""
        raise NotImplementedError

    def _await_writable(self) -> None:
        """Have `_writable` called, in another turn of the hub or loop, when the socket takes more."""
        raise NotImplementedError

    def _wake(self, failure: BaseException | None) -> None:
        """Let the owner, if it waits, go on: with this failure, or with the conversation's result."""
        raise NotImplementedError

    def _wake_soon(self, failure: BaseException) -> None:
        """The same in another turn: this callback is about to raise."""
        self._wake(failure)

    def _deafen(self) -> None:
        """Stop listening until the next conversation."""
        raise NotImplementedError

    # -- a conversation, step by step -------------------------------------------------------------------------------

    def _watch(self, timeout: float | None) -> None:
        """From now on it may take that long, and the server be silent for as long as it may."""
        self._timeout = timeout
        if timeout is not None:
            self._watchdog.start(timeout)
        self._sign_of_life()

    def _sign_of_life(self) -> None:
        """Bytes came, or were taken."""
        silence = self.write_timeout if self._sending else self.read_timeout
        if silence is None:
            self._watchdog.silence = None
        else:
            self._watchdog.bear(silence)

    def _step(self, conversation: Conversation) -> bool:
        """Go on with it, and send what it says. True: it is done."""
        self._kept = False
        self._want = want = conversation.advance()
        if conversation.wire.outgoing:
            self._sending = not self._send(conversation.wire) or want == WRITE
        else:
            self._sending = want == WRITE
        if self._gone is not None and want != DONE:
            raise self._lost(conversation, self._gone[0])
        if self._sending:
            self._await_writable()
            return False
        return want == DONE

    def _received(self, n: int) -> None:
        """n bytes stand in the wire's space; 0: nothing new, but all that was to be sent is sent."""
        conversation = self._conversation
        if conversation is None:
            self._received_idle(n)
            return
        try:
            if n:
                conversation.wire.received(n)
                if self._watchdog.silence is not None:
                    self._sign_of_life()
                if self._sending:
                    conversation.wire.keep()
                    self._kept = True
                    return
            done = self._step(conversation)
        except Exception as failure:  # noqa: BLE001 - it is the owner's, and not for the hub or loop to print
            self._ended_by(conversation, failure)
            self._wake(failure)
        except BaseException as failure:  # what ends the program: for both
            self._ended_by(conversation, failure)
            self._wake_soon(self._reason())
            raise
        else:
            if done:
                self._end()
                self._wake(None)

    def _writable(self) -> None:
        """The socket takes more."""
        conversation = self._conversation
        if conversation is None or not self._sending:
            return
        if conversation.wire.outgoing and not self._send(conversation.wire):
            self._sign_of_life()
            self._await_writable()
            return
        self._sending = False
        self._sign_of_life()
        if self._want == DONE:
            self._end()
            self._wake(None)
        elif self._want == WRITE or self._kept:
            self._received(0)

    def _ended(self, cause: BaseException | None) -> None:
        """The server closed the connection (None), or the socket failed."""
        conversation = self._conversation
        if conversation is not None and self._want == WRITE and not conversation.wire.outgoing:
            self._sending = False
            self._received(0)  # it had all been sent, and may have been the last word (COM_QUIT)
            if self._conversation is not conversation:
                return  # an idle connection that has ended is reported again
        if conversation is not None:
            self._wake(self._lost(conversation, cause))
        elif self._aborted:
            self._break(errors.connection_closed("it was aborted"))
        elif self.closed or self._gone is not None:
            return
        elif self.engine.streaming:
            self._gone = (cause,)
            self._deafen()
        else:
            self._break(self.engine.lost_idle(cause), news=True)

    # -- the rest ---------------------------------------------------------------------------------------------------

    def _received_idle(self, n: int) -> None:
        try:
            self._wire.received(n)
        except Exception as failure:  # noqa: BLE001 - TLS may find fault with it; nobody waits who could be told
            self._break(self.engine.lost_idle(failure), news=True)
            return
        if self.engine.streaming:
            self._wire.keep()
            self._deafen()
        elif self._wire.unread:  # else it was TLS's own, such as a new key
            self._break(self.engine.unsolicited(), news=True)

    def _expired(self) -> None:
        conversation = self._conversation
        if self._state is DRAINING:
            self._break(errors.connection_closed("an interrupted command did not come to its end in time"), news=True)
        elif conversation is not None:
            self._wake(self._too_late(conversation, self._lateness()))

    def _lateness(self) -> str:
        watchdog = self._watchdog
        if watchdog.silence is None or (watchdog.deadline is not None and watchdog.deadline <= watchdog.silence):
            return f"no answer within {self._timeout:g} s"
        if self._sending:
            return f"the server took no byte of the command for {self.write_timeout:g} s (write_timeout)"
        return f"the server sent no byte for {self.read_timeout:g} s (read_timeout)"

    # -- the rest of a conversation whose owner was interrupted -----------------------------------------------------

    def _drain(self, rest: Conversation, limit: float) -> None:
        """The callbacks go on with it as if nothing had happened."""
        del rest
        self._watchdog.rest()
        self._watchdog.start(limit)

    def _killed(self, hit: bool) -> None:
        self._kill_is_due = False
        self._kill_came_late = hit
        if self._state is DRAINING and self._conversation is None:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        """Nothing of the interrupted command is to come any more, but perhaps a KILL."""
        if self._kill_is_due:
            return  # _killed() calls again
        if self._kill_came_late:
            self._kill_came_late = False
            self._conversation = self.engine.absorb()
            self._received(0)
            return
        self._watchdog.rest()
        self._rested()
        if self._gone is not None:
            self._break(self.engine.lost_idle(self._gone[0]), news=True)

    def _interrupted(self, conversation: Conversation, failure: BaseException) -> None:
        del conversation
        self._wake(failure)

    def _end(self) -> None:
        self._conversation = None
        if self._state is DRAINING:
            self._come_to_rest()
            return
        self._state = READY
        self._owner = self._watchdog.deadline = self._watchdog.silence = None
        if self._gone is not None and not self.engine.streaming:
            self._break(self.engine.lost_idle(self._gone[0]), news=True)

    def _break(self, reason: BaseException, *, news: bool = False) -> None:
        self._watchdog.cancel()
        super()._break(reason, news=news)
