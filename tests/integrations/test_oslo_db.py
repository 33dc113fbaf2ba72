"""oslo.db on mysql+mizzle: its own tests, its exceptions as real servers bring them about, its asyncio facade."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from oslo_context.context import RequestContext
from oslo_db import exception, options
from oslo_db.sqlalchemy import asyncio_facade, engines

import mizzle
from mizzle.testing import Server

ARGUMENTS = ("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")
#: They need PostgreSQL's driver, though no PostgreSQL; `python -m tools.suites oslo` has it.
WITHOUT_PSYCOPG2 = "not (test_ensure_backend_available and not no_dbapi)"


def test_its_own_tests(start_server: Callable[..., Server], pytestconfig: pytest.Config, tmp_path: Any) -> None:
    """All of them."""
    family = pytestconfig.getoption("servers").split(",")[0]
    server = start_server(family, arguments=ARGUMENTS)
    folder = os.path.dirname(sys.modules["oslo_db"].__file__ or "") + "/tests"
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-W", "ignore", "-p", "no:cacheprovider"]
    command += ["-p", "oslo_names", "-k", WITHOUT_PSYCOPG2, f"--rootdir={folder}", folder]
    admin = f"mysql+mizzle://{server.user}:{server.password}@{server.host}:{server.port}/;sqlite://"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"OS_TEST_DBAPI_ADMIN_CONNECTION": admin, "PYTHONPATH": os.path.dirname(__file__)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2000:]
    assert "'mysql'" not in run.stdout, "its tests of MySQL were skipped"


def test_the_guide_names_every_option() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "openstack.md").read_text(encoding="utf-8")
    assert [option.name for option in options.database_opts if f"`{option.name}`" not in guide] == []


# Exceptions


@pytest.fixture
def engine(server: Server) -> Iterator[sa.Engine]:
    place = f"{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    engine = engines.create_engine(f"mysql+mizzle://{place}", mysql_sql_mode="TRADITIONAL")
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE parents (id INT PRIMARY KEY) ENGINE=InnoDB")
        conn.exec_driver_sql(
            "CREATE TABLE children (id INT PRIMARY KEY, parent INT, name VARCHAR(3), "
            "CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE=InnoDB"
        )
        conn.exec_driver_sql("INSERT INTO parents VALUES (1), (2)")
    yield engine
    with engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE children, parents")
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("INSERT INTO parents VALUES (1)", exception.DBDuplicateEntry),
        ("INSERT INTO children VALUES (1, 9, 'a')", exception.DBReferenceError),
        ("DROP TABLE nowhere", exception.DBNonExistentTable),
        ("ALTER TABLE children DROP FOREIGN KEY nobody", exception.DBNonExistentConstraint),
        ("USE nowhere", exception.DBNonExistentDatabase),
        ("INSERT INTO children VALUES (1, NULL, 'too long')", exception.DBDataError),
        ("ROLLBACK TO SAVEPOINT nobody", exception.DBError),
        ("SELEKT", exception.DBError),
    ],
)
def test_errors_of_statements(engine: sa.Engine, statement: str, kind: type[Exception]) -> None:
    with engine.connect() as conn, pytest.raises(kind) as caught:
        conn.exec_driver_sql(statement)
    assert type(caught.value) is kind
    if kind is exception.DBDuplicateEntry:
        assert caught.value.value == "1"


def test_a_deadlock(engine: sa.Engine) -> None:
    both = threading.Barrier(2)

    def update(first: int, second: int) -> None:
        try:
            with engine.begin() as conn:
                conn.exec_driver_sql(f"UPDATE parents SET id = id WHERE id = {first}")
                conn.exec_driver_sql(f"SELECT id FROM parents WHERE id = {first} FOR UPDATE")
                both.wait(30)
                conn.exec_driver_sql(f"SELECT id FROM parents WHERE id = {second} FOR UPDATE")
        except Exception as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    failures: list[Exception] = []
    threads = [threading.Thread(target=update, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(failure) for failure in failures] == [exception.DBDeadlock]


def test_a_lock_that_is_not_given(engine: sa.Engine) -> None:
    with engine.begin() as holder, engine.connect() as conn:
        holder.exec_driver_sql("SELECT id FROM parents WHERE id = 1 FOR UPDATE")
        conn.exec_driver_sql("SET innodb_lock_wait_timeout = 1")
        with pytest.raises(exception.DBDeadlock, match="1205"):
            conn.exec_driver_sql("SELECT id FROM parents WHERE id = 1 FOR UPDATE")


def test_a_lost_connection(engine: sa.Engine, server: Server) -> None:
    def until_it_is_gone() -> None:
        while True:
            conn.exec_driver_sql("SELECT 1")

    with engine.connect() as conn:
        with mizzle.connect(**server.connect_args()) as other:
            other.kill(conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
        with pytest.raises(exception.DBConnectionError):
            until_it_is_gone()
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT 1").scalar() == 1


def test_a_wrong_password_is_told_at_once(server: Server) -> None:
    """DBConnectionError would be tried again: ten times with ten seconds in between, as oslo.db's settings are."""
    with pytest.raises(sa.exc.OperationalError, match="1045") as caught:
        engines.create_engine(f"mysql+mizzle://nobody:wrong@{server.host}:{server.port}/{server.database}")
    assert not caught.value.connection_invalidated


def test_a_server_that_is_not_there_is_waited_for(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(exception.DBConnectionError, match="2003"):
        engines.create_engine(f"mysql+mizzle://{server.user}@127.0.0.1:{port}/", max_retries=2, retry_interval=0.01)


def test_a_statement_that_runs_late_leaves_the_connection(server: Server) -> None:
    """oslo.db passes on what it does not know; the transaction can be rolled back and the connection used on."""
    place = f"{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    engine = engines.create_engine(f"mysql+mizzle://{place}", connection_parameters="timeout=0.2")
    with engine.connect() as conn:
        number = conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        with pytest.raises(sa.exc.OperationalError, match="3024"):
            conn.exec_driver_sql("SELECT SLEEP(60)")
        conn.rollback()
        assert conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one() == number
    engine.dispose()


@pytest.mark.parametrize(
    ("errno", "text", "kind"),
    [
        (1213, "WSREP detected deadlock/conflict and aborted the transaction. Try restarting it", exception.DBDeadlock),
        (1213, "Deadlock: wsrep aborted transaction", exception.DBDeadlock),
        (1047, "WSREP has not yet prepared node for application use", exception.DBConnectionError),
    ],
)
def test_galeras_words(engine: sa.Engine, errno: int, text: str, kind: type[Exception]) -> None:
    """No cluster is here: the server is told to say what a node of one says, and oslo.db has to understand it."""
    with engine.connect() as conn, pytest.raises(kind) as caught:
        conn.exec_driver_sql(f"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = {errno}, MESSAGE_TEXT = '{text}'")
    assert type(caught.value) is kind


# asyncio


def test_the_asyncio_facade(server: Server) -> None:
    place = f"{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    facade = asyncio_facade.transaction_context()
    facade.configure(connection=f"mysql+mizzle://{place}", mysql_sql_mode="TRADITIONAL")

    async def work() -> None:
        async with facade.writer.connection.using(RequestContext()) as conn:
            await conn.execute(sa.text("CREATE TEMPORARY TABLE t (a INT PRIMARY KEY)"))
            await conn.execute(sa.text("INSERT INTO t VALUES (:a)"), [{"a": 1}, {"a": 2}])
            with pytest.raises(exception.DBDuplicateEntry):
                await conn.execute(sa.text("INSERT INTO t VALUES (1)"))
            assert (await conn.execute(sa.text("SELECT COUNT(*) FROM t"))).scalar() == 2
        async with facade.reader.using(RequestContext()) as session:
            assert (await session.execute(sa.text("SELECT 1"))).scalar() == 1
            engine = session.bind
        await engine.dispose()

    asyncio.run(work())
