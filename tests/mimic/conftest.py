"""mysql-mimic: the protocol as somebody else understands it, in Python, on a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, ResultColumn, ResultSet, Session, User
from mysql_mimic.auth import AbstractClearPasswordAuthPlugin
from mysql_mimic.constants import DEFAULT_SERVER_CAPABILITIES
from mysql_mimic.errors import ErrorCode, MysqlError
from mysql_mimic.types import Capabilities, ColumnType
from sqlglot import exp

from plugins.worlds import PATIENCE, World

PASSWORDS = {"ann": "secret", "bob": "пароль"}


class InTheClear(AbstractClearPasswordAuthPlugin):
    name = "in_the_clear"

    async def check(self, username: str, password: str) -> str | None:
        return username if PASSWORDS.get(username.removesuffix("_ldap")) == password else None


class Accounts(IdentityProvider):
    def get_plugins(self) -> list[Any]:
        return [NativePasswordAuthPlugin(), InTheClear()]

    async def get_user(self, username: str) -> User | None:
        if username.endswith("_ldap"):
            return User(username, auth_plugin=InTheClear.name)
        password = PASSWORDS.get(username)
        hashed = password and NativePasswordAuthPlugin.create_auth_string(password)
        return User(username, auth_string=hashed, auth_plugin=NativePasswordAuthPlugin.name) if hashed else None


class Numbers(Session):
    """It has the tables `numbers` (n, name) and `missing`; of WHERE n = … it knows how to take the number."""

    async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:  # noqa: ARG002
        if "missing" in sql:
            raise MysqlError("Table 'missing' doesn't exist", ErrorCode.PARSE_ERROR)
        where = expression.find(exp.EQ)
        wanted = None if where is None else int(where.expression.name)
        rows = [(n, f"nömber {n}", None if n % 2 else n / 2) for n in range(1, 1001) if wanted in {None, n}]
        return ResultSet(
            rows=rows,
            columns=[
                ResultColumn("n", ColumnType.LONGLONG),
                ResultColumn("name", ColumnType.VARCHAR),
                ResultColumn("half", ColumnType.DOUBLE),
            ],
        )


class Mimic:
    """One server; close() ends it."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        # What it sends behind the parameters' definitions is right without CLIENT_DEPRECATE_EOF only.
        offered = DEFAULT_SERVER_CAPABILITIES & ~Capabilities.CLIENT_DEPRECATE_EOF
        self._server = MysqlServer(Numbers, capabilities=offered, identity_provider=Accounts())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.start_server(host="127.0.0.1", port=0))
        self.port = self._server.sockets()[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        """Its connections end by themselves: the clients have gone."""
        self._server.close()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=PATIENCE)
        await self._loop.shutdown_asyncgens()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)


@pytest.fixture(scope="session")
def mimic() -> Iterator[Mimic]:
    server = Mimic()
    yield server
    server.close()


@pytest.fixture
def connect(world: World, mimic: Mimic) -> Iterator[Callable[..., Any]]:
    opened: list[Any] = []

    def make(**changes: Any) -> Any:
        given = {"host": "127.0.0.1", "port": mimic.port, "user": "ann", "password": "secret", "timeout": PATIENCE}
        opened.append(world.connect(**given | changes))
        return opened[-1]

    yield make
    for connection in opened:
        connection.close()
    world.settle()
