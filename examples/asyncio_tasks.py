"""mizzle on asyncio: tasks that query side by side, and a big result read as it comes.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/asyncio_tasks.py
"""

import asyncio
import os

from mizzle import aio


async def square(number: int) -> int:
    async with aio.connect(url=os.environ["MIZZLE_URL"], timeout=5) as conn:
        cur = await conn.execute("SELECT %s * %s", [number, number])
        [(answer,)] = await cur.fetchall()
        return int(answer)


async def main() -> None:
    print("squares:", *await asyncio.gather(*(square(n) for n in range(10))))

    async with aio.connect(url=os.environ["MIZZLE_URL"]) as conn, conn.cursor(aio.StreamingCursor) as cur:
        await cur.execute("SELECT a.id FROM information_schema.collations a, information_schema.collations b")
        count = 0
        async for _row in cur:  # in memory is what has arrived, never the whole result
            count += 1
    print(f"streamed {count:,} rows")


if __name__ == "__main__":
    asyncio.run(main())
