"""sync/ is what tools/unasync.py makes of aio/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TOOL = ROOT / "tools" / "unasync.py"


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *args], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not TOOL.exists(), reason="an installed mizzle has no tools")
def test_sync_is_current_and_every_rule_is_used() -> None:
    done = run("--check")
    assert done.returncode == 0, done.stderr


def generated() -> list[Path]:
    by_hand = {"iteration.py"}
    return [path for path in (ROOT / "src" / "mizzle" / "sync").glob("*.py") if path.name not in by_hand]


def test_generated_files_say_from_what() -> None:
    for path in generated():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith(f"# Generated from src/mizzle/aio/{path.name} by tools/unasync.py"), path


def test_nothing_asynchronous_is_left() -> None:
    for path in generated():
        text = path.read_text(encoding="utf-8")
        for word in ("async ", "await ", "mizzle.aio", "__aenter__", "asyncio"):
            assert word not in text, f"{word!r} in {path}"
