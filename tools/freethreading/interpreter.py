"""A Python without a GIL, and an environment with mizzle built for it.

Knows where such an interpreter may be, and how it is built from Debian's source package, in the cache, as any user.
Must not know what is run with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from mizzle.testing._paths import locked, prefixes_dir
from tools.lab.apt import CannotFetch, PrivateApt, check_tools
from tools.lab.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
SUITE, PACKAGE = "trixie", "python3.13"
KNOWN = ("python3.14t", "python3.13t")
NEEDS = "building Python wants a C compiler, make, libssl-dev and zlib1g-dev"


def obtain() -> Path:
    """$MIZZLE_FREETHREADED, one of the system's, or the one in the cache, which is built there first if need be."""
    if chosen := os.environ.get("MIZZLE_FREETHREADED"):
        return Path(chosen)
    for name in KNOWN:
        if found := shutil.which(name):
            return Path(found)
    prefix = prefixes_dir() / f"{PACKAGE.replace('.', '')}t"
    python = prefix / "bin" / f"{PACKAGE}t"
    whole = prefix / "whole"  # written last: it knows its own place, and cannot be moved there when it is done
    with locked(prefix.with_name(f"{prefix.name}.lock")):
        if not whole.exists():
            check_tools()
            progress = Progress(prefix.name)
            work = prefix.with_name(f".{prefix.name}.new")
            for left_over in (prefix, work):
                shutil.rmtree(left_over, ignore_errors=True)
            try:
                _build(_unpack(work, progress), prefix, work / "log", progress)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            whole.touch()
            progress.done(f"built in {prefix}")
    return python


def _unpack(work: Path, progress: Progress) -> Path:
    """Download the source package; the folder with its sources as their authors published them."""
    progress.stage(f"downloading the sources of {PACKAGE} from Debian {SUITE}")
    work.mkdir(parents=True)
    apt = PrivateApt(work / "apt", SUITE, "deb-src")
    apt.download_source(PACKAGE, progress.say)
    [archive] = apt.packages.glob(f"{PACKAGE}_*.orig.tar.*z")
    with tarfile.open(archive) as tar:
        tar.extractall(work / "sources")
    [sources] = (work / "sources").iterdir()
    return sources


def _build(sources: Path, prefix: Path, log: Path, progress: Progress) -> None:
    progress.stage("building, which takes some minutes")
    options = ("--disable-gil", "--disable-test-modules", "--without-doc-strings", f"--prefix={prefix}")
    with log.open("wb") as output:
        make = ["make", "-s", f"-j{os.cpu_count()}"]
        for command in (["./configure", "-q", *options], make, ["make", "-s", "install"]):
            done = subprocess.run(command, cwd=sources, stdout=output, stderr=subprocess.STDOUT, check=False)
            if done.returncode:
                tail = log.read_text(errors="replace")[-1000:]
                raise CannotFetch(f"{command[0]} failed ({NEEDS}):\n{tail}")
    test = [str(prefix / "bin" / f"{PACKAGE}t"), "-c", "import ssl, zlib"]
    if subprocess.run(test, capture_output=True, check=False).returncode:
        raise CannotFetch(f"this Python has no ssl or no zlib: {NEEDS}")


def environment(python: Path) -> Path:
    """A virtual environment of that Python beside this checkout's own, with mizzle as it stands here; its Python."""
    folder = ROOT / ".venv-freethreaded"
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    pip = [str(inside), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "setuptools>=77", "Cython>=3.1"], check=True)
    print("==> building mizzle without a GIL", file=sys.stderr)
    subprocess.run([*pip, "--no-build-isolation", "--no-deps", "--force-reinstall", str(ROOT)], check=True)
    return inside
