"""Each test of the worlds that asks for `habitat` runs in every one of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from habitats import Asyncio, Eventlet, Gevent, Habitat, Threads, Trio
from peers import Peer


@pytest.fixture(params=[Threads, Eventlet, Gevent, Asyncio, Trio], ids=lambda kind: kind.name)
def habitat(request: pytest.FixtureRequest) -> Habitat:
    made: Habitat = request.param()
    return made


@pytest.fixture(params=[Eventlet, Gevent, Asyncio, Trio], ids=lambda kind: kind.name)
def loop_habitat(request: pytest.FixtureRequest) -> Habitat:
    """Where one OS thread runs many things."""
    made: Habitat = request.param()
    return made


@pytest.fixture(params=[Eventlet, Gevent, Asyncio], ids=lambda kind: kind.name)
def push_habitat(request: pytest.FixtureRequest) -> Habitat:
    """Where somebody listens to idle connections."""
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
