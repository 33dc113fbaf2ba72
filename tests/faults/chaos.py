"""Many workers on one server, each statement with a token of its own, every fifth interrupted at a random moment.

A worker has one connection, and goes on with it after an interrupt if it can. What must never happen is counted: rows
of another statement, a statement killed that nobody interrupted, an error that nothing explains.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import mizzle
from plugins.worlds import World

ROWS = 400
#: Statements that give each row the token.
STATEMENTS = (
    "SELECT {}",
    "SELECT {} FROM chaos_numbers WHERE n = 7 LOCK IN SHARE MODE",
    f"SELECT {{}}, n, REPEAT('x', 200) FROM chaos_numbers WHERE n < {ROWS}",
)
#: Two that end only if they are ended: they wait for what prepare() holds. Not SLEEP(): in MariaDB all that sleep share
#: one mutex; a KILL that meets one of them waking up waits for it up to two seconds, and everybody's sleep with it.
ENDLESS = (
    "SELECT {}, GET_LOCK('chaos', 60)",
    "SELECT {} FROM chaos_numbers WHERE n = 0 FOR UPDATE",
)


class Chaos:
    """One run; `counts` says what happened."""

    def __init__(self, world: World, connect: Callable[[], Any], seed: int) -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._connect = connect
        self._seed = seed
        self._tokens = iter(range(1_000_000, 10_000_000))
        self._ways = [self._too_late, self._closed_from_outside]
        if world.interrupts:
            self._ways.append(self._interrupted)

    def run(self, workers: int, statements: int) -> None:
        """That many workers do that many statements together; raises what one of them died of."""
        tasks = [self.world.spawn(self._work, number, statements // workers) for number in range(workers)]
        for task in tasks:
            task.result()

    def _work(self, number: int, statements: int) -> None:
        dice = random.Random(self._seed * 1000 + number)
        worker = _Worker(self, dice)
        for step in range(statements):
            if step % 5 == 4:
                self.counts["interrupted"] += 1
                dice.choice(self._ways)(worker)
            else:
                worker.ask_in_peace(dice.choice(STATEMENTS))
        worker.conn.close()

    # -- three ways to be interrupted -----------------------------------------------------------------------------

    def _too_late(self, worker: _Worker) -> None:
        try:
            worker.ask(worker.dice.choice(STATEMENTS + ENDLESS), timeout=worker.moment())
        except mizzle.OperationalError as error:
            if "timed out" not in str(error) and "could not begin" not in str(error):
                self.failures.append(f"a deadline gave {error!r}")
            worker.was_interrupted = True
            self.counts["too late"] += 1

    def _interrupted(self, worker: _Worker) -> None:
        begun = self.world.event()
        task = self.world.spawn(worker.ask, worker.dice.choice(STATEMENTS + ENDLESS), None, begun)
        begun.wait()
        self.world.sleep(worker.moment())
        task.interrupt()
        try:
            task.result()
        except Exception as error:  # noqa: BLE001 - counted
            self.failures.append(f"an interrupt gave {error!r}")
        except BaseException:  # noqa: BLE001 - the interrupt
            worker.was_interrupted = True
            self.counts["killed"] += 1

    def _closed_from_outside(self, worker: _Worker) -> None:
        begun = self.world.event()
        task = self.world.spawn(worker.ask, worker.dice.choice(STATEMENTS + ENDLESS), None, begun)
        begun.wait()
        self.world.sleep(worker.moment())
        worker.conn.abort() if worker.dice.random() < 0.5 else worker.conn.close()
        try:
            task.result()
        except mizzle.Error as error:
            if error.alive:
                self.failures.append(f"a connection that was closed gave {error!r}")
            self.counts["closed"] += 1


class _Worker:
    def __init__(self, chaos: Chaos, dice: random.Random) -> None:
        self.chaos = chaos
        self.dice = dice
        self.conn = chaos._connect()
        self.was_interrupted = False

    def moment(self) -> float:
        """Now, soon, or while an answer comes."""
        return self.dice.random() ** 3 * 0.02 + 0.0001

    def ask_in_peace(self, statement: str) -> None:
        """Nothing disturbs it; only an interrupt before it may have cost the connection."""
        counts = self.chaos.counts
        interrupted, self.was_interrupted = self.was_interrupted, False
        if self.conn.open:
            try:
                self.ask(statement)
            except mizzle.Error as error:
                if error.errno == 1317 or not interrupted:
                    self.chaos.failures.append(f"undisturbed, it gave {error!r}")
                counts["lost"] += 1
            else:
                counts["reused"] += interrupted
                return
        elif interrupted:
            counts["lost"] += 1
        self.conn.close()
        self.conn = self.chaos._connect()
        self.ask(statement)

    def ask(self, statement: str, timeout: float | None = None, begun: Any = None) -> None:
        if not self.conn.open:
            self.conn.close()
            self.conn = self.chaos._connect()
        token = next(self.chaos._tokens)
        if begun is not None:
            begun.set()
        rows = self.conn.execute(statement.format(token), timeout=timeout).fetchall()
        self.chaos.counts["answered"] += 1
        expected = ROWS if "REPEAT" in statement else 1
        if len(rows) != expected or any(row[0] != token for row in rows):
            self.chaos.failures.append(f"{statement.format(token)} gave {len(rows)} rows: {rows[:2]}")


def until(true: Callable[[], bool], seconds: float, pause: Callable[[float], None]) -> float:
    """Ask until it is so, for that long at most; how long it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, f"not within {seconds:g} s"
        pause(0.005)
    return time.monotonic() - begun


def prepare(holder: Any) -> None:
    """Make the table of numbers, and hold what the endless statements wait for."""
    holder.execute("CREATE TABLE IF NOT EXISTS chaos_numbers (n INT PRIMARY KEY) ENGINE=InnoDB")
    holder.execute(f"INSERT IGNORE INTO chaos_numbers VALUES {','.join(f'({n})' for n in range(ROWS))}")
    holder.execute("DO GET_LOCK('chaos', 60)")
    holder.begin()
    holder.execute("SELECT n FROM chaos_numbers WHERE n = 0 FOR UPDATE")
