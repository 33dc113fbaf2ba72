"""What the dialects add to SQLAlchemy's own: URLs, worlds, pools, connections that are gone."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import warnings
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import mizzle
from mizzle import aio
from mizzle.testing import Server


def url_of(server: Server, query: str = "", backend: str = "mysql") -> str:
    address = f"{server.user}:{server.password}@{server.host}:{server.port}/{server.database}"
    return f"{backend}+mizzle://{address}{query}"


def arguments(url: str) -> dict[str, Any]:
    made = sa.make_url(url)
    return made.get_dialect()().create_connect_args(made)[1]


# URLs, without a server


def test_one_name_finds_all_four_dialects() -> None:
    assert sa.make_url("mysql+mizzle://").get_dialect().name == "mysql"
    assert sa.make_url("mariadb+mizzle://").get_dialect().name == "mariadb"
    for backend in ("mysql", "mariadb"):
        engine = create_async_engine(f"{backend}+mizzle://host/db")
        assert (engine.dialect.name, engine.dialect.driver, engine.dialect.is_async) == (backend, "mizzle", True)
        assert engine.dialect.has_terminate


def test_settings_in_a_url_are_typed() -> None:
    given = arguments("mysql+mizzle://me:pw@h:3307/db?connect-timeout=2.5&autocommit=true&charset=utf8")
    assert given == {
        "user": "me",
        "password": "pw",
        "host": "h",
        "port": 3307,
        "database": "db",
        "connect_timeout": 2.5,
        "autocommit": True,
        "charset": "utf8mb3",
        "found_rows": True,
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("connect_timeout=soon", "connect_timeout in the URL is 'soon'"),
        ("named_pipe=1", "named_pipe in the URL"),
        ("cursorclass=x", "cursorclass cannot be given in the URL"),
        ("charset=utf8&charset=latin1", "charset twice"),
    ],
)
def test_a_wrong_setting_is_refused_when_the_engine_is_made(query: str, words: str) -> None:
    with pytest.raises(exc.ArgumentError, match=words):
        sa.create_engine(f"mysql+mizzle://host/db?{query}")


def test_an_unknown_setting_is_for_a_listener_or_refused_when_connecting(server: Server) -> None:
    url = url_of(server, "?charste=latin1")
    engine = sa.create_engine(url)

    async def connect() -> None:
        async with create_async_engine(url).connect():
            pass

    with pytest.raises(TypeError, match="did you mean 'charset'"):
        engine.connect()
    with pytest.raises(TypeError, match="did you mean 'charset'"):
        asyncio.run(connect())

    @sa.event.listens_for(engine, "do_connect")
    def _(dialect: object, record: object, args: object, keywords: dict[str, Any]) -> None:  # noqa: ARG001
        keywords["charset"] = keywords.pop("charste")

    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT @@character_set_client").scalar() == "latin1"
    engine.dispose()


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("", "preferred"),
        ("?ssl_ca=/ca.pem", "verify_identity"),  # as mysql+pymysql:// has it
        ("?ssl_ca=/ca.pem&ssl_check_hostname=false", "verify_ca"),
        ("?ssl_ca=/ca.pem&ssl_mode=verify_ca", "verify_ca"),
        ("?ssl_ca=/ca.pem&ssl_verify_cert=true", "verify_ca"),
        ("?ssl_ca=/ca.pem&ssl_verify_identity=true", "verify_identity"),
    ],
)
def test_a_ca_in_the_url_checks_the_servers_name_too(query: str, mode: str) -> None:
    keywords = arguments(f"mysql+mizzle://me@host/db{query}")
    assert mizzle.options.connect_options(**keywords).ssl_mode == mode


@pytest.mark.filterwarnings(r"ignore:\s*Eventlet is deprecated")
def test_the_pool_fits_the_world() -> None:
    def kind(url: str) -> type[pool.Pool]:
        return type(sa.create_engine(url).pool)

    assert kind("mysql+mizzle://host") is pool.QueuePool
    assert kind("mysql+mizzle://host?world=threads") is pool.QueuePool
    assert kind("mysql+mizzle://host?world=eventlet").__name__ == "EventletQueuePool"
    assert isinstance(create_async_engine("mysql+mizzle://host").pool, pool.AsyncAdaptedQueuePool)


# With a server


@pytest.fixture
def engine(server: Server) -> Any:
    engine = sa.create_engine(url_of(server))
    yield engine
    engine.dispose()


def test_connections_are_mizzles_and_the_name_stays_mysql(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert type(conn.connection.driver_connection) is mizzle.Connection
        assert conn.dialect.name == "mysql"
        assert conn.exec_driver_sql("SELECT '%%'").scalar() == "%"
        assert conn.exec_driver_sql("SELECT '%%', %s", (1,)).one() == ("%", 1)


def test_oslo_dbs_keywords(server: Server) -> None:
    engine = sa.create_engine(url_of(server), connect_args={"charset": "utf8", "client_flag": 2})
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT @@character_set_client").scalar() in {"utf8", "utf8mb3"}
    engine.dispose()


def test_rowcount_says_matched_rows(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TEMPORARY TABLE matched (a INT)")
        conn.exec_driver_sql("INSERT INTO matched VALUES (1), (1)")
        assert conn.exec_driver_sql("UPDATE matched SET a = 1").rowcount == 2


def test_results_are_streamed(engine: sa.Engine) -> None:
    statement = sa.text(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n"
    )
    with engine.connect() as conn:
        result = conn.execution_options(stream_results=True, yield_per=100).execute(statement)
        assert isinstance(result.cursor, mizzle.StreamingCursor)
        assert [row.i for row in result] == list(range(1, 901))


@pytest.mark.parametrize("level", ["READ COMMITTED", "SERIALIZABLE", "AUTOCOMMIT"])
def test_isolation_levels(engine: sa.Engine, level: str) -> None:
    with engine.connect().execution_options(isolation_level=level) as conn:
        autocommit = conn.exec_driver_sql("SELECT @@autocommit").scalar()
        assert autocommit == (level == "AUTOCOMMIT")
        assert conn.get_isolation_level() == ("REPEATABLE READ" if autocommit else level)


def test_two_phase(engine: sa.Engine) -> None:
    table = sa.Table("two_phase", sa.MetaData(), sa.Column("a", sa.Integer))
    with engine.begin() as conn:
        table.drop(conn, checkfirst=True)
        table.create(conn)
    with engine.connect() as conn:
        transaction = conn.begin_twophase()
        conn.execute(table.insert(), [{"a": 1}])
        transaction.prepare()
        transaction.commit()
    with engine.connect() as conn:
        assert conn.execute(sa.select(table)).all() == [(1,)]
        conn.rollback()
        table.drop(conn)


def kill(server: Server, thread_id: int) -> None:
    with mizzle.connect(**server.connect_args()) as other:
        other.kill(thread_id)


def test_a_killed_connection_is_a_disconnect_and_the_pool_is_new(engine: sa.Engine, server: Server) -> None:
    def until_it_is_gone() -> None:
        while True:  # a server takes a moment to kill
            conn.exec_driver_sql("SELECT 1")

    conn = engine.connect()
    kill(server, conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
    with pytest.raises(exc.DBAPIError) as caught:
        until_it_is_gone()
    assert caught.value.connection_invalidated
    conn.rollback()
    conn.close()
    with engine.connect() as conn:
        assert conn.scalar(sa.select(1)) == 1


def test_a_connection_closed_under_sqlalchemy_is_a_disconnect(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        conn.connection.driver_connection.close()
        with pytest.raises(exc.InterfaceError) as caught:
            conn.exec_driver_sql("SELECT 1")
        assert caught.value.connection_invalidated
        conn.rollback()


def test_pre_ping(server: Server) -> None:
    engine = sa.create_engine(url_of(server), pool_pre_ping=True, pool_size=1)
    with engine.connect() as conn:
        before = conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
    kill(server, before)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one() != before
    engine.dispose()


def test_a_wrong_password_is_no_disconnect(server: Server) -> None:
    engine = sa.create_engine(url_of(server).replace(server.password, "wrong"))
    with pytest.raises(exc.OperationalError, match="1045"):
        engine.connect()


# asyncio


def run(engine: AsyncEngine, work: Any) -> Any:
    async def whole() -> Any:
        try:
            return await work()
        finally:
            await engine.dispose()

    return asyncio.run(whole())


def test_async_engine(server: Server) -> None:
    engine = create_async_engine(url_of(server), pool_pre_ping=True)

    async def work() -> None:
        async with engine.begin() as conn:
            assert type((await conn.get_raw_connection()).driver_connection) is aio.Connection
            assert (await conn.execute(sa.text("SELECT :a"), {"a": 1})).all() == [(1,)]
            rows = await conn.stream(sa.text("SELECT 1 AS a UNION ALL SELECT 2"))
            assert [row.a async for row in rows] == [1, 2]
        many = [engine.connect() for _ in range(12)]  # more than the pool holds: the others wait, in the loop
        assert await asyncio.gather(*map(ask, many)) == [1] * 12

    async def ask(connecting: Any) -> Any:
        async with connecting as conn:
            return (await conn.execute(sa.select(1))).scalar()

    run(engine, work)


def test_a_cancelled_statement_leaves_no_broken_connection_in_the_pool(server: Server) -> None:
    engine = create_async_engine(url_of(server), pool_size=1, max_overflow=0)

    async def work() -> None:
        async def sleep() -> None:
            async with engine.connect() as conn:
                started.set()
                await conn.execute(sa.text("SELECT SLEEP(30)"))

        started = asyncio.Event()
        task = asyncio.create_task(sleep())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with engine.connect() as conn:
            assert (await conn.execute(sa.select(7))).scalar() == 7

    run(engine, work)


def test_connections_of_a_closed_loop_can_be_terminated(server: Server) -> None:
    engine = create_async_engine(url_of(server))

    async def work() -> Any:
        conn = await engine.connect()
        pooled = await conn.get_raw_connection()
        adapted = pooled.dbapi_connection
        pooled.detach()
        return adapted

    adapted = asyncio.run(work())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # asyncio's: its transport outlived its loop
        adapted.terminate()
        assert not adapted.driver_connection.open
        del adapted
        gc.collect()


# Green threads without monkey patching: in a process of its own, whose threads must stay what they are

GREEN = """
import sys, warnings
warnings.simplefilter("ignore")
import eventlet, sqlalchemy as sa
engine = sa.create_engine(sys.argv[1], pool_size=2, max_overflow=1, pool_timeout=30)
together = most = 0
all_are_lent = eventlet.event.Event()
def ask(number):
    global together, most
    with engine.connect() as conn:
        together += 1
        most = max(most, together)
        if together == 3 and not all_are_lent.ready():
            all_are_lent.send()
        all_are_lent.wait()
        answer = conn.scalar(sa.text("SELECT :n + SLEEP(0.01)"), {"n": number})
        together -= 1
        return answer
green = eventlet.GreenPool(20)
assert sorted(green.imap(ask, range(20))) == list(range(20))
assert most == 3, most
engine.dispose()
assert sorted(green.imap(ask, range(20))) == list(range(20))
print("done")
"""


def test_a_pool_of_green_threads_waits_in_the_hub(shared_server: Any, pytestconfig: pytest.Config) -> None:
    server = shared_server(pytestconfig.getoption("servers").split(",")[0])
    command = [sys.executable, "-c", GREEN, url_of(server, "?world=eventlet")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr
