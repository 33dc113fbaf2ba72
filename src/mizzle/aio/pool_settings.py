"""What a pool can be told, and what of it is allowed.

Knows: names, defaults and limits of a pool's own settings. Must not know: how a pool keeps to them; the settings of
connections, which are `mizzle.options`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

#: Seconds; beyond that a setting is a mistake.
MAX_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Made by `pool_settings()`; seconds where a time is meant."""

    #: So many connections are kept open, at most so many are opened; None: as many as min_size.
    min_size: int = 1
    max_size: int | None = 10
    #: How long connection() and getconn() wait; None: for ever.
    acquire_timeout: float | None = 30.0
    #: How many may wait at once; 0: any number.
    max_waiting: int = 0
    #: Older connections are replaced (up to a tenth earlier, so that not all are at once); None: at any age.
    max_lifetime: float | None = 3600.0
    #: Above min_size, connections that nobody used for so long are closed; None: never.
    max_idle: float | None = 600.0
    #: For so long, while no server can be reached and no connection is left, callers wait for it; then they are told.
    outage_grace: float = 5.0
    #: After so long without a server `reconnect_failed` is called, once; the pool goes on trying.
    reconnect_timeout: float = 300.0
    reconnect_failed: Callable[..., Any] | None = None
    #: Of the pool in messages and logs.
    name: str | None = None
    #: Is the session reset between two users? A callable does it in its own way, when the connection comes back.
    reset: bool | Callable[..., Any] = True
    #: Called with each connection: when it is new; each time that it is lent.
    init: Callable[..., Any] | None = None
    setup: Callable[..., Any] | None = None
    #: Called each time before it is lent, to raise if it is no good; True: a ping.
    check: bool | Callable[..., Any] | None = None
    #: None: opened by the first use. True: by the constructor. False: by open() only.
    open: bool | None = None
    #: A connection that is held for longer is told of in the log; None: never.
    leak_timeout: float | None = None
    #: Remember the whole stack of each taker, not the line alone.
    debug: bool = False
    #: A subclass of Connection to be made.
    connection_class: type[Any] | None = None


_MAY_BE_NONE = frozenset({"acquire_timeout", "max_lifetime", "max_idle", "leak_timeout"})
_MAY_BE_ZERO = frozenset({"acquire_timeout", "outage_grace"})
_SECONDS = _MAY_BE_NONE | _MAY_BE_ZERO | {"reconnect_timeout"}
_HOOK = "a callable or None"
_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "reset": (lambda value: isinstance(value, bool) or callable(value), "True, False or a callable"),
    "check": (lambda value: value in {None, True, False} or callable(value), "True, a callable or None"),
    "open": (lambda value: value is None or isinstance(value, bool), "True, False or None"),
    "debug": (lambda value: isinstance(value, bool), "True or False"),
    "name": (lambda value: value is None or isinstance(value, str), "a str or None"),
    "connection_class": (lambda value: value is None or isinstance(value, type), "a subclass of Connection or None"),
    **dict.fromkeys(("init", "setup", "reconnect_failed"), (lambda value: value is None or callable(value), _HOOK)),
}

NAMES = tuple(field.name for field in fields(PoolSettings))


def pool_settings(given: dict[str, Any]) -> PoolSettings:
    """Check them. ValueError for a value that is not allowed: what it is, and what is expected."""
    for name, value in given.items():
        if name in _SECONDS:
            demand_seconds(name, value)
        elif name in _EXPECTED:
            is_good, expected = _EXPECTED[name]
            _demand(is_good(value), name, value, expected)
    settings = PoolSettings(**given)
    demand_count("max_waiting", settings.max_waiting, 0)
    demand_sizes(settings.min_size, settings.max_size)
    return settings


def demand_count(name: str, value: object, least: int) -> None:
    """ValueError unless it is a whole number, and not too small."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _demand(whole, name, value, f"a whole number, {least} or more")


def demand_sizes(min_size: int, max_size: int | None) -> None:
    """ValueError unless the two go together."""
    if max_size is None:
        demand_count("min_size", min_size, 1)  # which max_size is then, too
        return
    demand_count("min_size", min_size, 0)
    demand_count("max_size", max_size, max(min_size, 1))


def demand_seconds(name: str, value: object) -> None:
    """ValueError unless it is a time that this setting can be."""
    if value is None and name in _MAY_BE_NONE:
        return
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_SECONDS
    least, or_none = "above 0", " or None" if name in _MAY_BE_NONE else ""
    if name in _MAY_BE_ZERO:
        least = "0 or more"
    elif value == 0:
        good = False
    _demand(good, name, value, f"seconds, {least} and up to {MAX_SECONDS}{or_none}")


def _demand(good: object, name: str, value: object, expected: str) -> None:
    if not good:
        raise ValueError(f"{name} is {value!r}, which is not allowed: expected {expected}")


def suggestion(word: str) -> str | None:
    """The pool's setting that was meant, if one is near."""
    near = difflib.get_close_matches(word, NAMES, n=1, cutoff=0.75)
    return near[0] if near else None
