"""Connections that end, or become too old or too many, while nobody has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from mizzle.worlds import resolve
from plugins.servers import families
from plugins.worlds import PATIENCE, World
from pool.conftest import Admin, Clock, MakePool, ahead

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]


def number_of(lending: Any) -> int:
    with lending.connection() as conn:
        number: int = conn.thread_id()
        return number


def numbers_of(lending: Any, count: int) -> set[int]:
    held = [lending.getconn() for _ in range(count)]
    numbers = {conn.thread_id() for conn in held}
    for conn in held:
        conn.close()
    return numbers


def test_idle_connections_that_are_killed_are_never_lent(
    pool: MakePool, admin: Admin, world: World, until: Until
) -> None:
    """Nobody pings: the end of an idle connection is seen by itself."""
    lending = pool(min_size=3, max_size=3)
    lending.wait()
    killed = numbers_of(lending, 3)
    for number in killed:
        admin.execute(f"KILL {number}")
    look = resolve(world.kind).look
    channels = [member.conn._channel for member in lending._members]
    until(lambda: all(look(channel) or channel.closed for channel in channels))  # the news has come
    user = lending.getconn()
    for _ in range(3):
        with lending.connection() as conn:
            assert conn.thread_id() not in killed
            conn.execute("SELECT 1")
    user.close()
    assert lending.get_stats()["connections_lost"] >= 1  # threads find the others when it is their turn


def test_what_broke_in_use_is_replaced(pool: MakePool, admin: Admin) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number = conn.thread_id()
        admin.execute(f"KILL {number}")
        with pytest.raises(mizzle.Error):
            conn.execute("SELECT SLEEP(10)")
    assert number_of(lending) != number
    assert lending.get_stats()["returns_bad"] == 1


def test_abort_really_ends_it(pool: MakePool) -> None:
    lending = pool(max_size=1)
    with lending.connection() as conn:
        number = conn.thread_id()
        conn.abort()
    assert number_of(lending) != number


def test_connections_grow_old(pool: MakePool, clock: Clock, until: Until) -> None:
    lending = ahead(pool(min_size=2, max_size=2, max_lifetime=100, max_idle=None), clock)
    lending.wait()
    before = numbers_of(lending, 2)
    held = lending.getconn()
    clock.ahead = 89
    lending._look_around()
    assert numbers_of(lending, 1) < before
    clock.ahead = 101
    lending._look_around()
    until(lambda: lending.get_stats()["pool_size"] == 2)
    assert not numbers_of(lending, 1) & before  # the idle one was replaced at once
    held.close()
    until(lambda: lending.get_stats()["pool_available"] == 2)
    assert not numbers_of(lending, 2) & before  # the other when it came back


def test_connections_do_not_all_grow_old_at_once(pool: MakePool) -> None:
    lending = pool(min_size=10, max_size=10, max_lifetime=1000)
    lending.wait()
    ends = [member.expires - member.since for member in lending._members]
    assert all(900 <= lifetime <= 1000 for lifetime in ends)
    assert len(set(ends)) == 10


def test_idle_ones_above_min_size_are_closed(pool: MakePool, clock: Clock) -> None:
    lending = ahead(pool(min_size=1, max_size=4, max_idle=60, max_lifetime=None), clock)
    assert len(numbers_of(lending, 4)) == 4
    clock.ahead = 59
    lending._look_around()
    assert lending.get_stats()["pool_size"] == 4
    number = number_of(lending)
    clock.ahead = 61
    lending._look_around()
    assert lending.get_stats()["pool_size"] == 1
    assert number_of(lending) == number  # the one that was used last


def test_the_keeper_does_that_by_itself(pool: MakePool, until: Until) -> None:
    lending = pool(min_size=0, max_size=3, max_idle=0.05)
    numbers_of(lending, 3)
    until(lambda: lending.get_stats()["pool_size"] == 0)


def test_drain(pool: MakePool, until: Until) -> None:
    lending = pool(min_size=2, max_size=2)
    lending.wait()
    before = numbers_of(lending, 2)
    held = lending.getconn()
    lending.drain()
    assert held.execute("SELECT 1").fetchone() == (1,)
    until(lambda: lending.get_stats()["pool_available"] == 1)
    assert not numbers_of(lending, 1) & before
    held.close()
    until(lambda: lending.get_stats()["pool_available"] == 2)
    assert not numbers_of(lending, 2) & before


def test_resize(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(min_size=0, max_size=1)
    held = [lending.getconn()]
    task = world.spawn(lending.getconn)
    until(lambda: lending.get_stats()["requests_waiting"])
    lending.resize(2, 3)
    held.append(task.result())
    held.append(lending.getconn())
    with pytest.raises(mizzle.PoolTimeout):
        lending.getconn(acquire_timeout=0)
    lending.resize(1, 2)
    for conn in held:
        conn.close()
    assert lending.get_stats()["pool_size"] == 2
    lending.resize(0, 1)
    assert lending.get_stats()["pool_size"] == 1
    lending.resize(3, 3)
    until(lambda: lending.get_stats()["pool_size"] == 3)
    with pytest.raises(ValueError, match="max_size is 1"):
        lending.resize(2, 1)
    assert (lending.min_size, lending.max_size) == (3, 3)


def test_a_server_that_restarts_under_load(
    any_pool: MakePool, world: World, start_server: Callable[..., Server], pytestconfig: pytest.Config, until: Until
) -> None:
    """While it is away callers wait or are told; when it is back the pool is whole again, by itself."""
    server = start_server(families(pytestconfig)[0])  # what a pool does about it does not depend on whose server it is
    lending = any_pool(min_size=4, max_size=4, outage_grace=PATIENCE, **server.connect_args(autocommit=True))
    lending.wait()
    stop: list[bool] = []
    answers: list[int] = []
    errors: list[BaseException] = []

    def work(number: int) -> None:
        while not stop:
            try:
                with lending.connection() as conn:
                    assert conn.execute("SELECT %s", [number]).fetchone() == (number,)
                    answers.append(number)
            except mizzle.Error as error:
                errors.append(error)
            world.sleep(0)

    tasks = [world.spawn(work, number) for number in range(8)]
    until(lambda: len(set(answers)) == 8)
    restart(server, world)
    answers.clear()
    until(lambda: len(set(answers)) == 8)
    stop.append(True)
    for task in tasks:
        task.result()
    until(lambda: lending.get_stats()["pool_available"] == 4)
    for error in errors:
        assert isinstance(error, (mizzle.OperationalError, mizzle.InterfaceError))
    assert lending.get_stats()["connections_num"] >= 8


def restart(server: Server, world: World) -> None:
    """In a thread, so that a hub or loop goes on meanwhile."""
    import threading  # noqa: PLC0415 (used in this one place)

    thread = threading.Thread(target=server.restart)
    thread.start()
    end = time.monotonic() + PATIENCE
    while thread.is_alive():
        assert time.monotonic() < end
        world.sleep(0.005)
