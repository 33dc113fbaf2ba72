"""What a pool can be told: checked when it is made, before anything is connected."""

from __future__ import annotations

from typing import Any

import pytest

import mizzle
from mizzle import aio
from mizzle.aio.pool_outage import LONGEST_DELAY, Outage
from mizzle.aio.pool_settings import NAMES
from mizzle.aio.pool_stats import Stats
from mizzle.loans import Histogram

WRONG = [
    ("min_size", -1),
    ("min_size", 2.5),
    ("min_size", True),
    ("max_size", 0),
    ("max_size", "10"),
    ("acquire_timeout", -1),
    ("acquire_timeout", "30"),
    ("max_waiting", -1),
    ("max_waiting", None),
    ("max_lifetime", 0),
    ("max_idle", -5),
    ("max_idle", 1e12),
    ("outage_grace", None),
    ("reconnect_timeout", 0),
    ("reconnect_failed", 3),
    ("leak_timeout", 0),
    ("reset", None),
    ("init", "SET @a = 1"),
    ("setup", True),
    ("check", "SELECT 1"),
    ("open", 1),
    ("debug", None),
    ("name", 7),
    ("connection_class", "Connection"),
]


@pytest.mark.parametrize("kind", [mizzle.Pool, mizzle.NullPool, aio.Pool, aio.NullPool])
@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_value_that_is_not_allowed(kind: Any, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} is {value!r}"):
        kind(**{name: value})


def test_sizes_go_together() -> None:
    with pytest.raises(ValueError, match="max_size is 4, which is not allowed: expected a whole number, 5 or more"):
        mizzle.Pool(min_size=5, max_size=4)
    with pytest.raises(ValueError, match=r"min_size is 0, .* 1 or more"):
        mizzle.Pool(min_size=0, max_size=None)
    assert mizzle.Pool(min_size=5, max_size=None).max_size == 5


def test_the_keywords_of_connections_are_checked_at_once() -> None:
    with pytest.raises(TypeError, match=r"no keyword 'maxsize'; did you mean 'max_size'\?"):
        mizzle.Pool(maxsize=10)
    with pytest.raises(TypeError, match=r"connect\(\) has no keyword 'hots'; did you mean 'host'\?"):
        mizzle.Pool(hots="localhost")
    with pytest.raises(ValueError, match="port is 'x'"):
        mizzle.Pool(port="x")
    with pytest.raises(mizzle.NotSupportedError, match="world='asyncio' is not for"):
        mizzle.Pool(world="asyncio")
    with pytest.raises(mizzle.NotSupportedError, match="world='threads' is not for"):
        aio.Pool(world="threads")


def test_a_pool_can_be_told_by_url() -> None:
    pool = mizzle.Pool(url="mysql://ann:secret@db.example:3307/shop?charset=utf8mb4", max_size=3)
    assert repr(pool) == "<Pool ann@db.example:3307>"
    assert repr(aio.Pool(name="shop")) == "<Pool shop>"
    assert "secret" not in repr(vars(pool)["_options"])


def test_names_of_pools_and_of_connections_are_different() -> None:
    from mizzle.options.keywords import ALIASES, SETTINGS, SOURCES  # noqa: PLC0415 (looked at here only)

    assert not set(NAMES) & (SETTINGS.keys() | ALIASES.keys() | SOURCES)


def test_the_worlds_of_the_surfaces() -> None:
    import mizzle.eventlet  # noqa: PLC0415 (it is one of many surfaces)

    assert issubclass(mizzle.eventlet.Pool, mizzle.Pool)
    assert mizzle.eventlet.Pool()._options.world == "eventlet"
    assert mizzle.eventlet.NullPool()._options.world == "eventlet"


def test_attempts_become_rarer_but_do_not_end() -> None:
    outage = Outage()
    refused = mizzle.OperationalError(2003, "refused")
    delays = [outage.failed(refused, 100.0 + number, 100.0 + number) for number in range(20)]
    assert delays[0] < 0.2
    assert delays == sorted(delays[:4]) + delays[4:]
    assert max(delays) <= LONGEST_DELAY * 1.25
    assert min(delays[-5:]) >= LONGEST_DELAY * 0.75
    assert outage.lasts(150.0) == 50.0


def test_attempts_that_fail_together_count_as_one() -> None:
    outage = Outage()
    refused = mizzle.OperationalError(2003, "refused")
    for number in range(20):
        outage.failed(refused, 100.0, 101.0 + number / 100)
    assert outage.failed(refused, 102.0, 102.0) < 0.3


def test_when_waiting_is_of_no_use() -> None:
    refused, denied = mizzle.OperationalError(2003, "refused"), mizzle.OperationalError(1045, "denied")
    outage = Outage()
    assert not outage.is_hopeless(0.0, 5.0)
    outage.failed(refused, 0.0, 0.0)
    assert not outage.is_hopeless(4.9, 5.0)
    assert outage.is_hopeless(5.0, 5.0)
    outage.failed(denied, 1.0, 1.0)
    assert outage.is_hopeless(1.0, 5.0)
    assert outage.refusal("<Pool x>").args == (1045, "<Pool x> has no connection and cannot open one: denied")
    assert outage.refusal("<Pool x>").__cause__ is denied


def test_counting_anew() -> None:
    stats = Stats(Histogram())
    for seconds in (0.0, 0.0000005, 0.000003, 0.9, 1e9):
        stats.usage.add(min(seconds, 1e6))
    first = stats.shown(held=2, waiting=1, pop=True)
    assert first["requests_num"] == 8
    assert first["usage_histogram"] == {0.001: 2, 0.004: 1, 1048.576: 1, 2**40 / 1e3: 1}
    assert stats.shown(held=2, waiting=1, pop=False)["requests_num"] == 0
    stats.usage.add(0.25)  # one of the two came back
    again = stats.shown(held=1, waiting=0, pop=False)
    assert again["usage_histogram"] == {262.144: 1}
    assert again["usage_ms"] == 250
