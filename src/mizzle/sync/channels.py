# Generated from src/mizzle/aio/channels.py by tools/unasync.py: change that file, then run the tool.
"""A connected channel whose engine is logged in, and its end; what connections and the rescue of statements stand on.

Knows: the order of these steps, and the one deadline over them. Must not know: packets, sockets, what a connection is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import time
from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.constants import errnos
from mizzle.engine.conversations import Engine
from mizzle.options import password_bytes

if TYPE_CHECKING:
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel

#: How long saying goodbye may take, in seconds.
QUIT_TIMEOUT = 1.0

_SECRETS = ("password", "password2", "password3", "openid_token")
#: More than any token has: bytes that are read of the file.
_MAX_TOKEN = 65536


def log_in(
    world: Any, options: ConnectOptions, endpoint: worlds.Endpoint, deadline: Deadline | None = None
) -> Channel:
    """A channel of that world whose engine has passed the connection phase, within `connect_timeout` seconds."""
    deadline = deadline or Deadline(options.connect_timeout)
    channel = open_channel(world, options, endpoint, deadline)
    try:
        engine = Engine(with_credentials(options), secure=endpoint.unix_socket is not None)
        channel.engine = engine
        channel.run(engine.connect(), deadline.left())
    except BaseException as error:
        channel.abort()
        if isinstance(error, errors.Error):
            error.alive = False
        raise
    return channel


def close_channel(channel: Channel) -> None:
    """Say goodbye (COM_QUIT, for at most a second) and close. In the middle of something nothing can be said."""
    try:
        if not channel.closed and not channel.draining:
            with contextlib.suppress(errors.Error, OSError):  # refused while another waits, or rows are to be fetched
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


def with_credentials(options: ConnectOptions) -> ConnectOptions:
    """The options with passwords and token as bytes: callables are asked, and the token's file is read, each time."""
    known: dict[str, Any] = {}
    for name in _SECRETS:
        given: Any = getattr(options, name)
        if callable(given):
            answer = given()
            if inspect.isawaitable(answer):
                answer = answer
            known[name] = password_bytes(answer)
    if options.openid_token_file is not None and not options.openid_token:
        known["openid_token"] = _token_in(options.openid_token_file)
    return dataclasses.replace(options, **known) if known else options


def _token_in(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_TOKEN + 1).strip()
    except OSError as error:
        raise errors.OperationalError(
            errnos.CR_AUTH_PLUGIN_ERR,
            f"openid_token_file {path} cannot be read: {error.strerror}",
            sent=False,
            alive=False,
        ) from error


class Deadline:
    """A moment by which several steps together must be done; None: never."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """The seconds that are left, always above 0: a step that comes too late fails by itself."""
        return None if self._end is None else max(self._end - time.monotonic(), 0.001)
