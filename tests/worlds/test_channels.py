"""What every channel does with a server that answers: at once, in pieces, early, late, in floods."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from habitats import Eventlet, Habitat, turn
from peers import Link, Peer

from mizzle import errors
from mizzle.worlds import Endpoint


def test_a_question_has_its_answer(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        channel = await habitat.open(peer.endpoint, 5)
        for text in (b"one", b"two", b""):
            assert await habitat.talk(channel, channel.engine.ask(text)) == [text]
        assert not channel.closed
        assert channel.fileno() > 0
        channel.abort()
        assert channel.closed
        assert channel.fileno() == -1

    habitat.run(test())


def test_a_unix_socket(habitat: Habitat, tmp_path: Path) -> None:
    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        assert await habitat.talk(channel, channel.engine.ask(b"hello"), 5) == [b"hello"]
        channel.abort()

    with Peer(unix=tmp_path / "s") as peer:
        habitat.run(test(peer))


def test_the_server_speaks_first(habitat: Habitat) -> None:
    def greet(link: Link) -> None:
        link.say(b"welcome", b"name?")
        link.signal("greeted")
        assert link.hear() == b"me"
        link.say(b"good")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.until(peer.event("greeted"))
        for _ in range(5):
            await turn(habitat)
        assert await habitat.talk(channel, channel.engine.batch()) in ([b"welcome"], [b"welcome", b"name?"])
        channel.engine.streaming = False
        assert (await habitat.talk(channel, channel.engine.ask(b"me", 1)))[-1] in (b"good", b"name?")
        channel.abort()

    with Peer(greet) as peer:
        habitat.run(test(peer))


def test_an_answer_in_single_bytes(habitat: Habitat) -> None:
    def drip(link: Link) -> None:
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        question = link.hear()
        assert question is not None
        for byte in len(question).to_bytes(4, "little") + question:
            link.sock.sendall(bytes((byte,)))
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        assert await habitat.talk(channel, channel.engine.ask(b"slowly"), 10) == [b"slowly"]
        channel.abort()

    with Peer(drip) as peer:
        habitat.run(test(peer))


def test_an_error_is_an_answer(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.ProgrammingError, match="no such"):
            await habitat.talk(channel, channel.engine.ask(b"!no such"), 5)
        assert await habitat.talk(channel, channel.engine.ask(b"next"), 5) == [b"next"]
        channel.abort()

    habitat.run(test())


def test_an_answer_in_disorder_ends_the_connection(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.MalformedPacket):
            await habitat.talk(channel, channel.engine.ask(b"?what"), 5)
        assert channel.closed
        with pytest.raises(errors.ConnectionClosed, match="what"):
            await habitat.talk(channel, channel.engine.ask(b"next"), 5)

    habitat.run(test())


def test_a_command_without_an_answer(habitat: Habitat) -> None:
    def listen(link: Link) -> None:
        assert link.hear() == b"bye"
        link.signal("heard")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        assert await habitat.talk(channel, channel.engine.say(b"bye")) is None
        await habitat.until(peer.event("heard"))
        channel.abort()

    with Peer(listen) as peer:
        habitat.run(test(peer))


def test_a_long_command_to_a_peer_that_reads_late(habitat: Habitat) -> None:
    question = bytes(range(256)) * 40_000

    def late(link: Link) -> None:
        link.wait_for("stuck")
        heard = link.hear()
        link.say(b"right" if heard == question else b"wrong")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        peer.event("stuck").set() if habitat.name == "threads" else None
        task = habitat.spawn(habitat.talk(channel, channel.engine.ask(question), 10))
        if habitat.name != "threads":
            for _ in range(50):
                await turn(habitat)
            peer.event("stuck").set()
        assert await task.outcome() == [b"right"]
        channel.abort()

    with Peer(late, receive_room=131072) as peer:
        habitat.run(test(peer))


def test_a_server_that_answers_before_it_has_read_all(habitat: Habitat) -> None:
    """Both sides send more than all buffers hold: a client that only sends would wait for ever."""
    answer = b"a" * 10_000_000

    def eager(link: Link) -> None:
        link.say(answer)
        assert len(link.hear() or b"") == 10_000_000
        link.say(b"done")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        answers = await habitat.talk(channel, channel.engine.ask(b"q" * 10_000_000, 2), 15)
        assert answers == [answer, b"done"]
        channel.abort()

    with Peer(eager) as peer:
        habitat.run(test(peer))


def test_an_error_in_the_middle_of_a_long_command(habitat: Habitat) -> None:
    """As a server does that finds a packet too long: an ERR packet, and it closes without reading on."""

    def refuse(link: Link) -> None:
        link.sock.recv(1000)
        link.say(b"!too long")
        link.sock.shutdown(socket.SHUT_WR)
        link.wait_for("told")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(errors.ProgrammingError, match="too long"):
            await habitat.talk(channel, channel.engine.ask(b"q" * 20_000_000), 10)
        peer.event("told").set()
        assert channel.closed

    with Peer(refuse, receive_room=131072) as peer:
        habitat.run(test(peer))


def test_many_parts_with_flow_control(habitat: Habitat) -> None:
    def count(link: Link) -> None:
        total = 0
        while (part := link.hear()) not in (b"", None):
            total += len(part or b"")
        link.say(str(total).encode())
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        parts = [b"p" * 300_000] * 40 + [b""]
        assert await habitat.talk(channel, channel.engine.pour(parts), 10) == b"12000000"
        channel.abort()

    with Peer(count) as peer:
        habitat.run(test(peer))


def test_parts_whose_source_fails(habitat: Habitat) -> None:
    def source() -> object:
        yield b"part"
        raise FileNotFoundError("gone")

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        with pytest.raises(FileNotFoundError, match="gone"):
            await habitat.talk(channel, channel.engine.pour(source()), 5)
        assert channel.closed

    with Peer() as peer:
        habitat.run(test(peer))


def test_batches(habitat: Habitat) -> None:
    """Between two batches the server may talk on: nothing is lost, and nothing is taken for unsolicited."""
    rows = [str(number).encode() for number in range(100_000)]

    def stream(link: Link) -> None:
        assert link.hear() == b"go"
        link.say(*rows[:10])
        link.signal("begun")
        link.say(*rows[10:], b".")
        link.wait_for_end()

    async def test(peer: Peer) -> None:
        channel = await habitat.open(peer.endpoint)
        await habitat.talk(channel, channel.engine.say(b"go"))
        channel.engine.streaming = True
        await habitat.until(peer.event("begun"))
        taken: list[bytes] = []
        while taken[-1:] != [b"."]:
            taken += await habitat.talk(channel, channel.engine.batch(), 5)
            for _ in range(3):
                await turn(habitat)
        assert taken == [*rows, b"."]
        assert not channel.closed
        channel.abort()

    with Peer(stream) as peer:
        habitat.run(test(peer))


def test_a_neighbour_is_not_starved(loop_habitat: Habitat) -> None:
    """While a big answer comes in, the others have a turn for each chunk."""
    habitat = loop_habitat
    size = 8_000_000

    def flood(link: Link) -> None:
        link.hear()
        link.say(b"f" * size)
        link.wait_for_end()

    async def tick(ticks: list[int], going: list[bool]) -> None:
        while going[0]:
            ticks[0] += 1
            await turn(habitat)

    async def test(peer: Peer) -> None:
        ticks, going = [0], [True]
        channel = await habitat.open(peer.endpoint)
        if habitat.name == "uvloop":  # libuv receives up to 32 times in a turn, unless less than a chunk is there
            channel._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        ticker = habitat.spawn(tick(ticks, going))
        (answer,) = await habitat.talk(channel, channel.engine.ask(b"all"), 10)
        going[0] = False
        await ticker.outcome()
        assert len(answer) == size
        assert ticks[0] >= size // 65536  # the toy's wire takes 64 KiB at a time
        channel.abort()

    with Peer(flood) as peer:
        habitat.run(test(peer))


def test_sockets_have_our_options(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        endpoint = peer.endpoint._replace(bind_address="127.0.0.2")
        channel = await habitat.open(endpoint)
        with socket.socket(fileno=channel.fileno()) as sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockname()[0] == "127.0.0.2"
            sock.detach()
        channel.abort()
        channel = await habitat.open(endpoint._replace(keepalive=False))
        with socket.socket(fileno=channel.fileno()) as sock:
            assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            sock.detach()
        channel.abort()

    habitat.run(test())


def test_names_are_looked_up(habitat: Habitat, peer: Peer) -> None:
    async def test() -> None:
        channel = await habitat.open(Endpoint("localhost", peer.endpoint.port), 5)
        assert await habitat.talk(channel, channel.engine.ask(b"hello"), 5) == [b"hello"]
        channel.abort()

    habitat.run(test())


def test_eventlet_looks_names_up_in_a_native_thread(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLET_NO_GREENDNS", "yes")
    test_names_are_looked_up(Eventlet(), peer)
