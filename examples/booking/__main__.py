"""The demo: a server, the same load with mizzle and with PyMySQL, a table and a picture."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.booking.outcome import Outcome
from examples.booking.page import Setting, page
from examples.booking.summary import checks, table
from mizzle.testing import Server

SIDES = ["mizzle", "pymysql"]
# room for all that the demo writes, so that no checkpoint falls into the load
ROOMY = ["--innodb-log-file-size=256M", "--innodb-buffer-pool-size=256M"]


def main() -> int:
    options = parse()
    try:
        with server(options.url) as url, tempfile.TemporaryDirectory() as folder:
            outcomes = [play(side, url, options, Path(folder)) for side in options.only]
    except subprocess.CalledProcessError as error:
        return error.returncode  # the side has said what was wrong
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130

    print(f"\n{table(outcomes)}\n")
    for outcome in outcomes:
        print(f"{checks(outcome)}\n")
    options.output.write_text(page(outcomes, setting(options)), encoding="utf-8")
    print(f"The picture: {options.output.resolve()}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.booking",
        description="A thousand green threads sell seats while one of them reads a report: mizzle, then PyMySQL.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--workers", type=positive, default=1000, help="green threads that are customers")
    parser.add_argument("--connections", type=positive, default=40, help="connections that they share")
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each driver is under load")
    parser.add_argument("--pause", type=float, default=0.25, help="mean seconds between two visits of a customer")
    parser.add_argument("--rows", type=positive, default=300_000, help="rows of the report")
    parser.add_argument("--yield-every", type=int, default=0, metavar="ROWS", help="the report itself yields; 0: never")
    parser.add_argument("--url", help="mysql://user:password@host:port; without it MIZZLE_URL, or a throwaway server")
    parser.add_argument("--only", choices=SIDES, help="one driver alone")
    parser.add_argument("--output", type=Path, default=Path("demo.html"), help="where the picture goes")
    options = parser.parse_args()
    options.only = [options.only] if options.only else SIDES
    options.url = options.url or os.environ.get("MIZZLE_URL")
    return options


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


@contextmanager
def server(url: str | None) -> Iterator[str]:
    """The given server, or one of our own for as long as the demo lasts."""
    if url:
        yield url
        return
    print("starting a throwaway server", flush=True)
    with Server.start("mariadb", arguments=ROOMY) as own:
        yield own.url


def play(side: str, url: str, options: argparse.Namespace, folder: Path) -> Outcome:
    """Run one side in a process of its own."""
    saved = folder / f"{side}.json"
    command = [sys.executable, "-m", "examples.booking.side", side, f"--save={saved}", *load(options)]
    # a session of its own: Ctrl-C reaches it once, from here
    process = subprocess.Popen(command, env={**os.environ, "MIZZLE_URL": url}, start_new_session=True)
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        process.kill()  # of no effect on one that has ended
    if status:
        raise subprocess.CalledProcessError(status, command)
    return Outcome.load(saved)


def setting(options: argparse.Namespace) -> Setting:
    command = shlex.join(["python", "-m", "examples.booking", *load(options)])
    return Setting(options.workers, options.connections, options.rows, options.pause, options.yield_every, command)


def load(options: argparse.Namespace) -> list[str]:
    """The options that both sides are run with."""
    names = ["workers", "connections", "seconds", "pause", "rows", "yield-every"]
    return [f"--{name}={getattr(options, name.replace('-', '_'))}" for name in names]


if __name__ == "__main__":
    sys.exit(main())
