"""The tables of the booking office and what is in them at the start. Everything lies in a database of its own."""

from __future__ import annotations

from examples.booking.address import Connection

DATABASE = "mizzle_booking_demo"
EVENTS = 20
SEATS = 2000  # in each event

TABLES = """
CREATE TABLE events (
    id        INT UNSIGNED NOT NULL PRIMARY KEY,
    name      VARCHAR(60) NOT NULL,
    starts_at DATETIME NOT NULL,
    price     DECIMAL(8,2) NOT NULL
) ENGINE=InnoDB;

CREATE TABLE seats (
    event_id   INT UNSIGNED NOT NULL,
    number     INT UNSIGNED NOT NULL,
    booking_id BIGINT UNSIGNED NULL,
    PRIMARY KEY (event_id, number),
    KEY (event_id, booking_id)
) ENGINE=InnoDB;

CREATE TABLE bookings (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id   INT UNSIGNED NOT NULL,
    customer   INT UNSIGNED NOT NULL,
    seats      INT UNSIGNED NOT NULL,
    total      DECIMAL(10,2) NOT NULL,
    status     ENUM('open', 'paid', 'cancelled') NOT NULL DEFAULT 'open',
    created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY (customer)
) ENGINE=InnoDB;

CREATE TABLE payments (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    booking_id BIGINT UNSIGNED NOT NULL,
    amount     DECIMAL(10,2) NOT NULL,
    KEY (booking_id)
) ENGINE=InnoDB;

CREATE TABLE sales (
    id      INT UNSIGNED NOT NULL PRIMARY KEY,
    venue   VARCHAR(40) NOT NULL,
    sold_on DATE NOT NULL,
    seats   INT UNSIGNED NOT NULL,
    amount  DECIMAL(10,2) NOT NULL
) ENGINE=InnoDB
"""

FILL_EVENTS = """
INSERT INTO events
SELECT n, CONCAT('Concert no. ', n), '2030-01-01 20:00:00' + INTERVAL n DAY, 15 + n % 50 + 0.50
  FROM ({numbers}) AS numbers"""

FILL_SEATS = """
INSERT INTO seats (event_id, number)
SELECT events.id, numbers.n + 1
  FROM events JOIN ({numbers}) AS numbers"""

FILL_SALES = """
INSERT INTO sales
SELECT n, CONCAT('Hall ', CRC32(n) % 24), '2020-01-01' + INTERVAL n % 1800 DAY, 1 + CRC32(n + 7) % 6,
       CRC32(n + 13) % 30000 / 100
  FROM ({numbers}) AS numbers"""


def create(connection: Connection, sales: int) -> None:
    """An empty booking office with `sales` rows of history; what an earlier run left is dropped."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {DATABASE}")
        for statement in TABLES.split(";"):
            cursor.execute(statement)
        cursor.execute(FILL_EVENTS.format(numbers=numbers_below(EVENTS)))
        cursor.execute(FILL_SEATS.format(numbers=numbers_below(SEATS)))
        cursor.execute(FILL_SALES.format(numbers=numbers_below(sales)))


def drop(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")


def server_version(connection: Connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        (version,) = cursor.fetchone()
    return f"{'MariaDB' if 'MariaDB' in version else 'MySQL'} {version.split('-')[0]}"


def numbers_below(limit: int) -> str:
    """A SELECT of the numbers 0..limit-1 that MySQL and MariaDB both understand."""
    digit = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {d}" for d in range(1, 10)) + ")"
    places = range(len(str(max(limit - 1, 0))))
    number = " + ".join(f"{10**place} * p{place}.d" for place in places)
    tables = " JOIN ".join(f"{digit} AS p{place}" for place in places)
    return f"SELECT {number} AS n FROM {tables} WHERE {number} < {limit}"
