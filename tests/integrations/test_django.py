"""Django: a small project (django/) on mizzle.django, on Django's own backend by install_as_MySQLdb(), and green.

Django's own test apps, on both and on mysqlclient beside: `python -m tools.suites django`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mizzle.testing import Server

FOLDER = Path(__file__).parent / "django"
#: The tests make and empty tables again and again: nothing of them has to outlive the machine.
ARGUMENTS = ("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")
OPTIONS = {
    "pool": {"max_size": 2, "min_size": 0},
    "server_side_cursors": True,
    "init_command": "SET wait_timeout = 4321",
    "sql_mode": "TRADITIONAL,ANSI_QUOTES",
    "timeout": "30",
}


def run(server: Server, engine: str, *command: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """A process with that engine on that server; warnings are errors."""
    database = {
        "ENGINE": engine,
        "NAME": server.database,
        "USER": server.user,
        "PASSWORD": server.password,
        "HOST": server.host,
        "PORT": server.port,
        **settings,
    }
    environment = {
        **os.environ,
        "DJANGO_DATABASE": json.dumps(database),
        "DJANGO_SETTINGS_MODULE": "project",
        "PYTHONPATH": str(FOLDER),
    }
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("family", "engine"),
    [("mariadb1011", "mizzle.django"), ("mysql97", "mizzle.django"), ("mariadb118", "django.db.backends.mysql")],
)
def test_a_project(family: str, engine: str, start_server: Callable[..., Server], pytestconfig: pytest.Config) -> None:
    if family not in pytestconfig.getoption("servers"):
        pytest.skip(f"not among --servers: {family}")
    server = start_server(family, arguments=ARGUMENTS)
    own = engine == "mizzle.django"
    cases = ["shop.cases", "shop.mizzle_cases"] if own else ["shop.cases"]
    done = run(server, engine, "-m", "django", "test", "--noinput", *cases, OPTIONS=OPTIONS if own else {})
    assert done.returncode == 0, done.stderr[-20_000:]
    assert done.stderr.rstrip().endswith("OK") or "\nOK\n" in done.stderr, done.stderr


@pytest.mark.parametrize("hub", ["eventlet", "gevent"])
def test_green_threads(hub: str, start_server: Callable[..., Server], pytestconfig: pytest.Config) -> None:
    server = start_server(pytestconfig.getoption("servers").split(",")[0], arguments=ARGUMENTS)
    # eventlet's own imports warn of what they use.
    done = run(server, "mizzle.django", "-W", "default", "green.py", hub)
    assert done.stdout == "got the lock\n", done.stdout + done.stderr
