"""Pools on real servers, in every world; and what each test must leave behind: nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import mizzle
from faults.remains import descriptors
from mizzle.testing import Server
from plugins.worlds import PATIENCE, World

MakePool = Callable[..., Any]

_numbers = itertools.count(1)


class Clock:
    """The time, which tests put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class Admin:
    """A connection beside the pool: what it sees is what the server has."""

    def __init__(self, server: Server) -> None:
        self.conn = mizzle.connect(**server.connect_args(autocommit=True, timeout=PATIENCE))
        self._list = "information_schema" if server.is_mariadb else "performance_schema"

    def execute(self, sql: str, args: Any = None) -> list[Any]:
        rows: list[Any] = self.conn.execute(sql, args).fetchall()
        return rows

    def sessions(self, user: str) -> int:
        """How many sessions that account has."""
        [(count,)] = self.execute(f"SELECT COUNT(*) FROM {self._list}.processlist WHERE user = %s", [user])
        return int(count)


@pytest.fixture
def admin(server: Server) -> Iterator[Admin]:
    made = Admin(server)
    yield made
    made.conn.close()


@pytest.fixture
def table(admin: Admin) -> Iterator[str]:
    """A table of one number, empty."""
    name = f"pool{next(_numbers)}"
    admin.execute(f"CREATE TABLE {name} (n INT PRIMARY KEY) ENGINE=InnoDB")
    yield name
    admin.execute(f"DROP TABLE {name}")


@pytest.fixture
def until(world: World) -> Callable[[Callable[[], Any]], None]:
    """Let the others run until something is so."""

    def wait(true: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, "it did not come about"
            world.sleep(0.001)

    return wait


@pytest.fixture
def no_descriptor_left(world: World, until: Callable[[Callable[[], Any]], None]) -> Iterator[None]:
    """What the test opens must also be closed, soon: pools close in the background."""
    world.sleep(0)  # a hub opens its epoll when it is first used
    before = descriptors()
    yield
    until(lambda: descriptors() <= before)
    world.settle()


@pytest.fixture
def any_pool(world: World, no_descriptor_left: None) -> Iterator[MakePool]:  # noqa: ARG001 (is looked at later)
    """A pool in the world that it is the turn of; closed at the end."""
    made: list[Any] = []

    def make(kind: str = "Pool", **keywords: Any) -> Any:
        made.append(world.pool(kind, **{"acquire_timeout": PATIENCE, "timeout": PATIENCE} | keywords))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def pool(any_pool: MakePool, server: Server) -> MakePool:
    """The same for the server that it is the turn of."""
    args = server.connect_args(ssl_mode="disabled", autocommit=True)
    return lambda kind="Pool", **keywords: any_pool(kind, **args | keywords)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ahead(pool: Any, clock: Clock) -> Any:
    """Give a pool a clock that can be put forward."""
    pool._clock = clock
    return pool
