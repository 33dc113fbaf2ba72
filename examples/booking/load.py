"""The green threads: customers who share a queue of connections, the report, the heartbeat. Knows no driver."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore

from examples.booking.address import Connection
from examples.booking.customers import HABITS, Customer, Office
from examples.booking.ledger import Check
from examples.booking.measure import Recorder

BEAT = 0.005  # seconds between two heartbeats


class Queue:
    """Connections that nobody uses, lent in the order of asking (eventlet.queue wakes whoever waits in no order)."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self.idle = deque(connections)
        self.turn = Semaphore(len(self.idle))

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        with self.turn:
            connection = self.idle.popleft()
            try:
                yield connection
            finally:
                self.idle.append(connection)


@dataclass
class Customers:
    """Green threads that come again and again until they are told that the office closes."""

    office: Office
    connections: Queue
    pause: float  # seconds on average between two visits of a customer
    closing: bool = False
    failure: BaseException | None = None
    threads: list[Any] = field(default_factory=list)

    def open(self, number: int) -> None:
        self.threads = [eventlet.spawn(self.come_and_go, Customer(n, random.Random(n))) for n in range(number)]

    def close(self, failure: BaseException | None = None) -> None:
        """Nobody comes in any more; whoever is at the counter is still served."""
        self.closing = True
        self.failure = self.failure or failure

    def wait(self) -> None:
        """Until the last one has left. Raises what went wrong."""
        for thread in self.threads:
            thread.wait()
        if self.failure:
            raise self.failure

    def come_and_go(self, customer: Customer) -> None:
        habits, weights = list(HABITS), list(HABITS.values())
        eventlet.sleep(customer.chance.uniform(0, 2 * self.pause))
        while not self.closing:
            (habit,) = customer.chance.choices(habits, weights)
            try:
                # the latency is what the customer feels: it begins before the wait for a connection
                with self.office.recorder.operation(), self.connections.lend() as connection:
                    habit(self.office, customer, connection)
            except self.office.Error as error:
                self.close(error)
            eventlet.sleep(customer.chance.uniform(0, 2 * self.pause))


def heartbeat(recorder: Recorder) -> None:
    """Ticks for ever, and does nothing else."""
    while True:
        due = recorder.now() + BEAT
        eventlet.sleep(BEAT)
        recorder.beat(due)


@dataclass
class Report:
    """Reads every sale of the past and adds up what each hall took; streamed, so that no row is kept."""

    connection: Connection
    StreamingCursor: Any
    recorder: Recorder
    yield_every: int = 0  # rows after which it lets others run of its own accord; 0: it leaves that to the driver
    began: float = 0.0
    ended: float = 0.0
    rows: int = 0
    abandoned: bool = False
    taken: dict[str, Decimal] = field(default_factory=dict)  # by hall

    def run(self) -> None:
        taken = self.taken
        self.began = self.recorder.now()
        with self.connection.cursor(self.StreamingCursor) as cursor:
            cursor.execute("SELECT id, venue, sold_on, seats, amount FROM sales")
            for _id, venue, _sold_on, _seats, amount in cursor:
                taken[venue] = taken.get(venue, Decimal(0)) + amount
                self.rows += 1
                if self.abandoned:
                    break
                if self.yield_every and self.rows % self.yield_every == 0:
                    eventlet.sleep(0)
        self.ended = self.recorder.now()

    def check(self) -> list[Check]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT venue, COUNT(*), SUM(amount) FROM sales GROUP BY venue")
            halls = {venue: (count, amount) for venue, count, amount in cursor.fetchall()}
        wrong = self.taken.items() ^ {venue: amount for venue, (_, amount) in halls.items()}.items()
        return [
            Check("rows in the report", f"{self.rows:,}", f"{sum(count for count, _ in halls.values()):,}"),
            Check("halls whose sum is wrong", "0", f"{len(wrong):,}"),
        ]
