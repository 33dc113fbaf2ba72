"""SQLAlchemy's ORM as services use it: a session for each unit of work, from the engine's pool.

In threads one caller; in eventlet and asyncio ten at once, each with its own part of the table.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric, String, Text, create_engine, delete, func, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from bench.catalog import CONTESTANTS
from bench.measure import Figures, Meter
from bench.peers import AsyncPeer, Peer
from bench.task import Task, check
from bench.works import orm
from bench.worlds import World, gather

#: By driver: SQLAlchemy's name for it, and how it is told to leave TLS.
DIALECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "mizzle": ("mizzle", {"ssl_mode": "disabled"}),
    "mysqlclient": ("mysqldb", {"ssl_mode": "DISABLED"}),
    "pymysql": ("pymysql", {"ssl_disabled": True}),
    "asyncmy": ("asyncmy", {}),
    "aiomysql": ("aiomysql", {}),
}
AT_ONCE = 10


class Base(DeclarativeBase):
    """What is mapped."""


class Row(Base):
    """One of the table that is read."""

    __tablename__ = "bench_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    big: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    ratio: Mapped[float]
    created: Mapped[datetime.datetime]
    note: Mapped[str | None] = mapped_column(Text)


class Target(Base):
    """One of the table that is written."""

    __tablename__ = "bench_target"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    created: Mapped[datetime.datetime]


COUNT = select(func.count(), func.sum(Target.amount)).select_from(Target)


def targets(keys: Iterable[int]) -> list[Target]:
    return [Target(**columns) for columns in orm.values(keys)]


# A unit of each work: with the keys that it is for


def key(session: Session, keys: range) -> None:
    found = session.get(Row, keys[0])
    check("id", found and found.id, keys[0])


def load(session: Session, keys: range) -> None:
    found = session.scalars(select(Row).where(Row.id.between(keys[0], keys[-1]))).all()
    check("objects", (len(found), sum(row.id for row in found)), (len(keys), sum(keys)))


def insert(session: Session, keys: range) -> None:
    session.add_all(targets(keys))
    session.commit()


def update(session: Session, keys: range) -> None:
    for target in session.scalars(select(Target).where(Target.id.between(keys[0], keys[-1]))):
        target.amount += 1
    session.commit()


def transaction(session: Session, keys: range) -> None:
    giver = session.get_one(Target, keys[0], with_for_update=True)
    taker = session.get_one(Target, keys[1], with_for_update=True)
    giver.amount -= 1
    taker.amount += 1
    session.flush()
    session.add_all(targets([orm.ADDED + keys[0]]))
    session.commit()


async def key_async(session: AsyncSession, keys: range) -> None:
    found = await session.get(Row, keys[0])
    check("id", found and found.id, keys[0])


async def load_async(session: AsyncSession, keys: range) -> None:
    found = (await session.scalars(select(Row).where(Row.id.between(keys[0], keys[-1])))).all()
    check("objects", (len(found), sum(row.id for row in found)), (len(keys), sum(keys)))


async def insert_async(session: AsyncSession, keys: range) -> None:
    session.add_all(targets(keys))
    await session.commit()


async def update_async(session: AsyncSession, keys: range) -> None:
    for target in await session.scalars(select(Target).where(Target.id.between(keys[0], keys[-1]))):
        target.amount += 1
    await session.commit()


async def transaction_async(session: AsyncSession, keys: range) -> None:
    giver = await session.get_one(Target, keys[0], with_for_update=True)
    taker = await session.get_one(Target, keys[1], with_for_update=True)
    giver.amount -= 1
    taker.amount += 1
    await session.flush()
    session.add_all(targets([orm.ADDED + keys[0]]))
    await session.commit()


# Running them


def run(task: Task, peer: Peer, world: World) -> Figures:  # noqa: ARG001 (SQLAlchemy has its own name for the driver)
    plan = orm.Plan(task)
    unit: Callable[[Session, range], None] = globals()[plan.unit]
    workers = 1 if CONTESTANTS[task.contestant].world == "threads" else AT_ONCE
    engine = create_engine(address(task), connect_args=arguments(task), pool_size=workers)
    sessions = sessionmaker(engine)

    def one(keys: range) -> None:
        with sessions() as session:
            unit(session, keys)

    def prepare() -> None:
        with sessions() as session:
            session.execute(delete(Target))
            session.add_all(targets(plan.beforehand))
            session.commit()

    def do(units: list[range]) -> None:
        parts = orm.shares(units, workers)

        def part(number: int) -> None:
            for keys in parts[number]:
                world.call(one, keys)

        world.run(workers, part)

    world.call(prepare)
    do(plan.warm_up)
    with Meter() as meter:
        do(plan.measured)
    with sessions() as session:
        plan.check(*session.execute(COUNT).one())
    engine.dispose()
    return meter.figures(plan.things)


async def run_async(task: Task, peer: AsyncPeer) -> Figures:  # noqa: ARG001 (SQLAlchemy has its own name for the driver)
    plan = orm.Plan(task)
    unit: Callable[[AsyncSession, range], Awaitable[None]] = globals()[f"{plan.unit}_async"]
    engine = create_async_engine(address(task), connect_args=arguments(task), pool_size=AT_ONCE)
    sessions = async_sessionmaker(engine)

    async def each(units: list[range]) -> None:
        for keys in units:
            async with sessions() as session:
                await unit(session, keys)

    async with sessions() as session:
        await session.execute(delete(Target))
        session.add_all(targets(plan.beforehand))
        await session.commit()
    await gather(*map(each, orm.shares(plan.warm_up, AT_ONCE)))
    with Meter() as meter:
        await gather(*map(each, orm.shares(plan.measured, AT_ONCE)))
    async with sessions() as session:
        plan.check(*(await session.execute(COUNT)).one())
    await engine.dispose()
    return meter.figures(plan.things)


def address(task: Task) -> URL:
    contestant = CONTESTANTS[task.contestant]
    settings = task.settings
    query = {"charset": "utf8mb4"}
    if contestant.driver == "mizzle" and contestant.world == "eventlet":
        query["world"] = contestant.world
    place = settings.user, settings.password, settings.host, settings.port, settings.database
    return URL.create(f"mysql+{DIALECTS[contestant.driver][0]}", *place, query=query)


def arguments(task: Task) -> dict[str, Any]:
    return DIALECTS[CONTESTANTS[task.contestant].driver][1]
