"""Other projects' test suites, whole, on mizzle: `python -m tools.suites sqlalchemy`, and so on.

    sqlalchemy         SQLAlchemy 2.0 and 2.1: the compliance suite and test/dialect/mysql, sync and async,
                       on MariaDB 10.11 and MySQL 9.7; PyMySQL's dialect beside it on the same servers
    oslo               oslo.db's tests, with PyMySQL beside
    django             Django's tests of databases, on mizzle.django, on install_as_MySQLdb() and on mysqlclient;
                       the long-term release and, under a Python that it runs on, the newest
    pymysql CHECKOUT   PyMySQL's tests on install_as_pymysql(): of a clone of its repository (its sdist has none)

Everything is fetched from the package index into the cache. What the tests run of all this: tests/integrations.
Knows how the suites are started. Must not know what is in them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import mizzle
from mizzle.testing import Server

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("MIZZLE_CACHE") or Path.home() / ".cache" / "mizzle") / "suites"
SERVERS = ("mariadb1011", "mysql97")
SQLALCHEMY = ("2.0.58", "2.1.9")
OSLO = ["oslo.db==18.1.1", "aiosqlite", "fixtures", "oslo.context", "oslotest", "testresources", "testscenarios"]
#: With the oldest Python for each.
DJANGO = {"5.2.19": (3, 10), "6.1.3": (3, 12)}
DJANGO_APPS = ("backends", "transactions", "aggregation", "queries", "introspection", "schema")
ARGUMENTS = (
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
    "--local-infile=ON",
)
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"]


def python_with(name: str, *requirements: str) -> str:
    """The Python of an environment with these packages, and with mizzle as it stands in this tree."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        wanted = ["pytest>=8", "PyMySQL", "cryptography", "eventlet", *requirements]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        site = next((folder / "lib").glob("python*/site-packages"))
        (site / "mizzle.pth").write_text(f"{ROOT / 'src'}\n")
        metadata = site / "mizzle-0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mizzle\nVersion: 0\n")
        (metadata / "entry_points.txt").write_text(
            "[sqlalchemy.dialects]\nmysql.mizzle = mizzle.sqlalchemy:MizzleDialect\n"
            "mariadb.mizzle = mizzle.sqlalchemy:MizzleMariaDBDialect\n"
        )
    return str(python)


def source_of(name: str, version: str) -> Path:
    """An unpacked sdist."""
    folder = CACHE / f"{name}-{version}"
    if not folder.exists():
        options = ["--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, f"{name}=={version}"], check=True)
        with tarfile.open(CACHE / f"{folder.name}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def run(title: str, command: list[str], folder: Path, **environment: str) -> bool:
    """Run one suite; show its last lines and what failed."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    print(f"{title}: {done.stdout.strip().splitlines()[-1].strip('= ') if done.stdout else done.stderr}", flush=True)
    print("".join(f"    {line}\n" for line in lines), end="", flush=True)
    return done.returncode == 0


def sqlalchemy(server: Server) -> bool:
    """The matrix of SQLAlchemy on one server."""
    with mizzle.connect(**server.connect_args()) as conn:
        for database in ("test", "test_schema", "test_schema_2"):
            conn.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
            conn.execute(f"ALTER DATABASE {database} CHARACTER SET utf8mb4")
    here, passed = ROOT / "tests" / "integrations" / "sqlalchemy", True
    for version in SQLALCHEMY:
        source = source_of("sqlalchemy", version)
        python = python_with(f"with-sqlalchemy-{version}", f"SQLAlchemy[asyncio]=={version}")
        (source / "test.cfg").write_text("[sqla_testing]\nrequirement_cls = sdist_requirements:Requirements\n")
        (source / "test" / "dialect" / "test_mizzle.py").write_text((here / "test_suite.py").read_text())
        backend = "mariadb" if server.is_mariadb else "mysql"
        for driver, suite in (("mizzle", "mizzle"), ("mizzle_async", "mizzle"), ("pymysql", "suite")):
            url = server.url.replace("mysql://", f"{backend}+{driver}://") + "?charset=utf8mb4"
            tests = [f"test/dialect/test_{suite}.py", "test/dialect/mysql"]
            command = [python, *PYTEST, "-p", "sdist_requirements", "--dburi", url, *tests]
            paths = f"{here}{os.pathsep}{source}"
            passed &= run(f"SQLAlchemy {version}, {driver}, {server.family}", command, source, PYTHONPATH=paths)
    return passed


def oslo(server: Server) -> bool:
    """oslo.db with each driver; two of its tests need PostgreSQL's driver, and fail with every one."""
    python = python_with("with-oslo", *OSLO)
    tests = next((Path(python).parent.parent / "lib").glob("python*/site-packages/oslo_db/tests"))
    passed = True
    for driver in ("mizzle", "pymysql"):
        url = server.url.replace("mysql://", f"mysql+{driver}://").rpartition("/")[0] + "/;sqlite://"
        stand_in = ["-p", "as_pymysql"] if driver == "mizzle" else []
        command = [python, *PYTEST, *stand_in, "-W", "ignore", f"--rootdir={tests}", str(tests)]
        environment = {"OS_TEST_DBAPI_ADMIN_CONNECTION": url, "PYTHONPATH": str(CACHE)}
        passed &= run(f"oslo.db, {driver}, {server.family}", command, CACHE, **environment)
    return passed


def pymysql(server: Server, checkout: Path) -> bool:
    """PyMySQL's tests; what fails, and why, is listed in docs/from-pymysql.md."""
    databases = []
    with mizzle.connect(**server.connect_args()) as conn:
        for database in ("test1", "test2", "test2"):
            conn.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4")
            databases.append(server.connect_args(database=database))
    databases[0] |= {"use_unicode": True, "local_infile": True}
    (checkout / "pymysql" / "tests" / "databases.json").write_text(json.dumps(databases))
    python = python_with("with-pymysql")
    command = [python, *PYTEST, "-p", "as_pymysql", "-W", "ignore", "--import-mode=importlib"]
    command += ["--continue-on-collection-errors", "pymysql/tests"]
    paths = {"PYTHONPATH": str(CACHE), "PYMYSQL_CHECKOUT": str(checkout)}
    return run(f"PyMySQL's tests, {server.family}", command, checkout, **paths)


def django(server: Server) -> bool:
    """Django's test apps; what fails with each driver, and why, is said in docs/django.md."""
    passed = True
    for version, oldest in DJANGO.items():
        if sys.version_info < oldest:
            print(f"Django {version} needs Python {'.'.join(map(str, oldest))}: skipped", flush=True)
            continue
        source = source_of("django", version)
        name = f"with-django-{version}-python{sys.version_info.major}.{sys.version_info.minor}"
        python = python_with(name, f"Django=={version}", "mysqlclient", "tzdata")
        for driver in ("mizzle.django", "install_as_MySQLdb", "mysqlclient"):
            command = [python, "runtests.py", "--settings=suite_settings", "--parallel=1", "--noinput", *DJANGO_APPS]
            environment = {
                "SUITE_DRIVER": driver,
                "SUITE_SERVER": json.dumps(server.connect_args()),
                "PYTHONPATH": f"{CACHE}{os.pathsep}{source}",
            }
            title = f"Django {version}, {driver}, {server.family}"
            passed &= run_unittest(title, command, source / "tests", **environment)
    return passed


def run_unittest(title: str, command: list[str], folder: Path, **environment: str) -> bool:
    """Run one suite of unittest's; show its sums and what failed."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()
    sums = [line for line in lines if line.startswith(("Ran ", "OK", "FAILED"))]
    print(f"{title}: {', '.join(sums) or done.stderr}", flush=True)
    failed = sorted({line for line in lines if line.startswith(("FAIL:", "ERROR:", "UNEXPECTED SUCCESS:"))})
    print("".join(f"    {line}\n" for line in failed), end="", flush=True)
    (CACHE / f"{title.replace(', ', '-').replace(' ', '-')}.log").write_text(done.stderr)
    return done.returncode == 0


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
    if len(arguments) == 2 and arguments[0] == "pymysql":
        suites["pymysql"] = lambda server: pymysql(server, Path(arguments[1]).resolve())
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
