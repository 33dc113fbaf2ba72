"""SELECT one row by its primary key, with what it costs the server too: that is whom a prepared statement spares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench import dataset
from bench.measure import Figures, Meter
from bench.peers import Peer
from bench.task import Task, check
from bench.works.point_select import WARM_UP, select
from bench.worlds import World


def run(task: Task, peer: Peer, world: World) -> Figures:
    """One connection, one caller. The server must run on this machine."""
    connection = world.call(peer.connect, task.settings)
    stat = Path(f"/proc/{server_pid(connection)}/stat")
    ids = dataset.some_ids(0, task.sizes.selects, task.sizes.rows)
    for wanted in ids[:WARM_UP]:
        select(connection, wanted)
    before = cpu_seconds(stat)
    with Meter() as meter:
        wrong = sum(select(connection, wanted) != wanted for wanted in ids)
    server = cpu_seconds(stat) - before
    check("wrong rows", wrong, 0)
    connection.close()
    figures = meter.figures(len(ids))
    return {**figures, "server_us": server / len(ids) * 1e6, "both_us": (meter.cpu + server) / len(ids) * 1e6}


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
