"""A service that gunicorn loads before it forks (preload_app): with a connection and a pool that are in use by then.

MIZZLE_SETTINGS has the keywords of connect() as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import mizzle
from pool.children import socket_of, sockets, use

SETTINGS: dict[str, Any] = json.loads(os.environ["MIZZLE_SETTINGS"])


class Service:
    """What the module has from its import on, in the master and, copied, in each worker."""

    def __init__(self) -> None:
        self.conn: Any = mizzle.connect(**SETTINGS)
        self.lending: Any = mizzle.Pool(min_size=1, max_size=1, **SETTINGS)
        self.conn.execute("SET @mine = 'connection'")
        with self.lending.connection() as conn:
            self.sockets = {socket_of(self.conn), socket_of(conn)}
        self.numbers = {self.conn.thread_id(), use(self.lending)}

    def answer(self) -> dict[str, Any]:
        """In a worker: the copy of the connection is refused, the pool's are its own, and no socket is the master's."""
        refusal = None
        if self.conn is not None:
            try:
                self.conn.execute("SELECT 1")
            except mizzle.InterfaceError as error:
                refusal = str(error)
            self.conn.close()
            self.conn = None
        number = use(self.lending)
        shared = self.sockets & sockets()
        return {"pid": os.getpid(), "number": number, "refusal": refusal, "shared": sorted(shared)}

    def tell(self) -> dict[str, Any]:
        """In the master: are they the sessions that it had?"""
        mine = self.conn.execute("SELECT @mine").fetchone()
        same = {self.conn.thread_id(), use(self.lending)} == self.numbers
        self.lending.close()
        self.conn.close()
        return {"pid": os.getpid(), "mine": mine, "same": same}


service = Service()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    assert environ["PATH_INFO"] == "/"
    body = json.dumps(service.answer()).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
