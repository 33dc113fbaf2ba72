"""The figures of an outcome as text, for the table on the terminal and the one on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from examples.booking.outcome import Outcome


def duration(seconds: float) -> str:
    """Three digits at most, in the unit that suits."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.1f} ms"


def verdict(outcome: Outcome) -> str:
    failed = [check.name for check in outcome.checks if not check.passed]
    return f"WRONG: {', '.join(failed)}" if failed else f"all {len(outcome.checks)} right"


FIGURES: dict[str, Callable[[Outcome], str]] = {
    "operations a second": lambda o: f"{o.measured.operations / o.measured.seconds:,.0f}",
    "latency, median": lambda o: duration(o.measured.p50),
    "latency, 99th percentile": lambda o: duration(o.measured.p99),
    "latency, slowest": lambda o: duration(o.measured.slowest),
    "worst hub stall": lambda o: duration(o.measured.worst_stall),
    "report": lambda o: f"{o.report_rows:,} rows in {duration(o.report_ended - o.report_began)}",
    "client CPU": lambda o: f"{o.measured.processor / o.measured.seconds:.0%} of a core",
    "OS threads": lambda o: f"{o.measured.threads}",
    "deadlocks, retried": lambda o: f"{o.measured.counts.get('deadlocks, retried', 0):,}",
    "rolled back, seat taken": lambda o: f"{o.measured.counts.get('rolled back, seat taken', 0):,}",
    "left, sold out": lambda o: f"{o.measured.counts.get('left, sold out', 0):,}",
    "checked against the database": verdict,
}


def table(outcomes: Sequence[Outcome]) -> str:
    """The figures side by side."""
    rows = [["", *(o.driver for o in outcomes)]]
    rows += [[name, *(show(o) for o in outcomes)] for name, show in FIGURES.items()]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])


def checks(outcome: Outcome) -> str:
    """What was compared with the database: the client's figure, the database's, and whether they agree."""
    rows = [[c.name, c.expected, c.found, "right" if c.passed else "WRONG"] for c in outcome.checks]
    rows.insert(0, [f"{outcome.driver}, checked", "client", "database", ""])
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {expected:>{widths[1]}}  {found:>{widths[2]}}  {verdict}".rstrip()
        for name, expected, found, verdict in rows
    )
