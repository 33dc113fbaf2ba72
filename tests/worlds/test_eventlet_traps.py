"""What only eventlet can do to a connection: hubs, listeners, timers, dying green threads, patched processes."""

from __future__ import annotations

import os
import socket
import threading
import warnings
from typing import Any

import pytest
from habitats import Eventlet, eventlet
from peers import Link, Peer
from processes import in_a_process
from toy import Engine

from mizzle import errors
from mizzle.worlds import Endpoint, resolve

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from eventlet import hubs

HUBS = ("epolls", "poll", "selects", "asyncio")


def connect(peer: Peer) -> Any:
    channel = resolve("eventlet").open_channel(peer.endpoint, 10)
    channel.engine = Engine()
    return channel


def ask(channel: Any, question: bytes, timeout: float | None = None) -> Any:
    return channel.run(channel.engine.ask(question), timeout)


def registered(number: int) -> int:
    hub = hubs.get_hub()
    return sum(number in hub.listeners[kind] for kind in (hub.READ, hub.WRITE))


def test_nothing_stays_in_the_hub(peer: Peer) -> None:
    channel = connect(peer)
    number = channel.fileno()
    assert registered(number) == 0
    for _ in range(3):
        ask(channel, b"hello", 30)
    assert registered(number) == 1
    ask(channel, b"q" * 5_000_000)
    assert registered(number) == 1
    timer = channel._watchdog._timer
    assert timer.pending
    channel.abort()
    assert registered(number) == 0
    assert not timer.pending


def test_one_timer_for_many_commands(peer: Peer) -> None:
    channel = connect(peer)
    hub = hubs.get_hub()
    before = hub.get_timers_count()
    for _ in range(50):
        ask(channel, b"hello", 30)
    assert hub.get_timers_count() <= before + 1
    channel.abort()


def test_the_hubs_own_greenlet_is_refused(peer: Peer) -> None:
    channel = connect(peer)
    outcome = eventlet.event.Event()

    def in_the_hub() -> None:
        try:
            ask(channel, b"hello")
        except errors.InterfaceError as refusal:
            outcome.send(refusal)

    hubs.get_hub().schedule_call_global(0, in_the_hub)
    assert "hub's own greenlet" in str(outcome.wait())
    assert ask(channel, b"hello") == [b"hello"]
    channel.abort()


def test_another_threads_hub_is_refused(peer: Peer) -> None:
    channel = connect(peer)
    refusals = []

    def elsewhere() -> None:
        try:
            ask(channel, b"hello")
        except errors.InterfaceError as refusal:
            refusals.append(str(refusal))

    thread = threading.Thread(target=elsewhere, name="elsewhere")
    thread.start()
    thread.join()
    assert "'MainThread'" in refusals[0]
    assert "'elsewhere'" in refusals[0]
    assert ask(channel, b"hello") == [b"hello"]
    channel.abort()


def test_many_threads_each_with_its_hub(peer: Peer) -> None:
    answers = []

    def work() -> None:
        channels = [connect(peer) for _ in range(3)]
        greens = [eventlet.spawn(ask, channel, b"hello", 10) for channel in channels]
        answers.extend(green.wait() for green in greens)
        for channel in channels:
            channel.abort()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[b"hello"]] * 12


def test_a_timeout_of_eventlet() -> None:
    def silent(link: Link) -> None:
        link.hear()
        link.wait_for_end()

    with Peer(silent) as quiet:
        channel = connect(quiet)
        with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.05):
            ask(channel, b"hello")
        assert channel.closed


def test_a_green_thread_that_dies_of_our_answer_harms_nobody(peer: Peer, capfd: pytest.CaptureFixture[str]) -> None:
    """Its exception ends in our callback. The hub would take that for the connection's."""
    channel = connect(peer)

    def die() -> None:
        ask(channel, b"hello")
        raise ValueError("a mistake in the program")

    green = eventlet.spawn(die)
    with pytest.raises(ValueError, match="mistake"):
        green.wait()
    assert ask(channel, b"still there") == [b"still there"]
    channel.abort()
    printed = capfd.readouterr().err
    assert "a mistake in the program" in printed  # as for any green thread
    assert "Removing descriptor" not in printed


def test_our_failures_are_the_owners_alone(capfd: pytest.CaptureFixture[str]) -> None:
    def disorder(link: Link) -> None:
        link.hear()
        link.say(b"?what")
        link.wait_for_end()

    with Peer(disorder) as peer:
        channel = connect(peer)
        with pytest.raises(errors.MalformedPacket):
            ask(channel, b"hello")
        eventlet.sleep(0)
    assert not capfd.readouterr().err


def test_a_stray_switch_is_not_taken_for_an_answer() -> None:
    def late(link: Link) -> None:
        question = link.hear() or b""
        link.signal("heard")
        link.wait_for("nudged")
        link.say(question)
        link.wait_for_end()

    with Peer(late) as peer:
        channel = connect(peer)
        green = eventlet.spawn(ask, channel, b"hello", 10)
        assert eventlet.tpool.execute(peer.event("heard").wait, 10)
        for _ in range(3):
            hubs.get_hub().schedule_call_global(0, green.switch)
            eventlet.sleep(0)
        peer.event("nudged").set()
        assert green.wait() == [b"hello"]
        channel.abort()


def test_a_number_closed_behind_our_back(peer: Peer) -> None:
    """Somebody closes our descriptor, and another socket gets its number: it is not ours to read or close."""
    channel = connect(peer)
    assert ask(channel, b"hello") == [b"hello"]
    number = channel.fileno()
    os.close(number)
    one, other = socket.socketpair()
    assert number in (one.fileno(), other.fileno())
    hubs.notify_opened(number)
    eventlet.sleep(0)
    assert channel.closed
    one.sendall(b"x")
    assert other.recv(1) == b"x"
    with pytest.raises(errors.OperationalError, match="idle"):
        ask(channel, b"again")
    one.close()
    other.close()


PROGRAM = """
    import sys
    import eventlet
    if sys.argv[1] == "patched":
        eventlet.monkey_patch()
    else:
        eventlet.hubs.use_hub(sys.argv[1])
    from mizzle import errors
    from mizzle.worlds import Endpoint, resolve
    from toy import Engine
    import _socket

    def connect(port):
        channel = world.open_channel(Endpoint("127.0.0.1", port), 10)
        channel.engine = Engine()
        return channel

    def ask(channel, question, timeout=10):
        return channel.run(channel.engine.ask(question), timeout)

    world = resolve("auto" if sys.argv[1] == "patched" else "eventlet")
    assert world.__name__ == "mizzle.worlds.eventlet", world
    echoing, silent = map(int, sys.argv[2:])
    channels = [connect(echoing) for _ in range(10)]
    assert type(channels[0]._sock) is _socket.socket
    for size in (10, 3_000_000):
        greens = [eventlet.spawn(ask, channel, b"x" * size) for channel in channels]
        assert all(green.wait() == [b"x" * size] for green in greens)
    def failure(*args):
        try:
            return ask(*args)
        except errors.OperationalError as failure:
            return str(failure)

    quiet = connect(silent)
    waiter = eventlet.spawn(failure, quiet, b"hello")
    eventlet.sleep(0)
    quiet.abort()
    assert "aborted" in waiter.wait()
    assert "timed out" in failure(connect(silent), b"hello", 0.05)
    for channel in channels:
        channel.abort()
    print("good")
"""


@pytest.mark.parametrize("hub", [*HUBS, "patched"])
def test_every_hub_and_a_patched_process(peer: Peer, hub: str) -> None:
    def silent(link: Link) -> None:
        while link.hear() is not None:
            pass

    with Peer(silent) as quiet:
        # the peers are this process's: a patched one has no native threads to spare
        assert in_a_process(PROGRAM, hub, str(peer.endpoint.port), str(quiet.endpoint.port)) == "good"


def test_threads_in_a_patched_process(peer: Peer) -> None:
    """Asked for by name, as for use in a native thread: blocking sockets, whatever `socket` and `select` are."""
    program = """
        import sys
        import eventlet
        eventlet.monkey_patch()
        from eventlet import tpool
        from mizzle.worlds import Endpoint, resolve
        from toy import Engine

        def work():
            channel = resolve("threads").open_channel(Endpoint("127.0.0.1", int(sys.argv[1])), 10)
            channel.engine = Engine()
            answer = channel.run(channel.engine.ask(b"x" * 8_000_000), 20)
            channel.abort()
            return len(answer[0])

        print(tpool.execute(work))
    """
    assert in_a_process(program, str(peer.endpoint.port)) == "8000000"


def test_no_hub_is_needed_to_import_the_others() -> None:
    program = """
        import sys
        from mizzle.worlds import resolve
        assert resolve("auto").__name__ == "mizzle.worlds.threads"
        resolve("scripted")
        print([name for name in ("eventlet", "gevent", "asyncio", "trio", "greenlet") if name in sys.modules])
    """
    assert in_a_process(program) == "[]"


def test_eventlet_habitat_is_not_patched() -> None:
    assert not eventlet.patcher.is_monkey_patched("socket")
    assert Eventlet.name == "eventlet"
    assert Endpoint().port == 3306
