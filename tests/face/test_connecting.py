"""Connections that never come about; no server."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import mizzle
import mizzle.aio


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket that nobody serves yet."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def failing(**keywords: object) -> mizzle.Error:
    """The error of connecting; no socket is left over."""
    with pytest.raises(mizzle.Error) as caught:
        mizzle.connect(**{"host": "127.0.0.1", "user": "u", "connect_timeout": 5, **keywords})
    gc.collect()
    return caught.value


def test_closed_port(closed_port: int) -> None:
    error = failing(port=closed_port)
    assert isinstance(error, mizzle.OperationalError)
    assert error.args[0] == 2003
    assert f"127.0.0.1:{closed_port}" in error.args[1]
    assert "refused" in error.args[1]
    assert not error.sent
    assert not error.alive


def test_no_such_unix_socket(tmp_path: Path) -> None:
    error = failing(unix_socket=str(tmp_path / "no.sock"))
    assert error.args[0] == 2002
    assert "no.sock" in error.args[1]


def test_unknown_host() -> None:
    error = failing(host="no-such-host.invalid")
    assert error.args[0] == 2005
    assert "no-such-host.invalid" in error.args[1]


def test_a_peer_that_says_nothing(listener: socket.socket) -> None:
    error = failing(port=listener.getsockname()[1], connect_timeout=0.1)
    assert isinstance(error, mizzle.OperationalError)
    assert "timed out" in error.args[1]
    assert not error.alive


def test_a_peer_that_speaks_http(listener: socket.socket) -> None:
    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    error = failing(port=listener.getsockname()[1])
    thread.join()
    assert "HTTP" in error.args[1]


def test_a_peer_that_hangs_up(listener: socket.socket) -> None:
    def serve() -> None:
        listener.accept()[0].close()

    thread = threading.Thread(target=serve)
    thread.start()
    error = failing(port=listener.getsockname()[1])
    thread.join()
    assert isinstance(error, mizzle.OperationalError)
    assert not error.alive


def test_unknown_keyword() -> None:
    with pytest.raises(TypeError, match="passwort"):
        mizzle.connect(passwort="x")


@pytest.mark.parametrize("name", ["asyncio", "nonsense"])
def test_a_world_of_the_other_face(name: str) -> None:
    with pytest.raises((mizzle.NotSupportedError, ValueError), match=name):
        mizzle.connect(world=name)


def test_a_synchronous_world_for_aio() -> None:
    async def main() -> None:
        with pytest.raises(mizzle.NotSupportedError, match="threads"):
            await mizzle.aio.connect(world="threads")

    asyncio.run(main())


def test_aio_errors(closed_port: int, tmp_path: Path) -> None:
    async def main() -> None:
        for errno, where in (
            (2003, {"host": "127.0.0.1", "port": closed_port}),
            (2002, {"unix_socket": str(tmp_path / "no.sock")}),
            (2005, {"host": "no-such-host.invalid"}),
        ):
            with pytest.raises(mizzle.OperationalError) as caught:
                await mizzle.aio.connect(user="u", connect_timeout=5, **where)
            assert caught.value.args[0] == errno

    asyncio.run(main())
