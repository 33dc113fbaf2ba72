"""`connect(sock)`: a session over a socket that the program has connected itself.

Knows: how a socket becomes a world's. Must not know: packets, PyMySQL's names.
"""

from __future__ import annotations

import _socket
import os
import socket
from typing import Any

from mizzle import errors, worlds
from mizzle.options import ConnectOptions
from mizzle.sync.channels import log_in
from mizzle.sync.connecting import world_name


class GivenSocket:
    """Stands where a world is asked to open a channel."""

    def __init__(self, sock: Any) -> None:
        if not isinstance(sock, socket.socket) or hasattr(sock, "getpeercert"):
            raise errors.NotSupportedError(
                0,
                f"connect(sock): a plain, connected socket can be taken over, not a {type(sock).__name__}",
                sent=False,
                hint="mizzle does TLS itself, over the plain socket: ssl_mode, ssl_ca.",
            )
        self._given = sock

    def open_session(self, options: ConnectOptions) -> worlds.Channel:
        """A channel whose engine is logged in. Statements that are interrupted are not ended on the server: for that
        a second connection would be needed, and the way to this server is the program's."""
        self._world: Any = worlds.resolve(world_name(options.world))
        local = self._given.family == socket.AF_UNIX
        channel = log_in(self, options, worlds.Endpoint(unix_socket="given" if local else None))
        channel.read_timeout, channel.write_timeout = options.read_timeout, options.write_timeout
        return channel

    def open_channel(self, endpoint: object, timeout: float | None = None) -> worlds.Channel:  # noqa: ARG002
        """The socket as the world's own; the program's object is closed by this."""
        taken = _socket.socket(fileno=os.dup(self._given.fileno()))
        self._given.close()
        channel: worlds.Channel = self._world.adopt(taken)
        return channel
