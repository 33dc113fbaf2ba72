"""Finding server programs: the system's own, and those unpacked into private prefixes.

Knows names, versions and folders of MariaDB and MySQL programs. Must not start a server.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ._paths import prefixes_dir

PREFIX_FILE = "prefix.json"
_SYSTEM_NAMES = {"mariadb": ("mariadbd", "mysqld"), "mysql": ("mysqld",)}
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/bin")
_REMEDIES = {
    "mariadb": (
        "install one (Debian, Ubuntu: apt install mariadb-server-core; Fedora: dnf install mariadb-server; "
        "macOS: brew install mariadb)"
    ),
    "mysql": (
        "install one (Ubuntu: apt install mysql-server-core-8.0; Fedora: dnf install mysql-server; "
        "macOS: brew install mysql)"
    ),
}
_VERSION = re.compile(r"\bVer (\d+)\.(\d+)\.(\d+)(\S*)")


class ServerNotFound(RuntimeError):
    """No program of the wanted family is on this machine; the message says what to install."""


@dataclass(frozen=True)
class Program:
    """A server program: how to run it and where its files are."""

    vendor: str
    """mariadb or mysql."""
    version: tuple[int, int, int]
    path: Path
    command: tuple[str, ...]
    """What to execute: the program, behind the loader of its own prefix if it lives in one."""
    arguments: tuple[str, ...] = ()
    """Options that say where its files are."""
    environment: tuple[tuple[str, str | None], ...] = ()
    """Variables to set, or with None to remove."""
    private: bool = False

    @property
    def family(self) -> str:
        """The vendor and the release series: mariadb1011, mysql97."""
        return f"{self.vendor}{self.version[0]}{self.version[1]}"

    @functools.cached_property
    def folders(self) -> dict[str, Path]:
        """The folders that the program itself reports, by the option's name."""
        output = run_program(self, "--no-defaults", *self.arguments, "--verbose", "--help")
        rows = (
            line.split(None, 1) for line in output.splitlines() if line.startswith(("character-sets-dir", "plugin-dir"))
        )
        return {name: Path(value.strip()) for name, value in rows}

    @property
    def share(self) -> Path:
        """The folder with the SQL scripts of a fresh data directory."""
        return self.folders["character-sets-dir"].parent

    def has_plugin(self, library: str) -> bool:
        """Whether the plugin library (auth_ed25519, say) is there to be loaded."""
        return (self.folders["plugin-dir"] / f"{library}.so").exists()


def find_program(family: str = "mariadb") -> Program:
    """Find the program of a family.

    `mariadb` and `mysql` take any version, the system's before a private one; `mariadb1011`, `mariadb118`, `mysql97`
    take that series only, a private one before the system's. A path takes the program that stands there.
    """
    if os.sep in family:
        return _at(Path(family))
    if family in _SYSTEM_NAMES:
        candidates = [*_system(family), *_private(family)]
    elif (vendor := family.rstrip("0123456789")) in _SYSTEM_NAMES:
        candidates = [found for found in (*_private(vendor), *_system(vendor)) if found.family == family]
    else:
        raise ValueError(
            f"unknown server family {family!r}: say mariadb, mysql, a series such as mariadb118, or a path"
        )
    if candidates:
        return candidates[0]
    raise ServerNotFound(_what_to_install(family))


def run_program(program: Program, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
    """Run a server program to its end and return its output; a failure is raised with that output's tail."""
    done = subprocess.run(
        [*program.command, *arguments],
        env=environment_of(program),
        input=stdin or "",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program.path} ended with status {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def environment_of(program: Program) -> dict[str, str]:
    """This process's environment as the program is to see it."""
    environment = dict(os.environ)
    for name, value in program.environment:
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def prefix_program(prefix: Path) -> Program:
    """The program of an unpacked prefix, run with the prefix's own loader and libraries only."""
    described = json.loads((prefix / PREFIX_FILE).read_text())
    root = prefix / "root"
    path = root / described["program"]
    libraries = [str(root / folder) for folder in described["libraries"]]
    loader = (str(root / described["loader"]), "--inhibit-cache", "--library-path", ":".join(libraries))
    share = root / described["share"]
    return Program(
        vendor=described["vendor"],
        version=_version(described["version"]),
        path=path,
        command=(*loader, "--argv0", str(path), str(path)),
        arguments=(
            f"--basedir={root / 'usr'}",
            f"--lc-messages-dir={share}",
            f"--character-sets-dir={share / 'charsets'}",
            f"--plugin-dir={root / described['plugins']}",
        ),
        environment=(
            ("LD_PRELOAD", None),
            ("LD_LIBRARY_PATH", None),
            ("OPENSSL_CONF", "/dev/null"),  # the system's may name modules of another OpenSSL
            ("OPENSSL_MODULES", str(root / described["libraries"][0] / "ossl-modules")),
        ),
        private=True,
    )


def _system(vendor: str) -> Iterator[Program]:
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    for name in _SYSTEM_NAMES[vendor]:
        if (path := shutil.which(name, path=search)) and (found := _at(Path(path))).vendor == vendor:
            yield found


def _private(vendor: str) -> list[Program]:
    found = [prefix_program(file.parent) for file in prefixes_dir().glob(f"{vendor}*/{PREFIX_FILE}")]
    return sorted(found, key=lambda program: program.version, reverse=True)


@functools.cache
def _at(path: Path) -> Program:
    if not os.access(path, os.X_OK):
        raise ServerNotFound(f"{path} is not a program that can be run")
    command = [str(path), "--no-defaults", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=30, check=False).stdout
    if not _VERSION.search(said):
        raise ServerNotFound(f"{path} is not a MariaDB or MySQL server: asked for its version it says {said[:200]!r}")
    vendor = "mariadb" if "mariadb" in said.lower() else "mysql"
    return Program(vendor=vendor, version=_version(said), path=path, command=(str(path),))


def _version(text: str) -> tuple[int, int, int]:
    match = _VERSION.search(text)
    if match is None:
        raise ValueError(f"no version in {text!r}")
    return int(match[1]), int(match[2]), int(match[3])


def _what_to_install(family: str) -> str:
    remedy = _REMEDIES.get(
        family, f"in a checkout of mizzle, `python -m tools.lab fetch {family}` unpacks one in the cache"
    )
    searched = f"looked in PATH, {', '.join(_SYSTEM_FOLDERS)} and {prefixes_dir()}"
    return f"no {family} server program found: {remedy} ({searched})"
