"""A Celery application: its broker a folder, its results in the database by mysql+mizzle. test_celery.py runs it.

`celery -A celery_tasks worker` works; `python celery_tasks.py` asks for work, waits for the results and prints them.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import celery
from celery import group

import mizzle

FOLDER = os.environ["CELERY_FOLDER"]
URL = os.environ["MIZZLE_URL"]
NAPS = 12

app = celery.Celery("celery_tasks")
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={
        "data_folder_in": f"{FOLDER}/queue",
        "data_folder_out": f"{FOLDER}/queue",
        "control_folder": f"{FOLDER}/control",
        "store_processed": False,
        "polling_interval": 0.05,
    },
    result_backend=URL.replace("mysql://", "db+mysql+mizzle://"),
    result_extended=True,
    worker_prefetch_multiplier=NAPS,
)


@app.task
def nap(number: int) -> dict[str, Any]:
    """Work with the database for a while; which world did that, and who else was at it?"""
    with mizzle.connect(url=URL) as conn:
        [(begin,)] = conn.execute("SELECT NOW(6)").fetchall()
        time.sleep(0.3)
        [(end,)] = conn.execute("SELECT NOW(6)").fetchall()
        return {"number": number, "world": type(conn._channel).__module__, "at": [begin.isoformat(), end.isoformat()]}


@app.task
def fail() -> None:
    """An error as a result."""
    mizzle.connect(url=URL, password="wrong")


def main() -> None:
    naps = group(nap.s(number) for number in range(NAPS)).apply_async().get(timeout=60, interval=0.05)
    error = fail.delay().get(timeout=60, interval=0.05, propagate=False)
    print(json.dumps({"naps": naps, "error": [type(error).__name__, str(error)]}))


if __name__ == "__main__":
    main()
