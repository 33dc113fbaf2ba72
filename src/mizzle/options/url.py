"""mysql://user:password@host:port/database?setting=value, taken apart into settings that are still text.

Knows how a URL is written. No message shows a part that could hold a password, not even of a URL that is put together
wrongly.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

SCHEMES = frozenset({"mysql", "mariadb", "mizzle", "mysql+mizzle", "mariadb+mizzle"})
FORM = "mysql://user:password@host:port/database?setting=value"

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)


def settings_in_url(url: object) -> dict[str, str]:
    """The settings that a URL holds, percent-decoded."""
    if not isinstance(url, str):
        raise TypeError(f"url must be a str like {FORM}, not {type(url).__name__}")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        raise ValueError(f"the URL does not start with mysql://, mariadb:// or mizzle://: expected {FORM}")
    end = next((place for place, char in enumerate(rest) if char in "/?#"), len(rest))
    authority, rest = rest[:end], rest[end:]
    path, _, query = rest.partition("?")
    if "#" in rest or ("@" in path and "@" not in authority):
        raise ValueError("in the URL's user, password or database, write / as %2F, ? as %3F, # as %23 and @ as %40")
    settings = _authority(authority)
    settings["database"] = _decode(path[1:], "database")
    for name, value in _query(query).items():
        if settings.get(name):
            raise ValueError(f"the URL gives {name} twice: before the ? and after it")
        settings[name] = value
    return {name: value for name, value in settings.items() if value}


def _authority(authority: str) -> dict[str, str]:
    """user:password@host:port"""
    userinfo, _, place = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    if place.startswith("["):  # an IPv6 address
        host, bracket, port = place[1:].partition("]")
        if not bracket or (port and not port.startswith(":")) or ":" not in host:
            raise ValueError("the URL's [IPv6 address] is not one: expected mysql://user:password@[::1]:3306/database")
        port = port[1:]
    else:
        host, _, port = place.partition(":")
    # What stands there may be a password whose @host is missing: it is not shown.
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 65536):
        raise ValueError(
            "the URL's port is not a number from 1 to 65535 (an IPv6 address goes in brackets, and after a password"
            " comes @host)"
        )
    return {
        "user": _decode(user, "user"),
        "password": _decode(password, "password"),
        "host": _decode(host, "host"),
        "port": port,
    }


def _query(query: str) -> dict[str, str]:
    """name=value&name=value; a name may have - for _ and any case, as in ?ssl-mode=REQUIRED."""
    settings: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        name = _decode(name, "query").lower().replace("-", "_")
        if not equals:
            raise ValueError("the URL's query is not of the form setting=value&setting=value")
        if not _NAME.fullmatch(name):  # not shown: it may be what stands behind a ? in a password
            raise ValueError("the URL's query holds something that is not the name of a setting")
        if name in settings:
            raise ValueError(f"the URL gives {name} twice")
        settings[name] = _decode(value.replace("+", " "), name)
    return settings


def _decode(text: str, part: str) -> str:
    """Percent-decoding that takes nothing for granted."""
    if _ESCAPE.search(text):
        raise ValueError(f"the URL's {part} has a % without two hexadecimal digits: write % itself as %25")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"the URL's {part} is not UTF-8 once it is percent-decoded") from None
    if "\0" in decoded:
        raise ValueError(f"the URL's {part} holds a NUL character")
    return decoded
