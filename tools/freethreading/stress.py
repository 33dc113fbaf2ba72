"""Many threads on a real server, in an interpreter without a GIL: each statement must give its own token.

`python stress.py CONNECT_ARGS SECONDS`, run with that interpreter by `python -m tools.freethreading`. The works run one
after the other, for so many seconds each; what threads have in common in them is what could go wrong: the pool, the
formats of rows and the codecs that all connections share, TLS contexts, receive buffers, interrupts, ends.
"""

from __future__ import annotations

import faulthandler
import itertools
import json
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import mizzle
from mizzle import errors

THREADS = 16
POOL = 6
#: After so many seconds a thread that has not come back hangs.
PATIENCE = 60

Ask = Callable[[random.Random, int], None]


class Stress:
    """One server, and the works on it."""

    def __init__(self, args: dict[str, Any], seconds: float) -> None:
        self.args = args | {"autocommit": True, "timeout": PATIENCE, "ssl_mode": "disabled"}
        self.seconds = seconds
        self.tokens = itertools.count(1_000_000)
        self.failures: list[str] = []

    def run(self, work: Callable[[], tuple[Ask, Callable[[], None]]]) -> int:
        """Let all threads do it again and again; how often they did."""
        ask, close = work()
        counts = [0] * THREADS
        begin = threading.Barrier(THREADS)

        def thread(number: int) -> None:
            dice = random.Random(number)
            begin.wait()
            end = time.monotonic() + self.seconds
            while time.monotonic() < end and not self.failures:
                try:
                    ask(dice, number)
                except BaseException:  # noqa: BLE001 - shown in the end
                    self.failures.append(traceback.format_exc())
                counts[number] += 1

        threads = [threading.Thread(target=thread, args=(number,), daemon=True) for number in range(THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(self.seconds + PATIENCE)
            if each.is_alive():
                faulthandler.dump_traceback()
                self.failures.append(f"{each.name} hangs")
                break
        close()
        return sum(counts)

    # -- the works ------------------------------------------------------------------------------------------------

    def pooled(self) -> tuple[Ask, Callable[[], None]]:
        """Texts, prepared statements, streams and named parameters through one pool."""
        pool = mizzle.Pool(min_size=POOL, max_size=POOL, acquire_timeout=PATIENCE, prepare_threshold=3, **self.args)

        def ask(dice: random.Random, number: int) -> None:
            with pool.connection() as conn:
                conn.execute("SET @mine = %s", (number,))
                for _ in range(dice.randrange(4)):
                    token = next(self.tokens)
                    assert conn.execute("SELECT %s, @mine", (token,)).fetchone() == (token, number)
                    row = conn.execute("SELECT %(n)s AS n, %(t)s AS t", {"n": token, "t": "text"}).fetchone()
                    assert row == (token, "text")
                    with conn.cursor(mizzle.StreamingDictCursor) as cur:
                        cur.execute("SELECT %s AS token UNION ALL SELECT 2", (token,))
                        assert [column[0] for column in cur.description or ()] == ["token"]
                        assert cur.fetchone() == {"token": token}

        return ask, pool.close

    def many_formats(self) -> tuple[Ask, Callable[[], None]]:
        """More row formats than are remembered: while some are looked up others are forgotten."""
        pool = mizzle.Pool(min_size=THREADS, max_size=THREADS, acquire_timeout=PATIENCE, reset=False, **self.args)

        def ask(dice: random.Random, _number: int) -> None:
            with pool.connection() as conn:
                for _ in range(20):
                    name, token = f"c{dice.randrange(400)}", next(self.tokens)
                    cur = conn.execute(f"SELECT {token} AS {name}, 'text', NOW(), 1.25, {token}")
                    description: Any = cur.description
                    assert description[0][0] == name
                    row: Any = cur.fetchone()
                    assert (row[0], row[4]) == (token, token)

        return ask, pool.close

    def connecting(self) -> tuple[Ask, Callable[[], None]]:
        """Each its own connection, with TLS or without, with the codecs and contexts that they share."""

        def ask(dice: random.Random, _number: int) -> None:
            args = self.args | {"ssl_mode": dice.choice(["disabled", "required"])}
            token = next(self.tokens)
            with mizzle.connect(charset=dice.choice(["utf8mb4", "latin1", "gbk"]), **args) as conn:
                assert conn.execute("SELECT %s, %s", (token, "text")).fetchone() == (token, "text")

        return ask, lambda: None

    def interrupted(self) -> tuple[Ask, Callable[[], None]]:
        """Every other statement runs late and is ended on the server; the next must get its own answer."""
        conns = [mizzle.connect(**self.args) for _ in range(THREADS)]

        def ask(dice: random.Random, number: int) -> None:
            conn = conns[number]
            if not conn.open:
                conns[number] = conn = mizzle.connect(**self.args)
            token = next(self.tokens)
            late = "SELECT GET_LOCK('stress', 60)" if number else "SELECT SLEEP(60)"
            try:
                row = conn.execute(dice.choice([late, f"SELECT {token}"]), timeout=dice.random() * 0.01).fetchone()
                assert row in {(token,), (0,), (1,)}
            except mizzle.OperationalError as error:
                if error.errno not in {3024, 2013}:
                    raise
            if conn.open:
                try:
                    assert conn.execute("SELECT %s", (token,)).fetchone() == (token,)
                    conn.execute("DO RELEASE_ALL_LOCKS()")
                except errors.ConnectionClosed:
                    assert not conn.open

        def close() -> None:
            for conn in conns:
                conn.close()

        return ask, close

    def from_outside(self) -> tuple[Ask, Callable[[], None]]:
        """Connections that other threads close, abort and use: each gets its own row, or a refusal."""
        args = self.args | {"on_interrupt": "close"}
        shared = [mizzle.connect(**args) for _ in range(3)]
        replacing = threading.Lock()

        def ask(dice: random.Random, _number: int) -> None:
            at = dice.randrange(len(shared))
            conn, token = shared[at], next(self.tokens)
            end = dice.random()
            try:
                if end < 0.01:
                    with replacing:
                        conn, shared[at] = shared[at], mizzle.connect(**args)
                    conn.abort() if end < 0.005 else conn.close()
                else:
                    row: Any = conn.execute("SELECT %s, REPEAT('x', 5000)", (token,)).fetchone()
                    assert row[0] == token
            except (errors.InterfaceError, errors.OperationalError, errors.ProgrammingError) as error:
                if error.errno not in {0, 2006, 2013, 2014}:
                    raise

        def close() -> None:
            for conn in shared:
                conn.close()

        return ask, close


def main() -> int:
    faulthandler.enable()
    has_gil: Callable[[], bool] = vars(sys)["_is_gil_enabled"]
    if has_gil():
        print("this interpreter has a GIL, or something that was imported asked for it", file=sys.stderr)
        return 1
    stress = Stress(json.loads(sys.argv[1]), float(sys.argv[2]))
    for work in (stress.pooled, stress.many_formats, stress.connecting, stress.interrupted, stress.from_outside):
        count = stress.run(work)
        if stress.failures:
            print(f"{work.__name__}: FAILED\n{stress.failures[0]}", file=sys.stderr)
            return 1
        print(f"{work.__name__}: {count:,} times in {stress.seconds:g} s", flush=True)
    if has_gil():
        print("the GIL came back on the way", file=sys.stderr)
        return 1
    print(f"{THREADS} threads, Python {sys.version.split()[0]}, no GIL: all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
