"""Installs the other drivers, one by one, so that one that cannot be built takes no other with it.

`python -m bench.install_peers` puts them into the environment of the Python that runs it. mysqlclient is built from
source: with a C compiler, pkg-config and the headers of libmariadb, which apt-get installs here when run as root.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
DEBIAN_PACKAGES = ("libmariadb-dev", "pkg-config", "gcc")


def requirements() -> list[str]:
    lines = (line.split("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~]", requirement, maxsplit=1)[0]


def installed(requirement: str) -> bool:
    try:
        metadata.version(name_of(requirement))
    except metadata.PackageNotFoundError:
        return False
    return True


def have_headers() -> bool:
    """Whether mysqlclient can find a client library (it asks pkg-config)."""
    if not shutil.which("pkg-config"):
        return False
    known = ("mysqlclient", "mariadb", "libmariadb", "perconaserverclient")
    return any(subprocess.run(["pkg-config", "--exists", name], check=False).returncode == 0 for name in known)


def install_headers() -> str | None:
    """Install what mysqlclient is built with; what went wrong, if anything did."""
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"as root: apt-get install {' '.join(DEBIAN_PACKAGES)}"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:  # a fresh image has no package lists yet
        subprocess.run(["apt-get", "update"], env=environment, capture_output=True, check=False)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else last_line(done.stderr)


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"


def pip_install(requirement: str) -> str | None:
    """Install one requirement; what went wrong, if anything did."""
    options = ["--pre"] if "rc" in requirement else []
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else last_line(done.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.install_peers", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when one of them could not be installed")
    strict = parser.parse_args().strict
    missing = [requirement for requirement in requirements() if not installed(requirement)]
    if "mysqlclient" in map(name_of, missing) and not have_headers() and (problem := install_headers()):
        print(f"  headers for mysqlclient   not installed: {problem}", flush=True)
    failed = 0
    for requirement in missing:
        problem = pip_install(requirement)
        failed += problem is not None
        print(f"  {requirement:<26}" + (f"NOT INSTALLED: {problem}" if problem else "installed"), flush=True)
    print(f"peers: {len(requirements()) - failed} of {len(requirements())} installed", flush=True)
    return 1 if strict and failed else 0


if __name__ == "__main__":
    sys.exit(main())
