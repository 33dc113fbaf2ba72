"""Interrupts of every kind at random moments, in every world: nothing lost, nothing mixed up, nothing left.

`--chaos=20000` makes it as many statements (a quick run otherwise); the seed is shown with a failure.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

import mizzle
from faults.chaos import Chaos, prepare, until
from faults.remains import Remains
from mizzle.testing import Server
from plugins.worlds import PATIENCE, World

WORKERS = 50


def test_chaos(world: World, server: Server, request: pytest.FixtureRequest) -> None:
    statements = int(request.config.getoption("chaos"))
    seed = random.randrange(1_000_000)
    where = server.connect_args(autocommit=True, ssl_mode="disabled", timeout=PATIENCE)
    connect = partial(mizzle.connect, world="threads", **where)
    with connect() as admin, connect() as holder:
        admin.execute("SET GLOBAL max_connections = 400")
        prepare(holder)
        before = sessions(admin)
        stock = Remains(world)
        chaos = Chaos(world, lambda: world.connect(**where), seed)
        chaos.run(WORKERS, statements)
        took = until(lambda: running(admin) == 0, 1.0, world.sleep)
        until(lambda: sessions(admin) <= before, PATIENCE, world.sleep)
        stock.nothing()
    counts = chaos.counts
    print(f"{world.name} on {server.family}: {dict(counts)}, the last statement ended after {took:.3f} s, seed {seed}")
    assert not chaos.failures, f"seed {seed}, {dict(counts)}: {chaos.failures[:5]}"
    assert counts["reused"] >= 9 * counts["lost"], f"seed {seed}: {dict(counts)}"


def running(admin: Any) -> int:
    """Statements of the workers that the server still works on."""
    rows = admin.execute("SHOW FULL PROCESSLIST").fetchall()
    return sum(1 for row in rows if row[7] and "PROCESSLIST" not in row[7])


def sessions(admin: Any) -> int:
    rows = admin.execute("SHOW PROCESSLIST").fetchall()
    return sum(1 for row in rows if row[1] not in ("event_scheduler", "system user"))
