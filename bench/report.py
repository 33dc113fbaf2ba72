"""The side-by-side table, as text and as Markdown, and the JSON of the raw figures."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.catalog import CONTESTANTS, WORKS
from bench.runner import Outcome, Outcomes
from bench.task import Sizes


@dataclass
class Report:
    """Everything that a run of the bench found out."""

    environment: dict[str, Any]
    sizes: Sizes
    outcomes: Outcomes

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        plain = json.loads(path.read_text(encoding="utf-8"))
        outcomes = {
            work: {name: Outcome(**outcome) for name, outcome in by_name.items()}
            for work, by_name in plain["outcomes"].items()
        }
        return cls(plain["environment"], Sizes(**plain["sizes"]), outcomes)


def environment(server_version: str, rounds: int) -> dict[str, Any]:
    return {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cpus": len(_cpus()),
        "server": server_version,
        "rounds": rounds,
        "command": "python -m bench " + " ".join(_shown(sys.argv[1:])),
        "versions": dict(sorted(_versions())),
    }


def _shown(arguments: list[str]) -> list[str]:
    """The command line without the password in a URL."""
    return ["…" if "://" in argument else argument for argument in arguments]


def _versions() -> Iterable[tuple[str, str]]:
    drivers = {contestant.distribution for contestant in CONTESTANTS.values()}
    for name in drivers | {"eventlet", "gevent", "SQLAlchemy", "Django"}:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _cpus() -> set[int]:
    return os.sched_getaffinity(0)


def reference(work: str, outcomes: dict[str, Outcome]) -> str | None:
    """mizzle's own entry in a work, in the world that comes first there; the others are compared with it."""
    for name in WORKS[work].contestants:
        if CONTESTANTS[name].driver == "mizzle" and name in outcomes and outcomes[name].rounds:
            return name
    return None


def best_peer(work: str, outcomes: dict[str, Outcome]) -> str | None:
    metric = WORKS[work].metric
    peers = [name for name, o in outcomes.items() if o.rounds and CONTESTANTS[name].driver != "mizzle"]
    return min(peers, key=lambda name: outcomes[name].median(metric), default=None)


def number(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def heading(report: Report) -> list[str]:
    env = report.environment
    versions = " · ".join(f"{name} {version}" for name, version in env["versions"].items())
    return [
        f"{env['when']} · {env['server']} on loopback TCP · Python {env['python']} · {env['cpu']}, {env['cpus']} CPUs",
        versions,
        f"{env['command'].strip()} · medians of {env['rounds']} rounds, every run its own process, interleaved; "
        "CPU is the client process, all its threads",
    ]


def work_rows(work: str, outcomes: dict[str, Outcome]) -> tuple[list[str], list[list[str]], list[str]]:
    """Column heads, one row a contestant (best first), and the notes below."""
    about = WORKS[work]
    own = reference(work, outcomes)
    base = outcomes[own].median(about.metric) if own else None
    heads = ["", about.unit, "x mizzle" if own else "", "min … max", *(head for _, head in about.extra)]
    ran = sorted((n for n, o in outcomes.items() if o.rounds), key=lambda name: outcomes[name].median(about.metric))
    rows = []
    for name in ran:
        outcome = outcomes[name]
        low, high = outcome.spread(about.metric)
        median = outcome.median(about.metric)
        rows.append(
            [
                CONTESTANTS[name].label,
                number(median),
                f"{median / base:.2f}" if base else "",
                f"{number(low)} … {number(high)}",
                *(number(outcome.median(key)) for key, _ in about.extra),
            ]
        )
    notes = [f"{CONTESTANTS[name].label}: no figure: {o.error}" for name, o in outcomes.items() if not o.rounds]
    notes += [
        f"{CONTESTANTS[name].label}: {len(o.rounds)} rounds only: {o.error}"
        for name, o in outcomes.items()
        if o.rounds and o.error
    ]
    best = best_peer(work, outcomes)
    if own and best and base:
        ratio = outcomes[best].median(about.metric) / base
        notes.insert(
            0, f"best peer, {CONTESTANTS[best].label}, takes {ratio:.2f} x what {CONTESTANTS[own].label} takes"
        )
    return heads, rows, notes


def title(work: str, sizes: Sizes) -> str:
    return WORKS[work].title.format(**asdict(sizes))


def as_text(report: Report) -> str:
    lines = heading(report)
    for work, outcomes in report.outcomes.items():
        heads, rows, notes = work_rows(work, outcomes)
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        lines += ["", title(work, report.sizes), "-" * (sum(widths) + 3 * len(widths) - 1)]
        for row in [heads, *rows]:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  " + "   ".join(cells))
        lines += [f"  {note}" for note in notes]
    return "\n".join(lines) + "\n"


def as_markdown(report: Report) -> str:
    lines = [*heading(report), ""]
    for work, outcomes in report.outcomes.items():
        heads, rows, notes = work_rows(work, outcomes)
        lines += [f"**{title(work, report.sizes)}**", "", "| " + " | ".join(heads) + " |"]
        lines.append("|---|" + "---:|" * (len(heads) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines += ["", *(f"{note}  " for note in notes), ""]
    return "\n".join(lines)
