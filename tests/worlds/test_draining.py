"""What becomes of a conversation whose owner was interrupted: gone on with in the background, killed, given up.

The face's part, a Rescue that has the server end a statement, is played here by one that tells the peer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from habitats import Habitat, Threads, turns
from peers import Link, Peer

from mizzle import errors


class Rescue:
    """Kills nothing: it remembers what it was asked."""

    def __init__(self, limit: float = 20, *, kills: bool = True) -> None:
        self.limit, self.kills = limit, kills
        self.asked: list[tuple[Callable[[], bool], Callable[[bool], None]]] = []
        self.sessions = 0

    def kill(self, wanted: Callable[[], bool], over: Callable[[bool], None]) -> None:
        self.asked.append((wanted, over))

    def kill_session(self) -> None:
        self.sessions += 1


def slow(link: Link) -> None:
    """Answers the first question late, the others at once."""
    question = link.hear()
    link.signal("heard")
    link.wait_for("answer")
    link.say(question or b"")
    while (question := link.hear()) is not None:
        if question == b"absorb":
            link.signal("absorbed")
        link.say(question)


async def late(habitat: Habitat, peer: Peer, rescue: Rescue | None, timeout: float = 0.02) -> Any:
    """A channel whose first conversation has just run out of time."""
    channel = await habitat.open(peer.endpoint)
    channel.rescue = rescue
    with pytest.raises(errors.OperationalError, match=r"ASK timed out.*no answer within 0\.02 s"):
        await habitat.talk(channel, channel.engine.ask(b"slow"), timeout)
    return channel


def test_the_rest_is_read_and_dropped(habitat: Habitat) -> None:
    async def test(peer: Peer) -> None:
        rescue = Rescue(kills=False)
        channel = await late(habitat, peer, rescue)
        assert (channel.draining, channel.closed) == (True, False)
        peer.event("answer").set()
        assert await habitat.talk(channel, channel.engine.ask(b"next"), 20) == [b"next"]
        assert (channel.draining, rescue.asked) == (False, [])
        assert not peer.event("absorbed").is_set()
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_an_interrupt_reaches_its_owner_before_the_rest_is_read(loop_habitat: Habitat) -> None:
    """A blocked thread nobody can interrupt: there a deadline does, in the other tests."""
    habitat = loop_habitat

    async def ask(channel: Any) -> None:
        await habitat.talk(channel, channel.engine.ask(b"slow"), 20)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        channel.rescue = Rescue(kills=False)
        task = habitat.spawn(ask(channel))
        await habitat.until(peer.event("heard"))
        task.interrupt()
        with pytest.raises(habitat.interrupt):
            await task.outcome()
        assert channel.draining
        peer.event("answer").set()
        assert await habitat.talk(channel, channel.engine.ask(b"next"), 20) == [b"next"]
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


@pytest.mark.parametrize("hit", [True, False])
def test_it_is_not_ready_before_the_kill_is_over(habitat: Habitat, hit: bool) -> None:
    """A KILL that came late is absorbed by a statement of its own."""

    async def test(peer: Peer) -> None:
        rescue = Rescue()
        channel = await late(habitat, peer, rescue)
        [(wanted, over)] = rescue.asked
        assert wanted()
        peer.event("answer").set()
        await turns(habitat, lambda: not wanted())  # the answer is read: a kill would come too late
        assert channel.draining
        over(hit)
        assert await habitat.talk(channel, channel.engine.ask(b"next"), 20) == [b"next"]
        assert peer.event("absorbed").is_set() == hit
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


@pytest.mark.parametrize("what", ["answer", "kill"])
def test_what_does_not_come_in_time_ends_the_connection(habitat: Habitat, what: str) -> None:
    async def test(peer: Peer) -> None:
        rescue = Rescue(0.05)
        channel = await late(habitat, peer, rescue)
        [(wanted, over)] = rescue.asked
        if what == "answer":
            over(True)
        else:
            peer.event("answer").set()
        with pytest.raises(errors.Error) as caught:
            await habitat.talk(channel, channel.engine.ask(b"next"), 20)
        assert not caught.value.alive
        assert channel.closed
        assert not wanted()
        assert rescue.sessions == 1  # the server may still be at it
        peer.event("answer").set()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_who_comes_meanwhile_waits_no_longer_than_he_wants(habitat: Habitat) -> None:
    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        with pytest.raises(errors.OperationalError, match=r"could not begin within 0\.02 s") as caught:
            await habitat.talk(channel, channel.engine.ask(b"impatient"), 0.02)
        assert (caught.value.sent, caught.value.alive) == (False, True)
        peer.event("answer").set()
        assert await habitat.talk(channel, channel.engine.ask(b"patient"), 20) == [b"patient"]
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_a_timer_that_rings_early_has_rung(habitat: Habitat) -> None:
    """uvloop's counts whole milliseconds: who waited is told that it was too long, not that somebody else waits."""

    class Early:
        is_set = False

        def wait(self, _timeout: float | None) -> Any:
            return False if habitat.name in ("threads", "gevent") or "eventlet" in habitat.name else self.awaited()

        async def awaited(self) -> bool:
            return False

        def set(self) -> None:
            """The rest has come."""

    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        channel._rest = Early()
        with pytest.raises(errors.OperationalError, match="could not begin within 20 s") as caught:
            await habitat.talk(channel, channel.engine.ask(b"next"), 20)
        assert (caught.value.sent, caught.value.alive) == (False, True)
        peer.event("answer").set()
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_the_end_comes_while_somebody_looks() -> None:
    """Another thread reads the end of an interrupted command: it may be through at any step of who comes next."""
    habitat = Threads()

    class Turn:
        """The channel's: it is given back just when somebody has found it taken."""

        def __init__(self, channel: Any, peer: Peer) -> None:
            self._turn, self._rest, self._peer = channel._turn, channel._rest, peer
            self.release = self._turn.release

        def acquire(self, blocking: bool) -> bool:
            taken: bool = self._turn.acquire(blocking=blocking)
            if not taken and not self._rest.is_set:
                self._peer.event("answer").set()
                assert self._rest.wait(20)
            return taken

    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        channel._turn = Turn(channel, peer)
        assert await habitat.talk(channel, channel.engine.ask(b"next"), 20) == [b"next"]
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_one_waits_and_the_others_are_refused(habitat: Habitat) -> None:
    async def ask(channel: Any) -> Any:
        return await habitat.talk(channel, channel.engine.ask(b"second"), 20)

    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        task = habitat.spawn(ask(channel))
        await turns(habitat, lambda: channel._owner is not None)
        with pytest.raises(errors.InterfaceError, match="waits for the end of an interrupted command"):
            await habitat.talk(channel, channel.engine.ask(b"third"), 20)
        peer.event("answer").set()
        assert await task.outcome() == [b"second"]
        channel.abort()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_the_server_hangs_up_meanwhile(habitat: Habitat) -> None:
    def hang_up(link: Link) -> None:
        link.hear()
        link.wait_for("answer")

    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        peer.event("answer").set()
        with pytest.raises(errors.Error) as caught:
            await habitat.talk(channel, channel.engine.ask(b"next"), 20)
        assert not caught.value.alive
        assert channel.closed

    with Peer(hang_up) as peer:
        habitat.run(test(peer))


def test_an_abort_meanwhile_wakes_who_waits(habitat: Habitat) -> None:
    async def ask(channel: Any) -> Any:
        return await habitat.talk(channel, channel.engine.ask(b"second"), 20)

    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, Rescue(kills=False))
        task = habitat.spawn(ask(channel))
        await turns(habitat, lambda: channel._owner is not None)
        channel.abort()
        with pytest.raises(errors.Error) as caught:
            await task.outcome()
        assert not caught.value.alive
        peer.event("answer").set()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_an_abort_before_the_rest_has_begun_to_be_read(loop_habitat: Habitat, caplog: pytest.LogCaptureFixture) -> None:
    async def test(peer: Peer) -> None:
        channel = await late(loop_habitat, peer, Rescue(kills=False))
        channel.abort()
        await loop_habitat.until(peer.event("gone"))
        assert channel.closed

    with Peer(until_the_end) as peer:
        loop_habitat.run(test(peer))
    assert not caplog.records


def until_the_end(link: Link) -> None:
    """Hears, says nothing, and signals when the other side is gone."""
    while link.hear() is not None:
        continue
    link.signal("gone")


def test_a_statement_whose_connection_is_aborted_is_killed(habitat: Habitat) -> None:
    async def ask(channel: Any) -> Any:
        return await habitat.talk(channel, channel.engine.ask(b"slow"), 20)

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        channel.rescue = rescue = Rescue()
        task = habitat.spawn(ask(channel))
        await habitat.until(peer.event("heard"))
        channel.abort()
        with pytest.raises(errors.OperationalError):
            await task.outcome()
        assert (rescue.asked, rescue.sessions) == ([], 1)
        assert channel.closed
        peer.event("answer").set()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_without_a_rescue_it_is_closed(habitat: Habitat) -> None:
    async def test(peer: Peer) -> None:
        channel = await late(habitat, peer, None)
        assert channel.closed
        peer.event("answer").set()

    with Peer(slow) as peer:
        habitat.run(test(peer))


def test_silence_is_borne_for_so_long(habitat: Habitat) -> None:
    """read_timeout: each byte puts it off, however long the whole takes."""

    def drip(link: Link) -> None:
        link.hear()
        for _ in range(8):
            link.say(b"drop")
            assert not link.peer.event("over").wait(0.02)
        link.hear()
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        channel.read_timeout = 0.12
        assert await habitat.talk(channel, channel.engine.ask(b"go", 8)) == [b"drop"] * 8
        with pytest.raises(errors.OperationalError, match=r"sent no byte for 0\.12 s \(read_timeout\)"):
            await habitat.talk(channel, channel.engine.ask(b"again", 1), 20)
        assert channel.closed

    with Peer(drip) as peer:
        habitat.run(test(peer))


def test_a_server_that_takes_nothing(habitat: Habitat) -> None:
    def deaf(link: Link) -> None:
        link.wait_for("over")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        channel.write_timeout = 0.1
        with pytest.raises(errors.OperationalError, match=r"timed out.*the server .*0\.1 s \(write_timeout\)"):
            await habitat.talk(channel, channel.engine.ask(b"q" * 20_000_000), 20)
        peer.event("over").set()

    with Peer(deaf) as peer:
        habitat.run(test(peer))
