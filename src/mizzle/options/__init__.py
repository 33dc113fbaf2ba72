"""From what the user writes to what a connection is: connect_options().

Sources, the later ones over the earlier: defaults, option files (`read_default_file`, `read_default_group`), `url`,
keywords.
Knows how sources are put together. Knows nothing of connections, sockets or packets.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import ssl
from functools import lru_cache
from typing import Any

from mizzle.constants import charsets
from mizzle.constants.capabilities import (
    CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS,
    CLIENT_COMPRESS,
    CLIENT_FOUND_ROWS,
    CLIENT_INTERACTIVE,
    CLIENT_SSL_VERIFY_SERVER_CERT,
)
from mizzle.options import mycnf, tls
from mizzle.options.keywords import SECRETS, SERVER_ONLY_CHARSETS, SOURCES, settings_from
from mizzle.options.model import (
    ConnectOptions,
    Dialog,
    OnInterrupt,
    Password,
    SSLMode,
    WebAuthn,
    ZeroDates,
    password_bytes,
)
from mizzle.options.url import settings_in_url

__all__ = [
    "ConnectOptions",
    "Dialog",
    "OnInterrupt",
    "Password",
    "SSLMode",
    "WebAuthn",
    "ZeroDates",
    "connect_options",
    "password_bytes",
]

_FLAGS = {
    "found_rows": CLIENT_FOUND_ROWS,
    "interactive": CLIENT_INTERACTIVE,
    "can_handle_expired_passwords": CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS,
}
#: They are forgotten with the connection that is made with them.
_SECRETS = SECRETS - tls.FILES
#: What they stand for may change, or has a secret in it.
_CHANGEABLE = SOURCES | {"ssl"} | (SECRETS & tls.FILES)


def connect_options(**keywords: Any) -> ConnectOptions:
    """Settle all settings of a connection.

    TypeError for an unknown keyword, ValueError for a value that is not allowed, NotSupportedError for a feature of
    other drivers that mizzle lacks. A keyword that is None, or an empty string, counts as not given; so does port=0.
    """
    secrets = settings_from({word: keywords.pop(word) for word in _SECRETS & keywords.keys()})
    settings = {**_settled(keywords), **secrets}
    if "user" not in settings:
        settings["user"] = _login_name()
    return ConnectOptions.of(settings)


def _settled(keywords: dict[str, Any]) -> dict[str, Any]:
    """Who connects again does it with the same keywords: what came of those is remembered."""
    if not _CHANGEABLE & keywords.keys():
        with contextlib.suppress(TypeError):  # a value that cannot be hashed, or a mistake, which is told below
            return _remembered(**keywords)
    return _settle(keywords)


@lru_cache(maxsize=16, typed=True)
def _remembered(**keywords: Any) -> dict[str, Any]:
    return _settle(keywords)


def _settle(keywords: dict[str, Any]) -> dict[str, Any]:
    """All sources in one, each setting in its final type, and those decided that several keywords say together."""
    url = keywords.pop("url", None)
    in_url: dict[str, Any] = dict(settings_in_url(url)) if url else {}
    file = _file(keywords.pop("read_default_file", None) or in_url.pop("read_default_file", None))
    group = keywords.pop("read_default_group", None) or in_url.pop("read_default_group", None)
    settings: dict[str, Any] = {}
    if file or group:
        _lay_over(settings, mycnf.settings_in_files(file, group))
    _lay_over(settings, settings_from(in_url, " in the URL"))
    _lay_over(settings, settings_from(keywords))
    if settings.get("client_flag", 0) & CLIENT_SSL_VERIFY_SERVER_CERT and not tls.DECISIONS & settings.keys():
        settings["ssl_mode"] = "verify_identity"  # the flag itself is the client's own: servers do not look at it
    settings = tls.settle(settings)
    _settle_charset(settings)
    _settle_flags(settings)
    return settings


def _file(value: object) -> str | os.PathLike[str] | None:
    if value is None or isinstance(value, (str, os.PathLike)):
        return value
    raise ValueError(f"read_default_file is {value!r}: expected the path of an option file")


def _lay_over(settings: dict[str, Any], layer: dict[str, Any]) -> None:
    """Put a later source's settings over the earlier ones, and drop those that it makes meaningless."""
    dropped: set[str] = set()
    if tls.DECISIONS & layer.keys():
        dropped |= tls.DECISIONS
    if isinstance(layer.get("ssl"), ssl.SSLContext):
        dropped |= tls.FILES
    if layer.get("host", "localhost") != "localhost":
        dropped.add("unix_socket")
    if "charset" in layer or "collation" in layer:
        dropped |= {"charset", "collation"}
    for name in dropped:
        settings.pop(name, None)
    settings.update(layer)


def _settle_charset(settings: dict[str, Any]) -> None:
    """A collation brings its character set with it; the two must agree."""
    collation, charset = settings.get("collation"), settings.get("charset")
    if collation is None:
        return
    try:
        owner = charsets.by_collation(collation).charset
    except LookupError:
        return  # a newer server may know it
    if owner in SERVER_ONLY_CHARSETS:
        raise ValueError(f"collation is {collation!r}: no server takes {owner} as a client's character set")
    if charset is not None and owner != charset:
        raise ValueError(f"collation is {collation!r}, which belongs to {owner}, but charset is {charset!r}")
    settings["charset"] = owner


def _settle_flags(settings: dict[str, Any]) -> None:
    """Settings that are part of others in the end."""
    for name, flag in _FLAGS.items():
        wanted = settings.pop(name, None)
        if wanted is not None:
            settings["client_flag"] = settings.get("client_flag", 0) & ~flag | (flag if wanted else 0)
    if settings.get("client_flag", 0) & CLIENT_COMPRESS:
        settings.setdefault("compress", "zlib")
    if settings.get("compress") == "zlib" and settings.get("compress_level", 0) > 9:
        raise ValueError(f"compress_level is {settings['compress_level']}: zlib has levels from 1 to 9")
    if "program_name" in settings:
        settings["connect_attrs"] = {**settings.get("connect_attrs", {}), "program_name": settings["program_name"]}


def _login_name() -> str:
    """The user of the operating system; an empty name (the anonymous account) where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
