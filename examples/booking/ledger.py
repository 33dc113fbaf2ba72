"""What the customers were promised, kept in the client, and whether the database says the same at the end.

Only what was committed is written here. Nothing is read from the database until the load is over.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from examples.booking.address import Connection


@dataclass
class Booking:
    id: int
    event: int
    seats: tuple[int, ...]
    total: Decimal
    paid: bool = False


class Check(NamedTuple):
    """One thing compared: what the client expects, what the database says."""

    name: str
    expected: str
    found: str

    @property
    def passed(self) -> bool:
        return self.expected == self.found


@dataclass
class Ledger:
    active: dict[int, Booking] = field(default_factory=dict)
    open: list[Booking] = field(default_factory=list)  # neither paid nor cancelled yet, and nobody is at it
    cancelled: int = 0
    taken: Decimal = Decimal(0)

    def booked(self, booking: Booking) -> None:
        self.active[booking.id] = booking
        self.open.append(booking)

    def take_open(self, chance: random.Random) -> Booking | None:
        """A booking for one customer to work on; nobody else gets it until it is put back."""
        if not self.open:
            return None
        place = chance.randrange(len(self.open))
        self.open[place], self.open[-1] = self.open[-1], self.open[place]
        return self.open.pop()

    def paid(self, booking: Booking) -> None:
        booking.paid = True
        self.taken += booking.total

    def cancel(self, booking: Booking) -> None:
        del self.active[booking.id]
        self.cancelled += 1


def check(ledger: Ledger, connection: Connection) -> list[Check]:
    """Compare every seat, every booking and every payment with the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id, number, booking_id FROM seats WHERE booking_id IS NOT NULL")
        seats = {(event, number): booking for event, number, booking in cursor.fetchall()}
        cursor.execute("SELECT status, COUNT(*), SUM(seats), SUM(total) FROM bookings GROUP BY status")
        bookings = {status: (count, int(seats), total) for status, count, seats, total in cursor.fetchall()}
        cursor.execute("SELECT COALESCE(SUM(amount), 0) FROM payments")
        payments = cursor.fetchone()[0]

    promised = [((b.event, number), b.id) for b in ledger.active.values() for number in b.seats]
    twice = sum(count - 1 for count in Counter(seat for seat, _ in promised).values())
    wrong = dict(promised).items() ^ seats.items()
    total = sum((b.total for b in ledger.active.values()), Decimal(0))
    nothing = (0, 0, Decimal(0))
    live = [bookings.get(status, nothing) for status in ("open", "paid")]
    return [
        Check("seats booked", f"{len(promised):,}", f"{len(seats):,}"),
        Check("seats promised twice", "0", f"{twice:,}"),
        Check("seats that differ from the client's ledger", "0", f"{len(wrong):,}"),
        Check("bookings", f"{len(ledger.active):,}", f"{sum(count for count, _, _ in live):,}"),
        Check("bookings cancelled", f"{ledger.cancelled:,}", f"{bookings.get('cancelled', nothing)[0]:,}"),
        Check("worth of the bookings", f"{total:,.2f}", f"{sum(worth for _, _, worth in live):,.2f}"),
        Check("money taken", f"{ledger.taken:,.2f}", f"{payments:,.2f}"),
    ]
