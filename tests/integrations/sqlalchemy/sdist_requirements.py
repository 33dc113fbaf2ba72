"""What SQLAlchemy's own source tree needs to know to test mizzle: a pytest plugin, and its requirements with ours.

Its own requirements name drivers in four places; there every MySQL driver is meant here. For `python -m tools.suites`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.testing import exclusions
from test.requirements import DefaultRequirements

for backend, dialect in (("mysql", "MizzleDialect"), ("mariadb", "MizzleMariaDBDialect")):
    registry.register(f"{backend}.mizzle", "mizzle.sqlalchemy", dialect)
    registry.register(f"{backend}.mizzle_async", "mizzle.sqlalchemy", f"Async{dialect}")

BOTH = ["mysql", "mariadb"]


class Requirements(DefaultRequirements):  # type: ignore[misc]
    """For `requirement_cls` in test.cfg."""

    @property
    def format_paramstyle(self) -> Any:
        return exclusions.only_on(BOTH)

    @property
    def date_implicit_bound(self) -> Any:
        return exclusions.fails_on(BOTH)

    pyformat_paramstyle = format_paramstyle
    time_implicit_bound = datetime_implicit_bound = date_implicit_bound
