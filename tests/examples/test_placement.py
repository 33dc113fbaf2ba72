"""OpenStack's placement migrates and serves on mizzle; what would be wrong is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mizzle
from mizzle.testing import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """`examples` and `tools` are found."""
    monkeypatch.syspath_prepend(ROOT)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="placement needs Python 3.11")
def test_it_serves_on_threads_and_on_eventlet(pytestconfig: pytest.Config) -> None:
    from examples.placement.__main__ import PLACEMENT  # noqa: PLC0415 (found from here on)
    from tools.environments import environment  # noqa: PLC0415

    try:
        environment("placement", *PLACEMENT)
    except subprocess.CalledProcessError:  # pip has said why
        if os.environ.get("CI"):
            raise
        pytest.skip("placement could not be installed from the package index")
    family = pytestconfig.getoption("servers").split(",")[-1]
    done = subprocess.run(
        [sys.executable, "-m", "examples.placement", f"--servers={family}", "--nodes=2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.count("16 nodes read back; addresses: ") == 2
    assert done.stdout.count("16 given, 8 refused") == 2
    assert "all was right" in done.stdout


def test_what_is_missing_in_the_database_is_told(server: Server) -> None:
    from examples.placement.__main__ import differences  # noqa: PLC0415 (found from here on)
    from examples.placement.clients import Load, Outcome  # noqa: PLC0415

    load = Load("threads", clients=2, nodes=1, claims=3)
    outcome = Outcome(nodes=["one", "two"])
    outcome.claims.update(given=4, refused=2)
    with mizzle.connect(**server.connect_args()) as conn:
        conn.execute("CREATE TEMPORARY TABLE resource_providers (id INT, name VARCHAR(40))")
        conn.execute("CREATE TEMPORARY TABLE allocations (resource_provider_id INT, used INT)")
        conn.execute("INSERT INTO resource_providers VALUES (1, 'threads-addresses'), (2, 'threads-0-0')")
        conn.execute("INSERT INTO allocations VALUES (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)")
        assert list(differences(conn, load, outcome, used=4)) == [
            "providers in the database: 2, not 3",
            "addresses in the database: 5, not 4",
        ]
