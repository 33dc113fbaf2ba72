"""The server that all of them work on: a throwaway one, or the one that --url names; and the tables in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from bench import dataset
from bench.peers import load
from bench.task import Settings, Sizes
from mizzle.testing import Server

CONNECTIONS = 1000
ARGUMENTS = (f"--max-connections={CONNECTIONS}", "--innodb-buffer-pool-size=256M")


def parse_url(url: str) -> Settings:
    parts = urlsplit(url)
    if not (parts.hostname and parts.username and parts.path.strip("/")):
        raise ValueError(f"--url wants mysql://user:password@host:port/database, got {url}")
    return Settings(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")),
    )


@contextmanager
def running(url: str | None, family: str) -> Iterator[Settings]:
    """A server to work on; one that was started here is gone afterwards."""
    if url:
        yield parse_url(url)
        return
    with Server.start(family, arguments=ARGUMENTS) as server:
        yield Settings(server.host, server.port, server.user, server.password, server.database)


@contextmanager
def tables(settings: Settings, sizes: Sizes) -> Iterator[tuple[str, list[str]]]:
    """Fill the tables; the server's version and the checksum of the rows. Drops them in the end."""
    connection = load("pymysql").connect(settings)
    try:
        cursor = connection.cursor()
        _allow_connections(cursor, max(sizes.workers, sizes.sleepers, sizes.idle) + 20)
        for statement in dataset.CREATE:
            cursor.execute(statement)
        cursor.execute(dataset.FILL, (sizes.rows,))
        cursor.execute("ANALYZE TABLE bench_rows")
        cursor.fetchall()
        cursor.execute(dataset.CHECKSUM)
        checksum = dataset.expected_checksum(cursor.fetchone())
        cursor.execute("SELECT VERSION()")
        (version,) = cursor.fetchone()
    finally:
        connection.close()
    try:
        yield version, checksum
    finally:
        _drop(settings)


def _drop(settings: Settings) -> None:
    connection = load("pymysql").connect(settings)
    connection.cursor().execute(dataset.DROP)
    connection.close()


def _allow_connections(cursor: Any, needed: int) -> None:
    """The works open some hundred connections; servers allow 151 unless told otherwise."""
    cursor.execute("SELECT @@max_connections")
    (allowed,) = cursor.fetchone()
    if allowed < needed:
        cursor.execute(f"SET GLOBAL max_connections = {CONNECTIONS}")
