"""docs/from-aiomysql.md: every snippet runs as it stands there, on every server, and names only what there is."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from mizzle import aio
from mizzle.options import ConnectOptions
from mizzle.testing import Server

TEXT = (Path(__file__).parents[2] / "docs" / "from-aiomysql.md").read_text()
SNIPPETS = {
    section.partition("\n")[0]: snippet
    for section in TEXT.split("\n## ")[1:]
    for snippet in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
}


def test_all_snippets_were_found() -> None:
    assert len(SNIPPETS) == TEXT.count("```python") == 5


@pytest.mark.parametrize("section", SNIPPETS)
def test_snippet(server: Server, section: str) -> None:
    code = compile(SNIPPETS[section], section, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert code.co_flags & inspect.CO_COROUTINE
    names: dict[str, Any] = {"settings": server.connect_args()}

    async def run() -> None:
        await eval(code, names)

    asyncio.run(run())


def test_what_is_the_same_is_there() -> None:
    checked = 0
    for row in TEXT.partition("## Point by point")[2].splitlines():
        theirs, _, ours = row.strip("| ").partition(" | ")
        owner = re.match(r"`(?:await )?(cur|conn)\.", theirs)
        if owner is None or not ours.startswith("same"):
            continue
        kind = aio.Cursor if owner[1] == "cur" else aio.Connection
        names = re.findall(r"`(?:await )?(?:cur\.|conn\.)?(\w+)", theirs)
        assert [name for name in names if not hasattr(kind, name)] == []
        checked += len(names)
    assert checked > 20


def test_keywords_that_are_the_same_are_settings() -> None:
    [row] = [row for row in TEXT.splitlines() if row.startswith("| `db=`")]
    accepted = {*ConnectOptions.__dataclass_fields__, "db", "passwd", "read_default_file"}
    assert set(re.findall(r"(\w+)=", row)) <= accepted
