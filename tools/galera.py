"""A real Galera cluster, and what oslo.db makes of its errors on mizzle: `python -m tools.galera [LIBRARY]`.

Two nodes of MariaDB write the same rows. LIBRARY is Galera's provider, libgalera_smm.so; Debian's package galera-4 has
it. Unpacked will do: apt-get download galera-4 && dpkg -x galera-4_*.deb FOLDER.
Knows how a cluster is started and what oslo.db promises. Must not know packets.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from oslo_db import api, exception  # type: ignore[import-untyped]
from oslo_db.sqlalchemy import engines  # type: ignore[import-untyped]

import mizzle
from mizzle.testing import Server

LIBRARY = "/usr/lib/galera/libgalera_smm.so"
# A lost node is noticed within two seconds instead of ten.
PROVIDER = (
    "gcache.size=16M;evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT2S;"
    "evs.inactive_check_period=PT0.3S;evs.install_timeout=PT2S;gmcast.peer_timeout=PT2S"
)
COMMON = (
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
    "--wsrep-on=ON",
    "--wsrep-cluster-name=mizzle",
    "--wsrep-sst-method=equal",
)
INCREMENTS = 100


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def arguments_of(library: str, groups: list[int], number: int) -> list[str]:
    """What makes a server the node of that number."""
    group, transfer = f"127.0.0.1:{groups[number]}", free_ports(1)[0]
    listens = f"gmcast.listen_addr=tcp://{group};ist.recv_addr=127.0.0.1:{transfer}"
    others = ",".join(f"127.0.0.1:{port}" for port in groups)
    address = [f"--wsrep-cluster-address=gcomm://{others}", f"--wsrep-node-address={group}"]
    return [*COMMON, f"--wsrep-provider={library}", *address, f"--wsrep-provider-options={listens};{PROVIDER}"]


# Galera asks a program to bring a joining node the data. It has them: both say how far, and the rest comes in order.
TRANSFER = """#!/bin/sh
case "$*" in
*"--role joiner"*) echo "ready 127.0.0.1/none"; echo {position} ;;
*) echo done "$(echo "$*" | sed 's/.*--gtid \\([^ ]*\\).*/\\1/')" ;;
esac
"""


@contextmanager
def cluster(library: str) -> Iterator[list[Server]]:
    """Two nodes, the second on a copy of the first one's data."""
    groups = free_ports(2)
    arguments = [arguments_of(library, groups, number) for number in range(2)]
    first = [*arguments[0], "--wsrep-new-cluster"]
    with (
        tempfile.TemporaryDirectory() as programs,
        Server.start("mariadb", arguments=first) as one,
        Server.start("mariadb") as two,
    ):
        one.stop()  # in order, which leaves behind how far the data are
        two.stop()
        data = [node._folder / "data" for node in (one, two)]
        shutil.rmtree(data[1])
        shutil.copytree(data[0], data[1])
        state = dict(line.split(":", 1) for line in (data[1] / "grastate.dat").read_text().splitlines() if ":" in line)
        transfer = Path(programs, "wsrep_sst_equal")
        transfer.write_text(TRANSFER.format(position=f"{state['uuid'].strip()}:{state['seqno'].strip()}"))
        transfer.chmod(0o755)
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        one.restart(first)
        two.restart(arguments[1])
        for node in (one, two):
            until(partial(status, node, "wsrep_local_state_comment", "Synced"), "a node is synced")
            until(partial(status, node, "wsrep_cluster_size", "2"), "both nodes see each other")
        yield [one, two]


def until(is_so: Callable[[], bool], what: str) -> None:
    """Ask until it is so; TimeoutError after half a minute."""
    deadline = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"in 30 s it did not happen that {what}")
        time.sleep(0.05)


def engine_of(node: Server, **settings: object) -> sa.Engine:
    address = f"{node.user}:{node.password}@{node.host}:{node.port}/{node.database}"
    made: sa.Engine = engines.create_engine(f"mysql+mizzle://{address}", mysql_sql_mode="TRADITIONAL", **settings)
    return made


def status(node: Server, name: str, wanted: str) -> bool:
    """Whether a node says so; SHOW STATUS is what it answers also while it refuses all else."""
    with mizzle.connect(**node.connect_args()) as conn:
        return conn.execute("SHOW STATUS LIKE %s", [name]).fetchall() == [(name, wanted)]


def conflict(one: sa.Engine, two: sa.Engine, ends: bool) -> str:
    """Both change a row, the other node commits first; the error, which has to be DBDeadlock, of the next statement."""
    with one.connect() as mine, two.begin() as others:
        mine.exec_driver_sql("UPDATE counters SET n = n + 1 WHERE id = 1")
        others.exec_driver_sql("UPDATE counters SET n = n + 1 WHERE id = 1")
        others.commit()
        with one.connect() as beside:  # waits for what the other node wrote, and with it for the end of `mine`
            beside.exec_driver_sql("SET wsrep_sync_wait = 1")
            beside.exec_driver_sql("SELECT n FROM counters")
        try:
            if ends:
                mine.commit()
            else:
                mine.exec_driver_sql("SELECT n FROM counters")
        except exception.DBDeadlock as error:
            return str(error.inner_exception.orig)
    raise AssertionError("both nodes changed the same row, and neither was told")


def count_together(one: sa.Engine, two: sa.Engine) -> tuple[int, int]:
    """Threads on both nodes count up the same rows, and repeat what was refused; what was counted and refused."""
    refused: list[str] = []

    @api.wrap_db_retry(  # type: ignore[untyped-decorator]
        max_retries=100, retry_on_deadlock=True, retry_interval=0.01, inc_retry_interval=False
    )
    def increment(engine: sa.Engine, row: int) -> None:
        try:
            with engine.begin() as conn:
                conn.exec_driver_sql(f"UPDATE counters SET n = n + 1 WHERE id = {row}")
        except exception.DBDeadlock as error:
            refused.append(str(error.inner_exception.orig))
            raise

    def work(engine: sa.Engine) -> None:
        for number in range(INCREMENTS):
            increment(engine, 2 + number % 2)

    threads = [threading.Thread(target=work, args=[engine]) for engine in (one, one, two, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with one.connect() as conn:
        conn.exec_driver_sql("SET wsrep_sync_wait = 1")
        return int(conn.exec_driver_sql("SELECT SUM(n) FROM counters WHERE id > 1").scalar_one()), len(refused)


def read_own_writes(one: sa.Engine, two: Server) -> int:
    """With mysql_wsrep_sync_wait, what one node has committed is read on the other; how often it was not."""
    engine, missed = engine_of(two, mysql_wsrep_sync_wait=1), 0
    for number in range(INCREMENTS):
        with one.begin() as conn:
            conn.exec_driver_sql(f"UPDATE counters SET n = {number} WHERE id = 1")
        with engine.connect() as conn:
            missed += conn.exec_driver_sql("SELECT n FROM counters WHERE id = 1").scalar_one() != number
    engine.dispose()
    return missed


def without_quorum(one: sa.Engine, two: Server) -> str:
    """The other node dies; what this one says, which has to be DBConnectionError."""
    two.kill()
    said: list[str] = []

    def refuses() -> bool:
        try:
            with one.connect() as conn:
                conn.exec_driver_sql("SELECT n FROM counters")
        except exception.DBConnectionError as error:
            said.append(str(error.inner_exception.orig))
        return bool(said)

    until(refuses, "the node without a quorum refused a statement")
    return said[0]


def main(arguments: list[str]) -> int:
    """Run it all; 1 if something was not as oslo.db promises."""
    library = str(Path(arguments[0]).resolve()) if arguments else LIBRARY
    if not Path(library).exists():
        print(f"no {library}\n\n{__doc__}", file=sys.stderr)
        return 2
    with cluster(library) as nodes:
        print(f"two nodes of MariaDB {'.'.join(map(str, nodes[0].version))}", flush=True)
        one, two = map(engine_of, nodes)
        with one.begin() as conn:
            conn.exec_driver_sql("CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB")
            conn.exec_driver_sql("INSERT INTO counters VALUES (1, 0), (2, 0), (3, 0)")
        print(f"the same row on both nodes, at COMMIT: DBDeadlock {conflict(one, two, True)}", flush=True)
        print(f"the same row on both nodes, at a statement: DBDeadlock {conflict(one, two, False)}", flush=True)
        counted, refused = count_together(one, two)
        print(f"4 threads count together: {counted} of {4 * INCREMENTS}, after {refused} DBDeadlock", flush=True)
        missed = read_own_writes(one, nodes[1])
        print(f"mysql_wsrep_sync_wait=1: {missed} of {INCREMENTS} reads on the other node were stale", flush=True)
        print(f"no quorum: DBConnectionError {without_quorum(one, nodes[1])}", flush=True)
    return 0 if counted == 4 * INCREMENTS and not missed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
