"""What mizzle set out to reach, and whether the figures of this run reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.report import Report, best_peer, number, reference


class NotMeasuredError(Exception):
    """This run has no figure for a target."""


@dataclass(frozen=True)
class Target:
    """One promise: the measured figure must stay at or below (or above) a limit."""

    text: str
    limit: float
    figure: Callable[[Report], float]
    unit: str = ""
    at_least: bool = False

    def verdict(self, report: Report) -> tuple[bool | None, str]:
        """Whether it holds (None: not measured), and the line that says so."""
        sign = "≥" if self.at_least else "≤"
        promise = f"{self.text}: {sign} {number(self.limit)}{self.unit}"
        try:
            measured = self.figure(report)
        except NotMeasuredError as reason:
            return None, f"not measured   {promise} ({reason})"
        holds = measured >= self.limit if self.at_least else measured <= self.limit
        line = f"{'holds' if holds else 'FALLS SHORT':<14} {promise}; measured {number(measured)}{self.unit}"
        if not holds:
            line += f", short by {number(abs(measured - self.limit))}{self.unit}"
        return holds, line


def median(report: Report, work: str, name: str, metric: str) -> float:
    outcome = report.outcomes.get(work, {}).get(name)
    if outcome is None or not outcome.rounds:
        raise NotMeasuredError(f"{work}: no figure of {name}")
    return outcome.median(metric)


def ratio(work: str, name: str, other: str, metric: str = "cpu_us") -> Callable[[Report], float]:
    return lambda report: median(report, work, name, metric) / median(report, work, other, metric)


def share_of_best(work: str) -> Callable[[Report], float]:
    """mizzle's CPU over that of the best peer, whichever world it lives in."""

    def share(report: Report) -> float:
        best = best_peer(work, report.outcomes.get(work, {}))
        if best is None:
            raise NotMeasuredError(f"{work}: no figure of any peer")
        return median(report, work, "mizzle", "cpu_us") / median(report, work, best, "cpu_us")

    return share


def worst_of_mappers(report: Report) -> float:
    """mizzle's CPU over that of the best peer in the same world, in the object mappers' work where that is greatest."""
    shares = []
    for work, outcomes in report.outcomes.items():
        own, best = reference(work, outcomes), best_peer(work, outcomes)
        if work.startswith(("sqlalchemy-", "django-")) and own and best:
            shares.append(median(report, work, own, "cpu_us") / median(report, work, best, "cpu_us"))
    if not shares:
        raise NotMeasuredError("no figures of object mappers")
    return max(shares)


def of(work: str, metric: str, name: str = "mizzle-eventlet") -> Callable[[Report], float]:
    return lambda report: median(report, work, name, metric)


def fetch_lead(report: Report) -> float:
    """Rows per CPU second over those of the best peer, whichever world it lives in."""
    best = best_peer("fetch", report.outcomes.get("fetch", {}))
    if best is None:
        raise NotMeasuredError("fetch: no figure of any peer")
    return median(report, "fetch", best, "cpu_us") / median(report, "fetch", "mizzle", "cpu_us")


TARGETS = (
    Target("200 x SELECT SLEEP(0.5) on green threads, wall", 0.6, of("sleepers", "wall_s"), " s"),
    Target("worst stall beside a buffered fetch", 10, of("stall", "stall_ms"), " ms"),
    Target("worst stall beside a streamed fetch", 10, of("stall-streamed", "stall_ms"), " ms"),
    Target("growth of the process in a streamed fetch", 3, of("stall-streamed", "peak_mb"), " MB"),
    Target("rows per CPU second of a fetch : best peer's", 1.3, fetch_lead, at_least=True),
    Target(
        "CPU of a point select on eventlet : PyMySQL's",
        0.45,
        ratio("select-eventlet", "mizzle-eventlet", "pymysql-eventlet"),
    ),
    Target(
        "CPU of a point select on gevent : PyMySQL's", 0.45, ratio("select-eventlet", "mizzle-gevent", "pymysql-gevent")
    ),
    Target("CPU of a point select through a pool : on a kept connection, threads", 1.1, of("pool", "ratio", "mizzle")),
    Target("the same, eventlet", 1.1, of("pool", "ratio")),
    Target("the same, asyncio", 1.1, of("pool", "ratio", "mizzle-asyncio")),
    Target("longest wait for a pool : median, eventlet", 3, of("pool-fairness", "fairness")),
    Target("longest wait for a pool : median, asyncio", 3, of("pool-fairness", "fairness", "mizzle-asyncio")),
    Target(
        "CPU of a point select, client and server, prepared : as text",
        0.9,
        ratio("select-prepared", "mizzle-prepared", "mizzle", "both_us"),
    ),
    Target("CPU of an inserted row : best peer's", 0.5, share_of_best("insert")),
    Target("CPU of a point select on asyncio : asyncmy's", 0.75, ratio("select-asyncio", "mizzle-asyncio", "asyncmy")),
    Target("CPU of the object mappers' works : best peer's, the greatest", 1.0, worst_of_mappers),
)


def check(report: Report) -> tuple[bool, list[str]]:
    """Whether all of them hold, and a line for each."""
    verdicts = [target.verdict(report) for target in TARGETS]
    return all(holds for holds, _ in verdicts), [line for _, line in verdicts]
