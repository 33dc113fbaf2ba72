"""Data directories: made once for each program, kept in the cache, copied for each server.

Knows the options and the SQL of a fresh database. Must not know running servers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ._paths import cache_dir, copy_tree, locked
from ._programs import Program, run_program

DATABASE = "test"
_DEADLINE = 180.0

# A killed server must find its committed rows again (they reach the page cache), but nothing has to reach a disk.
_INNODB = (
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-buffer-pool-size=64M",
    "--innodb-buffer-pool-dump-at-shutdown=0",
    "--innodb-buffer-pool-load-at-startup=0",
)
_OPTIONS = {
    "mariadb": (*_INNODB, "--innodb-log-file-size=16M"),
    "mysql": (
        *_INNODB,
        "--innodb-redo-log-capacity=64M",
        "--secure-file-priv=",  # a distribution may compile in a folder that does not exist: the server would not start
        "--mysqlx=OFF",
        "--table-open-cache=400",  # the performance schema takes its size from this: 100 MB less
        "--table-definition-cache=400",
        "--innodb-log-buffer-size=2M",
        "--skip-log-bin",
    ),
}
_MARIADB_SCRIPTS = (
    "system_tables",
    "performance_tables",
    "system_tables_data",
    "maria_add_gis_sp_bootstrap",
    "sys_schema",
)


class Account(NamedTuple):
    """A user of the server, with all privileges."""

    user: str
    password: str


APP = Account("app", "app-pw")


def options_of(program: Program) -> list[str]:
    """The options that every run of this program shares: its folders, and haste before durability."""
    options = ["--no-defaults", *program.arguments, *_OPTIONS[program.vendor]]
    if os.geteuid() == 0:
        options.append("--user=root")
    return options


def accounts_of(program: Program) -> Mapping[str, Account]:
    """An account for each authentication plugin that this server can be had to use, by the client plugin's name."""
    if program.vendor == "mysql":
        accounts = {"caching_sha2_password": APP, "sha256_password": Account("app_sha256", "sha256-pw")}
        if program.version < (8, 4, 0):
            accounts["mysql_native_password"] = Account("app_native", "native-pw")
        return accounts
    accounts = {"mysql_native_password": APP}
    if program.has_plugin("auth_ed25519"):
        accounts["client_ed25519"] = Account("app_ed25519", "ed25519-pw")
    if program.has_plugin("auth_parsec"):
        accounts["parsec"] = Account("app_parsec", "parsec-pw")
    return accounts


def template_for(program: Program) -> Path:
    """The template data directory of a program: made now if it is not in the cache. Never start a server on it."""
    sql = _mariadb_sql(program) if program.vendor == "mariadb" else _account_sql(program)
    stat = program.path.stat()
    recipe = repr((program.path, stat.st_size, stat.st_mtime_ns, options_of(program), sql))
    version = ".".join(map(str, program.version))
    name = f"{program.vendor}-{version}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    template = cache_dir() / "templates" / name
    if not template.exists():
        with locked(template.with_name(f"{name}.lock")):
            if not template.exists():
                _make(program, sql, template)
    return template


def _make(program: Program, sql: str, template: Path) -> None:
    work = template.with_name(f"{template.name}.new")  # ours alone: the caller holds the lock
    shutil.rmtree(work, ignore_errors=True)
    data = work / "made"
    work.mkdir(parents=True)
    try:
        if program.vendor == "mariadb":
            data.mkdir()
            bootstrap = ("--bootstrap", "--max-allowed-packet=8M", f"--datadir={data}", f"--tmpdir={work}")
            run_program(
                program, *options_of(program), *bootstrap, *_loaded_plugins(program), stdin=sql, timeout=_DEADLINE
            )
        else:
            (work / "init.sql").write_text(sql)
            initialize = ("--initialize-insecure", f"--init-file={work / 'init.sql'}", f"--datadir={data}")
            run_program(program, *options_of(program), *initialize, timeout=_DEADLINE)
            (data / "auto.cnf").unlink(missing_ok=True)  # the server's UUID: every copy makes its own
        copy_tree(data, work / "template")  # the copy has holes where the original has zeros
        (work / "template").rename(template)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _loaded_plugins(program: Program) -> list[str]:
    return [f"--plugin-load-add=auth_{name}" for name in _extra_plugins(program)]


def _extra_plugins(program: Program) -> list[str]:
    """MariaDB's authentication plugins that live in libraries of their own."""
    return [name for name in ("ed25519", "parsec") if program.has_plugin(f"auth_{name}")]


def _mariadb_sql(program: Program) -> str:
    """What mariadb-install-db feeds to --bootstrap, with our accounts behind it."""
    parts = ["CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"]
    for script in _MARIADB_SCRIPTS:
        text = _script(program, script)
        if script == "system_tables_data":  # root is to be root@localhost only, not also root@this-machine's-name
            text = "".join(line for line in text.splitlines(keepends=True) if "@current_hostname" not in line)
        parts.append(text)
    return "\n".join([*parts, "FLUSH PRIVILEGES;", _account_sql(program)])


def _script(program: Program, name: str) -> str:
    for candidate in (f"mariadb_{name}.sql", f"mysql_{name}.sql", f"{name}.sql"):
        if (path := program.share / candidate).exists():
            return path.read_text()
    raise RuntimeError(
        f"{program.path} is there, but not the SQL script {name} of a fresh data directory in {program.share}"
    )


def _account_sql(program: Program) -> str:
    """One statement a line, as an --init-file wants it."""
    lines = [f"CREATE DATABASE {DATABASE};"]
    if program.vendor == "mariadb":
        lines += [f"INSERT INTO mysql.plugin VALUES ('{name}', 'auth_{name}.so');" for name in _extra_plugins(program)]
    for plugin, (user, password) in accounts_of(program).items():
        if plugin == "client_ed25519":
            how = f"VIA ed25519 USING PASSWORD('{password}')"
        elif plugin == "parsec":
            how = f"VIA parsec USING PASSWORD('{password}')"
        elif program.vendor == "mysql":
            how = f"WITH {plugin} BY '{password}'"
        else:
            how = f"BY '{password}'"
        lines += [f"CREATE USER {user}@'%' IDENTIFIED {how};", f"GRANT ALL ON *.* TO {user}@'%' WITH GRANT OPTION;"]
    return "\n".join(lines) + "\n"
