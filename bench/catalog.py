"""Which works there are, who takes part in each, and which figure counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contestant:
    """One driver in one world."""

    label: str
    driver: str
    distribution: str
    peer: str
    world: str


@dataclass(frozen=True)
class Work:
    """One work: `entry` is module:function in bench.works; in asyncio the function's name ends in _async."""

    title: str
    entry: str
    metric: str
    unit: str
    contestants: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = (("wall_us", "wall µs"),)


CONTESTANTS = {
    "mizzle": Contestant("mizzle", "mizzle", "mizzle", "mizzle_threads", "threads"),
    "mizzle-prepared": Contestant("mizzle (prepared)", "mizzle", "mizzle", "mizzle_prepared", "threads"),
    "mizzle-eventlet": Contestant("mizzle (eventlet)", "mizzle", "mizzle", "mizzle_eventlet", "eventlet"),
    "mizzle-gevent": Contestant("mizzle (gevent)", "mizzle", "mizzle", "mizzle_gevent", "gevent"),
    "mizzle-asyncio": Contestant("mizzle (asyncio)", "mizzle", "mizzle", "mizzle_asyncio", "asyncio"),
    "mizzle-uvloop": Contestant("mizzle (uvloop)", "mizzle", "mizzle", "mizzle_asyncio", "uvloop"),
    "mizzle-trio": Contestant("mizzle (trio)", "mizzle", "mizzle", "mizzle_asyncio", "trio"),
    "asyncmy-uvloop": Contestant("asyncmy (uvloop)", "asyncmy", "asyncmy", "asyncmy", "uvloop"),
    "pymysql": Contestant("PyMySQL", "pymysql", "PyMySQL", "pymysql", "threads"),
    "pymysql-eventlet": Contestant("PyMySQL (eventlet, patched)", "pymysql", "PyMySQL", "pymysql", "eventlet-patched"),
    "pymysql-gevent": Contestant("PyMySQL (gevent, patched)", "pymysql", "PyMySQL", "pymysql", "gevent-patched"),
    "mysqlclient": Contestant("mysqlclient", "mysqlclient", "mysqlclient", "mysqlclient", "threads"),
    "mysqlclient-pool": Contestant(
        "mysqlclient (eventlet tpool)", "mysqlclient", "mysqlclient", "mysqlclient", "eventlet-pool"
    ),
    "mariadb": Contestant("mariadb (C)", "mariadb", "mariadb", "mariadb", "threads"),
    "connector": Contestant(
        "Connector/Python", "mysql-connector-python", "mysql-connector-python", "connector", "threads"
    ),
    "connector-asyncio": Contestant(
        "Connector/Python (asyncio)", "mysql-connector-python", "mysql-connector-python", "connector_asyncio", "asyncio"
    ),
    "cymysql": Contestant("CyMySQL", "cymysql", "cymysql", "cymysql", "threads"),
    "asyncmy": Contestant("asyncmy", "asyncmy", "asyncmy", "asyncmy", "asyncio"),
    "aiomysql": Contestant("aiomysql", "aiomysql", "aiomysql", "aiomysql", "asyncio"),
}

_BLOCKING = ("mysqlclient", "mariadb", "pymysql", "cymysql", "connector")
_ASYNCIO = ("asyncmy", "aiomysql", "connector-asyncio")
_GREEN = ("mizzle-eventlet", "mizzle-gevent", "pymysql-eventlet", "pymysql-gevent", "mysqlclient-pool")
_ALL = ("mizzle", "mizzle-eventlet", "mizzle-gevent", "mizzle-asyncio", *_BLOCKING, *_ASYNCIO)
_MIZZLE = ("mizzle", "mizzle-eventlet", "mizzle-gevent", "mizzle-asyncio", "mizzle-uvloop", "mizzle-trio")
_PEAK = (("wall_us", "wall µs"), ("peak_mb", "peak MB"))
_POOL = (("fixed_us", "kept connection, CPU µs"), ("ratio", "pool : kept"))
_STALL = (("stall_cpu_ms", "own CPU ms"), ("wall_s", "fetch s"))

#: What the works of object mappers do, and what their figure is.
_ORM = {
    "key": ("an object by its key", "CPU µs each"),
    "load": ("load 1,000 objects x 7 columns", "CPU µs an object"),
    "insert": ("insert 1,000 objects, commit", "CPU µs an object"),
    "update": ("load 100 objects, change and save each, commit", "CPU µs an object"),
    "transaction": ("lock and change two objects, insert one, commit", "CPU µs each"),
}
_MAPPERS = {
    "sqlalchemy-{}": ("SQLAlchemy, one caller", ("mizzle", "mysqlclient", "pymysql")),
    "sqlalchemy-{}-eventlet": (
        "SQLAlchemy, 10 green threads",
        ("mizzle-eventlet", "pymysql-eventlet", "mysqlclient-pool"),
    ),
    "sqlalchemy-{}-asyncio": ("SQLAlchemy, 10 tasks", ("mizzle-asyncio", "asyncmy", "aiomysql")),
    "django-{}": ("Django", ("mizzle", "mysqlclient", "pymysql")),
}

WORKS = {
    "fetch": Work(
        "fetch {rows:,} rows x 7 mixed columns, buffered", "fetch:run", "cpu_us", "CPU µs a row", _ALL, _PEAK
    ),
    "fetch-streamed": Work(
        "fetch {rows:,} rows x 7 mixed columns, streamed", "fetch_streamed:run", "cpu_us", "CPU µs a row", _ALL, _PEAK
    ),
    "select-eventlet": Work(
        "point select, {workers} green threads, a connection each",
        "point_select:run_workers",
        "cpu_us",
        "CPU µs each",
        _GREEN,
    ),
    "select-asyncio": Work(
        "point select, {workers} tasks of a loop, a connection each",
        "point_select:run_workers",
        "cpu_us",
        "CPU µs each",
        ("mizzle-asyncio", "mizzle-uvloop", "mizzle-trio", "asyncmy-uvloop", *_ASYNCIO),
    ),
    "select-blocking": Work(
        "point select, one connection, blocking", "point_select:run", "cpu_us", "CPU µs each", ("mizzle", *_BLOCKING)
    ),
    "select-prepared": Work(
        "point select, one connection, blocking: client and server together, sharing a CPU",
        "select_both_sides:run",
        "both_us",
        "CPU µs each",
        ("mizzle", "mizzle-prepared", *_BLOCKING),
        (("cpu_us", "client's"), ("server_us", "server's"), ("apart_us", "on all CPUs"), ("wall_us", "wall µs")),
    ),
    "stall": Work(
        "worst stall of the hub or loop beside one buffered fetch of {rows:,} rows",
        "stall:run",
        "stall_ms",
        "ms",
        (*_GREEN, "mizzle-asyncio", *_ASYNCIO),
        _STALL,
    ),
    "stall-streamed": Work(
        "worst stall of the hub beside one streamed fetch of {rows:,} rows",
        "stall:run_streamed",
        "stall_ms",
        "ms",
        _GREEN,
        (*_STALL, ("peak_mb", "peak MB")),
    ),
    "insert": Work(
        "executemany INSERT of {inserts:,} rows x 4",
        "insert:run",
        "cpu_us",
        "CPU µs a row",
        ("mizzle", "mizzle-asyncio", *_BLOCKING, *_ASYNCIO),
    ),
    "update": Work(
        "executemany UPDATE of a fifth as many rows, each by its key",
        "update:run",
        "cpu_us",
        "CPU µs a row",
        ("mizzle", "mizzle-asyncio", *_BLOCKING, *_ASYNCIO),
    ),
    "connect": Work("connect + close, no TLS", "connect:run", "cpu_us", "CPU µs each", _ALL),
    "connect-defaults": Work(
        "connect + close, each driver's own TLS defaults", "connect:run_defaults", "cpu_us", "CPU µs each", _ALL
    ),
    "sleepers": Work(
        "{sleepers} x SELECT SLEEP(0.5) at once",
        "sleepers:run",
        "wall_s",
        "wall s",
        (*_GREEN, "mizzle-asyncio", "mizzle-trio", *_ASYNCIO),
        (("cpu_us", "CPU µs each"),),
    ),
    "pool": Work(
        "point select through a pool, one caller",
        "pool:run",
        "cpu_us",
        "CPU µs each",
        ("mizzle", "mizzle-eventlet", "mizzle-asyncio", "pymysql", "asyncmy", "aiomysql"),
        _POOL,
    ),
    "pool-plain": Work(
        "point select through a pool that resets nothing, one caller",
        "pool:run_plain",
        "cpu_us",
        "CPU µs each",
        ("mizzle", "mizzle-eventlet", "mizzle-asyncio"),
        _POOL,
    ),
    "pool-fairness": Work(
        "1,000 who ask at once for 10 connections: longest wait : median",
        "pool:run_fairness",
        "fairness",
        "x",
        ("mizzle-eventlet", "mizzle-asyncio", "asyncmy", "aiomysql"),
        (("median_ms", "median ms"), ("longest_ms", "longest ms")),
    ),
    "idle-memory": Work("memory of an idle connection", "idle_memory:run", "kb", "kB each", _ALL, ()),
    "idle-crowd": Work(
        "memory of each of {crowd:,} idle connections",
        "idle_crowd:run",
        "kb",
        "kB each",
        (*_MIZZLE, "pymysql-eventlet", "pymysql-gevent", "asyncmy", "aiomysql"),
        (),
    ),
    **{
        name.format(unit): Work(f"{mapper}: {title}", f"{name.split('-')[0]}_orm:run", "cpu_us", figure, drivers)
        for name, (mapper, drivers) in _MAPPERS.items()
        for unit, (title, figure) in _ORM.items()
    },
}
