"""Several worlds in one process: a hub or loop to each thread, and eventlet and asyncio on one loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import gevent
from habitats import Asyncio, Eventlet, Gevent, Threads, Trio
from peers import Peer
from processes import in_a_process

KINDS = (Threads, Eventlet, Gevent, Asyncio, Trio)


def test_many_hubs_and_loops_in_many_threads(peer: Peer) -> None:
    """Each thread its own: one process may have all of them at once."""
    failures: list[BaseException] = []

    async def talk(habitat: Any) -> None:
        channels = [await habitat.open(peer.endpoint, 10) for _ in range(3)]
        for _ in range(20):
            for channel in channels:
                assert await habitat.talk(channel, channel.engine.ask(b"hello"), 10) == [b"hello"]
        for channel in channels:
            channel.abort()

    def thread(kind: Callable[[], Any]) -> None:
        try:
            habitat = kind()
            habitat.run(talk(habitat))
            if habitat.name == "gevent":
                gevent.get_hub().destroy(destroy_loop=True)
        except BaseException as failure:  # noqa: BLE001 - raised by the test
            failures.append(failure)

    threads = [threading.Thread(target=thread, args=(kind,)) for kind in (*KINDS, *KINDS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failures


def test_eventlet_and_asyncio_on_one_loop(peer: Peer) -> None:
    """eventlet's asyncio hub runs coroutines too: connections of both worlds share its loop, and this process."""
    program = """
        import sys
        import eventlet
        eventlet.hubs.use_hub("asyncio")
        from eventlet.asyncio import spawn_for_awaitable
        from mizzle.worlds import Endpoint, resolve, resolve_async
        from toy import Engine

        endpoint = Endpoint("127.0.0.1", int(sys.argv[1]))

        def in_a_green_thread(number):
            channel = resolve("eventlet").open_channel(endpoint, 10)
            channel.engine = Engine()
            for _ in range(20):
                answer = channel.run(channel.engine.ask(b"green %d" % number), 10)
            channel.abort()
            return answer

        async def in_a_task(number):
            channel = await resolve_async("auto").open_channel(endpoint, 10)
            channel.engine = Engine()
            for _ in range(20):
                answer = await channel.run(channel.engine.ask(b"task %d" % number), 10)
            channel.abort()
            return answer

        greens = [eventlet.spawn(in_a_green_thread, number) for number in range(5)]
        tasks = [spawn_for_awaitable(in_a_task(number)) for number in range(5)]
        assert [green.wait() for green in greens] == [[b"green %d" % number] for number in range(5)]
        assert [task.wait() for task in tasks] == [[b"task %d" % number] for number in range(5)]
        print("good")
    """
    assert in_a_process(program, str(peer.endpoint.port)) == "good"
