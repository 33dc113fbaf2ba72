"""Other projects' test suites, whole, on mizzle: `python -m tools.suites sqlalchemy`, and so on.

    sqlalchemy         SQLAlchemy 2.0 and 2.1: the compliance suite and test/dialect/mysql, sync and async,
                       on MariaDB 10.11 and MySQL 9.7; PyMySQL's dialect beside it on the same servers
    oslo               oslo.db's tests, with PyMySQL beside
    django             Django's tests of databases, on mizzle.django, on install_as_MySQLdb() and on mysqlclient;
                       the long-term release and, under a Python that it runs on, the newest
    pymysql CHECKOUT   PyMySQL's tests on install_as_pymysql(): of a clone of its repository (its sdist has none)
    mysqldb CHECKOUT   mysqlclient's on install_as_MySQLdb(), of a clone too, with mysqlclient itself beside

Everything is fetched from the package index into the cache. What the tests run of all this: tests/integrations.
Knows how the suites are started. Must not know what is in them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import install_peers

import mizzle
from mizzle.testing import Server
from tools.environments import CACHE, ROOT, Environment, environment

SERVERS = ("mariadb1011", "mysql97")
SQLALCHEMY = ("2.0.58", "2.1.9")
OSLO = ["oslo.db==18.1.1", "aiosqlite", "fixtures", "oslo.context", "oslotest", "testresources", "testscenarios"]
OSLO += ["psycopg2-binary"]  # two of its tests need no PostgreSQL, but this
#: With the oldest Python for each.
DJANGO = {"5.2.19": (3, 10), "6.1.3": (3, 12)}
DJANGO_APPS = ("backends", "transactions", "aggregation", "queries", "introspection", "schema")
ARGUMENTS = (
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
    "--local-infile=ON",
)
#: In every environment.
COMMON = ["pytest>=8", "PyMySQL", "cryptography", "PyNaCl", "eventlet"]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]
#: Of what pytest and unittest say: the sums, and what failed.
_SUMS = re.compile(r"\d+ (passed|failed|skipped|errors?)\b.* in |Ran \d+ tests|OK|FAILED \(")
_FAILED = re.compile(r"FAILED (?!\()|ERROR[ :]|FAIL:|UNEXPECTED SUCCESS:")


def source_of(name: str, version: str) -> Path:
    """An unpacked sdist."""
    folder = CACHE / f"{name}-{version}"
    if not folder.exists():
        options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, f"{name}=={version}"], check=True)
        with tarfile.open(CACHE / f"{folder.name}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def run(title: str, command: list[str], folder: Path, variables: dict[str, str]) -> bool:
    """Run one suite, pytest's or unittest's; show its sums and what failed. The rest goes to a log in the cache."""
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    log = CACHE / f"{title.replace(', ', '-').replace(' ', '-')}.log"
    log.write_text(said)
    sums = [line for line in said.splitlines() if _SUMS.match(line)]
    failed = sorted({line for line in said.splitlines() if _FAILED.match(line)})
    print(f"{title}: {', '.join(sums) or f'it did not come to an end, see {log}'}", flush=True)
    print("".join(f"    {line}\n" for line in failed), end="", flush=True)
    return done.returncode == 0


def with_mysqlclient(name: str, *requirements: str) -> Environment:
    """An environment with mysqlclient, which is compiled: with headers that are installed, too, where they can be."""
    if not install_peers.have_headers() and (problem := install_peers.install_headers()):
        print(f"mysqlclient cannot be built: {problem}", file=sys.stderr, flush=True)
    return environment(name, *COMMON, "mysqlclient", *requirements)


def sqlalchemy(server: Server) -> bool:
    """The matrix of SQLAlchemy on one server."""
    with mizzle.connect(**server.connect_args()) as conn:
        for database in ("test", "test_schema", "test_schema_2"):
            conn.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
            conn.execute(f"ALTER DATABASE {database} CHARACTER SET utf8mb4")
    here, passed = ROOT / "tests" / "integrations" / "sqlalchemy", True
    for version in SQLALCHEMY:
        source = source_of("sqlalchemy", version)
        there = environment(f"with-sqlalchemy-{version}", *COMMON, f"SQLAlchemy[asyncio]=={version}")
        (source / "test" / "dialect" / "test_mizzle.py").write_text((here / "test_suite.py").read_text())
        (source / "test" / "dialect" / "test_mizzle_requirements.py").write_text(
            (here / "sdist_test_requirements.py").read_text()
        )
        backend = "mariadb" if server.is_mariadb else "mysql"
        for driver, suite in (("mizzle", "mizzle"), ("mizzle_async", "mizzle"), ("pymysql", "suite")):
            url = server.url.replace("mysql://", f"{backend}+{driver}://") + "?charset=utf8mb4"
            tests = [f"test/dialect/test_{suite}.py", "test/dialect/mysql", "test/dialect/test_mizzle_requirements.py"]
            command = [there.python, *PYTEST, "-p", "sdist_requirements", "--dburi", url, *tests]
            variables = there.variables(here, source)
            passed &= run(f"SQLAlchemy {version}, {driver}, {server.family}", command, source, variables)
    return passed


def oslo(server: Server) -> bool:
    """oslo.db with each driver."""
    there = environment("with-oslo", *COMMON, *OSLO)
    tests = there.packages / "oslo_db" / "tests"
    passed = True
    for driver in ("mizzle", "pymysql"):
        url = server.url.replace("mysql://", f"mysql+{driver}://").rpartition("/")[0] + "/;sqlite://"
        names = ["-p", "oslo_names"] if driver == "mizzle" else []
        command = [there.python, *PYTEST, *names, "-W", "ignore", f"--rootdir={tests}", str(tests)]
        variables = there.variables(ROOT / "tests" / "integrations", OS_TEST_DBAPI_ADMIN_CONNECTION=url)
        passed &= run(f"oslo.db, {driver}, {server.family}", command, CACHE, variables)
    return passed


def pymysql(server: Server, checkout: Path) -> bool:
    """PyMySQL's tests; what fails, and why, is listed in docs/from-pymysql.md."""
    databases = []
    with mizzle.connect(**server.connect_args()) as conn:
        for database in ("test1", "test2", "test2"):
            conn.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4")
            databases.append(server.connect_args(database=database))
        if server.has_plugin("auth_ed25519"):  # a test makes its passwords by this
            conn.execute("CREATE FUNCTION ed25519_password RETURNS STRING SONAME 'auth_ed25519.so'")
    databases[0] |= {"use_unicode": True, "local_infile": True}
    (checkout / "pymysql" / "tests" / "databases.json").write_text(json.dumps(databases))
    there = environment("with-pymysql", *COMMON)
    command = [there.python, *PYTEST, "-p", "as_pymysql", "-W", "ignore", "--import-mode=importlib"]
    command += ["--continue-on-collection-errors", "pymysql/tests"]
    variables = there.variables(CACHE, PYMYSQL_CHECKOUT=str(checkout))
    return run(f"PyMySQL's tests, {server.family}", command, checkout, variables)


def mysqldb(server: Server, checkout: Path) -> bool:
    """mysqlclient's tests, with itself and with the stand-in; what fails is listed in docs/from-mysqlclient.md."""
    settings = server.connect_args()
    lines = [f"{name} = {settings[name]}\n" for name in ("host", "port", "user", "password", "database")]
    (CACHE / "mysqldb.cnf").write_text("".join(["[MySQLdb-tests]\n", *lines, "default-character-set = utf8mb4\n"]))
    (CACHE / "as_mysqldb.py").write_text("import mizzle\nmizzle.install_as_MySQLdb()\n")
    there, passed = with_mysqlclient("with-mysqlclient"), True
    variables = there.variables(CACHE, TESTDB=str(CACHE / "mysqldb.cnf"))
    for title, stand_in in (("itself", []), ("mizzle", ["-p", "as_mysqldb"])):
        command = [there.python, *PYTEST, *stand_in, "-W", "ignore", "."]
        passed &= run(f"mysqlclient's tests, {title}, {server.family}", command, checkout / "tests", variables)
    return passed


def django(server: Server) -> bool:
    """Django's test apps; what fails with each driver, and why, is said in docs/django.md."""
    passed = True
    for version, oldest in DJANGO.items():
        if sys.version_info < oldest:
            print(f"Django {version} needs Python {'.'.join(map(str, oldest))}: skipped", flush=True)
            continue
        source = source_of("django", version)
        there = with_mysqlclient(f"with-django-{version}", f"Django=={version}", "tzdata")
        for driver in ("mizzle.django", "install_as_MySQLdb", "mysqlclient"):
            options = ["--settings=suite_settings", "--parallel=1", "--noinput"]
            command = [there.python, "runtests.py", *options, *DJANGO_APPS]
            settings = json.dumps(server.connect_args())
            variables = there.variables(CACHE, source, SUITE_DRIVER=driver, SUITE_SERVER=settings)
            passed &= run(f"Django {version}, {driver}, {server.family}", command, source / "tests", variables)
    return passed


SUITE_SETTINGS = """import json, os
import django
driver, server = os.environ["SUITE_DRIVER"], json.loads(os.environ["SUITE_SERVER"])
if driver == "install_as_MySQLdb":
    import mizzle
    mizzle.install_as_MySQLdb()
DATABASES = {
    name: {
        "ENGINE": "mizzle.django" if driver == "mizzle.django" else "django.db.backends.mysql",
        "NAME": f"django_{name}", "USER": server["user"], "PASSWORD": server["password"],
        "HOST": server["host"], "PORT": server["port"], "TEST": {"CHARSET": "utf8mb4"},
    }
    for name in ("default", "other")
}
SECRET_KEY = "of no use"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION < (6, 0):  # whose tests were written for it
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
"""

STAND_IN = """import os
import mizzle
mizzle.install_as_pymysql()
import pymysql
if checkout := os.environ.get("PYMYSQL_CHECKOUT"):  # for pymysql.tests
    pymysql.__path__.append(checkout + "/pymysql")
"""


def main(arguments: list[str]) -> int:
    """Run one project's suites on all servers; 1 if a test failed, 2 for arguments that are none."""
    suites: dict[str, Callable[[Server], bool]] = {"sqlalchemy": sqlalchemy, "oslo": oslo, "django": django}
    if len(arguments) == 2:
        checkout = Path(arguments[1]).resolve()
        suites |= {"pymysql": partial(pymysql, checkout=checkout), "mysqldb": partial(mysqldb, checkout=checkout)}
    if not arguments or arguments[0] not in suites:
        print(__doc__)
        return 2
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "as_pymysql.py").write_text(STAND_IN)
    (CACHE / "suite_settings.py").write_text(SUITE_SETTINGS)
    passed = True
    for family in SERVERS:
        with Server.start(family, arguments=ARGUMENTS) as server:
            passed &= suites[arguments[0]](server)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
