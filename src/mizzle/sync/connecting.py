# Generated from src/mizzle/aio/connecting.py by tools/unasync.py: change that file, then run the tool.
"""How a connection comes about: options, world, login.

Knows: the order of these steps. Must not know: packets, sockets, what a connection does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.sync.channels import log_in
from mizzle.sync.connection import Connection
from mizzle.sync.redirecting import log_in_and_follow
from mizzle.sync.rescue import Rescue
from mizzle.options import connect_options

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
    return establish(connect_options(**keywords), connection_class)


def establish(options: ConnectOptions, connection_class: type[Connection] | None = None) -> Connection:
    """The same for options that are settled."""
    channel = open_session(options)
    return (connection_class or Connection)(channel, channel.engine, channel.engine.options)


def open_session(options: ConnectOptions) -> Channel:
    """A channel whose engine is logged in, made for a Connection of these options."""
    world: Any = worlds.resolve(world_name(options.world))
    endpoint = worlds.Endpoint(
        options.host, options.port, options.unix_socket, options.bind_address, options.tcp_keepalive
    )
    if options.redirect == "off":
        channel = log_in(world, options, endpoint)
    else:
        channel = log_in_and_follow(world, options, endpoint)
    if options.on_interrupt != "close":
        channel.rescue = Rescue(world, channel, channel.engine, channel.engine.options)
    channel.read_timeout = options.read_timeout
    channel.write_timeout = options.write_timeout
    return channel


def world_name(name: str) -> str:
    """The world asked for; an error if it is one for the other face."""
    if name not in WORLDS:
        raise errors.NotSupportedError(
            0, f"world={name!r} is not for {__package__}, which works in: {', '.join(WORLDS)}", sent=False
        )
    return name
