"""Which features of the protocol each server was seen to have, as the tests marked `feature("name")` found.

`--features=FILE` writes it down: for each feature and server the tests that passed, and why others were skipped there.
A test without a server of its own counts as "scripted". tools/protocol_page.py makes docs/protocol.md of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.protocols import params_of
from plugins.servers import NOT_RUN

SCRIPTED = "scripted"
Seen = dict[str, dict[str, dict[str, Any]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("mizzle").addoption(
        "--features", metavar="FILE", type=Path, help="write down which server was seen to have which feature"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*names): lines of docs/protocol.md that this test is the proof of")
    if config.getoption("features") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config.getoption("features")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a report says of its test, also to another process."""
    for item in items:
        names = [name for marker in item.iter_markers("feature") for name in marker.args]
        if names:
            params = params_of(item)
            where = params.get("server") or params.get("server_family") or SCRIPTED
            item.user_properties.append(("feature", [where, *names]))


class Recorder:
    """Listens to all reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: Seen = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for key, value in report.user_properties:
            if key == "feature":
                where, *names = value  # type: ignore[misc]  # pytest knows no more than object
                for name in names:
                    self.note(report, self.seen.setdefault(name, {}).setdefault(where, {}))

    def note(self, report: pytest.TestReport, found: dict[str, Any]) -> None:
        test = report.nodeid.partition("[")[0].removeprefix("tests/")
        if report.failed:
            found.setdefault("failed", set()).add(test)
        elif report.skipped and isinstance(report.longrepr, tuple):
            if NOT_RUN not in report.longrepr[2]:
                found.setdefault("skipped", {})[test] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.when == "call" and report.passed:
            found.setdefault("passed", set()).add(test)

    def pytest_sessionfinish(self) -> None:
        self.path.write_text(json.dumps(self.seen, indent=1, sort_keys=True, default=sorted) + "\n")
