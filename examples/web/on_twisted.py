"""Twisted: on its asyncio reactor a coroutine that uses mizzle becomes a Deferred.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/web/on_twisted.py [PORT]
"""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from typing import Any

from twisted.internet import asyncioreactor

loop = asyncio.new_event_loop()
asyncioreactor.install(loop)  # before anything imports the reactor

from twisted.internet import defer, reactor  # noqa: E402
from twisted.python import log  # noqa: E402
from twisted.web import resource, server  # noqa: E402

from mizzle import aio  # noqa: E402

pool = aio.Pool(url=os.environ["MIZZLE_URL"], autocommit=True, max_size=20, open=False)


def deferred(work: Coroutine[Any, Any, Any]) -> defer.Deferred[Any]:
    return defer.Deferred.fromFuture(loop.create_task(work))


class Visits(resource.Resource):
    isLeaf = True

    def render(self, request: server.Request) -> int:
        work = self.visit(request.path[1:].decode()) if request.method == b"POST" else self.visits()

        def answer(value: object) -> None:
            request.setHeader("content-type", "application/json")
            request.write(json.dumps(value).encode())
            request.finish()

        deferred(work).addCallbacks(answer, request.processingFailed)
        return server.NOT_DONE_YET

    async def visits(self) -> dict[str, int]:
        async with pool.connection() as conn:
            return dict(await (await conn.execute("SELECT page, number FROM visits")).fetchall())

    async def visit(self, page: str) -> str:
        async with pool.connection() as conn:
            await conn.execute("INSERT INTO visits VALUES (%s, 1) ON DUPLICATE KEY UPDATE number = number + 1", [page])
        return "welcome"


async def start(port: int) -> None:
    await pool.open()
    async with pool.connection() as conn:
        await conn.execute("CREATE TABLE IF NOT EXISTS visits (page VARCHAR(80) PRIMARY KEY, number INT)")
    reactor.addSystemEventTrigger("before", "shutdown", lambda: deferred(pool.close()))
    reactor.listenTCP(port, server.Site(Visits()), interface="127.0.0.1")


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    reactor.callWhenRunning(lambda: deferred(start(port)).addErrback(log.err))
    reactor.run()
