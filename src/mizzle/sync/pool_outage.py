# Generated from src/mizzle/aio/pool_outage.py by tools/unasync.py: change that file, then run the tool.
"""While a pool cannot open connections: when it tries again, and what those who ask are told.

Knows: failures and moments. Must not know: how connections are opened, and who waits for them.
"""

from __future__ import annotations

import random

from mizzle import errors
from mizzle.constants import errnos

#: Seconds until the second attempt, doubled for each that follows, and the most that become of it.
FIRST_DELAY = 0.1
LONGEST_DELAY = 10.0
#: For so many seconds what the last attempt said is passed on without another one.
FRESH = 1.0

#: What may be over the next time; anything else that a server answers stays so until somebody changes something.
_PASSING = frozenset(
    {
        errnos.ER_CON_COUNT_ERROR,
        errnos.ER_SERVER_SHUTDOWN,
        errnos.ER_TOO_MANY_USER_CONNECTIONS,
        errnos.ER_USER_LIMIT_REACHED,
        errnos.ER_CONNECTION_KILLED,
        errnos.CR_CONNECTION_ERROR,
        errnos.CR_CONN_HOST_ERROR,
        errnos.CR_UNKNOWN_HOST,
        errnos.CR_SERVER_GONE_ERROR,
        errnos.CR_SERVER_HANDSHAKE_ERR,
        errnos.CR_SERVER_LOST,
    }
)


class Outage:
    """The attempts that failed since the last that did not."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.error: BaseException | None = None
        self.retry_at = 0.0
        self.told = False  # was reconnect_failed called?
        self._last = 0.0
        self._attempts = 0

    def failed(self, error: BaseException, began: float, now: float) -> float:
        """One more, which had begun at that moment; in how many seconds to try again."""
        if self.since is None:
            self.since = now
        if self.error is None or began >= self._last:  # else it is one of several that were under way together
            delay = min(FIRST_DELAY * 2.0**self._attempts, LONGEST_DELAY) * random.uniform(0.75, 1.25)
            self._attempts += 1
            self.retry_at = now + delay
        self.error, self._last = error, now
        return max(self.retry_at - now, 0.0)

    def lasts(self, now: float) -> float:
        """For how many seconds there has been no connection."""
        return 0.0 if self.since is None else now - self.since

    def is_hopeless(self, now: float, grace: float) -> bool:
        """Is waiting for the next attempt of no use?"""
        return self.error is not None and (self.lasts(now) >= grace or not _is_passing(self.error))

    def is_fresh(self, now: float) -> bool:
        """Has just now been tried?"""
        return self.error is not None and now - self._last < FRESH

    def refusal(self, pool: object) -> errors.Error:
        """What to tell somebody who asks for a connection."""
        cause = self.error
        number = cause.errno if isinstance(cause, errors.Error) else 0
        said = (
            cause.args[1] if isinstance(cause, errors.Error) and cause.args[1:] else f"{type(cause).__name__}: {cause}"
        )
        refusal = errors.OperationalError(
            number,
            f"{pool} has no connection and cannot open one: {said}",
            sent=False,
            alive=False,
            hint=getattr(cause, "hint", None),
        )
        refusal.__cause__ = cause
        return refusal


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, errors.Error) and error.errno in _PASSING
