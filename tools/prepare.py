"""Set-up for the Makefile: the virtual environment, and a server program for the demonstration.

    python3 tools/prepare.py venv FOLDER     with any Python from 3.10 on; needs nothing installed
    FOLDER/bin/python -m tools.prepare server

Root on Debian and its kin installs what is missing with apt-get; anybody else is told exactly what to install.
Knows packages of the system. Must not import, at its top, anything but the standard library.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

OLDEST = (3, 10)


class NotPossible(RuntimeError):
    """Something is missing that cannot be installed from here; the message says what to do."""


def main() -> int:
    """Do what the arguments say; 1 with a message when it is not possible."""
    try:
        if sys.argv[1:2] == ["venv"] and len(sys.argv) == 3:
            prepare_venv(Path(sys.argv[2]))
        elif sys.argv[1:] == ["server"]:
            prepare_server()
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except NotPossible as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    return 0


def prepare_venv(folder: Path) -> None:
    """Make the virtual environment, after what it and the build need: ensurepip, Python's headers, a C compiler."""
    if sys.version_info < OLDEST:
        raise NotPossible(f"mizzle needs Python 3.10 or later, this is {sys.version.split()[0]}: say make PYTHON=…")
    if missing := _missing_for_build():
        _apt_install(missing, why="to build mizzle")
        if missing := _missing_for_build():
            raise NotPossible(f"{sys.executable} still lacks what {' '.join(missing)} should have brought")
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)


def _missing_for_build() -> list[str]:
    """The Debian packages that would bring what is missing; their names say it to users of other systems."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    missing = []
    if importlib.util.find_spec("ensurepip") is None:  # Debian splits it off
        missing.append(f"{version}-venv")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"{version}-dev")
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        missing += ["gcc", "libc6-dev"]
    return missing


def prepare_server() -> None:
    """See that there is a server program for the demonstration, unless MIZZLE_URL names a running server."""
    if os.environ.get("MIZZLE_URL"):
        return
    from mizzle.testing import ServerNotFound, find_program  # noqa: PLC0415  not installed yet when a venv is made

    try:
        find_program("mariadb")
    except ServerNotFound as missing:
        if _may_install():
            _apt_install([_server_package()], why="for a throwaway server")
            find_program("mariadb")
        elif not _fetched():
            raise NotPossible(f"{missing}\n==> or set MIZZLE_URL=mysql://user:password@host:port/database") from missing


def _fetched() -> bool:
    """Whether a private server program could be had, which takes no root but the tools of Debian."""
    print("==> no server program on this machine: fetching a private one", flush=True)
    return subprocess.run([sys.executable, "-m", "tools.lab", "fetch", "mariadb118"], check=False).returncode == 0


def _server_package() -> str:
    """The package's name: some releases put the series into it."""
    _apt_update()
    listed = subprocess.run(
        ["apt-cache", "search", "--names-only", "^mariadb-server-core"], capture_output=True, text=True, check=True
    ).stdout
    names = sorted((line.split()[0] for line in listed.splitlines()), key=len)
    if not names:
        raise NotPossible("apt knows no package mariadb-server-core: install MariaDB or MySQL, or set MIZZLE_URL")
    return names[0]


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_install(packages: list[str], *, why: str) -> None:
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not _may_install():
        raise NotPossible(
            f"missing {why}; as root: {' '.join(command[:2])} {' '.join(packages)}  (or what your system calls them)"
        )
    print(f"==> installing {' '.join(packages)} {why}", flush=True)
    if _apt(command).returncode:
        _apt_update()  # there may be no package lists yet, or old ones
        done = _apt(command)
        if done.returncode:
            raise NotPossible(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")


def _apt_update() -> None:
    done = _apt(["apt-get", "update"])
    if done.returncode:
        raise NotPossible(f"apt-get update failed:\n{done.stdout[-2000:]}")


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command[:1], "--quiet", "-o", "DPkg::Lock::Timeout=300", *command[1:]],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
