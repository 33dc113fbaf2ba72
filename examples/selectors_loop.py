"""Any loop can drive the engine: here a bare `selectors` loop works several connections at once, without a world.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/selectors_loop.py

Link and drive() are the contract of mizzle.worlds at its shortest. A world also keeps deadlines, refuses a second user
and knows how its sockets end.
"""

import os
import selectors
import socket
from collections.abc import Generator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, TypeAlias

from mizzle.engine.conversations import DONE, READ, Conversation, Engine
from mizzle.engine.wire import ReceiveBuffer
from mizzle.options import connect_options

Work: TypeAlias = "Generator[Conversation[Any], Any, None]"


class Link:
    """One connection, and the conversations of its work, one after the other."""

    def __init__(self, sock: socket.socket, engine: Engine, work: Work) -> None:
        self.sock, self.wire, self.work = sock, engine.wire, work
        self.conversation: Conversation[Any] | None = None
        self.want = DONE

    def go_on(self, events: int, buffer: ReceiveBuffer) -> int:
        """Do what the socket is ready for, then all that needs no socket. Returns what to wait for; 0: all is done."""
        wire = self.wire
        if self.conversation and events & EVENT_READ:
            n = self.sock.recv_into(wire.space(buffer))
            if n == 0:
                raise self.conversation.lost()
            wire.received(n)
        if wire.outgoing and events & EVENT_WRITE:
            wire.sent(self.sock.send(wire.outgoing))
        while not wire.outgoing:
            if self.want == DONE:
                try:
                    self.conversation = self.work.send(self.conversation.result if self.conversation else None)
                except StopIteration:
                    return 0
            assert self.conversation
            self.want = self.conversation.advance()
            if self.want == READ and not wire.outgoing:
                return EVENT_READ
        wire.keep()  # nothing stays in the shared buffer while we wait to send
        return EVENT_READ | EVENT_WRITE


def drive(links: list[Link]) -> None:
    """Until the work of all of them is done."""
    buffer, selector = ReceiveBuffer(), selectors.DefaultSelector()
    for link in links:
        selector.register(link.sock, link.go_on(0, buffer), link)
    while selector.get_map():
        for key, events in selector.select():
            if wanted := key.data.go_on(events, buffer):
                selector.modify(key.fileobj, wanted, key.data)
            else:
                selector.unregister(key.fileobj)
                key.data.sock.close()


def sleepers(engine: Engine, number: int) -> Work:
    """What each connection does: log in, two queries, leave."""
    yield engine.connect()
    for seconds in (0.2, 0.1):
        result = yield engine.query(b"SELECT CONNECTION_ID(), SLEEP(%g)" % seconds)
        print(f"link {number}: connection {result.rows[0][0]} slept {seconds} s beside the others")
    yield engine.quit()


def main() -> None:
    options = connect_options(url=os.environ["MIZZLE_URL"])
    links = []
    for number in range(5):
        sock = socket.create_connection((options.host, options.port))
        sock.setblocking(False)
        engine = Engine(options)
        links.append(Link(sock, engine, sleepers(engine, number)))
    drive(links)


if __name__ == "__main__":
    main()
