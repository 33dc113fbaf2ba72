"""In which worlds a test runs, and whether with TLS.

A test that asks for `world` runs in each of them (`--worlds=threads,asyncio` chooses), one that asks for `tls` runs
without and with TLS (`--tls=plain`). The worlds that only differ in what the library underneath is made of, and for
which mizzle has no code of its own, run without TLS; a test marked `main_worlds` does not run in them. Unless
`--all-servers` says otherwise they have one family of servers, and so has TLS in all worlds but threads: what a world
does to encrypt is the same for each server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from plugins.hubs import Eventlet, EventletAsyncio, EventletPoll, EventletSelects, Gevent
from plugins.loops import Asyncio, Trio, Uvloop
from plugins.worlds import Threads, World

MAIN: tuple[type[World], ...] = (Threads, Eventlet, Gevent, Asyncio, Trio)
FURTHER: tuple[type[World], ...] = (EventletPoll, EventletSelects, EventletAsyncio, Uvloop)
WORLDS = {kind.name: kind for kind in (*MAIN, *FURTHER)}
TLS = ("plain", "tls")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mizzle")
    group.addoption(
        "--worlds", default=",".join(WORLDS), metavar="WORLDS", help="worlds to test in (default: %(default)s)"
    )
    group.addoption(
        "--chaos", default=1000, type=int, metavar="N", help="statements of a chaos run (default: %(default)s)"
    )
    group.addoption(
        "--rows", default=200_000, type=int, metavar="N", help="rows of a long stream (default: %(default)s)"
    )
    group.addoption("--all-servers", action="store_true", help="every server in the further worlds and with TLS, too")
    group.addoption("--tls", default="", metavar="TLS", help="plain, tls or both (default: both, where it matters)")


def chosen(config: pytest.Config, option: str, known: tuple[str, ...]) -> list[str]:
    """The words that an option was given, each one that is known."""
    words = [word for word in config.getoption(option).split(",") if word]
    if unknown := set(words) - set(known):
        raise pytest.UsageError(f"--{option}: no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return words


def pytest_configure(config: pytest.Config) -> None:
    chosen(config, "worlds", tuple(WORLDS))
    chosen(config, "tls", TLS)
    config.addinivalue_line("markers", "main_worlds: not for the worlds that differ only in what is underneath")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = chosen(metafunc.config, "worlds", tuple(WORLDS))
    modes = chosen(metafunc.config, "tls", TLS)
    if metafunc.definition.get_closest_marker("main_worlds"):
        names = [name for name in names if WORLDS[name] in MAIN]
    if {"world", "tls"} <= set(metafunc.fixturenames):
        pairs = [(name, mode) for name in names for mode in modes or (TLS if WORLDS[name] in MAIN else TLS[:1])]
        metafunc.parametrize(("world", "tls"), pairs, indirect=True, scope="session")
    elif "world" in metafunc.fixturenames:
        metafunc.parametrize("world", names, indirect=True, scope="session")
    elif "tls" in metafunc.fixturenames:
        metafunc.parametrize("tls", modes or TLS, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --all-servers the further worlds, and TLS but in threads, have the first family that this run is for."""
    families = [name for name in config.getoption("servers").split(",") if name]
    if config.getoption("all_servers") or len(families) == 1:
        return
    further = {kind.name for kind in FURTHER}
    kept, dropped = [], []
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        world = given.get("world", Threads.name)
        elsewhere = given.get("server", families[0]) != families[0]
        rare = world in further or (given.get("tls") == "tls" and world != Threads.name)
        (dropped if elsewhere and rare else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.fixture(scope="session")
def made_worlds(pytestconfig: pytest.Config) -> Iterator[dict[str, World]]:
    """All worlds that this run is for, by name."""
    made = {name: WORLDS[name]() for name in chosen(pytestconfig, "worlds", tuple(WORLDS))}
    yield made
    for world in made.values():
        with closing(world):
            world.settle()


@pytest.fixture(scope="session")
def worlds(made_worlds: dict[str, World]) -> dict[str, World]:
    """The main worlds that this run is for, by name: for a test too dear to be run in each."""
    return {name: world for name, world in made_worlds.items() if WORLDS[name] in MAIN}


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest, made_worlds: dict[str, World]) -> World:
    """Each world in turn. For the session, so that tests come world by world."""
    return made_worlds[request.param]


@pytest.fixture(autouse=True)
def in_its_world(request: pytest.FixtureRequest) -> Iterator[None]:
    """Entered for each test by itself: one for no world may come next, and must not find a hub or loop that runs."""
    entered: World | None = request.getfixturevalue("world") if "world" in request.fixturenames else None
    if entered is not None:
        entered.enter()
    yield
    if entered is not None:
        entered.leave()


@pytest.fixture
def tls(request: pytest.FixtureRequest) -> bool:
    """Is the connection to be encrypted? Both in turn."""
    return bool(request.param == "tls")
