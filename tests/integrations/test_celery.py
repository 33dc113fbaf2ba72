"""Celery's database backend on mysql+mizzle: a real worker in each of its green pools, its results in the database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from mizzle.testing import Server

HERE = Path(__file__).parent


@pytest.mark.parametrize("pool", ["eventlet", "gevent"])
def test_results_of_a_worker(some_server: Server, tmp_path: Path, pool: str) -> None:
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    environment = {
        **os.environ,
        "MIZZLE_URL": some_server.url,
        "CELERY_FOLDER": str(tmp_path),
        "PYTHONWARNINGS": "ignore",
    }
    quietly = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    command = ["-m", "celery", "-A", "celery_tasks", "worker", f"--pool={pool}", "--concurrency=40", *quietly]
    log = tmp_path / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            [sys.executable, *command], cwd=HERE, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        client = subprocess.run(
            [sys.executable, "celery_tasks.py"],
            cwd=HERE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, log.read_text()
    assert client.returncode == 0, client.stderr + log.read_text()
    told = json.loads(client.stdout)
    naps = told["naps"]
    assert [nap["number"] for nap in naps] == list(range(12))
    assert {nap["world"] for nap in naps} == {f"mizzle.worlds.{pool}"}
    # They slept side by side: the first to wake found some still to lie down, or all of them asleep.
    assert max(nap["at"][0] for nap in naps[:5]) < min(nap["at"][1] for nap in naps[:5])
    assert told["error"][0] == "OperationalError"
    assert "1045" in told["error"][1]
    engine = sa.create_engine(some_server.url.replace("mysql://", "mysql+mizzle://"))
    with engine.begin() as conn:
        states = dict(map(tuple, conn.exec_driver_sql("SELECT status, COUNT(*) FROM celery_taskmeta GROUP BY status")))
        conn.exec_driver_sql("DROP TABLE celery_taskmeta, celery_tasksetmeta")
    engine.dispose()
    assert states == {"SUCCESS": 12, "FAILURE": 1}
