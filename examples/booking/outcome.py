"""What one side hands to the process that draws both: plain data, to JSON and back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from examples.booking.ledger import Check
from examples.booking.measure import Bin, Measurement


@dataclass(frozen=True)
class Outcome:
    driver: str
    server: str
    measured: Measurement
    report_rows: int
    report_began: float  # seconds after the load began
    report_ended: float
    checks: list[Check]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def save(self, path: Path) -> None:
        measured = self.measured._asdict()
        path.write_text(json.dumps({**asdict(self), "measured": measured}))

    @classmethod
    def load(cls, path: Path) -> Outcome:
        stored = json.loads(path.read_text())
        measured = stored["measured"]
        measured["bins"] = [Bin(*values) for values in measured["bins"]]
        stored["measured"] = Measurement(**measured)
        stored["checks"] = [Check(*values) for values in stored["checks"]]
        return cls(**stored)
