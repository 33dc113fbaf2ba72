"""SQLAlchemy's compliance suite for dialects passes: synchronous on MariaDB, asynchronous on MySQL.

The whole matrix (both faces on both servers, SQLAlchemy 2.0 and 2.1, its own tests of MySQL, PyMySQL's dialect beside)
is `python -m tools.suites sqlalchemy`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mizzle
from mizzle.testing import Server

FOLDER = Path(__file__).parent / "sqlalchemy"
#: The suite makes and drops some thousand tables: nothing of them has to outlive the machine.
ARGUMENTS = ("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")


@pytest.mark.parametrize(("family", "dialect"), [("mariadb1011", "mariadb+mizzle"), ("mysql97", "mysql+mizzle_async")])
def test_compliance(
    family: str, dialect: str, start_server: Callable[..., Server], pytestconfig: pytest.Config
) -> None:
    if family not in pytestconfig.getoption("servers"):
        pytest.skip(f"not among --servers: {family}")
    server = start_server(family, arguments=ARGUMENTS)
    prepare(server)
    command = [sys.executable, "-m", "pytest", "-c", "setup.cfg", "--confcutdir=.", "-q", "-r", "fE"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    url = f"{dialect}://{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    run = subprocess.run(
        [*command, "--dburi", url], cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


def prepare(server: Server) -> None:
    """The databases that the suite expects to be there, in utf8mb4."""
    with mizzle.connect(**server.connect_args()) as conn:
        for database in ("test", "test_schema", "test_schema_2"):
            conn.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
            conn.execute(f"ALTER DATABASE {database} CHARACTER SET utf8mb4")
