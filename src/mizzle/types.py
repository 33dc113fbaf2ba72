"""PEP 249's type objects and constructors, as MySQLdb and PyMySQL name them; what callbacks are given and give.

Knows which column types each type object stands for. Knows nothing of how values are read or written.
"""

from __future__ import annotations

import datetime
import hashlib
from typing import NamedTuple

from mizzle.constants import field_types as t

__all__ = [
    "BINARY",
    "DATE",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "Binary",
    "DBAPISet",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "WebAuthnAssertion",
    "WebAuthnRequest",
]


class DBAPISet(frozenset[int]):
    """Equal to each of its type codes: `cursor.description[0][1] == mizzle.NUMBER`."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, frozenset):
            return frozenset.__eq__(self, other)
        return other in self

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = frozenset.__hash__


STRING = DBAPISet(
    {t.MYSQL_TYPE_STRING, t.MYSQL_TYPE_VAR_STRING, t.MYSQL_TYPE_VARCHAR, t.MYSQL_TYPE_ENUM, t.MYSQL_TYPE_SET}
    | {t.MYSQL_TYPE_JSON}
)
#: TEXT columns too: they carry the type code of BLOB, and only their character set tells them apart.
BINARY = DBAPISet(
    {t.MYSQL_TYPE_BLOB, t.MYSQL_TYPE_TINY_BLOB, t.MYSQL_TYPE_MEDIUM_BLOB, t.MYSQL_TYPE_LONG_BLOB}
    | {t.MYSQL_TYPE_BIT, t.MYSQL_TYPE_GEOMETRY, t.MYSQL_TYPE_VECTOR}
)
NUMBER = DBAPISet(
    {t.MYSQL_TYPE_TINY, t.MYSQL_TYPE_SHORT, t.MYSQL_TYPE_INT24, t.MYSQL_TYPE_LONG, t.MYSQL_TYPE_LONGLONG}
    | {t.MYSQL_TYPE_DECIMAL, t.MYSQL_TYPE_NEWDECIMAL, t.MYSQL_TYPE_FLOAT, t.MYSQL_TYPE_DOUBLE, t.MYSQL_TYPE_YEAR}
)
DATE = DBAPISet({t.MYSQL_TYPE_DATE, t.MYSQL_TYPE_NEWDATE})
TIME = DBAPISet({t.MYSQL_TYPE_TIME})
TIMESTAMP = DBAPISet({t.MYSQL_TYPE_TIMESTAMP, t.MYSQL_TYPE_DATETIME})
DATETIME = TIMESTAMP
#: Equal to nothing: MySQL has no such type.
ROWID = DBAPISet()

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime


def DateFromTicks(ticks: float) -> datetime.date:
    """The local date at `ticks` seconds after the epoch."""
    return datetime.date.fromtimestamp(ticks)


def TimeFromTicks(ticks: float) -> datetime.time:
    """The local time of day at `ticks` seconds after the epoch."""
    return datetime.datetime.fromtimestamp(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Local date and time at `ticks` seconds after the epoch, without a time zone."""
    return datetime.datetime.fromtimestamp(ticks)


def Binary(data: bytes | bytearray | memoryview) -> bytes:
    """The bytes of any bytes-like object."""
    return bytes(memoryview(data))


class WebAuthnRequest(NamedTuple):
    """What a `webauthn=` callback is asked to have signed (Web Authentication, section 7.2)."""

    #: The server's name for itself. It comes from whoever is at the other end: look whether it is the one expected.
    rp_id: str
    challenge: bytes
    #: The credential that the account was registered with; None: one that is kept in the authenticator.
    credential_id: bytes | None
    #: What is sent unless the assertion brings its own.
    client_data_json: bytes

    @property
    def client_data_hash(self) -> bytes:
        """SHA-256 of the client data: what a CTAP2 authenticator signs, behind its own data."""
        return hashlib.sha256(self.client_data_json).digest()


class WebAuthnAssertion(NamedTuple):
    """What a `webauthn=` callback gives back."""

    #: As in WebAuthn: without CBOR around it.
    authenticator_data: bytes
    signature: bytes
    #: Where the authenticator's library made client data of its own.
    client_data_json: bytes | None = None


class TransactionState(NamedTuple):
    """What a server says of the session's transaction ("Session Tracker Notification" in its manual).

    Outside of a transaction everything is False, unless LOCK TABLES was used.
    """

    #: Begun by BEGIN and the like, or, `implicit`, by a statement while autocommit is off.
    explicit: bool
    implicit: bool
    read_nontransactional: bool
    read_transactional: bool
    wrote_nontransactional: bool
    wrote_transactional: bool
    #: A statement that statement-based replication cannot repeat, such as UUID().
    unsafe_statement: bool
    #: A result set was sent: the program may have acted upon it.
    result_set: bool
    locked_tables: bool

    @property
    def is_open(self) -> bool:
        """Is there a transaction?"""
        return self.explicit or self.implicit

    @property
    def wrote(self) -> bool:
        """Is there anything that COMMIT or ROLLBACK decides about, or that can be undone no more?"""
        return self.wrote_transactional or self.wrote_nontransactional


def transaction_state(letters: str) -> TransactionState:
    """From the server's eight characters, such as "T_______"."""
    return TransactionState(letters[:1] == "T", letters[:1] == "I", *(letter in letters[1:] for letter in "rRwWsSL"))
