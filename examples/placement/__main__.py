"""A real OpenStack service on mizzle: placement migrates its database and serves, on threads, then on eventlet.

    python -m examples.placement [--servers mysql,mariadb] [--clients 8]

Placement comes from the package index, with gunicorn for its threads, into an environment of its own, where there is no
other driver for MySQL. All that it is told of mizzle is the URL in placement.conf. Many clients create resource
providers, read them back, and want more addresses than there are. It ends with 1 if an answer, or what is in the
database afterwards, is wrong.
"""

from __future__ import annotations

import argparse
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.environments import Environment, environment

import mizzle
from examples.placement.clients import Load, Outcome, run
from mizzle.testing import Server

PLACEMENT = ["openstack-placement==16.0.0", "eventlet>=0.40", "gunicorn>=23"]
# allocation_conflict_retry_count: where two change the same, the client is told and asks again. Placement's own second
# try counts what is used in the snapshot of its first, and gives out more than there is; so it does with PyMySQL.
CONFIGURATION = """[placement_database]
connection = mysql+mizzle://{user}:{password}@{host}:{port}/placement
max_pool_size = {clients}

[placement]
allocation_conflict_retry_count = 1

[api]
auth_strategy = noauth2
"""


def main() -> int:
    options = parse()
    there = environment("placement", *PLACEMENT)
    wrong = 0
    for family in options.servers.split(","):
        with Server.start(family) as server, tempfile.TemporaryDirectory() as folder:
            say(f"{server.program.vendor} {'.'.join(map(str, server.version))}")
            write_configuration(server, options.clients, Path(folder))
            migrate(server, there, Path(folder))
            for form in ("threads", "eventlet"):
                load = Load(form, options.clients, options.nodes, options.claims)
                wrong += try_form(server, there, Path(folder), load)
    say(f"{wrong} things were wrong" if wrong else "all was right")
    return 1 if wrong else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.placement",
        description="OpenStack's placement on mizzle: migrations, then HTTP requests on threads and on eventlet.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--servers", default="mysql,mariadb", help="throwaway servers to run it on")
    parser.add_argument("--clients", type=int, default=8, help="at once; as many connections are in the pool")
    parser.add_argument("--nodes", type=int, default=4, help="compute nodes that each client reports")
    parser.add_argument("--claims", type=int, default=3, help="addresses that each client wants")
    return parser.parse_args()


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def write_configuration(server: Server, clients: int, folder: Path) -> None:
    with mizzle.connect(**server.connect_args()) as conn:
        conn.execute("CREATE DATABASE placement")
    (folder / "placement.conf").write_text(CONFIGURATION.format(**server.connect_args(), clients=clients))


def migrate(server: Server, there: Environment, folder: Path) -> None:
    """`placement-manage db sync`."""
    begin = time.perf_counter()
    command = [there.program("placement-manage"), "--config-file", str(folder / "placement.conf"), "db", "sync"]
    subprocess.run(command, env=there.variables(), check=True)
    with mizzle.connect(**server.connect_args(database="placement")) as conn:
        tables = len(conn.execute("SHOW TABLES").fetchall())
    print(f"    placement-manage db sync: {tables} tables, {time.perf_counter() - begin:.1f} s", flush=True)


@contextmanager
def serving(there: Environment, folder: Path, load: Load) -> Iterator[int]:
    """Placement in a process of its own; its port. Clients that come before it is ready wait in the socket."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        port, descriptor = listening.getsockname()[1], listening.fileno()
        if load.form == "threads":
            command = [there.program("gunicorn"), f"--bind=fd://{descriptor}", f"--threads={load.clients}"]
            command += ["--worker-class=gthread", "--keep-alive=60", "placement.wsgi.api:application"]
        else:
            command = [there.python, str(Path(__file__).with_name("on_eventlet.py")), str(descriptor)]
        with (folder / f"{load.form}.log").open("w") as log:
            variables = there.variables(OS_PLACEMENT_CONFIG_DIR=str(folder))
            process = subprocess.Popen(command, env=variables, pass_fds=[descriptor], stdout=log, stderr=log)
    try:
        yield port
    except BaseException:
        print((folder / f"{load.form}.log").read_text()[-4000:], file=sys.stderr, flush=True)
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()  # of no effect on one that has ended


def try_form(server: Server, there: Environment, folder: Path, load: Load) -> int:
    """Serve the load in one form; how many things were wrong."""
    with mizzle.connect(**server.connect_args(database="placement")) as conn:
        conn.execute("FLUSH STATUS")
        with serving(there, folder, load) as port:
            outcome, seconds, used = run(load, port)
        status = dict(conn.execute("SHOW GLOBAL STATUS LIKE 'Max_used_connections'").fetchall())
        show(load, outcome, seconds, int(status["Max_used_connections"]) - 1)
        wrong = [*outcome.wrong, *differences(conn, load, outcome, used)]
    log = (folder / f"{load.form}.log").read_text()
    wrong += [line for line in log.splitlines() if " ERROR " in line or "Error:" in line]
    for one in wrong:
        print(f"    WRONG: {one}", flush=True)
    return len(wrong)


def show(load: Load, outcome: Outcome, seconds: float, connections: int) -> None:
    requests = sorted(outcome.seconds)
    claims = ", ".join(f"{count} {what}" for what, count in sorted(outcome.claims.items()))
    print(
        f"    on {load.form}: {len(requests)} requests of {load.clients} clients in {seconds:.1f} s "
        f"({len(requests) / seconds:.0f} a second, median {statistics.median(requests) * 1000:.0f} ms, "
        f"slowest {requests[-1] * 1000:.0f} ms) over {connections} connections; "
        f"{len(outcome.nodes)} nodes read back; addresses: {claims}",
        flush=True,
    )


def differences(conn: mizzle.Connection, load: Load, outcome: Outcome, used: int) -> Iterator[str]:
    """What the database has that the clients were not told, or the other way round."""
    like = [f"{load.form}-%"]
    count = "SELECT COUNT(*) FROM resource_providers WHERE name LIKE %s"
    taken = (
        "SELECT COALESCE(SUM(a.used), 0) FROM allocations a "
        "JOIN resource_providers p ON p.id = a.resource_provider_id WHERE p.name LIKE %s"
    )
    wanted = load.clients * load.claims
    for what, found, expected in [
        ("nodes that were read back", len(outcome.nodes), load.clients * load.nodes),
        ("providers in the database", conn.execute(count, like).fetchone()[0], load.clients * load.nodes + 1),
        ("addresses given", outcome.claims["given"], load.addresses),
        ("addresses refused", outcome.claims["refused"], wanted - load.addresses),
        ("addresses that placement says are used", used, load.addresses),
        ("addresses in the database", conn.execute(taken, like).fetchone()[0], load.addresses),
    ]:
        if found != expected:
            yield f"{what}: {found}, not {expected}"


if __name__ == "__main__":
    sys.exit(main())
