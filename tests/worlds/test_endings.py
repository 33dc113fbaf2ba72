"""How conversations and connections end: too late, interrupted, hung up on, aborted, forgotten, forked."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from habitats import Eventlet, Gevent, Habitat, Threads, turn, turns
from peers import PATIENCE, Link, Peer
from toy import Engine, Wire

from mizzle import errors
from mizzle.worlds import Endpoint


def silent(link: Link) -> None:
    """Takes every question and answers none."""
    while link.hear() is not None:
        link.signal("heard")


def file_behind(number: int) -> str:
    """What a descriptor stands for: the number alone may be another's by now."""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        return "closed"


def test_a_deadline(habitat: Habitat) -> None:
    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.OperationalError, match="ASK timed out") as caught:
            await habitat.talk(channel, channel.engine.ask(b"anybody?"), 0.05)
        assert not caught.value.alive
        assert channel.closed
        assert isinstance(channel.engine.broken, TimeoutError)
        with pytest.raises(errors.ConnectionClosed, match="timed out"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 0.05)

    with Peer(silent) as peer:
        habitat.run(test(peer))


def test_a_deadline_over_many_waits(habitat: Habitat) -> None:
    """Each answer comes soon enough, all together do not."""

    def drip(link: Link) -> None:
        link.hear()
        while not link.peer.event("over").wait(0.01):
            link.say(b"drop")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.OperationalError, match="timed out"):
            await habitat.talk(channel, channel.engine.ask(b"go", 100_000), 0.2)
        peer.event("over").set()

    with Peer(drip) as peer:
        habitat.run(test(peer))


def test_a_deadline_while_sending(habitat: Habitat) -> None:
    def deaf(link: Link) -> None:
        link.wait_for("over")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.OperationalError, match="timed out"):
            await habitat.talk(channel, channel.engine.ask(b"q" * 20_000_000), 0.1)
        peer.event("over").set()

    with Peer(deaf) as peer:
        habitat.run(test(peer))


def test_deadlines_that_are_met_leave_nothing_armed(habitat: Habitat) -> None:
    """A short deadline after a long one is kept, and none rings for a later command."""

    def last_is_late(link: Link) -> None:
        for _ in range(20):
            link.say(link.hear() or b"")
        link.hear()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        for number in range(20):
            assert await habitat.talk(channel, channel.engine.ask(b"x"), (60, 5, None)[number % 3]) == [b"x"]
        with pytest.raises(errors.OperationalError, match="lost"):
            await habitat.talk(channel, channel.engine.ask(b"last"), 30)

    with Peer(last_is_late) as peer:
        habitat.run(test(peer))


def test_an_interrupt_reaches_its_owner_and_ends_the_connection(habitat: Habitat) -> None:
    async def ask(channel: Any) -> None:
        await habitat.talk(channel, channel.engine.ask(b"long"), 20)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        task = habitat.spawn(ask(channel))
        await habitat.until(peer.event("heard"))
        task.interrupt()
        if isinstance(habitat, Threads):  # a blocked call is not interrupted from outside: let something come
            peer.event("answer").set()
        with pytest.raises(habitat.interrupt):
            await task.outcome()
        assert channel.closed
        with pytest.raises(errors.ConnectionClosed, match="interrupted ASK"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 1)

    def incomplete(link: Link) -> None:
        link.hear()
        link.signal("heard")
        link.wait_for("answer")
        with contextlib.suppress(ConnectionError):  # it may have been interrupted before it came to block
            link.sock.sendall(b"\x09\0\0\0half")
        link.wait_for_end()

    with Peer(incomplete if isinstance(habitat, Threads) else silent) as peer:
        habitat.run(test(peer))


def test_keyboard_interrupt_in_a_blocking_receive() -> None:
    habitat = Threads()

    def interrupt(link: Link) -> None:
        link.hear()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        link.wait_for_end()

    with Peer(interrupt) as peer:
        channel = habitat.world.open_channel(peer.endpoint)
        channel.engine = Engine()
        with pytest.raises(KeyboardInterrupt):
            channel.run(channel.engine.ask(b"forever"))
        assert channel.closed


def test_a_signal_that_raises_nothing_does_not_disturb() -> None:
    habitat = Threads()
    seen: list[int] = []

    def nudge(link: Link) -> None:
        question = link.hear() or b""
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        link.wait_for("seen")
        link.say(question)
        link.wait_for_end()

    def note(peer: Peer) -> None:
        seen.append(1)
        peer.event("seen").set()

    with Peer(nudge) as peer:
        before = signal.signal(signal.SIGUSR1, lambda *_: note(peer))
        try:
            channel = habitat.world.open_channel(peer.endpoint)
            channel.engine = Engine()
            assert channel.run(channel.engine.ask(b"hello"), 10) == [b"hello"]
        finally:
            signal.signal(signal.SIGUSR1, before)
        channel.abort()
    assert seen


@pytest.mark.parametrize("how", ["eof", "reset", "half a frame"])
def test_a_server_that_hangs_up(habitat: Habitat, how: str) -> None:
    def hang_up(link: Link) -> None:
        link.hear()
        if how == "half a frame":
            link.sock.sendall(b"\x09\0\0\0half")
        if how == "reset":
            link.reset()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.OperationalError, match="ASK lost") as caught:
            await habitat.talk(channel, channel.engine.ask(b"hello"), 10)
        assert caught.value.args[0] == 2013
        assert channel.closed
        with pytest.raises(errors.ConnectionClosed, match="lost earlier"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 1)

    with Peer(hang_up) as peer:
        habitat.run(test(peer))


@pytest.mark.parametrize("how", ["eof", "words", "words and eof", "reset"])
def test_an_idle_connection_ends_at_once(push_habitat: Habitat, how: str) -> None:
    habitat = push_habitat

    def end(link: Link) -> None:
        link.say(link.hear() or b"")
        link.wait_for("idle")
        if how.startswith("words"):
            link.say(b"you were idle")
        if how == "words":
            link.wait_for_end()
        if how == "reset":
            link.reset()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), 5)
        peer.event("idle").set()
        await turns(habitat, lambda: channel.closed)
        assert channel.broken is not None
        with pytest.raises(errors.OperationalError, match="idle") as caught:
            await habitat.talk(channel, channel.engine.ask(b"again"), 5)
        assert caught.value is channel.broken
        assert not caught.value.sent
        if how.startswith("words"):
            assert "you were idle" in str(caught.value)
        with pytest.raises(errors.ConnectionClosed, match="idle"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 5)

    with Peer(end) as peer:
        habitat.run(test(peer))


def test_idle_bytes_that_mean_nothing_are_no_matter(push_habitat: Habitat) -> None:
    """TLS has records of its own, of which the engine's filter leaves nothing."""
    habitat = push_habitat

    class Filtered(Wire):
        def received(self, n: int) -> None:
            super().received(n)
            self.own += bytes(self.shared[:n]).replace(b"noise", b"")
            self.fresh = 0

    def noisy(link: Link) -> None:
        link.say(link.hear() or b"")
        link.sock.sendall(b"noise")
        link.say(link.hear() or b"")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        channel.engine.wire = Filtered()
        for _ in range(2):
            assert await habitat.talk(channel, channel.engine.ask(b"hello"), 5) == [b"hello"]
            for _ in range(5):
                await turn(habitat)
        channel.abort()

    with Peer(noisy) as peer:
        habitat.run(test(peer))


def test_the_last_word_is_ours(habitat: Habitat) -> None:
    """The server closes as soon as it has heard it, which may be before we know that all is done."""

    def part(link: Link) -> None:
        assert link.hear() == b"bye"

    async def test(peer: Peer) -> None:
        for _ in range(20):
            channel = await habitat.open(peer.endpoint)
            await habitat.talk(channel, channel.engine.leave(), 5)
            channel.abort()

    with Peer(part) as peer:
        habitat.run(test(peer))


def test_what_a_server_said_to_an_idle_thread_is_the_next_answer() -> None:
    habitat = Threads()

    def end(link: Link) -> None:
        link.say(link.hear() or b"")
        link.say(b"!you were idle")
        link.signal("said")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), 5)
        await habitat.until(peer.event("said"))
        with pytest.raises(errors.ProgrammingError, match="you were idle"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 5)
        channel.abort()

    with Peer(end) as peer:
        habitat.run(test(peer))


def test_two_users(habitat: Habitat) -> None:
    async def ask(channel: Any) -> Any:
        return await habitat.talk(channel, channel.engine.ask(b"first"), 20)

    def late(link: Link) -> None:
        assert link.hear() == b"first"
        link.signal("heard")
        link.wait_for("refused")
        link.say(b"first")
        assert link.hear() == b"third"
        link.say(b"third")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        task = habitat.spawn(ask(channel))
        await habitat.until(peer.event("heard"))
        second = channel.engine.say(b"second")
        with pytest.raises(errors.InterfaceError, match=r"(?i)waits for ASK .* cannot run SAY") as caught:
            await habitat.talk(channel, second, 5)
        assert not caught.value.sent
        names = str(caught.value).split(" so that ")
        if not isinstance(habitat, (Eventlet, Gevent)):
            assert "'other'" in names[0]
            assert "'other'" not in names[1]
        else:
            assert hex(id(task.green)) in names[0]
        assert channel.engine.broken is None
        peer.event("refused").set()
        assert await task.outcome() == [b"first"]
        assert await habitat.talk(channel, channel.engine.ask(b"third"), 5) == [b"third"]
        channel.abort()

    with Peer(late) as peer:
        habitat.run(test(peer))


@pytest.mark.parametrize("timeout", [None, 20])
def test_abort_wakes_who_waits(habitat: Habitat, timeout: float | None) -> None:
    async def ask(channel: Any) -> Any:
        return await habitat.talk(channel, channel.engine.ask(b"long"), timeout)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        task = habitat.spawn(ask(channel))
        await habitat.until(peer.event("heard"))
        channel.abort()
        channel.abort()
        assert channel.closed
        with pytest.raises(errors.OperationalError, match="aborted"):
            await task.outcome()
        with pytest.raises(errors.ConnectionClosed, match="aborted"):
            await habitat.talk(channel, channel.engine.ask(b"again"), 1)

    with Peer(silent) as peer:
        habitat.run(test(peer))


def test_abort_from_another_thread(loop_habitat: Habitat) -> None:
    habitat = loop_habitat

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)

        def abort() -> None:
            peer.event("heard").wait(PATIENCE)
            channel.abort()

        thread = threading.Thread(target=abort)
        thread.start()
        with pytest.raises(errors.OperationalError, match="aborted"):
            await habitat.talk(channel, channel.engine.ask(b"long"), 20)
        thread.join()
        assert channel.closed

    with Peer(silent) as peer:
        habitat.run(test(peer))


def test_an_aborted_channel_never_touches_its_number_again(habitat: Habitat, peer: Peer) -> None:
    """The number goes to other sockets, which must neither get our bytes nor be closed by us."""

    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), 5)
        number = channel.fileno()
        peer.accept_no_more()
        channel.abort()
        for _ in range(3):
            await turn(habitat)
        pairs = [socket.socketpair() for _ in range(4)]
        assert number in [end.fileno() for pair in pairs for end in pair]
        channel.abort()
        with pytest.raises(errors.ConnectionClosed):
            await habitat.talk(channel, channel.engine.ask(b"again"), 5)
        del channel
        gc.collect()
        for _ in range(3):
            await turn(habitat)
        for one, other in pairs:
            one.sendall(b"x")
            assert other.recv(10) == b"x"
            one.close()
            other.close()

    habitat.run(test())


def test_numbers_are_used_again(habitat: Habitat, peer: Peer, open_files: Callable[[], int]) -> None:
    async def test() -> None:
        before = open_files()
        for _ in range(30):
            channel = await habitat.open(peer.endpoint, 5)
            assert await habitat.talk(channel, channel.engine.ask(b"hello"), 5) == [b"hello"]
            channel.abort()
        for _ in range(3):
            await turn(habitat)
        peer_side = 31 if open_files() > before + 1 else 0  # the peer may still have to notice
        assert open_files() <= before + 1 + peer_side

    habitat.run(test())


def forget(forgotten: list[object]) -> None:
    forgotten.clear()
    gc.collect()


def test_forgotten_connections_warn_and_close(habitat: Habitat) -> None:
    def until_end(link: Link) -> None:
        while (question := link.hear()) is not None:
            link.say(question)
        link.signal("closed")

    async def test(peer: Peer) -> None:
        forgotten: list[object] = []
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"hello"), 5)
        number = channel.fileno()
        socket_before = file_behind(number)
        await turn(habitat)  # a hub that woke us still has the callback's frame
        forgotten.append(channel)
        del channel
        with pytest.warns(ResourceWarning, match="unclosed connection"):
            forget(forgotten)
        await habitat.until(peer.event("closed"))
        for _ in range(5):
            await turn(habitat)
        assert file_behind(number) != socket_before

    with Peer(until_end) as peer:
        habitat.run(test(peer))


def test_forgotten_before_the_first_command(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        forgotten: list[object] = []
        channel = await habitat.open(peer.endpoint)
        number = channel.fileno()
        socket_before = file_behind(number)
        forgotten.append(channel)
        del channel
        with pytest.warns(ResourceWarning, match="unclosed connection"):
            forget(forgotten)
        assert file_behind(number) != socket_before

    habitat.run(test())


def test_a_forked_child_leaves_the_connection_alone(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.ask(b"before"), 5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: other threads run, and the child needs none
            child = os.fork()
        if child == 0:
            status = 1
            try:
                refused = channel._refusal(channel.engine.ask(b"child"))
                assert "forked" in str(refused)
                number = channel.fileno()
                channel.abort()
                assert channel.closed
                try:
                    os.fstat(number)
                except OSError:
                    status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        for _ in range(3):
            await turn(habitat)
        assert await habitat.talk(channel, channel.engine.ask(b"after"), 5) == [b"after"]
        channel.abort()

    habitat.run(test())


def test_run_is_refused_in_a_forked_child() -> None:
    with Peer() as peer:
        channel = Threads().world.open_channel(peer.endpoint)
        channel.engine = engine = Engine()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                channel.run(engine.ask(b"child"))
            except errors.InterfaceError as refusal:
                status = 0 if "fork" in str(refusal) and engine.broken is None else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert channel.run(engine.ask(b"parent")) == [b"parent"]
        channel.abort()


# -- connecting -------------------------------------------------------------------------------------------------------


def test_a_closed_port(habitat: Habitat, open_files: Callable[[], int]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", reserved.getsockname()[1])

        async def test() -> None:
            before = open_files()
            with pytest.raises(ConnectionRefusedError):
                await habitat.open(endpoint, 5)
            assert open_files() == before

        habitat.run(test())


def test_no_such_unix_socket(habitat: Habitat) -> None:
    async def test() -> None:
        with pytest.raises(FileNotFoundError):
            await habitat.open(Endpoint(unix_socket="/nonexistent/socket"), 5)

    habitat.run(test())


@pytest.mark.filterwarnings("ignore:please use dns.resolver:DeprecationWarning")  # eventlet's use of dnspython
def test_a_name_that_nobody_has(habitat: Habitat) -> None:
    async def test() -> None:
        with pytest.raises(socket.gaierror):
            await habitat.open(Endpoint("no-such-host.invalid"), 10)

    habitat.run(test())


def test_a_server_that_does_not_accept(habitat: Habitat) -> None:
    """Its backlog is full: connecting goes unanswered, and the deadline ends it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())

        async def test() -> None:
            with pytest.raises(TimeoutError, match=r"while connecting to 127\.0\.0\.1"):
                await habitat.open(Endpoint(*listener.getsockname()), 0.1)

        habitat.run(test())
        for filler in fillers:
            filler.close()


def test_an_interrupt_while_connecting(loop_habitat: Habitat, open_files: Callable[[], int]) -> None:
    habitat = loop_habitat
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())

        async def test() -> None:
            await turn(habitat)
            before = open_files()
            task = habitat.spawn(habitat.open(Endpoint(*listener.getsockname()), 20))
            await turns(habitat, lambda: open_files() > before)
            await turn(habitat)
            task.interrupt()
            with pytest.raises(habitat.interrupt):
                await task.outcome()
            await turn(habitat)
            assert open_files() == before

        habitat.run(test())
        for filler in fillers:
            filler.close()
