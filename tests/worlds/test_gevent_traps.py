"""What only gevent can do to a connection: hubs, watchers, timers, dying greenlets, patched and forked processes."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from typing import Any

import gevent
import gevent.event
import gevent.os
import pytest
from peers import Link, Peer
from processes import in_a_process
from toy import Engine

from mizzle import errors
from mizzle.worlds import resolve
from mizzle.worlds.gevent import Signal, spawn


def connect(peer: Peer) -> Any:
    channel = resolve("gevent").open_channel(peer.endpoint, 10)
    channel.engine = Engine()
    return channel


def ask(channel: Any, question: bytes, timeout: float | None = None) -> Any:
    return channel.run(channel.engine.ask(question), timeout)


def silent(link: Link) -> None:
    while link.hear() is not None:
        link.signal("heard")


def wait_for(event: threading.Event) -> None:
    assert gevent.get_hub().threadpool.apply(event.wait, (10,))


def elsewhere(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function, name="elsewhere")
    thread.start()
    thread.join()


def test_nothing_stays_started(peer: Peer) -> None:
    channel = connect(peer)
    assert channel._listener is None
    ask(channel, b"hello", 30)
    watcher = channel._listener.watcher
    timer = channel._watchdog._timer._watcher
    ask(channel, b"q" * 5_000_000, 30)
    assert channel._listener.watcher is watcher
    assert channel._watchdog._timer._watcher is timer
    assert watcher.active
    assert timer.active
    assert channel._writer is None
    channel.abort()
    assert not watcher.active
    assert not timer.active


def test_an_idle_connection_does_not_count_as_work(peer: Peer) -> None:
    """gevent.wait() ends when nothing is left to do; a connection that is kept for later does not keep it up."""
    channel = connect(peer)
    ask(channel, b"hello", 30)
    assert gevent.wait(timeout=10)
    channel.abort()


def test_a_waiting_command_counts_as_work() -> None:
    """Else whoever waits for it and for nothing else would get LoopExit."""

    def late(link: Link) -> None:
        question = link.hear() or b""
        link.signal("heard")
        link.wait_for("all else has ended")
        link.say(question)
        link.wait_for_end()

    def release(peer: Peer) -> None:
        peer.event("heard").wait(10)
        peer.event("all else has ended").set()

    with Peer(late) as peer:
        channel = connect(peer)
        native = threading.Thread(target=release, args=(peer,))
        native.start()
        assert ask(channel, b"hello") == [b"hello"]
        native.join()
        channel.abort()


def test_the_hubs_own_greenlet_is_refused(peer: Peer) -> None:
    channel = connect(peer)
    outcome = gevent.event.AsyncResult()

    def in_the_hub() -> None:
        try:
            ask(channel, b"hello")
        except errors.InterfaceError as refusal:
            outcome.set(refusal)

    gevent.get_hub().loop.run_callback(in_the_hub)
    assert "hub's own greenlet" in str(outcome.get())
    assert ask(channel, b"hello") == [b"hello"]
    channel.abort()


def test_another_threads_hub_is_refused(peer: Peer) -> None:
    channel = connect(peer)
    refusals = []

    def use() -> None:
        try:
            ask(channel, b"hello")
        except errors.InterfaceError as refusal:
            refusals.append(str(refusal))
        gevent.get_hub().destroy()

    elsewhere(use)
    assert "'MainThread'" in refusals[0]
    assert "'elsewhere'" in refusals[0]
    assert ask(channel, b"hello") == [b"hello"]
    channel.abort()


def test_a_hub_that_was_destroyed_first(peer: Peer) -> None:
    """Its watchers are gone with it: all that is left is to close the socket."""
    found = []

    def use() -> None:
        channel = connect(peer)
        ask(channel, b"hello", 30)
        gevent.get_hub().destroy(destroy_loop=True)
        with pytest.raises(errors.InterfaceError, match="destroyed"):
            ask(channel, b"hello")
        gevent.get_hub().destroy(destroy_loop=True)
        channel.abort()
        found.append(channel._sock.fileno())

    elsewhere(use)
    assert found == [-1]


def test_a_timeout_of_gevent() -> None:
    with Peer(silent) as quiet:
        channel = connect(quiet)
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
            ask(channel, b"hello")
        assert channel.closed


def test_a_greenlet_that_dies_of_our_answer_harms_nobody(peer: Peer, capfd: pytest.CaptureFixture[str]) -> None:
    """A raw one's exception ends in our callback. The hub would stop the watcher for it."""
    channel = connect(peer)
    ended = gevent.event.Event()

    def die() -> None:
        ask(channel, b"hello")
        ended.set()
        raise ValueError("a mistake in the program")

    gevent.spawn_raw(die)
    assert ended.wait(10)
    assert ask(channel, b"still there") == [b"still there"]
    channel.abort()
    assert "a mistake in the program" in capfd.readouterr().err  # as for any greenlet


def test_our_failures_are_the_owners_alone(capfd: pytest.CaptureFixture[str]) -> None:
    def disorder(link: Link) -> None:
        link.hear()
        link.say(b"?what")
        link.wait_for_end()

    with Peer(disorder) as peer:
        channel = connect(peer)
        with pytest.raises(errors.MalformedPacket):
            ask(channel, b"hello")
        gevent.sleep(0)
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
        green = gevent.spawn(ask, channel, b"hello", 10)
        wait_for(peer.event("heard"))
        for _ in range(3):
            gevent.get_hub().loop.run_callback(green.switch)
            gevent.sleep(0)
        peer.event("nudged").set()
        assert green.get() == [b"hello"]
        channel.abort()


def test_forgotten_while_another_thread_collects(peer: Peer) -> None:
    """__del__ runs where the collector happens to run: the watcher is left to its own hub."""
    channels = [connect(peer)]
    ask(channels[0], b"hello", 30)
    watcher = channels[0]._listener.watcher
    gevent.sleep(0)

    def forget() -> None:
        channels.clear()
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed connection"):
        elsewhere(forget)
    with gevent.Timeout(10):
        while watcher.active:
            gevent.sleep(0)


def test_a_forked_child_does_not_listen(peer: Peer) -> None:
    """It has a copy of the hub and of the watcher: what the parent is told must reach the parent."""
    channel = connect(peer)
    ask(channel, b"hello", 30)
    child = gevent.os.fork_gevent()  # fork() would reap it where we wait for it
    if child == 0:
        status = 1
        try:
            with gevent.Timeout(10):
                while channel._listener.watcher.active:
                    gevent.sleep(0)
            status = 0
        finally:
            os._exit(status)
    ended = (0, 0)
    while ended == (0, 0):
        assert ask(channel, b"hello", 10) == [b"hello"]
        ended = os.waitpid(child, os.WNOHANG)
    assert ended == (child, 0)
    channel.abort()


def test_a_signal_and_work_beside(caplog: pytest.LogCaptureFixture) -> None:
    signal = Signal()
    assert not signal.wait(0)

    def work() -> None:
        signal.set()
        raise ValueError("a mistake")

    spawn(work, "the work")
    assert signal.wait(10)
    assert signal.is_set
    assert signal.wait(0)
    assert "the work failed" in caplog.text
    assert "a mistake" in caplog.text


PROGRAM = """
    import os
    import sys
    import gevent
    if sys.argv[1] == "patched":
        import gevent.monkey
        gevent.monkey.patch_all()
    from mizzle import errors
    from mizzle.worlds import Endpoint, resolve
    from toy import Engine
    import _socket

    def connect(port):
        channel = world.open_channel(Endpoint("localhost", port), 10)
        channel.engine = Engine()
        return channel

    def ask(channel, question, timeout=10):
        return channel.run(channel.engine.ask(question), timeout)

    world = resolve("auto" if sys.argv[1] == "patched" else "gevent")
    assert world.__name__ == "mizzle.worlds.gevent", world
    echoing, silent = map(int, sys.argv[2:])
    channels = [connect(echoing) for _ in range(10)]
    assert type(channels[0]._sock) is _socket.socket
    for size in (10, 3_000_000):
        greens = [gevent.spawn(ask, channel, b"x" * size) for channel in channels]
        assert all(green.get() == [b"x" * size] for green in greens)
    def failure(*args):
        try:
            return ask(*args)
        except errors.OperationalError as failure:
            return str(failure)

    quiet = connect(silent)
    waiter = gevent.spawn(failure, quiet, b"hello")
    gevent.sleep(0)
    quiet.abort()
    assert "aborted" in waiter.get()
    assert "timed out" in failure(connect(silent), b"hello", 0.05)
    for channel in channels:
        channel.abort()
    print("good")
"""


@pytest.mark.parametrize("loop", ["libev-cext", "libev-cffi", "libuv-cffi", "patched"])
def test_every_loop_and_a_patched_process(peer: Peer, loop: str) -> None:
    with Peer(silent) as quiet:
        ports = (str(peer.endpoint.port), str(quiet.endpoint.port))
        assert in_a_process(PROGRAM, loop, *ports, GEVENT_LOOP="libev-cext" if loop == "patched" else loop) == "good"


def test_threads_in_a_patched_process(peer: Peer) -> None:
    """Asked for by name, as for use in a native thread: blocking sockets, whatever `socket` and `select` are."""
    program = """
        import sys
        import gevent.monkey
        gevent.monkey.patch_all()
        from mizzle.worlds import Endpoint, resolve
        from toy import Engine

        def work():
            channel = resolve("threads").open_channel(Endpoint("127.0.0.1", int(sys.argv[1])), 10)
            channel.engine = Engine()
            answer = channel.run(channel.engine.ask(b"x" * 8_000_000), 20)
            channel.abort()
            return len(answer[0])

        print(gevent.get_hub().threadpool.apply(work))
    """
    assert in_a_process(program, str(peer.endpoint.port)) == "8000000"
