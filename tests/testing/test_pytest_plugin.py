"""The fixtures that users of pytest get: they are found without a word in conftest.py."""

from __future__ import annotations

import pytest

from mizzle.testing import Server
from mizzle.testing._paths import cache_dir

CACHE = str(cache_dir())
pytest_plugins = ["pytester"]

USERS = """
import mizzle
import pytest


def test_server(mizzle_server):
    assert mizzle_server.running
    assert mizzle_server.family == {family!r}


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_an_empty_database(mizzle_connection, mizzle_database, mizzle_url, time):
    assert mizzle_url.endswith(mizzle_database)
    mizzle_connection.execute("CREATE TABLE plants (id INT PRIMARY KEY)")
    with mizzle.connect(url=mizzle_url) as other:
        assert other.execute("SHOW TABLES").fetchall() == [("plants",)]


def test_an_open_transaction_does_not_stand_in_the_way(mizzle_connection):
    mizzle_connection.execute("CREATE TABLE plants (id INT PRIMARY KEY) ENGINE=InnoDB")
    mizzle_connection.execute("INSERT INTO plants VALUES (1)")


def test_they_are_dropped(mizzle_server):
    with mizzle.connect(**mizzle_server.connect_args()) as conn:
        assert conn.execute("SHOW DATABASES LIKE 'test\\\\\\\\_%'").fetchall() == []
"""


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytester gives a test another home, in which no server programs are."""
    monkeypatch.setenv("MIZZLE_CACHE", CACHE)


def test_users_have_fixtures(server: Server, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USERS.format(family=server.family))
    done = pytester.runpytest_subprocess("-q", "-W", "error", f"--mizzle-server={server.family}", timeout=120)
    done.assert_outcomes(passed=5)


def test_a_server_that_is_not_there_is_named(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmizzle_server = mariadb99\n")
    pytester.makeconftest('pytest_plugins = ["mizzle.testing.pytest_plugin"]')  # not needed, and does no harm
    pytester.makepyfile("def test(mizzle_url): pass")
    done = pytester.runpytest_subprocess(timeout=120)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*ServerNotFound*mariadb99*"])
