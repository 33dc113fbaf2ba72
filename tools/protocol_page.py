"""Write docs/protocol.md: each feature of the protocol with each server, from what the tests saw.

    pytest -m feature --worlds=threads --features=FILE && python -m tools.protocol_page FILE
    python -m tools.protocol_page --check FILE      is what a run saw the same that the page says?

FILE may be of a run on fewer servers: what it did not see is not compared, and to write the page all are needed.
Knows the checklist and the page's form. Must not know how anything is tested: tests say so, by the marker `feature`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tools.protocol_checklist import BY_HAND, CHECKLIST, NOT_HERE, NOT_TRIED

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocol.md"
SERVERS = {"mysql97": "MySQL 9.7", "mariadb1011": "MariaDB 10.11", "mariadb118": "MariaDB 11.8"}
SCRIPTED = "scripted"
UNKNOWN = "not tried"
ABSENT = "\N{EN DASH}"
BEGIN, END = "<!-- by tools/protocol_page.py: ", " -->"
Seen = dict[str, dict[str, dict[str, Any]]]


def cell(feature: str, where: str, seen: Seen) -> str:
    """What one server was seen to do with a feature."""
    found = seen.get(feature, {}).get(where, {})
    if found.get("failed"):
        raise SystemExit(f"{feature}, {where}: failed in {', '.join(found['failed'])}")
    if found.get("passed"):
        return "works"
    if where in BY_HAND.get(feature, ()):
        return "by hand"
    if where in NOT_TRIED.get(feature, ()):
        return UNKNOWN
    if where == SCRIPTED or feature in CHECKLIST["Other servers"]:
        return ""
    return ABSENT


def tests_of(feature: str, seen: Seen) -> list[str]:
    """The tests that passed somewhere."""
    return sorted({test for found in seen.get(feature, {}).values() for test in found.get("passed", ())})


def table(seen: Seen) -> str:
    """The checklist as Markdown, a table for each of its parts."""
    lines = []
    for part, features in CHECKLIST.items():
        lines += [f"### {part}", "", f"| | {' | '.join(SERVERS.values())} | scripted | tests |", "|---" * 6 + "|"]
        for feature in features:
            cells = [cell(feature, where, seen) for where in (*SERVERS, SCRIPTED)]
            tests = "<br>".join(f"`{test}`" for test in tests_of(feature, seen))
            lines.append(f"| {feature} | {' | '.join(cells)} | {tests} |")
        lines.append("")
    return "\n".join(lines)


def reasons(seen: Seen) -> str:
    """Why a server has a feature not: what the tests said that were skipped there."""
    lines = []
    for feature in (feature for features in CHECKLIST.values() for feature in features):
        why: dict[str, list[str]] = {}
        for server, name in SERVERS.items():
            if cell(feature, server, seen) == ABSENT:
                for reason in sorted(set(seen.get(feature, {}).get(server, {}).get("skipped", {}).values())):
                    why.setdefault(reason, []).append(name)
        lines += [f"* {feature}: {', '.join(names)}: {reason}." for reason, names in why.items()]
    return "".join(f"{line}\n" for line in lines)


def absent() -> str:
    """What mizzle does not speak, and why."""
    return "".join(f"* {feature}: {why}.\n" for feature, why in NOT_HERE.items())


def with_parts(page: str, seen: Seen) -> str:
    """The page with its generated parts anew."""
    for name, text in (("table", table(seen)), ("reasons", reasons(seen)), ("absent", absent())):
        before, found, rest = page.partition(f"{BEGIN}{name}{END}\n")
        _, ended, after = rest.partition(f"{BEGIN}end{END}\n")
        if not (found and ended):
            raise SystemExit(f"{PAGE.name} has no place for the {name}")
        page = f"{before}{found}\n{text}\n{ended}{after}"
    return page


def rows(page: str) -> dict[str, list[str]]:
    """The table as it stands in the page: cells by feature."""
    found = {}
    for line in page.splitlines():
        cells = [each.strip() for each in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == len(SERVERS) + 3 and cells[0]:
            found[cells[0]] = cells[1:]
    return found


def listed(page: str) -> dict[str, set[str]]:
    """The tests that the page names, by feature."""
    return {feature: set(re.findall("`([^`]+)`", cells[-1])) for feature, cells in rows(page).items()}


def contradictions(page: str, seen: Seen) -> list[str]:
    """Where a run saw something else than the page says, or the two have other names."""
    known, named = rows(page), listed(page)
    found = [f"no line of the page: {feature}" for feature in seen if feature not in known]
    found += [f"no line of the checklist: {feature}" for feature in known if feature not in all_features()]
    found += [f"not in the page: {feature}" for feature in all_features() if feature not in known]
    for feature, servers in seen.items():
        for where, said in zip((*SERVERS, SCRIPTED), known.get(feature, ()), strict=False):
            if servers.get(where) and UNKNOWN not in (said, now := cell(feature, where, seen)) and now != said:
                found.append(f"{feature}, {where}: saw {now}, page: {said}")
        for test in sorted(set(tests_of(feature, seen)) - named.get(feature, set())):
            found.append(f"{feature}: the page does not name {test}")
    return found


def all_features() -> list[str]:
    """Every line of the checklist."""
    return [feature for features in CHECKLIST.values() for feature in features]


def missing(seen: Seen) -> list[str]:
    """What a run has to have seen before the page can be written."""
    found = [f"not in the checklist: {feature}" for feature in seen if feature not in all_features()]
    found += [f"no test: {feature}" for feature in all_features() if feature not in {*seen, *BY_HAND}]
    for feature, servers in seen.items():
        if set(servers) != {SCRIPTED}:
            found += [f"{feature}: not run on {name}" for name in SERVERS if not servers.get(name)]
    return found


def main(arguments: list[str]) -> int:
    """1 if the page is not what was seen."""
    if not arguments:
        print(__doc__)
        return 2
    seen: Seen = json.loads(Path(arguments[-1]).read_text())
    checking = arguments[0] == "--check"
    wrong = contradictions(PAGE.read_text(), seen) if checking else missing(seen)
    for line in wrong:
        print(line)
    if not checking and not wrong:
        PAGE.write_text(with_parts(PAGE.read_text(), seen))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
