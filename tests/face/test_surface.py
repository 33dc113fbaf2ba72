"""Both faces have the same names and signatures; the public ones are documented."""

from __future__ import annotations

import inspect

import pytest

from mizzle import aio, sync

CLASSES = [
    "Connection", "Cursor", "DictCursor", "NullPool", "Pool", "ServerCursor", "ServerDictCursor", "Statement",
    "StreamingCursor", "StreamingDictCursor", "Transaction",
]  # fmt: skip
RENAMED = {"__aenter__": "__enter__", "__aexit__": "__exit__"}


def test_both_export_the_same() -> None:
    assert aio.__all__ == sync.__all__ == [*CLASSES, "connect"]


@pytest.mark.parametrize("name", CLASSES)
def test_same_members(name: str) -> None:
    asynchronous, synchronous = (
        {key: value for key, value in vars(getattr(module, name)).items() if key != "__static_attributes__"}
        for module in (aio, sync)
    )
    assert {RENAMED.get(key, key) for key in asynchronous} == set(synchronous)
    for key, value in asynchronous.items():
        twin = synchronous[RENAMED.get(key, key)]
        if inspect.isfunction(value):
            assert list(inspect.signature(value).parameters) == list(inspect.signature(twin).parameters), key


@pytest.mark.parametrize("name", CLASSES)
def test_public_methods_are_documented(name: str) -> None:
    for key, value in vars(getattr(aio, name)).items():
        if not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{name}.{key} has no docstring"


def test_connections_and_cursors_can_be_patched() -> None:
    for cls in (sync.Connection, sync.Cursor, aio.Connection, aio.Cursor):
        assert "__dict__" in dir(cls)
        assert not cls.__flags__ & (1 << 8), "an immutable type cannot be patched"


def test_ping_does_not_take_reconnect() -> None:
    parameters = inspect.signature(sync.Connection.ping).parameters
    assert list(parameters) == ["self", "timeout"]
    assert parameters["timeout"].kind is inspect.Parameter.KEYWORD_ONLY
