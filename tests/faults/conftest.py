"""Peers to connect to, in every world; and after each test nothing may be left open or under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from faults.hostile import PATIENCE, Part, Peer
from faults.remains import Remains
from plugins.worlds import World

Connect = Callable[..., Any]


@pytest.fixture
def remains(world: World) -> Iterator[Remains]:
    made = Remains(world)
    yield made
    made.nothing()


@pytest.fixture
def peers(remains: Remains) -> Iterator[list[Peer]]:  # noqa: ARG001 (peers are closed before anybody takes stock)
    made: list[Peer] = []
    yield made
    for peer in made:
        peer.close()


@pytest.fixture
def peer(peers: list[Peer]) -> Callable[[Part], Peer]:
    """Start a peer that plays this part for each connection."""

    def start(part: Part) -> Peer:
        peers.append(Peer(part))
        return peers[-1]

    return start


@pytest.fixture
def connect(world: World, peers: list[Peer]) -> Iterator[Connect]:
    """Connect to the peer that was started last; closed at the end."""
    opened: list[Any] = []

    def make(**keywords: Any) -> Any:
        settings = {"user": "ann", "password": "secret", "connect_timeout": PATIENCE, "timeout": PATIENCE}
        settings |= {"on_interrupt": "close"}  # the others: servers/test_interrupted_statements.py
        where = {"host": "127.0.0.1", "port": peers[-1].port} if peers else {}
        opened.append(world.connect(**{"ssl_mode": "disabled", **settings, **where, **keywords}))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def talk(peer: Callable[[Part], Peer], connect: Connect) -> Connect:
    """A connection to a peer that lets it in and then plays this part."""

    def start(part: Part, **keywords: Any) -> Any:
        def whole(link: Any) -> None:
            link.let_in()
            part(link)

        peer(whole)
        return connect(**keywords)

    return start


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
