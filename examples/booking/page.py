"""The picture: one HTML file with the chart, the table and how it was measured. Nothing is loaded from anywhere."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from examples.booking.chart import Chart, Panel, Series, Span, decades, linear
from examples.booking.measure import BIN, Bin
from examples.booking.outcome import Outcome
from examples.booking.summary import FIGURES, duration


class Setting(NamedTuple):
    """What was asked for, as the page tells it."""

    workers: int
    connections: int
    rows: int
    pause: float
    yield_every: int
    command: str


STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --rule: #d9dee5; --page: #fff;
        --mizzle: #0a7ea4; --pymysql: #d9631e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --soft: #9aa5b4; --rule: #343c48; --page: #14181f; --mizzle: #4cc0e6; --pymysql: #ff9a5c; } }
body { margin: 2.5rem auto; max-width: 1000px; padding: 0 1.2rem; background: var(--page); color: var(--ink);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
p { margin: .4rem 0 1.2rem; } footer { margin-top: 1.6rem; color: var(--soft); font-size: .88rem; }
svg { width: 100%; height: auto; display: block; margin: 1.2rem 0 1.6rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .28rem .8rem; border-bottom: 1px solid var(--rule); text-align: right; font-weight: normal; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } thead th { font-weight: 600; }
.mizzle { --colour: var(--mizzle); } .pymysql { --colour: var(--pymysql); }
thead th.mizzle, thead th.pymysql { color: var(--colour); }
.label { font-size: 12px; fill: var(--soft); } .title { font-size: 15px; font-weight: 600; fill: var(--ink); }
.inside { font-size: 12px; font-weight: 600; fill: var(--page); }
.grid { stroke: var(--rule); stroke-width: 1; fill: none; }
.line { stroke: var(--colour); stroke-width: 2; fill: none; stroke-linejoin: round; }
.bridge { stroke: var(--colour); stroke-width: 1.5; fill: none; stroke-dasharray: 1 5; stroke-linecap: round; }
.median { stroke-width: 1.6; stroke-dasharray: 5 3; } .bridge.median { stroke-dasharray: 1 5; }
.area { fill: var(--colour); opacity: .18; } .span { fill: var(--colour); opacity: .9; }
.note { fill: transparent; } .note:hover { fill: var(--soft); opacity: .12; }
code { font-size: .92em; } details { margin: 1rem 0; } summary { cursor: pointer; }
"""


def page(outcomes: Sequence[Outcome], setting: Setting) -> str:
    names = " and ".join(o.driver for o in outcomes)
    seconds = max(o.measured.seconds for o in outcomes)
    title = f"{setting.workers:,} green threads, {setting.connections} connections"
    if all(o.measured.threads == 1 for o in outcomes):
        title += ", one OS thread"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: {escape(names)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>{setting.workers:,} customers look for seats, book, pay and cancel in transactions with row locks, each pausing
{setting.pause:g} s on average, while one green thread of the same process reads a report of {setting.rows:,} rows.
{escape(names)} on eventlet, one after the other, on {escape(outcomes[0].server)}.</p>
{draw(outcomes, seconds).svg()}
{figures(outcomes)}
{explanation(outcomes, setting)}
</body>
</html>
"""


def css(outcome: Outcome) -> str:
    return outcome.driver.split()[0].lower()


def draw(outcomes: Sequence[Outcome], seconds: float) -> Chart:
    latencies = [v for o in outcomes for b in o.measured.bins for v in (b.p50, b.p99) if v is not None]
    stalls = [b.stall for o in outcomes for b in o.measured.bins if b.stall > 0]
    busiest = max(b.operations for o in outcomes for b in o.measured.bins) / BIN
    latency = [
        series
        for o in outcomes
        for series in (
            Series(f"{name(o)}, 99th percentile", css(o), [(middle(b), b.p99) for b in o.measured.bins]),
            Series(f"{name(o)}, median", f"{css(o)} median", [(middle(b), b.p50) for b in o.measured.bins]),
        )
    ]
    stall = [Series(name(o), css(o), stalls_of(o.measured.bins), steps=True) for o in outcomes]
    work = [Series(name(o), css(o), [(middle(b), b.operations / BIN) for b in o.measured.bins]) for o in outcomes]
    return Chart(
        seconds=seconds,
        panels=[
            Panel("Latency of an operation", 260, decades(latencies), latency),
            Panel("Stall of the hub: how late a heartbeat came", 200, decades(stalls), stall),
            Panel("Operations a second", 140, linear(busiest), work),
        ],
        spans=[span(o) for o in outcomes],
        notes=notes(outcomes),
        caption="Latency, hub stall and operations a second over time: " + ", ".join(o.driver for o in outcomes),
    )


def name(outcome: Outcome) -> str:
    return outcome.driver.split()[0]


def stalls_of(bins: Sequence[Bin]) -> list[tuple[float, float]]:
    """Where each step begins, and where the last one ends."""
    return [*((b.at, b.stall) for b in bins), (bins[-1].at + BIN, bins[-1].stall)]


def middle(bin: Bin) -> float:
    return bin.at + BIN / 2


def span(outcome: Outcome) -> Span:
    took = duration(outcome.report_ended - outcome.report_began)
    label = f"{name(outcome)}'s report of {outcome.report_rows:,} rows: {took}"
    return Span(label, css(outcome), outcome.report_began, outcome.report_ended)


def notes(outcomes: Sequence[Outcome]) -> list[tuple[float, float, str]]:
    """What is told about each tenth of a second when the reader points at it."""
    longest = max((o.measured.bins for o in outcomes), key=len)
    told = []
    for place, moment in enumerate(longest):
        lines = [f"{moment.at:.1f} s"]
        for outcome in outcomes:
            if place < len(outcome.measured.bins):
                lines.append(f"{name(outcome)}: {in_words(outcome.measured.bins[place])}")
        told.append((moment.at, moment.at + BIN, "\n".join(lines)))
    return told


def in_words(bin: Bin) -> str:
    stall = f"stall {duration(bin.stall)}"
    if bin.p50 is None or bin.p99 is None:
        return f"no operation ended, {stall}"
    return f"{bin.operations} operations, median {duration(bin.p50)}, 99th {duration(bin.p99)}, {stall}"


def figures(outcomes: Sequence[Outcome]) -> str:
    head = "".join(f'<th class="{css(o)}">{escape(o.driver)}</th>' for o in outcomes)
    rows = "\n".join(
        f"<tr><td>{escape(what)}</td>{''.join(f'<td>{escape(show(o))}</td>' for o in outcomes)}</tr>"
        for what, show in FIGURES.items()
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def explanation(outcomes: Sequence[Outcome], setting: Setting) -> str:
    yielding = "The report leaves it to the driver when others run (<code>--yield-every</code> makes it yield itself)."
    if setting.yield_every:
        yielding = f"The report lets others run after every {setting.yield_every:,} rows of its own accord."
    return f"""<footer>
<p>The latency of an operation is what the customer feels: it begins before the wait for a free connection and ends when
the last reply is there. An operation is one to nine statements. The curves show tenths of a second; a dotted line
bridges a time in which no operation ended. A heartbeat ticks every 5 ms; what it is late is how long somebody kept
everybody waiting, and is drawn over the whole time that it lasted. {yielding}
Both drivers run the same program in a process of
their own: mizzle with nothing patched, PyMySQL with <code>eventlet.monkey_patch()</code>. Point at the chart for
figures.</p>
<details><summary>What was compared with the database</summary>
{"".join(checked(o) for o in outcomes)}</details>
<p>Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors shared with
the server. Made by <code>{escape(setting.command)}</code></p>
</footer>"""


def checked(outcome: Outcome) -> str:
    rows = "\n".join(
        f"<tr><td>{escape(c.name)}</td><td>{c.expected}</td><td>{c.found}</td>"
        f"<td>{'right' if c.passed else 'WRONG'}</td></tr>"
        for c in outcome.checks
    )
    head = f'<th class="{css(outcome)}">{escape(outcome.driver)}</th><th>client</th><th>database</th><th></th>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"
