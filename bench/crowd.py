"""A server that lets everybody in and answers little, for more connections than a real one can hold.

`running()` starts it as a process of its own, with a selector and no thread for each: what it holds is not the
client's. It greets as MySQL 8.0 does, asks for no password, answers a SELECT with one row of three columns and
everything else with OK.
"""

from __future__ import annotations

import resource
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.task import Settings
from mizzle.constants import capabilities as cap

CAPABILITIES = (
    cap.CLIENT_MYSQL
    | cap.CLIENT_LONG_FLAG
    | cap.CLIENT_CONNECT_WITH_DB
    | cap.CLIENT_PROTOCOL_41
    | cap.CLIENT_TRANSACTIONS
    | cap.CLIENT_SECURE_CONNECTION
    | cap.CLIENT_MULTI_STATEMENTS
    | cap.CLIENT_MULTI_RESULTS
    | cap.CLIENT_PLUGIN_AUTH
    | cap.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
)
AUTOCOMMIT = b"\x02\x00"
OK = b"\x00\x00\x00" + AUTOCOMMIT + b"\x00\x00"
EOF = b"\xfe\x00\x00" + AUTOCOMMIT
COM_QUIT, COM_QUERY = 1, 3
#: What Python itself and the drivers need beside the connections.
SPARE = 100


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes((number,)) + payload


def lenenc(text: bytes) -> bytes:
    return bytes((len(text),)) + text


def greeting(number: int) -> bytes:
    """Protocol::HandshakeV10."""
    nonce = bytes(range(1, 21))
    return packet(
        0,
        b"\x0a8.0.43\0"
        + number.to_bytes(4, "little")
        + nonce[:8]
        + b"\0"
        + (CAPABILITIES & 0xFFFF).to_bytes(2, "little")
        + b"\xff"
        + AUTOCOMMIT
        + (CAPABILITIES >> 16).to_bytes(2, "little")
        + b"\x15"
        + bytes(10)
        + nonce[8:]
        + b"\0mysql_native_password\0",
    )


def column(name: bytes) -> bytes:
    """Protocol::ColumnDefinition41 of a VARCHAR."""
    names = (b"def", b"bench", b"bench_rows", b"bench_rows", name, name)
    return b"".join(map(lenenc, names)) + b"\x0c\xff\x00\xa0\x00\x00\x00\xfd\x01\x10\x00\x00\x00"


COLUMNS = tuple(map(column, (b"id", b"name", b"price")))


def one_row() -> bytes:
    row = b"".join(map(lenenc, (b"1", b"customer number 0", b"0.00")))
    return b"".join(packet(number, part) for number, part in enumerate((b"\x03", *COLUMNS, EOF, row, EOF), 1))


ROW = one_row()


class Guest:
    """One connection: what came of a packet that is not whole yet."""

    __slots__ = ("let_in", "rest", "sock")

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.rest = b""
        self.let_in = False
        sock.sendall(greeting(number))

    def hear(self) -> bool:
        """Answer what has come; False when that was the end."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            return False
        data = self.rest + data
        if len(data) == len(self.rest):
            return False
        answers = b""
        while len(data) >= 4 and len(data) >= (end := 4 + int.from_bytes(data[:3], "little")):
            command = data[4:end]
            if self.let_in and command[0] == COM_QUIT:
                return False
            answers += self.answer(data[3] + 1, command)
            data = data[end:]
        self.rest = data
        self.sock.sendall(answers)
        return True

    def answer(self, number: int, command: bytes) -> bytes:
        if self.let_in and command[0] == COM_QUERY and command[1:7].upper() == b"SELECT":
            return ROW
        self.let_in = True
        return packet(number, OK)


def serve() -> None:
    """Until the standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    number = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                number += 1
                guest = Guest(listener.accept()[0], number)
                selector.register(guest.sock, selectors.EVENT_READ, guest)
            elif not key.data.hear():
                selector.unregister(key.fileobj)
                key.data.sock.close()


def make_room(connections: int) -> None:
    """Let this process, and those it starts, have that many descriptors and some."""
    needed = connections + SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise RuntimeError(f"{connections} connections want {needed} descriptors, ulimit -Hn is {hard}")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextmanager
def running(settings: Settings, connections: int) -> Iterator[Settings]:
    """Such a server, with room for so many; the settings that lead to it."""
    make_room(connections)
    command = [sys.executable, "-m", "bench.crowd"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        port = int(server.stdout.readline())
        yield replace(settings, host="127.0.0.1", port=port)
        server.stdin.close()


if __name__ == "__main__":
    serve()
