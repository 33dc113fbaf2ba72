"""Throwaway real servers for tests, demonstrations and measurements.

    with mizzle.testing.Server.start() as server:
        connection = mizzle.connect(**server.connect_args())

A server starts in well under a second from a copied template, listens on a private Unix socket and a private port of
the loopback interface, and ends with the process that started it. Tests of pytest have it as the fixture
`mizzle_server`, and `mizzle_url` and `mizzle_connection` to a database of their own: `mizzle.testing.pytest_plugin`.

Knows how to run a server program. Must not know the protocol: it imports nothing of the driver.
"""

from ._programs import Program, ServerNotFound, find_program
from ._server import Account, Server, ServerFailed

__all__ = ["Account", "Program", "Server", "ServerFailed", "ServerNotFound", "find_program"]
