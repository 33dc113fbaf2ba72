"""The command line: `python -m tools.lab fetch [FAMILY…]`.

Knows arguments and exit codes. Must not know how a server is fetched.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from .prefixes import RECIPES, fetch


def main() -> int:
    """Fetch what is asked for; 1 when something could not be had, each with its reason."""
    parser = argparse.ArgumentParser(prog="python -m tools.lab", description="Server programs for the tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fetching = commands.add_parser("fetch", help="unpack server programs into the cache, those not there yet")
    fetching.add_argument(
        "families", nargs="*", metavar="FAMILY", help=f"of {', '.join(RECIPES)}; all when none is named"
    )
    families: list[str] = parser.parse_args().families
    if unknown := set(families) - RECIPES.keys():
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(RECIPES)}")
    status = 0
    for family in families or RECIPES:
        try:
            fetch(family)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{family}: NOT fetched: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
