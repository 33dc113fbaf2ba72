"""What SQLAlchemy's own source tree needs to know to test mizzle: a pytest plugin, for `python -m tools.suites`.

Its tests and its requirements name drivers here and there. What they say of PyMySQL holds for mizzle, and what they say
of aiomysql for mizzle on asyncio: so a test runs, is skipped or is expected to fail exactly where it is with those.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.testing import exclusions

for backend, dialect in (("mysql", "MizzleDialect"), ("mariadb", "MizzleMariaDBDialect")):
    registry.register(f"{backend}.mizzle", "mizzle.sqlalchemy", dialect)
    registry.register(f"{backend}.mizzle_async", "mizzle.sqlalchemy", f"Async{dialect}")

_asked = exclusions.SpecPredicate.__call__


def _asked_as_its_peer(spec: Any, config: Any) -> bool:
    if config is not None and config.db.driver == "mizzle":
        peer = "+aiomysql" if config.db.dialect.is_async else "+pymysql"
        if spec.db.endswith(peer):
            spec = exclusions.SpecPredicate(spec.db.removesuffix(peer), spec.op, spec.spec)
    return bool(_asked(spec, config))


exclusions.SpecPredicate.__call__ = _asked_as_its_peer  # type: ignore[method-assign]
