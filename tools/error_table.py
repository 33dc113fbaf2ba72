"""The servers' errors by name: read from their own message files into server_errors.tsv, written as compat's ER module.

MySQL's come from its `perror`, which also knows those that are gone by the name that they had (OBSOLETE_ER_…);
MariaDB's from errmsg-utf8.txt, which the package of 10.11 brings. Where a name has had several numbers, the one that
MySQL gives it today stands: PyMySQL's and mysqlclient's users have it from there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

STORE = Path(__file__).parent / "server_errors.tsv"
#: Above are the messages of the log, which no client is ever sent.
NUMBERS = range(1000, 5000)
_OF_PERROR = re.compile(r"MY-(\d+) \((\w+)\)")
_OF_ERRMSG = re.compile(r"(?:start|skip-to)-error-number (\d+)|((?:ER|WARN)_\w+)")
_GONE = "OBSOLETE_"
_NOT_USED = re.compile(r"(?:OBSOLETE_)?(?:ER_)?UNUSED_?\d+")


class ServerError(NamedTuple):
    """A line of server_errors.tsv."""

    number: int
    name: str
    server: str


def stored() -> list[ServerError]:
    """What server_errors.tsv holds."""
    lines = (line.split("\t") for line in STORE.read_text().splitlines()[1:])
    return [ServerError(int(number), *rest) for number, *rest in lines]


def refresh() -> None:
    """Read the names anew from the server programs that tools.lab has fetched."""
    found = [*_of_mysql(), *_of_mariadb()]
    lines = ["\t".join(ServerError._fields), *("\t".join(map(str, row)) for row in sorted(found))]
    STORE.write_text("\n".join(lines) + "\n")


def _of_mysql() -> Iterator[ServerError]:
    # Not above: mizzle cannot be imported before its constants are there.
    from mizzle.testing import find_program  # noqa: PLC0415
    from mizzle.testing._programs import environment_of  # noqa: PLC0415

    server = find_program("mysql97")
    perror = str(server.path.parent.parent / "bin" / "perror")
    command = [perror if word == str(server.path) else word for word in server.command]
    done = subprocess.run(
        [*command, *map(str, NUMBERS)], env=environment_of(server), capture_output=True, text=True, check=False
    )
    for number, name in _OF_PERROR.findall(done.stdout):
        if not _NOT_USED.fullmatch(name):
            yield ServerError(int(number), name, "mysql")


def _of_mariadb() -> Iterator[ServerError]:
    from mizzle.testing import find_program  # noqa: PLC0415 (the same)

    messages = find_program("mariadb1011").share / "errmsg-utf8.txt"
    number = 0
    for line in messages.read_text(encoding="utf-8").splitlines():
        match = _OF_ERRMSG.match(line)
        if match is None:
            continue
        start, name = match.groups()
        if start:
            number = int(start)
            continue
        if not _NOT_USED.fullmatch(name):
            yield ServerError(number, name, "mariadb")
        number += 1


def python_module() -> str:
    """The text of mizzle/compat/pymysql/constants/ER.py."""
    numbers: dict[str, int] = {}
    for error in sorted(stored(), key=lambda error: (error.server != "mysql", error.name.startswith(_GONE))):
        numbers.setdefault(error.name.removeprefix(_GONE).removeprefix("ER_"), error.number)
    first = min(numbers.values())
    words = [f"ERROR_FIRST={first}", *(f"{name}={numbers[name]}" for name in sorted(numbers, key=numbers.__getitem__))]
    return TEMPLATE.replace("{words}", "".join(f"    {line}\n" for line in wrap(" ".join(words), 115)))


TEMPLATE = '''"""The servers' errors by PyMySQL's and MySQLdb's names (without ER_), below 5000.

From their own message files: MySQL's of all releases; MariaDB's where MySQL has no such name.
"""

from typing import TYPE_CHECKING

_NUMBERS = """
{words}"""

globals().update((name, int(number)) for name, _, number in (pair.partition("=") for pair in _NUMBERS.split()))

if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...
'''
