"""close(), in every state that a pool can be in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from faults.hostile import Link, Peer
from mizzle.testing import Server
from plugins.worlds import World
from pool.conftest import Admin, MakePool

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]


def test_never_used_and_twice(pool: MakePool) -> None:
    lending = pool()
    lending.close()
    lending.close()
    assert lending.closed
    for use in (lending.getconn, lending.open, lending.wait):
        with pytest.raises(mizzle.PoolClosed, match="is closed"):
            use()


def test_idle_connections_are_closed_now_and_lent_ones_when_they_come_back(
    pool: MakePool, admin: Admin, server: Server, until: Until
) -> None:
    before = admin.sessions(server.connect_args()["user"])
    lending = pool(min_size=3, max_size=3)
    lending.wait()
    conn = lending.getconn()
    lending.close()
    until(lambda: admin.sessions(server.connect_args()["user"]) == before + 1)
    assert conn.execute("SELECT 1").fetchone() == (1,)
    conn.close()
    until(lambda: admin.sessions(server.connect_args()["user"]) == before)
    assert lending.get_stats()["pool_size"] == 0


def test_who_waits_is_told(pool: MakePool, world: World, until: Until) -> None:
    lending = pool(max_size=1)
    conn = lending.getconn()
    tasks = [world.spawn(lending.getconn) for _ in range(3)]
    until(lambda: lending.get_stats()["requests_waiting"] == 3)
    lending.close()
    for task in tasks:
        with pytest.raises(mizzle.PoolClosed, match="is closed"):
            task.result()
    conn.close()


def test_while_a_connection_is_being_opened(any_pool: MakePool, world: World, until: Until) -> None:
    """It is not kept, and close() can be told not to wait for it."""

    def hesitate(link: Link) -> None:
        link.signal("came")
        link.wait_for("go on")
        link.let_in()
        link.until_end()

    peer = Peer(hesitate)
    args = {"host": "127.0.0.1", "port": peer.port, "user": "ann", "ssl_mode": "disabled", "on_interrupt": "close"}
    lending = any_pool(**args)
    waiting = world.spawn(lending.wait)
    until(peer.event("came").is_set)
    lending.close(timeout=0.01)
    with pytest.raises(mizzle.PoolClosed):
        waiting.result()
    peer.event("go on").set()
    until(lambda: not lending._jobs)
    peer.close()
    assert lending.get_stats()["pool_size"] == 0


def test_while_a_connection_is_being_cleaned(pool: MakePool, admin: Admin, server: Server, until: Until) -> None:
    user = server.connect_args()["user"]
    before = admin.sessions(user)
    lending = pool(max_size=1)
    with lending.connection() as conn:
        conn.begin()
    lending.close()
    until(lambda: admin.sessions(user) == before)


def test_in_an_outage(any_pool: MakePool, until: Until) -> None:
    peer = Peer(repr)
    lending = any_pool(host="127.0.0.1", port=peer.port, user="ann", ssl_mode="disabled")
    lending.open()
    until(lambda: lending.get_stats()["connections_errors"])
    lending.close()
    peer.close()
    assert lending._jobs == 0
