"""mizzle on eventlet: green threads that wait side by side in one OS thread, and nothing is monkey-patched.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/green.py
"""

import os
import time

import eventlet

import mizzle.eventlet as mysql


def nap(number: int) -> int:
    """A query that takes half a second; the hub serves the others meanwhile."""
    with mysql.connect(url=os.environ["MIZZLE_URL"], timeout=5) as conn:
        conn.execute("SELECT SLEEP(0.5)")
    return number


def main() -> None:
    began = time.monotonic()
    answers = list(eventlet.GreenPool(50).imap(nap, range(50)))
    print(f"{len(answers)} queries of 0.5 s each took {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    main()
