"""gunicorn with preload_app: workers come and go, and the master's own sessions do not notice."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mizzle.testing import Server
from plugins.servers import families
from plugins.worlds import PATIENCE

TESTS = Path(__file__).resolve().parents[1]
WORKERS = 2


class Client(http.client.HTTPConnection):
    """One request over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


def ask(path: Path) -> dict[str, Any]:
    client = Client(path)
    client.request("GET", "/", headers={"Connection": "close"})
    answer = client.getresponse()
    body = answer.read()
    client.close()
    assert answer.status == 200, body
    told: dict[str, Any] = json.loads(body)
    return told


@pytest.mark.parametrize("kind", ["sync", "gevent", "eventlet"])
def test_gunicorn(
    kind: str, shared_server: Callable[[str], Server], pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    """One worker after the other, each asked twice."""
    server = shared_server(families(pytestconfig)[0])
    settings = server.connect_args(ssl_mode="disabled", autocommit=True, timeout=PATIENCE)
    path = tmp_path / "gunicorn.sock"
    command = [sys.executable, "-W", "default::ResourceWarning", "-m", "gunicorn", "-c", "python:pool.prefork_conf"]
    master = subprocess.Popen(
        [*command, "--worker-class", kind, "--bind", f"unix:{path}"],
        env={**os.environ, "PYTHONPATH": str(TESTS), "MIZZLE_SETTINGS": json.dumps(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    answers: list[dict[str, Any]] = []
    try:
        assert master.stdout is not None
        ready = master.stdout.readline()
        for number in range(WORKERS if ready else 0):
            if number:
                os.kill(answers[-1]["pid"], signal.SIGTERM)
                assert int(master.stdout.readline()) == answers[-1]["pid"]
            answers += [ask(path), ask(path)]
    finally:
        master.send_signal(signal.SIGTERM)
        said, complaints = master.communicate(timeout=PATIENCE)
    assert "Traceback" not in complaints, complaints
    assert "unclosed connection" not in complaints, complaints
    assert master.returncode == 0, complaints
    told = json.loads(said.splitlines()[-1])
    assert (told["mine"], told["same"]) == (["connection"], True)
    first, second = answers[::2], answers[1::2]
    assert len({answer["pid"] for answer in first} - {told["pid"]}) == WORKERS
    assert len({answer["number"] for answer in first}) == WORKERS
    assert [answer["number"] for answer in second] == [answer["number"] for answer in first]  # a pool of its own
    assert not any(answer["shared"] for answer in answers)
    assert all(f"process {told['pid']} opened this connection" in answer["refusal"].lower() for answer in first)
