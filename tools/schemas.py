"""OpenStack's database schemas on mizzle: `python -m tools.schemas [keystone nova neutron]`, all of them by default.

Each service is installed from the package index and migrates an empty database with mizzle, and another with PyMySQL,
on MySQL 9.7 and on MariaDB 10.11. What the servers then say of the two must be the same. It takes a quarter of an hour.
Knows how services are configured and migrated. Must not know what is in their schemas.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mizzle
from mizzle.testing import Server
from tools.environments import Environment, environment

SERVERS = ("mysql97", "mariadb1011")
DRIVERS = ("mizzle", "pymysql")
ARGUMENTS = ("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin")


@dataclass(frozen=True)
class Service:
    """One service's release, the sections with its databases, and its commands."""

    requirement: str
    databases: tuple[str, ...]
    commands: tuple[str, ...]


SERVICES = {
    "keystone": Service("keystone==30.0.0", ("database",), ("keystone-manage db_sync",)),
    "nova": Service(
        "nova==34.0.0",
        ("database", "api_database"),
        ("nova-manage api_db sync", "nova-manage db sync --local_cell"),
    ),
    "neutron": Service("neutron==29.0.0", ("database",), ("neutron-db-manage upgrade heads",)),
}

#: What a server says of a database; every line of it has to be the same.
DESCRIPTIONS = {
    "tables": "SELECT table_name, engine, table_collation FROM information_schema.tables WHERE table_schema = %s",
    "columns": "SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default, extra, "
    "character_set_name, collation_name, column_comment FROM information_schema.columns WHERE table_schema = %s",
    "parts of indexes": "SELECT table_name, index_name, seq_in_index, column_name, non_unique, sub_part "
    "FROM information_schema.statistics WHERE table_schema = %s",
    "parts of keys": "SELECT table_name, constraint_name, ordinal_position, column_name, referenced_table_name, "
    "referenced_column_name FROM information_schema.key_column_usage WHERE table_schema = %s",
    "foreign keys": "SELECT table_name, constraint_name, update_rule, delete_rule "
    "FROM information_schema.referential_constraints WHERE constraint_schema = %s",
    "checks": "SELECT constraint_name, check_clause FROM information_schema.check_constraints "
    "WHERE constraint_schema = %s",
}


def name_of(service: str, section: str, driver: str) -> str:
    return f"{service}_{section}_{driver}"


def migrate(server: Server, name: str, there: Environment, driver: str) -> None:
    """Bring empty databases to the service's last revision."""
    service = SERVICES[name]
    lines = []
    with mizzle.connect(**server.connect_args()) as conn:
        for section in service.databases:
            database = name_of(name, section, driver)
            conn.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb3")
            address = server.url.removeprefix("mysql://").rpartition("/")[0]
            lines.append(f"[{section}]\nconnection = mysql+{driver}://{address}/{database}\n")
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / f"{name}.conf"
        configuration.write_text("\n".join(lines))
        for command in service.commands:
            program, *arguments = command.split()
            words = [there.program(program), "--config-file", str(configuration), *arguments]
            done = subprocess.run(words, cwd=folder, env=there.variables(), capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{command} ended with {done.returncode}: {(done.stdout + done.stderr)[-4000:]}")


def describe(server: Server, database: str) -> dict[str, set[str]]:
    """What the server says of a database, by kind."""
    with mizzle.connect(**server.connect_args()) as conn:
        return {
            kind: {" ".join(map(str, row)) for row in conn.execute(query, [database]).fetchall()}
            for kind, query in DESCRIPTIONS.items()
        }


def compare(server: Server, name: str) -> bool:
    """Migrate with each driver; whether the databases are the same."""
    service = SERVICES[name]
    there = environment(f"schema-{name}", service.requirement, "PyMySQL")
    for driver in DRIVERS:
        print(f"{service.requirement}, {server.family}: migrating with {driver}", flush=True)
        migrate(server, name, there, driver)
    same = True
    for section in service.databases:
        mine, other = (describe(server, name_of(name, section, driver)) for driver in DRIVERS)
        counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in mine.items())
        print(f"    [{section}] {counts}: {'the same' if mine == other else 'DIFFERENT'}", flush=True)
        for kind in DESCRIPTIONS:
            for line in sorted(mine[kind] ^ other[kind]):
                print(f"        {kind}, {'mizzle' if line in mine[kind] else 'pymysql'} only: {line}", flush=True)
        same &= mine == other and bool(mine["tables"])
    return same


def main(names: list[str]) -> int:
    """Compare them all; 1 if two differ, 2 for a name that is none."""
    if unknown := set(names) - SERVICES.keys():
        print(f"no service {', '.join(sorted(unknown))}\n\n{__doc__}", file=sys.stderr)
        return 2
    same = True
    for family in SERVERS:
        with Server.start(family, arguments=ARGUMENTS) as server:
            for name in names or SERVICES:
                same &= compare(server, name)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
