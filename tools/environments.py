"""Virtual environments in the cache, in which other projects' programs run on mizzle as it stands in this tree.

Knows pip and how Python finds mizzle and its dialects. Must not know what is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mizzle.testing._paths import locked

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("MIZZLE_CACHE") or Path.home() / ".cache" / "mizzle") / "suites"


@dataclass(frozen=True)
class Environment:
    """A virtual environment; what runs in it needs `variables()`."""

    folder: Path

    @property
    def python(self) -> str:
        """Its Python."""
        return self.program("python")

    @property
    def packages(self) -> Path:
        """Where its packages are."""
        return next((self.folder / "lib").glob("python*/site-packages"))

    def program(self, name: str) -> str:
        """A program that one of its packages brought."""
        return str(self.folder / "bin" / name)

    def variables(self, *folders: Path, **others: str) -> dict[str, str]:
        """This process's variables, and those that let Python find `folders` and this tree's mizzle."""
        here = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        return here | {"PYTHONPATH": os.pathsep.join(map(str, [*folders, ROOT / "src"]))} | others


def environment(name: str, *requirements: str) -> Environment:
    """The environment of that name with these packages (lines as pip takes them), made when it is not there or differs.

    Raises CalledProcessError when pip cannot install them; it has said why.
    """
    folder = CACHE / f"{name}-{sys.implementation.cache_tag}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    made, wanted = folder / "requirements.txt", "".join(f"{line}\n" for line in requirements)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not made.exists() or made.read_text() != wanted:  # it is written last: without it something is missing
            print(f"==> installing {', '.join(requirements)} into {folder}", file=sys.stderr, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            there = Environment(folder)
            subprocess.run([there.python, "-m", "pip", "install", "-qq", *requirements], check=True)
            _name_dialects(there.packages)
            made.write_text(wanted)
    return Environment(folder)


def _name_dialects(packages: Path) -> None:
    """Let SQLAlchemy find the dialects: an entry point is found by a package's metadata, and a tree has none."""
    about = packages / "mizzle-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mizzle\nVersion: 0\n")
    (about / "entry_points.txt").write_text(metadata.distribution("mizzle").read_text("entry_points.txt") or "")
