"""How connections come: in the background, in spite of failures; and what callers are told who cannot get one."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from faults.hostile import Link, Peer
from mizzle.testing import Server
from plugins.worlds import PATIENCE, World
from pool.conftest import Clock, MakePool, ahead

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def serve(link: Link) -> None:
    """A server that says OK to everything."""
    link.let_in()
    while link.answer(b"\0\0\0\2\0\0\0") is not None:
        pass


class Door:
    """A server that may turn everybody away, and counts who comes."""

    def __init__(self) -> None:
        self.is_open = False
        self.came = 0
        self.peer = Peer(self._play)
        self.args: dict[str, Any] = {"host": "127.0.0.1", "port": self.peer.port, "user": "ann", "ssl_mode": "disabled"}

    def _play(self, link: Link) -> None:
        self.came += 1
        if self.is_open:
            serve(link)


@pytest.fixture
def door() -> Any:
    made = Door()
    yield made
    made.peer.close()


def test_making_a_pool_connects_nothing(door: Door, any_pool: MakePool) -> None:
    lending = any_pool(**door.args)
    assert lending.get_stats()["pool_size"] == 0
    lending.close()
    assert door.came == 0


def test_the_first_use_opens_it(door: Door, any_pool: MakePool, until: Until) -> None:
    door.is_open = True
    lending = any_pool(min_size=3, max_size=3, **door.args)
    with lending.connection():
        until(lambda: lending.get_stats()["pool_size"] == 3)
    assert door.came == 3


def test_a_pool_that_is_opened_by_hand(door: Door, any_pool: MakePool) -> None:
    door.is_open = True
    lending = any_pool(open=False, **door.args)
    with pytest.raises(mizzle.PoolClosed, match=r"not open yet: call its open\(\)"):
        lending.getconn()
    lending.open()
    lending.getconn().close()


def test_a_pool_that_opens_itself(door: Door, any_pool: MakePool, until: Until) -> None:
    door.is_open = True
    lending = any_pool(open=True, **door.args)
    until(lambda: lending.get_stats()["pool_size"] == 1)


def test_a_with_block_opens_and_closes(door: Door, any_pool: MakePool, until: Until) -> None:
    door.is_open = True
    lending = any_pool(open=False, min_size=2, **door.args)
    with lending:
        until(lambda: lending.get_stats()["pool_size"] == 2)
    assert lending.closed
    with pytest.raises(mizzle.PoolClosed, match="is closed"):
        lending.getconn()


def test_wait(door: Door, any_pool: MakePool, world: World) -> None:
    lending = any_pool(min_size=2, **door.args)
    with pytest.raises(mizzle.PoolTimeout, match=r"has opened 0 of 2 connections within 0\.3 s") as caught:
        lending.wait(0.3)
    assert isinstance(caught.value.__cause__, mizzle.OperationalError)
    waiting = world.spawn(lending.wait, None)
    door.is_open = True
    waiting.result()
    assert lending.get_stats()["pool_size"] == 2
    lending.wait(0.001)


def test_those_who_ask_while_the_server_is_away_are_served_when_it_is_back(
    door: Door, any_pool: MakePool, world: World, until: Until
) -> None:
    lending = any_pool(max_size=2, outage_grace=PATIENCE, **door.args)
    tasks = [world.spawn(lambda: lending.getconn().close()) for _ in range(5)]
    until(lambda: door.came >= 2)
    assert lending.get_stats()["requests_waiting"] == 5
    door.is_open = True
    for task in tasks:
        task.result()
    until(lambda: lending.get_stats()["pool_size"] == 2)
    assert lending.get_stats()["connections_errors"] >= 2


def test_in_an_outage_one_is_tried_at_a_time(door: Door, any_pool: MakePool, world: World, until: Until) -> None:
    lending = any_pool(max_size=20, outage_grace=PATIENCE, **door.args)
    tasks = [world.spawn(lambda: lending.getconn().close()) for _ in range(20)]
    until(lambda: lending.get_stats()["connections_errors"] >= 1 and not lending._opening)
    before = door.came
    until(lambda: door.came > before)
    assert lending._opening <= 1
    door.is_open = True
    for task in tasks:
        task.result()


def test_without_hope_callers_are_told_at_once(any_pool: MakePool, clock: Clock, world: World, until: Until) -> None:
    """Those who wait as well as those who come; with the error number that connect() would have given them."""
    lending = ahead(any_pool(max_size=2, host="127.0.0.1", port=unused_port(), user="ann"), clock)
    tasks = [world.spawn(lending.getconn) for _ in range(3)]
    until(lambda: lending.get_stats()["connections_errors"] >= 1)
    clock.ahead = 6  # longer than outage_grace
    for task in tasks:
        with pytest.raises(
            mizzle.OperationalError, match="has no connection and cannot open one: Can't conn"
        ) as caught:
            task.result()
        assert caught.value.errno == 2003
        assert isinstance(caught.value.__cause__, mizzle.OperationalError)
    tried = lending.get_stats()["connections_errors"]
    with pytest.raises(mizzle.OperationalError, match="cannot open one"):
        lending.getconn()
    assert lending.get_stats()["connections_errors"] <= tried + 1
    clock.ahead = 60  # what was found out so long ago is not repeated: it is tried again
    with pytest.raises(mizzle.OperationalError, match="cannot open one"):
        lending.getconn()
    assert lending.get_stats()["connections_errors"] > tried
    assert lending.get_stats()["requests_errors"] == 5


def test_what_no_waiting_can_cure(any_pool: MakePool, server: Server) -> None:
    lending = any_pool(**server.connect_args(password="wrong"))
    with pytest.raises(mizzle.OperationalError, match="cannot open one: Access denied") as caught:
        lending.getconn()
    assert caught.value.errno == 1045
    with pytest.raises(mizzle.OperationalError, match="Access denied"):
        lending.wait()


def test_who_can_still_be_served_goes_on_waiting(
    door: Door, any_pool: MakePool, clock: Clock, world: World, until: Until
) -> None:
    """No second connection can be opened, but the first will come back."""
    door.is_open = True
    lending = ahead(any_pool(max_size=2, **door.args), clock)
    conn = lending.getconn()
    door.is_open = False
    task = world.spawn(lambda: lending.getconn().close())
    until(lambda: lending.get_stats()["connections_errors"] >= 1)
    clock.ahead = 10
    until(lambda: lending.get_stats()["connections_errors"] >= 2)
    assert lending.get_stats()["requests_waiting"] == 1
    conn.close()
    task.result()


def test_a_timeout_names_what_kept_the_pool_from_growing(door: Door, any_pool: MakePool) -> None:
    door.is_open = True
    lending = any_pool(max_size=2, **door.args)
    with lending.connection():
        door.is_open = False
        with pytest.raises(mizzle.PoolTimeout, match="1 are in use of at most 2") as caught:
            lending.getconn(acquire_timeout=0.3)
    assert isinstance(caught.value.__cause__, mizzle.OperationalError)


def test_a_long_outage_is_reported_once(
    door: Door, any_pool: MakePool, clock: Clock, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    note = lambda pool: told.append(repr(pool))  # noqa: E731 (it is said in a line)
    lending = ahead(any_pool(reconnect_timeout=50, reconnect_failed=note, **door.args), clock)
    lending.open()
    until(lambda: lending.get_stats()["connections_errors"] == 1)
    assert not told
    for seconds in (60, 120):
        clock.ahead = seconds
        before = lending.get_stats()["connections_errors"]
        lending._look_around()
        until(lambda before=before: lending.get_stats()["connections_errors"] > before)  # type: ignore[misc]
    until(lambda: told)
    assert told == [repr(lending)]
    assert "has had no server for 60 s" in caplog.text
    door.is_open = True
    clock.ahead = 180
    lending.getconn().close()
