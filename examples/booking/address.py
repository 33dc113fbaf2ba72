"""Where the server is: a URL, and the keywords of connect() that both drivers share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Connection = Any  # a PEP 249 connection of either driver; they share no base class


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    user: str
    password: str
    database: str | None = None
    unix_socket: str | None = None

    @classmethod
    def from_url(cls, url: str) -> Address:
        """mysql://user:password@host:port/database?unix_socket=/path"""
        parts = urlsplit(url)
        if "://" not in url or not (parts.hostname or parts.query):
            raise ValueError(f"not a server's address: {url!r}; it looks like mysql://user:password@127.0.0.1:3306")
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.lstrip("/")) or None,
            unix_socket=parse_qs(parts.query).get("unix_socket", [None])[0],
        )

    def with_database(self, database: str | None) -> Address:
        return replace(self, database=database)

    def keywords(self) -> dict[str, Any]:
        given = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        if self.database is not None:
            given["database"] = self.database
        if self.unix_socket is not None:
            given["unix_socket"] = self.unix_socket
        return given

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"
