"""peewee on mizzle: by a subclass of its Database (docs/others.md), and unchanged behind install_as_pymysql()."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import peewee
import pytest
from peewee import fn
from playhouse.pool import PooledMySQLDatabase

import mizzle
from mizzle.testing import Server


class MizzleDatabase(peewee.MySQLDatabase):
    """As docs/others.md has it."""

    def _connect(self) -> Any:
        return mizzle.connect(database=self.database, autocommit=True, **self.connect_params)


class PooledMizzleDatabase(PooledMySQLDatabase, MizzleDatabase):
    """peewee's own pool over it."""


class Plant(peewee.Model):
    name = peewee.CharField(unique=True)
    height = peewee.DecimalField(max_digits=6, decimal_places=2)
    seen = peewee.DateTimeField(null=True)
    picture = peewee.BlobField(null=True)


@pytest.fixture(params=[MizzleDatabase, PooledMizzleDatabase])
def database(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    arguments = server.connect_args()
    database = request.param(arguments.pop("database"), **arguments)
    with database.bind_ctx([Plant]), database.connection_context():
        database.create_tables([Plant])
        yield database
        database.drop_tables([Plant])
    if isinstance(database, PooledMizzleDatabase):
        database.close_all()


def test_models(database: Any, server: Server) -> None:
    assert database.server_version[:2] == server.version[:2]
    seen = datetime.datetime(2024, 2, 29, 12, 30, 1)
    fern = Plant.create(name="fern", height=Decimal("0.60"), seen=seen, picture=b"\xff\0'")
    assert Plant.get(Plant.name == "fern") == fern
    rows = [{"name": f"100% {number}", "height": number} for number in range(200)]
    assert Plant.insert_many(rows).execute() >= 0
    assert Plant.select(fn.COUNT(Plant.id)).scalar() == 201
    found = Plant.select().where(Plant.name.in_(["fern", "100% 7"])).order_by(Plant.height)
    assert [(plant.name, plant.height) for plant in found] == [("fern", Decimal("0.60")), ("100% 7", Decimal("7.00"))]
    assert (found[0].seen, bytes(found[0].picture)) == (seen, b"\xff\0'")
    assert Plant.update(height=Plant.height + 1).where(Plant.name == "fern").execute() == 1
    assert Plant.delete().where(Plant.name.startswith("100%")).execute() == 200
    assert len(list(Plant.select().iterator())) == 1


def test_transactions_and_errors(database: Any) -> None:
    def plant_twice() -> None:
        with database.atomic():
            Plant.create(name="birch", height=9)
            Plant.create(name="moss", height=1)

    with database.atomic():
        Plant.create(name="moss", height=0)
        with pytest.raises(peewee.IntegrityError, match="1062"):
            plant_twice()
    assert [plant.name for plant in Plant.select()] == ["moss"]
    with pytest.raises(peewee.ProgrammingError):
        database.execute_sql("SELECT * FROM nowhere_at_all")
    assert database.get_tables().count("plant") == 1
    assert {column.name for column in database.get_columns("plant")} == {"id", "name", "height", "seen", "picture"}


UNCHANGED = """
import sys
import mizzle
mizzle.install_as_pymysql()
import peewee
url = sys.argv[1]
from playhouse.db_url import connect
database = connect(url)
with database:
    assert type(database.connection()).__module__ == "mizzle.compat.pymysql.connections"
    print(database.execute_sql("SELECT %s", ["as it was"]).fetchone())
"""


def test_unchanged_behind_the_drop_in(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCHANGED, server.url], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "('as it was',)\n", done.stderr
