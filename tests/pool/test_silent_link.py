"""A link to a real server that goes silent under a pool's users: see silent_line.suffer()."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mizzle.testing import Server
from plugins.servers import families
from plugins.worlds import PATIENCE, World
from pool.conftest import MakePool
from pool.silent_line import LIMITS, MEMBERS, Relay, suffer

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def any_server(pytestconfig: pytest.Config, shared_server: Callable[[str], Server]) -> Server:
    """What a pool does about it does not depend on whose server it is."""
    return shared_server(families(pytestconfig)[0])


@pytest.mark.main_worlds
def test_a_proxy_that_forwards_no_more(world: World, any_server: Server, any_pool: MakePool) -> None:
    with Relay(any_server.port) as relay:
        settings = any_server.connect_args(ssl_mode="disabled", autocommit=True, port=relay.port)
        size = {"min_size": MEMBERS, "max_size": MEMBERS}
        lending = any_pool(**settings | LIMITS | size, acquire_timeout=LIMITS["timeout"])
        suffer(world, lending, relay)
        lending.close()


def may_have_networks() -> bool:
    """May this user make network namespaces, and are there the tools for it?"""
    if not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    command = ["unshare", "--net", "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_network_that_drops_everything(pytestconfig: pytest.Config, worlds: dict[str, World]) -> None:
    """Client and server in network namespaces of their own, and the wire between them is pulled."""
    if not may_have_networks():
        pytest.skip("this user may not make network namespaces")
    family = families(pytestconfig)[0]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-W", "ignore", "-m", "pool.silent_network", family, *worlds],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(worlds)
