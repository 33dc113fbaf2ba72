"""Where a server asks its clients to go elsewhere, in the OK packet of a login.

Knows the two ways to say so: MariaDB's system variable redirect_url, and the message `Location: mysql://…` of some
services that speak MySQL. Must not know whether anybody goes there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

LOCATION = re.compile(r"Location: ((?:mysql|mariadb)://\S+)")


class Target(NamedTuple):
    """Where to go; user None: as before."""

    host: str
    port: int
    user: str | None


def redirect_in(info: bytes, variables: Mapping[str, str]) -> str | None:
    """Where the OK packet of a login asks to go, as a URL; None if it does not."""
    if url := variables.get("redirect_url"):
        return url
    found = LOCATION.search(info.decode("utf8", "replace"))
    return found[1] if found else None


def parse_target(url: str) -> Target | None:
    """`mysql://[user@]host[:port][/[?]user=…]` (or mariadb://); None for what is no such thing.

    Everything else that is in it is left alone: no path is a file, no option is one of ours.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 3306
    except ValueError:
        return None
    if parts.scheme not in {"mysql", "mariadb"} or not host or not re.fullmatch(r"[A-Za-z0-9._:-]+", host):
        return None
    said = parse_qs(parts.query or parts.path.lstrip("/")).get("user", [""])[0]
    return Target(host, port, said or unquote(parts.username or "") or None)
