"""Loads every plugin of tests/plugins: fixtures and options that all tests share."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("plugins")  # they import each other
pytest_plugins = [f"plugins.{path.stem}" for path in sorted((Path(__file__).parent / "plugins").glob("[a-z]*.py"))]
