"""init, setup, reset, check: when they are called, and what becomes of a connection for which they fail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

import mizzle
from plugins.worlds import World
from pool.conftest import Admin, Clock, MakePool, ahead

pytestmark = pytest.mark.main_worlds

Until = Callable[[Callable[[], Any]], None]


class Sour(Exception):
    """What a hook of the tests raises."""


class Hook:
    """Notes each call; raises as often as it is told."""

    def __init__(self, failures: int = 0, do: Callable[[Any], Any] = repr) -> None:
        self.calls: list[int] = []
        self.failures = failures
        self._do = do

    def __call__(self, conn: Any) -> None:
        self.calls.append(conn.thread_id())
        if self.failures:
            self.failures -= 1
            raise Sour("no")
        self._do(conn)


def test_when_each_is_called(pool: MakePool, until: Until) -> None:
    init = Hook(do=lambda conn: setattr(conn, "note", "from init"))
    setup = Hook(do=lambda conn: conn.execute("SET @by_setup = 1"))
    reset, check = Hook(do=lambda conn: conn.reset()), Hook()
    lending = pool(max_size=1, init=init, setup=setup, reset=reset, check=check)
    for _ in range(2):
        with lending.connection() as conn:
            assert conn.note == "from init"
            assert conn.execute("SELECT @by_setup, @by_user").fetchall() == [(1, None)]
            conn.execute("SET @by_user = 1")
            conn.note = "from a user"
        until(lambda: lending.get_stats()["pool_available"] == 1)
    number = conn.thread_id()
    assert (init.calls, setup.calls, reset.calls, check.calls) == ([number], [number] * 2, [number] * 2, [number] * 2)


def test_a_failing_init(pool: MakePool, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    init = Hook(failures=1)
    lending = ahead(pool(max_size=1, init=init), clock)
    with pytest.raises(mizzle.OperationalError, match="cannot open one: Sour: no") as caught:
        lending.getconn()
    assert isinstance(caught.value.__cause__, Sour)
    assert "cannot open a connection" in caplog.text
    clock.ahead = 2  # what was just tried is not tried again for each who asks
    with lending.connection() as conn:
        assert conn.thread_id() == init.calls[1] != init.calls[0]
    assert lending.get_stats()["connections_errors"] == 1


def test_a_failing_setup(pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    setup = Hook(failures=1)
    lending = pool(max_size=1, setup=setup)
    with pytest.raises(Sour):
        lending.getconn()
    assert "setup() failed" in caplog.text
    with lending.connection() as conn:
        assert conn.thread_id() == setup.calls[1] != setup.calls[0]


def test_a_failing_check_is_not_the_takers_trouble(pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    check = Hook()
    lending = pool(max_size=1, check=check)
    with lending.connection() as conn:
        number = conn.thread_id()
    check.failures = 1
    with lending.connection() as conn:
        assert conn.thread_id() != number
    assert "discards a connection" in caplog.text
    assert lending.get_stats()["connections_lost"] == 1


def test_a_check_by_ping(pool: MakePool, admin: Admin) -> None:
    lending = pool(max_size=1, check=True)
    with lending.connection() as conn:
        number = conn.thread_id()
    with lending.connection() as conn:
        assert conn.thread_id() == number
    admin.execute(f"KILL {number}")
    with lending.connection() as conn:
        assert conn.thread_id() != number
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_failing_reset(pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    reset = Hook(failures=1)
    lending = pool(max_size=1, reset=reset)
    with lending.connection() as conn:
        number = conn.thread_id()
    with lending.connection() as conn:
        assert conn.thread_id() != number
    assert "could not be reset" in caplog.text
    assert lending.get_stats()["returns_bad"] == 1


def test_a_hook_that_closes_the_connection(pool: MakePool) -> None:
    reset = Hook(do=lambda conn: conn.close())
    lending = pool(max_size=1, reset=reset)
    numbers = set()
    for _ in range(3):
        with lending.connection() as conn:
            numbers.add(conn.thread_id())
    assert len(numbers) == 3


def test_a_password_that_changes(any_pool: MakePool, admin: Admin, server: Any, world: World) -> None:
    """Asked for anew for each connection: credentials may rotate while the pool lives."""
    passwords = ["first", "second"]
    asked: list[str] = []

    def password() -> str:
        asked.append(passwords[0])
        return passwords[0]

    user = f"rotating_{world.name}"
    admin.execute(f"CREATE USER {user}@'%' IDENTIFIED BY 'first'")
    try:
        args = server.connect_args(user=user, password=password)
        lending = any_pool(max_size=1, **args)
        admin.execute(f"GRANT ALL ON {server.database}.* TO {user}@'%'")
        with lending.connection() as conn:
            conn.execute("SELECT 1")
        admin.execute(f"ALTER USER {user}@'%' IDENTIFIED BY 'second'")
        passwords.pop(0)
        lending.drain()
        with lending.connection() as conn:
            conn.execute("SELECT 1")
        assert asked == ["first", "second"]
        lending.close()
    finally:
        admin.execute(f"DROP USER {user}@'%'")


def test_hooks_are_reported_by_the_logger_of_mizzle(pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    lending = pool(max_size=1, setup=Hook(failures=1))
    with caplog.at_level(logging.ERROR, "mizzle"), pytest.raises(Sour):
        lending.getconn()
    assert {record.name for record in caplog.records} == {"mizzle"}
    assert any(record.exc_info and record.exc_info[0] is Sour for record in caplog.records)
