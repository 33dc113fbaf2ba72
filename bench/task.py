"""What a run is told: where the server is, how much to do, what the right answer is.

It travels to the child as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Settings:
    """One account on one server: always TCP, so that every driver does the same."""

    host: str
    port: int
    user: str
    password: str
    database: str


@dataclass(frozen=True)
class Sizes:
    """How much of each work one run does."""

    rows: int = 500_000
    selects: int = 20_000
    workers: int = 100
    inserts: int = 100_000
    connects: int = 200
    sleepers: int = 200
    idle: int = 200
    crowd: int = 10_000

    @classmethod
    def quick(cls) -> Sizes:
        return cls(rows=100_000, selects=5_000, inserts=20_000, connects=50, idle=100, crowd=2_000)

    def with_rows(self, rows: int) -> Sizes:
        return replace(self, rows=rows)


@dataclass(frozen=True)
class Task:
    """One run of one work by one contestant."""

    work: str
    contestant: str
    settings: Settings
    sizes: Sizes
    checksum: list[str]

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Task:
        plain: dict[str, Any] = json.loads(text)
        plain["settings"] = Settings(**plain["settings"])
        plain["sizes"] = Sizes(**plain["sizes"])
        return cls(**plain)


class WrongAnswerError(Exception):
    """A driver returned something else than the server holds: its figure is worth nothing."""


def check(what: str, got: object, expected: object) -> None:
    if got != expected:
        raise WrongAnswerError(f"{what}: expected {expected}, got {got}")
