"""The private server programs: which there are, and how one is unpacked and described.

Knows packages of Debian and the layout of a prefix. Must not know apt's workings.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mizzle.testing import Program, ServerNotFound, find_program
from mizzle.testing._paths import locked, prefixes_dir
from mizzle.testing._programs import PREFIX_FILE, prefix_program, run_program

from .apt import CannotFetch, PrivateApt, check_tools
from .progress import Progress

_DEAD_WEIGHT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/gdb", "var")


@dataclass(frozen=True)
class Recipe:
    """Where a server program comes from."""

    vendor: str
    series: tuple[int, int]
    suite: str
    package: str
    program: str
    plugins_of: tuple[str, ...] = ()
    """Packages unpacked for their plugins only."""
    ed25519: bool = False
    """Whether the tests want the plugin auth_ed25519 with it."""


RECIPES = {
    "mariadb1011": Recipe(
        "mariadb",
        (10, 11),
        "bookworm",
        "mariadb-server-core",
        "usr/sbin/mariadbd",
        ("mariadb-server", "mariadb-test"),  # the latter has accounts that ask questions
        ed25519=True,
    ),
    "mariadb118": Recipe(
        "mariadb", (11, 8), "trixie", "mariadb-server-core", "usr/sbin/mariadbd", ("mariadb-server",), ed25519=True
    ),
    "mysql97": Recipe("mysql", (9, 7), "sid", "mysql-server-core", "usr/sbin/mysqld"),
}


def fetch(family: str) -> None:
    """Have the family's program in the cache, unless a program that will do is there already."""
    recipe = RECIPES[family]
    progress = Progress(family)
    if (there := _what_is_there(family, recipe)) is not None:
        progress.done(f"{_version(there)} is there ({there.path})")
        return
    check_tools()
    prefix = prefixes_dir() / family
    with locked(prefix.with_name(f"{family}.lock")):
        if (there := _what_is_there(family, recipe)) is not None:  # another process has just made it
            progress.done(f"{_version(there)} is there ({there.path})")
            return
        work = prefix.with_name(f".{family}.new")  # hidden: what is not whole must not be found
        shutil.rmtree(work, ignore_errors=True)
        try:
            made = _unpack(recipe, work, progress)
            shutil.rmtree(prefix, ignore_errors=True)
            work.rename(prefix)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    progress.done(f"{made} unpacked into {prefix}")


def _what_is_there(family: str, recipe: Recipe) -> Program | None:
    try:
        program = find_program(family)
    except ServerNotFound:
        return None
    return program if not recipe.ed25519 or program.has_plugin("auth_ed25519") else None


def _version(program: Program) -> str:
    return ".".join(map(str, program.version))


def _unpack(recipe: Recipe, work: Path, progress: Progress) -> str:
    """Download and unpack into `work`; returns the version."""
    root = work / "root"
    root.mkdir(parents=True)
    progress.stage("downloading from Debian " + recipe.suite)
    apt = PrivateApt(work / "apt", recipe.suite)
    apt.download([recipe.package], recipe.plugins_of, progress.say)
    packages = sorted(apt.packages.glob("*.deb"))
    for number, package in enumerate(packages, 1):
        progress.say(f"unpacking {number} of {len(packages)}")
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    for folder in _DEAD_WEIGHT:
        shutil.rmtree(root / folder, ignore_errors=True)
    shutil.rmtree(work / "apt")
    (work / "packages.txt").write_text("".join(f"{package.name}\n" for package in packages))
    description = _describe(recipe, root)
    (work / PREFIX_FILE).write_text(json.dumps(description, indent=1) + "\n")
    program = prefix_program(work)
    _check_libraries(program, root)
    said = run_program(program, "--no-defaults", "--version")
    (work / PREFIX_FILE).write_text(json.dumps(description | {"version": said.strip()}, indent=1) + "\n")
    program = prefix_program(work)
    if program.version[:2] != recipe.series:
        wanted = ".".join(map(str, recipe.series))
        raise CannotFetch(f"Debian {recipe.suite} has {_version(program)} now, not {wanted}")
    return _version(program)


def _describe(recipe: Recipe, root: Path) -> dict[str, object]:
    """What `mizzle.testing` has to know of a prefix; folders relative to its root."""
    loader = next(iter(sorted(root.glob("**/ld-linux*.so.*"))), None)
    c_library = next(root.glob("**/libc.so.6"), None)
    messages = next(
        iter([*root.glob("usr/share/*/english/errmsg.sys"), *root.glob("usr/share/*/charsets/Index.xml")]), None
    )
    if loader is None or c_library is None or messages is None or not (root / recipe.program).exists():
        raise CannotFetch(
            f"the packages of Debian {recipe.suite} are not laid out as expected: {recipe.program} cannot run"
        )
    triplet = c_library.parent.name
    return {
        "vendor": recipe.vendor,
        "version": f"Ver {recipe.series[0]}.{recipe.series[1]}.0",
        "program": recipe.program,
        "loader": str(loader.relative_to(root)),
        "libraries": [f"usr/lib/{triplet}", f"lib/{triplet}"],
        "share": str(messages.parent.parent.relative_to(root)),
        "plugins": "usr/lib/mysql/plugin",
    }


def _check_libraries(program: Program, root: Path) -> None:
    """Every library must come from the prefix: one of the system's beside this C library would crash or worse."""
    loader, *options = program.command[: program.command.index("--argv0")]
    listed = subprocess.run(
        [loader, *options, "--list", str(program.path)], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines():
        name, arrow, found = line.strip().partition(" => ")
        if arrow and not found.startswith(f"{root}/"):
            raise CannotFetch(f"the library {name} is not among the packages ({found})")
