"""Where templates, private server programs and running servers live on disk.

Knows folders and locks. Must not know what a server is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SERVER_FOLDER_PREFIX = "mizzle-server-"
OWNER_LOCK = "owner.lock"
_LONGEST_BASE = 60  # a Unix socket's path ends at 107 bytes, on some systems at 103
_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


def cache_dir() -> Path:
    """The folder for templates and private programs: $MIZZLE_CACHE, or mizzle in the user's cache folder."""
    if chosen := os.environ.get("MIZZLE_CACHE"):
        path = Path(chosen).absolute()
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(home).absolute() / "mizzle"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"cannot make the cache folder {path} ({error.strerror}): set MIZZLE_CACHE to a folder that you may write"
        )
        raise RuntimeError(message) from error
    return path


def prefixes_dir() -> Path:
    """The folder of private server programs: one folder for each family."""
    return cache_dir() / "prefixes"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` exclusively, among threads and processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_server_folder() -> tuple[Path, int]:
    """Make a server's folder; returns it with the descriptor whose lock says that its owner lives."""
    base = tempfile.gettempdir()
    if len(base) > _LONGEST_BASE:
        base = "/tmp"
    with locked(cache_dir() / "servers.lock"):  # or a sweep could take a folder that is not locked yet
        _sweep(Path(base))
        folder = Path(tempfile.mkdtemp(prefix=SERVER_FOLDER_PREFIX, dir=base))
        owner = os.open(folder / OWNER_LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(owner, fcntl.LOCK_EX)
    return folder, owner


def _sweep(base: Path) -> None:
    """Remove the folders of servers whose owner was killed before it could do so."""
    for folder in base.glob(SERVER_FOLDER_PREFIX + "*"):
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            owner = os.open(folder / OWNER_LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # somebody else's, or being removed at this moment
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(owner)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a data folder; blocks of zeros become holes, for most of a fresh database is preallocated space."""
    shutil.copytree(source, target, symlinks=True, copy_function=_copy_sparse)


def _copy_sparse(source: str, target: str) -> str:
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        while block := reader.read(_BLOCK):
            if block == _ZEROS[: len(block)]:
                writer.seek(len(block), os.SEEK_CUR)
            else:
                writer.write(block)
        writer.truncate(reader.tell())
    shutil.copymode(source, target)
    return target
