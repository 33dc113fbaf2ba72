"""Kerberos by way of GSSAPI, for auth_gssapi_client and authentication_kerberos_client.

Knows the package gssapi (the extra `gssapi`), imported only when it is needed. Getting a ticket may take a round trip
to the realm's KDC, which GSSAPI makes by itself: until then the thread, hub or loop stands still.
"""

from __future__ import annotations

import contextlib
from typing import Any

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected

__all__ = ["exchange"]


def exchange(auth: AuthContext, plugin: str, principal: str, user: str | None = None) -> Plugin:
    """Tokens to and fro, until both sides have proven who they are.

    `principal` is what the server says of itself, and counts unless `service_principal` says who it must be. `user` is
    a principal to log in with the password, for who has no ticket yet. No credentials are delegated.
    """
    gssapi = _library(plugin)
    auth.owed = "a proof that it is the service"
    try:
        context = gssapi.SecurityContext(
            name=gssapi.Name(auth.service_principal or principal, gssapi.NameType.user),
            creds=_credentials(gssapi, auth, user),
            flags=gssapi.RequirementFlag.mutual_authentication,
            usage="initiate",
        )
        token = context.step()
        while not context.complete:
            token = context.step((yield token))
    except gssapi.exceptions.GSSError as error:
        raise plugin_error(
            plugin,
            " ".join(str(error).split()),
            hint="Is there a ticket (klist), and is the server's principal in the realm?",
        ) from error
    auth.owed = ""
    raise unexpected(plugin, (yield token))


def _library(plugin: str) -> Any:
    try:
        import gssapi  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - loaded when it is needed
    except (ImportError, OSError) as error:
        raise plugin_error(
            plugin, f"it needs the package gssapi and Kerberos: pip install mizzle[gssapi] ({error})"
        ) from error
    return gssapi


def _credentials(gssapi: Any, auth: AuthContext, user: str | None) -> Any:
    """Those of the ticket cache (None), unless there is a password for the user, and no ticket of his."""
    if user is None or not auth.password:
        return None
    name = gssapi.Name(user, gssapi.NameType.user)
    with contextlib.suppress(gssapi.exceptions.GSSError):  # no ticket, or it has expired
        cached = gssapi.Credentials(usage="initiate", name=name)
        if cached.lifetime:
            return cached
    acquired = gssapi.raw.acquire_cred_with_password(name, auth.password, usage="initiate")
    return gssapi.Credentials(base=acquired.creds)
