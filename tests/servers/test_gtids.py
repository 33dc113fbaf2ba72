"""GTIDs of what a connection has committed, on servers that write them: and reading one's own writes by them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mizzle
from mizzle.testing import Server
from plugins.worlds import World

GUIDE = Path(__file__).parents[2] / "docs" / "session-tracking.md"
WRITES = ("--log-bin=binlog", "--server-id=7")
MYSQLS = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")


@pytest.mark.feature("tracked: GTIDs")
def test_gtids(server_family: str, start_server: Callable[..., Server], worlds: dict[str, World]) -> None:
    server = start_server(server_family, arguments=[*WRITES, *MYSQLS] if server_family == "mysql97" else WRITES)
    with mizzle.connect(**server.connect_args(autocommit=True)) as admin:
        admin.execute("CREATE TABLE t (n INT)")
        assert admin.last_gtids is None
        for world in worlds.values():
            with world.connect(**server.connect_args(session_track_gtids="own_gtid")) as conn:
                each_commit_has_one(conn, admin, server)
            with world.connect(**server.connect_args(session_track_gtids="all_gtids", autocommit=True)) as conn:
                conn.execute("INSERT INTO t VALUES (9)")
                executed = "@@last_gtid" if server.is_mariadb else "@@gtid_executed"
                assert (conn.last_gtids,) == conn.execute(f"SELECT {executed}").fetchone()
            world.settle()
        the_guides_example(server)


def each_commit_has_one(conn: Any, admin: Any, server: Server) -> None:
    assert conn.last_gtids is None
    conn.execute("INSERT INTO t VALUES (1)")
    assert conn.last_gtids is None
    conn.commit()
    first = conn.last_gtids
    assert re.fullmatch(r"\d+-7-\d+" if server.is_mariadb else r"[0-9a-f-]{36}:\d+", first)
    conn.execute("SELECT * FROM t", prepare=True)
    conn.rollback()
    assert conn.last_gtids == first
    conn.execute("INSERT INTO t VALUES (%s)", [2], prepare=True)
    conn.execute("ALTER TABLE t COMMENT 'commits'")
    second = conn.last_gtids
    assert second != first
    [(seen,)] = admin.execute("SELECT @@gtid_current_pos" if server.is_mariadb else "SELECT @@gtid_executed").fetchall()
    assert re.findall(r"\d+", second)[-1] in re.findall(r"\d+", seen)
    conn.reset()
    assert conn.last_gtids is None


def the_guides_example(server: Server) -> None:
    """The documentation's own code, on a server that is its own replica."""
    [snippet] = re.findall(r"```python\n(# reads its own writes.*?)```", GUIDE.read_text(), re.DOTALL)
    args = server.connect_args(autocommit=True)
    with mizzle.connect(**args, session_track_gtids="own_gtid") as primary, mizzle.connect(**args) as replica:
        names: dict[str, Any] = {"primary": primary, "replica": replica, "mizzle": mizzle}
        exec(compile(snippet, str(GUIDE), "exec"), names)
        assert names["catch_up"](primary, replica, 0.1)
        primary.execute("INSERT INTO t VALUES (1)")
        if server.is_mariadb:
            replica.execute("SET GLOBAL gtid_slave_pos = %s", [primary.last_gtids])
        assert names["catch_up"](primary, replica, 5)
        assert not names["catch_up"](Ahead(primary), replica, 0.1)


class Ahead:
    """A primary that has committed what no replica has yet."""

    def __init__(self, primary: Any) -> None:
        self.last_gtids = re.sub(r"\d+$", lambda number: str(int(number[0]) + 1000), primary.last_gtids)
