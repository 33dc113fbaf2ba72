"""Generate src/mizzle/sync from src/mizzle/aio.

Knows: a table of textual replacements, tried in order on every line. Knows nothing of Python's syntax: whatever cannot
be said by this table is written so that it need not be, or by hand in both places (`BY_HAND`).

    python tools/unasync.py            writes the files
    python tools/unasync.py --check    fails if a file is missing, stale or left over

Both fail if a rule was never used: a rule that nothing needs any more is a trap for the next reader.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "mizzle" / "aio"
TARGET = ROOT / "src" / "mizzle" / "sync"

BY_HAND = {"awaitable.py", "iteration.py"}

RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\basync (def|with)\b", r"\1"),
        (r"\bawait ", ""),
        (r"\bCoroutine\[Any, Any, None\]", "None"),
        (r"\bCoroutine, ", ""),
        (r"\b__a(enter|exit)__\b", r"__\1__"),
        (r"\bAsync(Channel|Loan|World)\b", r"\1"),
        (r"\bmizzle\.aio\.awaitable\b", "mizzle.sync.connecting"),
        (r"\bmizzle\.aio\b", "mizzle.sync"),
        (r'^WORLDS = \("auto", "asyncio", "trio"\)', 'WORLDS = ("auto", "threads", "eventlet", "gevent", "scripted")'),
        (r"\bresolve_async\b", "resolve"),
        (r"\bfor asyncio and trio\b", "for threads and green threads"),
    )
]


def generate(source: Path, used: set[int]) -> str:
    """The synchronous twin of one file; the numbers of the rules it needed are added to `used`."""
    lines = [f"# Generated from {source.relative_to(ROOT)} by tools/unasync.py: change that file, then run the tool.\n"]
    for original in source.read_text(encoding="utf-8").splitlines(keepends=True):
        line = original
        for number, (pattern, replacement) in enumerate(RULES):
            line, count = pattern.subn(replacement, line)
            if count:
                used.add(number)
        lines.append(line)
    return "".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Write or check every file; the exit status says whether something is wrong."""
    parser = argparse.ArgumentParser(description="Generate src/mizzle/sync from src/mizzle/aio.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is not up to date")
    check = parser.parse_args(argv).check

    used: set[int] = set()
    wanted = {
        TARGET / source.name: generate(source, used)
        for source in sorted(SOURCE.glob("*.py"))
        if source.name not in BY_HAND
    }
    complaints = [f"unused rule: {RULES[number][0].pattern}" for number in range(len(RULES)) if number not in used]
    by_hand = {TARGET / name for name in BY_HAND}
    for path in sorted(set(TARGET.glob("*.py")) - set(wanted) - by_hand):
        complaints.append(f"left over: {path.relative_to(ROOT)} has no source in aio/")
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            complaints.append(f"stale: {path.relative_to(ROOT)} (run tools/unasync.py)")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for complaint in complaints:
        sys.stderr.write(f"unasync: {complaint}\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
