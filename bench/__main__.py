"""`python -m bench`: runs the works, prints the table, writes the chart and the raw figures to bench/results/."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import chart, dataset, report, server, targets
from bench.catalog import CONTESTANTS, WORKS
from bench.runner import Progress, plan, run_all
from bench.task import Sizes

RESULTS = Path(__file__).resolve().parent / "results"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    drivers = sorted({contestant.driver for contestant in CONTESTANTS.values()})
    parser.add_argument("--work", action="append", choices=list(WORKS), metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--driver", action="append", choices=drivers, metavar="DRIVER", help=", ".join(drivers))
    parser.add_argument("--rounds", type=int, help="runs of each (default 5; 3 with --quick)")
    parser.add_argument("--rows", type=int, help="rows of the big table (default 500000; 100000 with --quick)")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    parser.add_argument("--url", help="mysql://user:password@host:port/database: this server, not a throwaway one")
    parser.add_argument("--family", default="mariadb", help="the throwaway server: mariadb (default) or mysql")
    parser.add_argument("--report", type=Path, metavar="JSON", help="run nothing: show the figures in this file again")
    parser.add_argument("--check-targets", action="store_true", help="say which targets the figures reach")
    parser.add_argument("--strict", action="store_true", help="with --check-targets: exit with 1 unless all hold")
    options = parser.parse_args()
    if options.rows is not None and not 2 * dataset.WARM_UP_ROWS <= options.rows <= dataset.MAX_ROWS:
        parser.error(f"--rows: from {2 * dataset.WARM_UP_ROWS} to {dataset.MAX_ROWS}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def run(options: argparse.Namespace) -> report.Report:
    rounds = options.rounds or (3 if options.quick else 5)
    sizes = Sizes.quick() if options.quick else Sizes()
    if options.rows:
        sizes = sizes.with_rows(options.rows)
    steps = list(plan(options.work or list(WORKS), options.driver, rounds))
    print(f"{len(steps)} runs; starting the server, filling {sizes.rows:,} rows …", file=sys.stderr, flush=True)
    with (
        server.running(options.url, options.family) as settings,
        server.tables(settings, sizes) as (version, checksum),
    ):
        outcomes = run_all(steps, settings, sizes, checksum, Progress(len(steps), rounds))
    return report.Report(report.environment(version, rounds), sizes, outcomes)


def main() -> int:
    options = arguments()
    if options.report:
        found = report.Report.load(options.report)
    else:
        found = run(options)
        RESULTS.mkdir(exist_ok=True)
        found.save(RESULTS / "results.json")
        (RESULTS / "results.md").write_text(report.as_markdown(found), encoding="utf-8")
        (RESULTS / "results.svg").write_text(chart.svg(found), encoding="utf-8")
    print(report.as_text(found))
    if not options.report:
        print(f"chart: {RESULTS / 'results.svg'}   raw figures: {RESULTS / 'results.json'}")
    if options.check_targets:
        hold, lines = targets.check(found)
        print("\nTargets\n  " + "\n  ".join(lines))
        return 1 if options.strict and not hold else 0
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing was written")
