"""SELECT one row by its primary key, with what it costs the server too: that is whom a prepared statement spares.

Client and server share one CPU. Where each has its own, every statement wakes up an idle one twice, which on a virtual
machine takes longer than all that the two do: how long, says the column `on all CPUs`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import Peer
from bench.task import Task, check
from bench.works.point_select import WARM_UP, select
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    """One connection, one caller. The server must run on this machine, and as the same user."""
    connection = world.call(peer.connect, task.settings)
    pid = server_pid(connection)
    ids = dataset.some_ids(0, task.sizes.selects, task.sizes.rows)
    for wanted in ids[:WARM_UP]:
        select(connection, wanted)
    apart = measure(connection, pid, ids)
    with one_cpu(pid):
        figures = measure(connection, pid, ids)
    connection.close()
    return {**figures, "apart_us": apart["both_us"]}


def measure(connection: Any, pid: int, ids: list[int]) -> Figures:
    stat = Path(f"/proc/{pid}/stat")
    before = cpu_seconds(stat)
    with Meter() as meter:
        wrong = sum(select(connection, wanted) != wanted for wanted in ids)
    server = cpu_seconds(stat) - before
    check("wrong rows", wrong, 0)
    figures = meter.figures(len(ids))
    return {**figures, "server_us": server / len(ids) * 1e6, "both_us": (meter.cpu + server) / len(ids) * 1e6}


@contextmanager
def one_cpu(pid: int) -> Iterator[None]:
    """This process and all threads of that one run on the same CPU."""
    allowed = os.sched_getaffinity(0)

    def place(cpus: set[int]) -> None:
        for thread in (0, *(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())):
            with suppress(ProcessLookupError):  # a thread of the server's that has ended meanwhile
                os.sched_setaffinity(thread, cpus)

    place({max(allowed)})
    try:
        yield
    finally:
        place(allowed)


def server_pid(connection: Any) -> int:
    cursor = connection.cursor()
    cursor.execute("SELECT @@pid_file")
    (path,) = cursor.fetchone()
    cursor.close()
    return int(Path(path).read_text(encoding="ascii"))


def cpu_seconds(stat: Path) -> float:
    """What a process has taken so far, all its threads."""
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
