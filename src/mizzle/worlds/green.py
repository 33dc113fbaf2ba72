"""What the channels of greenlets have in common: a hub calls them back, and they have a socket of their own.

Knows how such a channel sends to its socket and lets go of it. Must not know which library's hub that is: a world gives
`_stop_writing`, and a listener with `remove()`.
"""

from __future__ import annotations

from typing import Any

from mizzle.worlds import Wire, sockets
from mizzle.worlds.push import PushChannel

__all__ = ["GreenChannel"]


class GreenChannel(PushChannel):
    """A channel whose owner is a greenlet."""

    __slots__ = ("_buffer", "_failure", "_hub", "_listener", "_waiter", "_writer")

    #: There from the first conversation on, but not while the socket is not to be heard.
    _listener: Any
    #: There only while a command is not wholly sent.
    _writer: Any
    #: The greenlet that is to be woken.
    _waiter: Any

    def _stop_writing(self) -> None:
        """Let the hub no longer watch whether the socket takes more."""
        raise NotImplementedError

    # -- what PushChannel calls -------------------------------------------------------------------------------------

    def _send(self, wire: Wire) -> bool:
        out = wire.outgoing
        assert out is not None
        try:
            if len(out) <= sockets.SEND_AT_ONCE:
                wire.sent(self._sock.send(out))
            else:
                wire.sent(self._sock.send(memoryview(out)[: sockets.SEND_AT_ONCE]))
        except BlockingIOError:
            return False
        except OSError as failure:
            self._send_failure = failure
            sockets.shut_down(self._sock)
            return True
        return not wire.outgoing

    def _deafen(self) -> None:
        if self._listener is not None:
            self._listener.remove()
            self._listener = None

    # -- what ChannelBase calls -------------------------------------------------------------------------------------

    def _close(self) -> None:
        sockets.shut_down(self._sock)
        self._stop_writing()
        self._deafen()
        self._sock.close()

    def _let_go(self) -> None:
        if self._listener is None:
            self._sock.close()
        else:
            sockets.shut_down(self._sock)  # the hub sees that, and the listener closes the socket

    def _name(self, user: Any) -> str:
        return f"{type(user).__name__} {id(user):#x}"
