"""The short examples do what they say, on every server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mizzle.testing import Server

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("threads.py", ["fern: 0.60 m", "moss: 0.02 m"]),
        ("green.py", ["50 queries of 0.5 s each took "]),
        ("asyncio_tasks.py", ["squares: 0 1 4 9 16 25 36 49 64 81", "streamed "]),
        ("openstack_service.py eventlet", ["eventlet: answers {202: 50, 403: 10}, 50 instances"]),
        ("openstack_service.py threads", ["threads: answers {202: 50, 403: 10}, 50 instances"]),
        ("openstack_service.py asyncio", ["asyncio: answers {202: 50, 403: 10}, 50 instances"]),
    ],
)
def test_it_runs_and_says_what_it_found(server: Server, program: str, expected: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *program.split()],
        cwd=ROOT / "examples",
        env={**os.environ, "MIZZLE_URL": server.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for text in expected:
        assert text in done.stdout
