# Generated from src/mizzle/aio/redirecting.py by tools/unasync.py: change that file, then run the tool.
"""A login that goes on elsewhere, because the server asked for it: one hop, if it is to be trusted, or none.

Knows: who may redirect, and what must hold on the second connection. Must not know: packets, sockets.

Who stands between us and a server could redirect us too. So only a server whose certificate was verified is obeyed, or
one behind a Unix socket; any other may only name another port of the host that it was reached at.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Any

from mizzle import errors, worlds
from mizzle.sync.channels import Deadline, close_channel, log_in
from mizzle.constants.errnos import CR_CONN_HOST_ERROR
from mizzle.engine.redirects import Target, parse_target

if TYPE_CHECKING:
    from mizzle.engine.conversations import Engine
    from mizzle.options import ConnectOptions
    from mizzle.worlds import Channel

logger = logging.getLogger("mizzle")


def log_in_and_follow(world: Any, options: ConnectOptions, endpoint: worlds.Endpoint) -> Channel:
    """A channel whose engine is logged in, at the server that `options.redirect` leads to.

    With "preferred" the first server serves where the other cannot be reached, or may not be gone to; with "enforced"
    that is OperationalError.
    """
    deadline = Deadline(options.connect_timeout)
    first = log_in(world, options, endpoint, deadline)
    try:
        target, refusal = permitted(first.engine, options)
        if target is None:
            return settle_for(first, options, refusal)
        there = endpoint._replace(host=target.host, port=target.port, unix_socket=None)
        try:
            second = log_in(world, options_there(options, target, first.engine), there, deadline)
        except errors.Error as error:
            return settle_for(first, options, f"{target.host}:{target.port} was not to be had: {error}", error)
    except BaseException:
        first.abort()
        raise
    close_channel(first)
    return second


def permitted(engine: Engine, options: ConnectOptions) -> tuple[Target | None, str]:
    """Where to go; None, and why not."""
    if engine.redirect is None:
        return None, "the server does not redirect"
    target = parse_target(engine.redirect)
    if target is None:
        return None, f"it redirects to {engine.redirect[:200]!r}, which is no address of a server"
    if options.unix_socket is None and (target.host, target.port) == (options.host, options.port):
        return None, "it redirects to itself"
    trusted = engine.secure or (engine.tls is not None and options.ssl_verify_cert)
    if not trusted and target.host != options.host:
        return None, f"it redirects to another host, {target.host!r}, and its certificate was not verified"
    return target, ""


def options_there(options: ConnectOptions, target: Target, engine: Engine) -> ConnectOptions:
    """The same settings for the other server; what was protected stays so."""
    protected = options.ssl_mode == "preferred" and (engine.tls is not None or engine.secure)
    return dataclasses.replace(
        options,
        host=target.host,
        port=target.port,
        unix_socket=None,
        user=target.user or options.user,
        ssl_mode="required" if protected else options.ssl_mode,
        redirect="off",
    )


def settle_for(
    first: Channel, options: ConnectOptions, refusal: str, cause: BaseException | None = None
) -> Channel:
    """Stay where we are, if that will do."""
    if options.redirect == "enforced":
        raise errors.OperationalError(
            CR_CONN_HOST_ERROR,
            f"redirect='enforced', and {refusal}",
            sent=False,
            alive=False,
            hint="redirect='preferred' stays with the first server then; other hosts need ssl_mode='verify_identity'.",
        ) from cause
    if first.engine.redirect is not None:
        logger.warning("mizzle: a redirect was not followed: %s", refusal)
    return first
