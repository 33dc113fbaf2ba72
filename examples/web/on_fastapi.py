"""FastAPI: a pool for the life of the application, a connection for each request.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/web/on_fastapi.py [PORT]
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI

from mizzle import aio


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aio.Pool(url=os.environ["MIZZLE_URL"], autocommit=True, max_size=20) as app.state.pool:
        async with app.state.pool.connection() as conn:
            await conn.execute("CREATE TABLE IF NOT EXISTS visits (page VARCHAR(80) PRIMARY KEY, number INT)")
        yield


app = FastAPI(lifespan=lifespan)


async def connection() -> AsyncIterator[aio.Connection]:
    async with app.state.pool.connection() as conn:
        yield conn


Conn = Annotated[aio.Connection, Depends(connection)]


@app.get("/")
async def visits(conn: Conn) -> dict[str, int]:
    return dict(await (await conn.execute("SELECT page, number FROM visits")).fetchall())


@app.post("/{page}")
async def visit(page: str, conn: Conn) -> str:
    await conn.execute("INSERT INTO visits VALUES (%s, 1) ON DUPLICATE KEY UPDATE number = number + 1", [page])
    return "welcome"


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
