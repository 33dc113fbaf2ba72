"""A program in a network namespace of its own: a pool and a server on two sides of a wire that is pulled.

`unshare --net python -m pool.silent_network FAMILY WORLD…` prints the worlds that came through. The server is in the
namespace in which the program begins, and behind a relay that always forwards; the pool is in another one.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from typing import Any

from mizzle.testing import Server
from plugins.matrix import WORLDS
from plugins.worlds import World
from pool.silent_line import LIMITS, MEMBERS, Relay, suffer

CLONE_NEWNET = 0x40000000
#: Addresses for documentation (RFC 5737): nobody has them.
CLIENT, SERVER = "192.0.2.1", "192.0.2.2"


def ip(*arguments: str, inside: int | None = None) -> None:
    """Run ip, in the network namespace of that process or thread."""
    prefix = ["nsenter", f"--net=/proc/{inside}/ns/net"] if inside else []
    subprocess.run([*prefix, "ip", *arguments], check=True)


class Wire:
    """The end on the server's side, which can be pulled."""

    def __init__(self, side: int) -> None:
        self._side = side

    def silence(self) -> None:
        ip("link", "set", "far", "down", inside=self._side)

    def speak(self) -> None:
        ip("link", "set", "far", "up", inside=self._side)


def lay_wire(side: int) -> None:
    """Leave the server's namespace, in this thread, for a new one, and connect the two."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(side))
    ip("address", "add", f"{CLIENT}/24", "dev", "near")
    ip("address", "add", f"{SERVER}/24", "dev", "far", inside=side)
    ip("link", "set", "near", "up")
    ip("link", "set", "far", "up", inside=side)


def run(world: World, settings: dict[str, Any], wire: Wire) -> None:
    world.enter()
    size = {"min_size": MEMBERS, "max_size": MEMBERS}
    lending = world.pool(**settings | LIMITS | size, acquire_timeout=LIMITS["timeout"])
    suffer(world, lending, wire)
    lending.close()
    world.settle()
    world.leave()


def main(family: str, *names: str) -> None:
    ip("link", "set", "lo", "up")
    with Server.start(family) as server, Relay(server.port, "0.0.0.0") as relay:
        side = relay.native_id
        lay_wire(side)
        settings = server.connect_args(ssl_mode="disabled", autocommit=True, host=SERVER, port=relay.port)
        for name in names:
            run(WORLDS[name](), settings, Wire(side))
            print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
