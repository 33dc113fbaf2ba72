"""What a customer does, as an application would write it: SQL, transactions, and a retry when the server says deadlock.

Each of these functions has the connection to itself until it returns. None knows which driver it runs on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from examples.booking.address import Connection
from examples.booking.ledger import Booking, Ledger
from examples.booking.measure import Recorder
from examples.booking.schema import EVENTS

DEADLOCK = 1213  # ER_LOCK_DEADLOCK: the server rolled this transaction back so that another may go on
ATTEMPTS = 20


class SeatTaken(Exception):
    """Somebody else was faster: the transaction is rolled back and the customer goes on."""


class Office(NamedTuple):
    """What all customers share."""

    ledger: Ledger
    recorder: Recorder
    Error: type[Exception]
    OperationalError: type[Exception]


class Customer(NamedTuple):
    number: int
    chance: random.Random

    def event(self) -> int:
        """An event; a few of them are what everybody wants."""
        return int(EVENTS * self.chance.random() ** 2)

    def choose(self, free: list[int]) -> list[int]:
        """Up to four of these seats, in the order in which the customer clicks on them."""
        return self.chance.sample(free, min(len(free), self.chance.randint(1, 4)))


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def retrying(office: Office, work: Callable[[], Booking]) -> Booking:
    """Do `work` again when it was the victim of a deadlock."""
    for _ in range(ATTEMPTS):
        try:
            return work()
        except office.OperationalError as error:
            if error.args[0] != DEADLOCK:
                raise
            office.recorder.count("deadlocks, retried")
    raise RuntimeError(f"a transaction was the victim of {ATTEMPTS} deadlocks in a row")


def look(_office: Office, customer: Customer, connection: Connection) -> None:
    """See what an event is and which seats are free."""
    event = customer.event()
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, starts_at, price FROM events WHERE id = %s", [event])
        cursor.fetchone()
        free_seats(cursor, event)


def free_seats(cursor: Any, event: int) -> list[int]:
    """The best seats that nobody has yet."""
    cursor.execute(
        "SELECT number FROM seats WHERE event_id = %s AND booking_id IS NULL ORDER BY number LIMIT 20", [event]
    )
    return [number for (number,) in cursor.fetchall()]


def my_bookings(_office: Office, customer: Customer, connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bookings.id, events.name, events.starts_at, bookings.seats, bookings.total, bookings.status"
            "  FROM bookings JOIN events ON events.id = bookings.event_id WHERE bookings.customer = %s",
            [customer.number],
        )
        cursor.fetchall()


def book(office: Office, customer: Customer, connection: Connection) -> None:
    """Lock the seats one by one, in the customer's order: two customers who want the same seats wait, or deadlock."""
    event = customer.event()
    with connection.cursor() as cursor:
        wanted = customer.choose(free_seats(cursor, event))
    if not wanted:
        return office.recorder.count("left, sold out")

    def work() -> Booking:
        with transaction(connection), connection.cursor() as cursor:
            for number in wanted:
                cursor.execute(
                    "SELECT booking_id FROM seats WHERE event_id = %s AND number = %s FOR UPDATE", [event, number]
                )
                if cursor.fetchone() != (None,):
                    raise SeatTaken
            cursor.execute("SELECT price * %s FROM events WHERE id = %s", [len(wanted), event])
            (total,) = cursor.fetchone()
            cursor.execute(
                "INSERT INTO bookings (event_id, customer, seats, total) VALUES (%s, %s, %s, %s)",
                [event, customer.number, len(wanted), total],
            )
            booking = Booking(cursor.lastrowid, event, tuple(wanted), total)
            cursor.execute(
                "UPDATE seats SET booking_id = %s WHERE event_id = %s AND number IN %s",
                [booking.id, event, booking.seats],
            )
        return booking

    try:
        return office.ledger.booked(retrying(office, work))
    except SeatTaken:
        return office.recorder.count("rolled back, seat taken")


def pay(office: Office, customer: Customer, connection: Connection) -> None:
    booking = office.ledger.take_open(customer.chance)
    if booking is None:
        return look(office, customer, connection)

    def work() -> Booking:
        with transaction(connection), connection.cursor() as cursor:
            cursor.execute("SELECT total FROM bookings WHERE id = %s AND status = 'open' FOR UPDATE", [booking.id])
            (total,) = cursor.fetchone()
            cursor.execute("INSERT INTO payments (booking_id, amount) VALUES (%s, %s)", [booking.id, total])
            cursor.execute("UPDATE bookings SET status = 'paid' WHERE id = %s", [booking.id])
        return booking

    return office.ledger.paid(retrying(office, work))


def cancel(office: Office, customer: Customer, connection: Connection) -> None:
    booking = office.ledger.take_open(customer.chance)
    if booking is None:
        return look(office, customer, connection)

    def work() -> Booking:
        with transaction(connection), connection.cursor() as cursor:
            cursor.execute("UPDATE bookings SET status = 'cancelled' WHERE id = %s", [booking.id])
            cursor.execute(
                "UPDATE seats SET booking_id = NULL WHERE event_id = %s AND number IN %s AND booking_id = %s",
                [booking.event, booking.seats, booking.id],
            )
        return booking

    return office.ledger.cancel(retrying(office, work))


# how often a customer does which
HABITS: dict[Callable[[Office, Customer, Connection], None], int] = {
    look: 50,
    my_bookings: 20,
    book: 18,
    pay: 8,
    cancel: 4,
}
