"""One side of the demo, in a process of its own, from the first connection to the last check.

    MIZZLE_URL=mysql://... python -m examples.booking.side mizzle --save outcome.json

The address comes in the environment, so that no password stands in the list of processes.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import eventlet

from examples.booking import schema
from examples.booking.address import Address, Connection
from examples.booking.customers import Office
from examples.booking.ledger import Ledger, check
from examples.booking.load import Customers, Queue, Report, heartbeat
from examples.booking.measure import Measurement, Recorder
from examples.booking.outcome import Outcome
from examples.booking.progress import Progress

REPORT_STARTS = 1.0  # seconds after the load


def main() -> int:
    options = parse()
    try:
        driver = importlib.import_module(f"examples.booking.with_{options.driver}")
        address = Address.from_url(os.environ["MIZZLE_URL"])
    except (ModuleNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        play(driver, address, options).save(options.save)
    except driver.Error as error:
        print(f"\n{driver.TITLE}, server at {address}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.booking.side")
    parser.add_argument("driver", choices=["mizzle", "pymysql"])
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--pause", type=float, default=0.25)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--yield-every", type=int, default=0)
    parser.add_argument("--save", type=Path, required=True)
    return parser.parse_args()


def play(driver: Any, address: Address, options: argparse.Namespace) -> Outcome:
    progress = Progress(driver.TITLE)
    progress.say(f"making {schema.EVENTS * schema.SEATS:,} seats and {options.rows:,} sales of the past")
    with ExitStack() as stack:

        def connect(database: str | None) -> Connection:
            return stack.enter_context(driver.connect(address.with_database(database)))

        first = connect(None)
        schema.create(first, options.rows)
        connections = Queue(connect(schema.DATABASE) for _ in range(options.connections))
        office = Office(Ledger(), Recorder(), driver.Error, driver.OperationalError)
        customers = Customers(office, connections, options.pause)
        reader = connect(schema.DATABASE)
        report = Report(reader, driver.StreamingCursor, office.recorder, options.yield_every)
        try:
            measured = run(customers, report, options, progress)
        except KeyboardInterrupt:
            schema.drop(first)
            raise

        progress.say("asking the database whether it agrees")
        checks = check(office.ledger, first) + report.check()
        server = schema.server_version(first)
        schema.drop(first)
    progress.say(f"{measured.operations:,} operations in {measured.seconds:.1f} s")
    progress.end()
    return Outcome(driver.TITLE, server, measured, report.rows, report.began, report.ended, checks)


def run(customers: Customers, report: Report, options: argparse.Namespace, progress: Progress) -> Measurement:
    """The load itself, and what was measured while it lasted. Ctrl-C ends it early, in good order."""

    def interrupted(*_signal: object) -> None:
        customers.close(KeyboardInterrupt())
        report.abandoned = True

    signal.signal(signal.SIGINT, interrupted)
    gc.freeze()  # as a server does that minds its latency: the collector leaves alone what has been there all along
    recorder = customers.office.recorder
    recorder.begin()
    customers.open(options.workers)
    ticking = eventlet.spawn(heartbeat, recorder)
    reporting = eventlet.spawn_after(REPORT_STARTS, report.run)
    while recorder.now() < options.seconds and not customers.closing:
        eventlet.sleep(0.25)
        progress.show(recorder, report)
    recorder.end()
    customers.close()
    reporting.wait()
    customers.wait()
    ticking.kill()
    return recorder.measurement()


if __name__ == "__main__":
    sys.exit(main())
