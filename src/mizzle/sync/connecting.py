# Generated from src/mizzle/aio/connecting.py by tools/unasync.py: change that file, then run the tool.
"""How a connection comes about: options, world, socket, login, all under one deadline.

Knows: the order of these steps and what happens if one fails. Must not know: packets, sockets, what a connection does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.sync.connection import Connection
from mizzle.engine.conversations import Engine
from mizzle.options import connect_options, password_bytes

if TYPE_CHECKING:
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel

#: The worlds that this face works in; "auto" is the one that the caller is in.
WORLDS = ("auto", "threads", "eventlet", "gevent", "scripted")


def connect(*, connection_class: type[Connection] | None = None, **keywords: Any) -> Connection:
    """Connect to a server; see `mizzle.options` for the keywords.

    `connect_timeout` seconds are for everything together: name, socket, TLS, login. Raises OperationalError: 2002 or
    2003 if nobody answers, 2005 if the host has no address, else what the server answered. `connection_class` is a
    subclass of Connection to be made instead.
    """
    options = connect_options(**keywords)
    world = worlds.resolve(world_name(options.world))
    deadline = Deadline(options.connect_timeout)
    channel = open_channel(world, options, deadline)
    try:
        engine = Engine(options, secure=options.unix_socket is not None, password=password_of(options))
        channel.engine = engine
        channel.run(engine.connect(), deadline.left())
        if options.init_command:
            channel.run(engine.query(options.init_command.encode(engine.charset.codec)), deadline.left())
        return (connection_class or Connection)(channel, engine, options)
    except BaseException as error:
        channel.abort()
        if isinstance(error, errors.Error):
            error.alive = False
        raise


def open_channel(world: Any, options: ConnectOptions, deadline: Deadline) -> Channel:
    """A connected socket of that world; what went wrong as OperationalError 2002, 2003 or 2005."""
    endpoint = worlds.Endpoint(
        options.host, options.port, options.unix_socket, options.bind_address, options.tcp_keepalive
    )
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
    return password_bytes(options.password() if callable(options.password) else options.password)


def world_name(name: str) -> str:
    """The world asked for; an error if it is one for the other face."""
    if name not in WORLDS:
        raise errors.NotSupportedError(
            0, f"world={name!r} is not for {__package__}, which works in: {', '.join(WORLDS)}", sent=False
        )
    return name


class Deadline:
    """A moment by which several steps together must be done; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """The seconds that are left, always above 0: a step that comes too late fails by itself."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.001)
