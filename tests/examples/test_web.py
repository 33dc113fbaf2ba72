"""The web services of examples/web: many visitors wait for the database at a time, and others are served meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server

FOLDER = Path(__file__).parents[2] / "examples" / "web"
VISITORS = 12


@pytest.fixture
def database(some_server: Server) -> Iterator[Any]:
    with mizzle.connect(**some_server.connect_args()) as conn:
        conn.execute("CREATE TABLE visits (page VARCHAR(80) PRIMARY KEY, number INT)")
        conn.execute("INSERT INTO visits VALUES ('about', 30)")
        conn.commit()
        yield conn
        conn.rollback()
        conn.execute("DROP TABLE visits")


@pytest.fixture
def port(request: pytest.FixtureRequest, some_server: Server, database: object) -> Iterator[int]:  # noqa: ARG001 (order)
    """Where the program listens by now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name, *arguments = request.param.split()
    command = [sys.executable, "-W", "ignore", name, str(port), *arguments]
    environment = {**os.environ, "MIZZLE_URL": some_server.url}
    with subprocess.Popen(command, cwd=FOLDER, env=environment, stderr=subprocess.DEVNULL) as program:
        while program.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        assert program.poll() is None
        yield port
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 0


def ask(port: int, method: str, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return json.loads(body)


@pytest.mark.parametrize(
    "port",
    ["on_fastapi.py", "on_tornado.py", "on_twisted.py", "on_flask.py", "on_flask.py patched"],
    indirect=True,
)
def test_visitors_wait_side_by_side(some_server: Server, database: Any, port: int) -> None:
    waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO visits%'"
    database.execute("SELECT number FROM visits WHERE page = 'about' FOR UPDATE")
    with ThreadPoolExecutor(VISITORS) as visitors, mizzle.connect(**some_server.connect_args()) as observer:
        visits = [visitors.submit(ask, port, "POST", "/about") for _ in range(VISITORS)]
        try:
            while observer.execute(waiting).fetchall() != [(VISITORS,)]:
                assert not any(visit.done() for visit in visits), [visit.result() for visit in visits if visit.done()]
                observer.execute("DO SLEEP(0.02)")
            assert ask(port, "GET", "/") == {"about": 30}  # they wait for the row; nobody waits for them
        finally:
            database.rollback()
        assert [visit.result() for visit in visits] == ["welcome"] * VISITORS
    assert ask(port, "GET", "/") == {"about": 30 + VISITORS}
