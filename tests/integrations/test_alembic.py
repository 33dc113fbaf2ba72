"""Alembic on mysql+mizzle: a migration written by autogenerate goes up and down again, with both of its templates."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from mizzle.testing import Server

MODELS = """
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DOUBLE, MEDIUMTEXT

metadata = sa.MetaData()
authors = sa.Table(
    "alembic_authors", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True, comment="as it is printed: 100%"),
    sa.Column("born", sa.DateTime, server_default=sa.func.now()),
    mysql_engine="InnoDB", mysql_charset="utf8mb4", comment="those who write",
)
"""
SECOND = """
books = sa.Table(
    "alembic_books", metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("author", sa.BigInteger, sa.ForeignKey("alembic_authors.id", name="written_by", ondelete="CASCADE")),
    sa.Column("text", MEDIUMTEXT),
    sa.Column("weight", DOUBLE(asdecimal=False)),
    sa.Index("by_weight", "weight"),
)
authors.append_column(sa.Column("alive", sa.Boolean, nullable=False, server_default="1"))
"""
TABLES = {"alembic_version", "alembic_authors", "alembic_books"}


@pytest.fixture
def engine(server: Server) -> Iterator[sa.Engine]:
    engine = sa.create_engine(server.url.replace("mysql://", "mysql+mizzle://"))
    yield engine
    with engine.begin() as conn:
        for table in ("alembic_books", "alembic_authors", "alembic_version"):
            conn.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    engine.dispose()


def project(folder: Path, template: str, url: str) -> Config:
    """What `alembic init` makes, with our tables as its target."""
    config = Config(folder / "alembic.ini")
    config.set_main_option("sqlalchemy.url", url)
    command.init(config, str(folder / "migrations"), template=template)
    env = folder / "migrations" / "env.py"
    text = env.read_text()
    assert "target_metadata = None" in text
    loading = f"import runpy\ntarget_metadata = runpy.run_path({str(folder / 'models.py')!r})['metadata']"
    # Other tests' tables in the database are not ours to drop.
    mine = "include_name=lambda name, kind, _: kind != 'table' or name.startswith('alembic_'), target_metadata="
    # It would set up the logging of this process, and switch off every logger there is.
    assert "    fileConfig(config.config_file_name)" in text
    text = text.replace("    fileConfig(config.config_file_name)", "    pass")
    env.write_text(text.replace("target_metadata = None", loading).replace("target_metadata=", mine))
    config.set_main_option("script_location", str(folder / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def written(config: Config, message: str) -> Any:
    """The module of a migration that autogenerate has written."""
    script: Any = command.revision(config, message, autogenerate=True)
    spec = importlib.util.spec_from_file_location(f"migration_{message}", script.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(script.path).read_text()


@pytest.mark.parametrize("template", ["generic", "async"])
def test_a_migration_up_and_down(engine: sa.Engine, tmp_path: Path, template: str) -> None:
    models = tmp_path / "models.py"
    models.write_text(MODELS)
    config = project(tmp_path, template, engine.url.render_as_string(hide_password=False))
    written(config, "authors")
    command.upgrade(config, "head")
    models.write_text(MODELS + SECOND)
    assert "written_by" in written(config, "books")
    command.upgrade(config, "head")

    inspector = sa.inspect(engine)
    assert set(inspector.get_table_names()) >= TABLES
    assert inspector.get_foreign_keys("alembic_books")[0]["options"] == {"ondelete": "CASCADE"}
    columns = {column["name"]: column for column in inspector.get_columns("alembic_authors")}
    assert columns["name"]["comment"] == "as it is printed: 100%"
    assert columns["alive"]["nullable"] is False
    command.check(config)  # what is there is what was wanted: nothing to generate

    command.downgrade(config, "-1")
    inspector = sa.inspect(engine)
    assert TABLES & set(inspector.get_table_names()) == TABLES - {"alembic_books"}
    assert "alive" not in {column["name"] for column in inspector.get_columns("alembic_authors")}
    command.downgrade(config, "base")
    assert TABLES & set(sa.inspect(engine).get_table_names()) == {"alembic_version"}
