# Generated from src/mizzle/aio/channels.py by tools/unasync.py: change that file, then run the tool.
"""A connected channel whose engine is logged in, and its end; what connections and the rescue of statements stand on.

Knows: the order of these steps, and the one deadline over them. Must not know: packets, sockets, what a connection is.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.engine.conversations import Engine
from mizzle.options import password_bytes

if TYPE_CHECKING:
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel

#: How long saying goodbye may take, in seconds.
QUIT_TIMEOUT = 1.0


def log_in(
    world: Any, options: ConnectOptions, endpoint: worlds.Endpoint, deadline: Deadline | None = None
) -> Channel:
    """A channel of that world whose engine has passed the connection phase, within `connect_timeout` seconds."""
    deadline = deadline or Deadline(options.connect_timeout)
    channel = open_channel(world, options, endpoint, deadline)
    try:
        engine = Engine(options, secure=endpoint.unix_socket is not None, password=password_of(options))
        channel.engine = engine
        channel.run(engine.connect(), deadline.left())
    except BaseException as error:
        channel.abort()
        if isinstance(error, errors.Error):
            error.alive = False
        raise
    return channel


def leave(channel: Channel) -> None:
    """Say goodbye (COM_QUIT, for at most a second) and close. In the middle of something nothing can be said."""
    try:
        if not channel.closed and not channel.draining and not channel.engine.streaming:
            with contextlib.suppress(errors.Error, OSError):
                channel.run(channel.engine.quit(), QUIT_TIMEOUT)
    finally:
        channel.abort()


def open_channel(
    world: Any, options: ConnectOptions, endpoint: worlds.Endpoint, deadline: Deadline
) -> Channel:
    """A connected socket of that world; what went wrong as OperationalError 2002, 2003 or 2005."""
    try:
        channel: Channel = world.open_channel(endpoint, deadline.left())
    except OSError as error:
        raise errors.cannot_connect(
            error,
            host=options.host,
            port=options.port,
            unix_socket=options.unix_socket,
            timeout=options.connect_timeout,
        ) from error
    return channel


def password_of(options: ConnectOptions) -> bytes:
    """The password, asked for anew at each connection if it is a callable."""
    password: Any = options.password() if callable(options.password) else options.password
    if inspect.isawaitable(password):
        password = password
    return password_bytes(password)


class Deadline:
    """A moment by which several steps together must be done; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """The seconds that are left, always above 0: a step that comes too late fails by itself."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.001)
