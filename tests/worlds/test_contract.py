"""The choice of a world, and what its files may import."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import mizzle.worlds
from mizzle.worlds import resolve

WORLDS = ("threads", "eventlet", "gevent", "asyncio", "trio", "scripted")
FOLDER = Path(mizzle.worlds.__file__).parent


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_by_name(name: str) -> None:
    world = resolve(name)
    assert world.__name__ == f"mizzle.worlds.{name}"  # type: ignore[attr-defined]
    assert callable(world.open_channel)


@pytest.mark.parametrize("name", ["eventlet", "gevent", "trio"])
def test_a_world_whose_package_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"mizzle.worlds.{name}", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    mizzle.worlds._load.cache_clear()
    with pytest.raises(ImportError, match=rf"pip install 'mizzle\[{name}\]'"):
        resolve(name)


def test_no_such_world() -> None:
    with pytest.raises(ValueError, match="choose one of auto, threads"):
        resolve("twisted")


def imports(source: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("source", sorted(FOLDER.glob("*.py")), ids=lambda source: source.stem)
def test_imports_point_downwards(source: Path) -> None:
    mine = {name for name in imports(source) if name.startswith("mizzle")}
    for name in mine:
        parts = name.split(".")
        assert parts[1] in ("errors", "engine", "worlds"), f"{source.name} imports {name}"
        if parts[1] == "worlds" and parts[2] in WORLDS:
            pytest.fail(f"{source.name} imports another world: {name}")
    for library in ("asyncio", "eventlet", "gevent", "greenlet", "trio"):
        homes = ("eventlet", "gevent") if library == "greenlet" else (library,)
        if source.stem not in homes:
            assert not any(name.split(".")[0] == library for name in imports(source)), f"{source.name}: {library}"
