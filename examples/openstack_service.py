"""A service as OpenStack has them, in three forms: on eventlet, on threads, on asyncio. The driver's line stays.

    MIZZLE_URL=mysql+mizzle://user:password@127.0.0.1:3306/test python examples/openstack_service.py eventlet
    … threads
    … asyncio

It boots instances within a quota: the row of the project is locked, the instance is written, the quota is counted.
From eventlet to threads only the way requests come together changes (`on_eventlet`, `on_threads`); on asyncio the
functions that ask the database become coroutines. docs/off-eventlet.md goes through the steps.
"""

import os
import sys

if __name__ == "__main__" and sys.argv[1:] == ["eventlet"]:
    import eventlet

    eventlet.monkey_patch()  # before anything else is imported, as every service on eventlet does it

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from oslo_context.context import RequestContext
from oslo_db import api, exception
from oslo_db.sqlalchemy import asyncio_facade, enginefacade

REQUESTS, QUOTA, WORKERS = 60, 50, 20

# The driver's line, for all three; and as many connections as there are workers, for whom nobody has to wait.
SETTINGS = {
    "connection": re.sub("^mysql://", "mysql+mizzle://", os.environ.get("MIZZLE_URL", "")),
    "max_pool_size": WORKERS,
    "max_overflow": 0,
}

metadata = sa.MetaData()
projects = sa.Table(
    "example_projects", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("used", sa.Integer)
)
instances = sa.Table(
    "example_instances",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("host", sa.String(40), nullable=False),
)


class QuotaExceeded(Exception):
    """The project has all that it may have."""


def setting_up(conn):
    metadata.drop_all(conn)
    metadata.create_all(conn)
    conn.execute(projects.insert().values(id=1, used=0))


# The statements, for all three

lock = sa.select(projects.c.used).where(projects.c.id == 1).with_for_update()
count = projects.update().where(projects.c.id == 1).values(used=projects.c.used + 1)
booted = sa.select(sa.func.count()).select_from(instances)


# Synchronous: eventlet and threads


@enginefacade.transaction_context_provider
class Context(RequestContext):
    """What a request carries; oslo.db adds `connection`."""


@api.wrap_db_retry(max_retries=5, retry_on_deadlock=True)
@enginefacade.writer.connection
def boot(context, number):
    conn = context.connection
    if conn.scalar(lock) >= QUOTA:
        raise QuotaExceeded
    conn.execute(instances.insert().values(id=number, host=f"compute-{number % 7}"))
    conn.execute(count)


def request(number):
    try:
        boot(Context(), number)
    except QuotaExceeded:
        return 403
    except exception.DBError:
        return 500
    return 202


def serve(run_all):
    """Set up, let the requests come, count; `run_all` is what differs."""
    enginefacade.configure(**SETTINGS)
    with enginefacade.writer.connection.using(Context()) as conn:
        setting_up(conn)
    answers = run_all()
    with enginefacade.reader.connection.using(Context()) as conn:
        return answers, conn.scalar(booted)


def on_eventlet():
    return serve(lambda: list(eventlet.GreenPool(WORKERS).imap(request, range(1, REQUESTS + 1))))


def on_threads():
    with ThreadPoolExecutor(WORKERS) as threads:
        return serve(lambda: list(threads.map(request, range(1, REQUESTS + 1))))


# asyncio: the same with await. The lock comes first, so that there is no deadlock to be repeated: oslo.db's
# wrap_db_retry is for functions, not for coroutines.


@asyncio_facade.async_transaction_context_provider
class AsyncContext(RequestContext):
    """The same; oslo.db adds `async_connection`."""


@asyncio_facade.writer.connection
async def boot_async(context, number):
    conn = context.async_connection
    if (await conn.scalar(lock)) >= QUOTA:
        raise QuotaExceeded
    await conn.execute(instances.insert().values(id=number, host=f"compute-{number % 7}"))
    await conn.execute(count)


async def request_async(number):
    try:
        await boot_async(AsyncContext(), number)
    except QuotaExceeded:
        return 403
    except exception.DBError:
        return 500
    return 202


async def serve_async():
    """The same; requests are tasks, and wait for one of the pool's connections."""
    asyncio_facade.configure(**SETTINGS)
    async with asyncio_facade.writer.connection.using(AsyncContext()) as conn:
        await conn.run_sync(setting_up)
    answers = await asyncio.gather(*map(request_async, range(1, REQUESTS + 1)))
    async with asyncio_facade.reader.connection.using(AsyncContext()) as conn:
        found = await conn.scalar(booted)
        engine = conn.engine
    await engine.dispose()
    return answers, found


def on_asyncio():
    return asyncio.run(serve_async())


def main(form):
    begin = time.perf_counter()
    answers, found = {"eventlet": on_eventlet, "threads": on_threads, "asyncio": on_asyncio}[form]()
    seconds = time.perf_counter() - begin
    codes = {code: answers.count(code) for code in sorted(set(answers))}
    print(f"{form}: answers {codes}, {found} instances, {seconds:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1])
