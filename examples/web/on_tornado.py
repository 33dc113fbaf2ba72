"""Tornado: its handlers are coroutines of asyncio, and wait for mizzle as for anything else.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/web/on_tornado.py [PORT]
"""

import asyncio
import contextlib
import os
import sys

import tornado.web

from mizzle import aio


class Handler(tornado.web.RequestHandler):
    def initialize(self, pool: aio.Pool) -> None:
        self.pool = pool

    async def get(self, _page: str) -> None:
        async with self.pool.connection() as conn:
            cur = await conn.execute("SELECT page, number FROM visits")
            self.write(dict(await cur.fetchall()))

    async def post(self, page: str) -> None:
        async with self.pool.connection() as conn:
            await conn.execute("INSERT INTO visits VALUES (%s, 1) ON DUPLICATE KEY UPDATE number = number + 1", [page])
        self.write('"welcome"')


async def main(port: int) -> None:
    async with aio.Pool(url=os.environ["MIZZLE_URL"], autocommit=True, max_size=20) as pool:
        async with pool.connection() as conn:
            await conn.execute("CREATE TABLE IF NOT EXISTS visits (page VARCHAR(80) PRIMARY KEY, number INT)")
        app = tornado.web.Application([("/(.*)", Handler, {"pool": pool})])
        app.listen(port, "127.0.0.1")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8080))
