"""What the OK packet of a login says of the session, and where in it a server asks its clients to go elsewhere.

Knows the layout of session_state_info ("OK_Packet" in the manual's protocol chapter), and the two ways to redirect:
MariaDB's system variable redirect_url, and the message `Location: mysql://…` of some services that speak MySQL. Must
not know whether anybody goes there.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from mizzle.constants.session_track import SESSION_TRACK_SYSTEM_VARIABLES
from mizzle.constants.status import SERVER_SESSION_STATE_CHANGED
from mizzle.errors import malformed_packet

LOCATION = re.compile(r"Location: ((?:mysql|mariadb)://\S+)")


class Change(NamedTuple):
    """One change of the session: of which kind (mizzle.constants.session_track), and the strings that come with it."""

    kind: int
    values: tuple[bytes, ...]


class Target(NamedTuple):
    """Where to go; user None: as before."""

    host: str
    port: int
    user: str | None


class _Reader:
    """Bounded reads over some bytes; MalformedPacket beyond their end."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.at = 0
        self.name = name

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise malformed_packet(self.name, self.at, f"{count} more bytes expected, {len(self.data) - self.at} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def lenenc_int(self) -> int:
        first = self.take(1)[0]
        if first < 0xFB:
            return first
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first)
        if width is None:
            raise malformed_packet(self.name, self.at - 1, f"0x{first:02X} does not begin a length-encoded integer")
        return int.from_bytes(self.take(width), "little")

    def lenenc_bytes(self) -> bytes:
        return self.take(self.lenenc_int())

    def more(self) -> bool:
        return self.at < len(self.data)


def parse_session_state(data: bytes) -> list[Change]:
    """session_state_info: one Change after the other."""
    reader, changes = _Reader(data, "SessionState"), []
    while reader.more():
        kind = reader.take(1)[0]  # type [1 byte]
        inner = _Reader(reader.lenenc_bytes(), "SessionState")  # data [lenenc]
        values = []
        while inner.more():
            values.append(inner.lenenc_bytes())
        changes.append(Change(kind, tuple(values)))
    return changes


def parse_login_ok(payload: bytes) -> tuple[str, list[Change]]:
    """The message of an OK packet of a connection with CLIENT_SESSION_TRACK, and what changed in the session."""
    reader = _Reader(payload, "OK")
    reader.take(1)  # header [1 byte]
    reader.lenenc_int()  # affected_rows [lenenc]
    reader.lenenc_int()  # last_insert_id [lenenc]
    status_flags = int.from_bytes(reader.take(2), "little")  # status_flags [2 bytes]
    reader.take(2)  # warnings [2 bytes]
    if not reader.more():
        return "", []
    info = reader.lenenc_bytes().decode("utf8", "replace")  # info [lenenc]
    if not status_flags & SERVER_SESSION_STATE_CHANGED:
        return info, []
    return info, parse_session_state(reader.lenenc_bytes())  # session_state_info [lenenc]


def redirect_in(payload: bytes) -> str | None:
    """Where the OK packet of a login asks to go, as a URL; None if it does not."""
    info, changes = parse_login_ok(payload)
    for change in changes:
        if change.kind == SESSION_TRACK_SYSTEM_VARIABLES:
            names, values = change.values[::2], change.values[1::2]
            for name, value in zip(names, values, strict=False):
                if name == b"redirect_url" and value:
                    return value.decode("utf8", "replace")
    found = LOCATION.search(info)
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
