"""Each test of the worlds that asks for `habitat` runs in every one of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
import uvloop
from habitats import Asyncio, Eventlet, EventletHub, Gevent, Habitat, Threads, Trio
from peers import Peer

PULL: dict[str, Callable[[], Habitat]] = {"threads": Threads, "trio": Trio}
PUSH: dict[str, Callable[[], Habitat]] = {
    "eventlet": Eventlet,
    "eventlet-poll": lambda: EventletHub("poll"),
    "eventlet-selects": lambda: EventletHub("selects"),
    "eventlet-asyncio": lambda: EventletHub("asyncio"),
    "gevent": Gevent,
    "asyncio": Asyncio,
    "uvloop": lambda: Asyncio(uvloop.new_event_loop, "uvloop"),
}


@pytest.fixture(params=[*PULL, *PUSH])
def habitat(request: pytest.FixtureRequest) -> Habitat:
    return (PULL | PUSH)[request.param]()


@pytest.fixture(params=["trio", *PUSH])
def loop_habitat(request: pytest.FixtureRequest) -> Habitat:
    """Where one OS thread runs many things."""
    return (PULL | PUSH)[request.param]()


@pytest.fixture(params=PUSH)
def push_habitat(request: pytest.FixtureRequest) -> Habitat:
    """Where somebody listens to idle connections."""
    return PUSH[request.param]()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


@pytest.fixture
def open_files() -> Callable[[], int]:
    """How many descriptors this process has."""
    return lambda: len(os.listdir("/proc/self/fd"))
