"""Each test of the worlds that asks for `habitat` runs in every one of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from habitats import Asyncio, Eventlet, Habitat, Threads
from peers import Peer


@pytest.fixture(params=[Threads, Eventlet, Asyncio], ids=lambda kind: kind.name)
def habitat(request: pytest.FixtureRequest) -> Habitat:
    made: Habitat = request.param()
    return made


@pytest.fixture(params=[Eventlet, Asyncio], ids=lambda kind: kind.name)
def push_habitat(request: pytest.FixtureRequest) -> Habitat:
    made: Habitat = request.param()
    return made


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


@pytest.fixture
def open_files() -> Callable[[], int]:
    """How many descriptors this process has."""
    return lambda: len(os.listdir("/proc/self/fd"))
