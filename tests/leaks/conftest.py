"""One real server, of the first family that the run is for: what leaks does not depend on whose rows they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mizzle.testing import Server
from plugins.servers import families


@pytest.fixture(scope="session")
def any_server(pytestconfig: pytest.Config, shared_server: Callable[[str], Server]) -> Server:
    return shared_server(families(pytestconfig)[0])
