"""The three floors: imports point downwards only, and nobody drags in a loop or hub that was not asked for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "mizzle"
WORLDS = {"threads", "eventlet", "gevent", "asyncio", "trio", "scripted"}
# Beside the floors: may be imported by all of them, and import none of them.
NEUTRAL = {"errors", "types", "constants", "options"}
LOOPS = {"eventlet", "gevent", "trio", "asyncio", "greenlet"}
IO = {"socket", "_socket", "select", "selectors", "threading", "_thread", "subprocess"} | LOOPS
IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\s+([^#\n]+)|c?import\s+([^#\n]+))", re.MULTILINE)


def imported(path: Path) -> set[str]:
    """Every module that a source imports, anywhere in it; `from a import b` counts as a and a.b."""
    text = path.read_text()
    found: set[str] = set()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0 or "testing" in path.parts, f"{path}: relative import"
                found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found
    for module, names, plain in IMPORT.findall(text):
        if module:
            found |= {module} | {f"{module}.{name.strip(' ()')}" for name in names.split(",")}
        else:
            found |= {name.split(" as ")[0].strip() for name in plain.split(",")}
    return found


def sources(*parts: str) -> list[Path]:
    return sorted(path for path in SOURCE.joinpath(*parts).rglob("*") if path.suffix in {".py", ".pyx", ".pxd"})


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def floors(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("mizzle.")}


def shown(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", sources("engine"), ids=shown)
def test_the_engine_knows_no_io_and_no_floor_above(path: Path) -> None:
    assert not tops(path) & IO
    assert {name for name in imported(path) if name.split(".")[0] == "time"} <= {"time", "time.struct_time"}
    assert floors(path) <= NEUTRAL | {"engine", "__version__"}
    assert ("ssl" in tops(path)) <= (path.name in {"tls.py", "login.py"})


@pytest.mark.parametrize("path", sources("worlds"), ids=shown)
def test_worlds_know_no_face_and_no_other_world(path: Path) -> None:
    assert floors(path) <= {"errors", "engine", "worlds"}
    others = {name.split(".")[2] for name in imported(path) if name.startswith("mizzle.worlds.")}
    assert not others & WORLDS - {path.stem}
    allowed = {path.stem} | ({"greenlet"} if path.stem in {"eventlet", "gevent"} else set())
    assert not tops(path) & LOOPS - allowed


@pytest.mark.parametrize("path", sources("worlds"), ids=shown)
def test_worlds_have_no_word_of_the_protocol(path: Path) -> None:
    code = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
    code = re.sub(r'""".*?"""', "", code, flags=re.DOTALL)
    assert not re.findall(r"\bCOM_\w+|\bMYSQL_\w+|packets\b|mariadb", code)


@pytest.mark.parametrize("path", [*sources("aio"), *sources("sync")], ids=shown)
def test_faces_leave_packets_sockets_and_loops_alone(path: Path) -> None:
    assert not tops(path) & IO
    assert not {name for name in imported(path) if name.startswith(("mizzle.engine.packets", "mizzle.engine.wire"))}
    assert ("sync" if "aio" in path.parts else "aio") not in floors(path)


@pytest.mark.parametrize(
    "path", [path for name in sorted(NEUTRAL) for path in [*sources(name), *SOURCE.glob(f"{name}.py")]], ids=shown
)
def test_what_stands_beside_the_floors_imports_none_of_them(path: Path) -> None:
    assert floors(path) <= NEUTRAL


@pytest.mark.parametrize("module", ["mizzle", "mizzle.aio", "mizzle.sync", "mizzle.worlds", "mizzle.worlds.threads"])
def test_a_loop_or_hub_is_imported_only_by_its_own_world(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {LOOPS!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


LIMITS = {"engine": 40, "": 60}
DEFINITION = re.compile(r"^( *)(?!cdef class )(?:async def|def|c?p?def [^=]*\(|cdef [^=(]+\()")


@pytest.mark.parametrize(
    "path", [path for path in sources() if "sync" not in path.parts and "constants" not in path.parts], ids=shown
)
def test_files_and_functions_fit_a_reader(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 600
    limit = LIMITS["engine" if "engine" in path.parts else ""]
    starts = [(number, len(match[1])) for number, line in enumerate(lines) if (match := DEFINITION.match(line))]
    for start, indent in starts:
        end = start + 1
        while end < len(lines) and (
            not lines[end].strip()
            or len(lines[end]) - len(lines[end].lstrip()) > indent
            or lines[end].strip().startswith(")")
        ):
            end += 1
        while not lines[end - 1].strip():
            end -= 1
        assert end - start <= limit, f"{path.name}:{start + 1} has {end - start} lines"
