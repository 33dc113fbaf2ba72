"""`python -m tools.freethreading`: many threads with mizzle, in an interpreter without a GIL, on a real server."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from mizzle.testing import Server

from .interpreter import environment, obtain

STRESS = Path(__file__).with_name("stress.py")


def main() -> int:
    """0 when every work of every round came to a good end."""
    parser = argparse.ArgumentParser(prog="python -m tools.freethreading", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each work (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="of all works (default: %(default)s)")
    parser.add_argument("--family", default="mariadb", help="of the throwaway server (default: %(default)s)")
    options = parser.parse_args()
    python = environment(obtain())
    with Server.start(options.family, tls=True, arguments=("--max-connections=500",)) as server:
        settings = json.dumps(server.connect_args())
        for _ in range(options.rounds):
            command = [str(python), "-W", "error", str(STRESS), settings, str(options.seconds)]
            if status := subprocess.run(command, check=False).returncode:
                print(f"ended with status {status}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
