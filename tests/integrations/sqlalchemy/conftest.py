"""Makes this folder a test session of SQLAlchemy's own: its plugin, and the dialects by their names.

The suite makes its engines with create_engine() whatever the dialect, and runs the test in a greenlet if that is
asynchronous. So it needs the asynchronous dialects under names of their own.
"""

import pytest
from sqlalchemy.dialects import registry

for backend, dialect in (("mysql", "MizzleDialect"), ("mariadb", "MizzleMariaDBDialect")):
    registry.register(f"{backend}.mizzle_async", "mizzle.sqlalchemy", f"Async{dialect}")

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403
