"""docs/protocol.md, the checklist and the marks of tests belong together; `make test` also compares what tests saw."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tools import protocol_page
from tools.protocol_checklist import BY_HAND

HERE = Path(__file__).parent
FAMILIES = list(protocol_page.SERVERS)


def sources() -> str:
    return "".join(path.read_text() for path in sorted(HERE.rglob("test_*.py")))


def test_every_line_is_in_the_page_and_has_tests() -> None:
    found = protocol_page.rows(protocol_page.PAGE.read_text())
    assert list(found) == protocol_page.all_features()
    for feature, cells in found.items():
        assert "works" in cells or feature in BY_HAND, feature


def test_every_test_that_the_page_names_is_there_and_proves_something() -> None:
    for feature, tests in protocol_page.listed(protocol_page.PAGE.read_text()).items():
        for test in tests:
            path, _, name = test.partition("::")
            assert f"def {name.rpartition('::')[2]}(" in (HERE / path).read_text(), test
        assert tests or feature in BY_HAND, feature


def test_every_mark_is_a_line() -> None:
    known = protocol_page.all_features()
    marks = re.findall(r"mark\.feature\(([^)]*(?:\([^)]*\)[^)]*)*)\)", sources())
    names = [name for mark in marks for name in re.findall(r'"([^"{]+)"', mark)]
    assert len(names) > 50
    assert set(names) <= set(known)


def seen(**cells: str) -> protocol_page.Seen:
    """A run that saw one test of COM_PING: on which servers it passed, and where it was skipped."""
    test = "servers/test_commands.py::test_ping"
    kinds: dict[str, Any] = {"passed": [test], "skipped": {test: "no"}}
    return {"COM_PING": {where: {kind: kinds[kind]} for where, kind in cells.items()}}


def test_what_contradicts_the_page_is_found() -> None:
    page = protocol_page.PAGE.read_text()
    everywhere = dict.fromkeys(FAMILIES, "passed")
    assert protocol_page.contradictions(page, seen(**everywhere)) == []
    assert protocol_page.contradictions(page, {}) == []
    [found] = protocol_page.contradictions(page, seen(**everywhere | {"mysql97": "skipped"}))
    assert found == f"COM_PING, mysql97: saw {protocol_page.ABSENT}, page: works"
    assert protocol_page.contradictions(page, {"COM_PONG": {}}) == ["no line of the page: COM_PONG"]
    unnamed = {"COM_PING": {"mysql97": {"passed": ["servers/test_commands.py::test_pong"]}}}
    assert protocol_page.contradictions(page, unnamed) == [
        "COM_PING: the page does not name servers/test_commands.py::test_pong"
    ]


def test_what_only_some_packages_of_a_server_have_contradicts_nothing() -> None:
    page = protocol_page.PAGE.read_text()
    test = "servers/test_second_factors.py::test_questions"
    for found in ({"passed": [test]}, {"skipped": {test: "this server has no accounts that ask questions"}}):
        assert protocol_page.contradictions(page, {"dialog (PAM)": {"mariadb1011": found}}) == []


def test_a_page_is_written_of_whole_runs_only() -> None:
    wanting = protocol_page.missing(seen(mysql97="passed"))
    assert "COM_PING: not run on mariadb118" in wanting
    assert "no test: COM_QUIT" in wanting
