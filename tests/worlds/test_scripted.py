"""Dialogues that are played instead of a server, and how they are written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from habitats import Habitat
from peers import Peer
from toy import Engine

from mizzle import errors
from mizzle.worlds import Endpoint
from mizzle.worlds.scripted import Channel, Recorder, Script, open_channel

DIALOGUE = """
    # two questions
    > 02 00 00 00 68 69     # hi
    < 05 00 00 00
    < 68 65 6c 6c 6f        # hello
    > 0300000062 ?? 65
    < 02 00 00 00 21 78     # an error
    > 03 00 00 00 65 6e 64
    <EOF
"""


def play(text: str, chunk: int | None = None) -> Any:
    channel = Channel(Script.parse(text), chunk=chunk)
    channel.engine = Engine()
    return channel


@pytest.mark.parametrize("chunk", [None, 1, 3, 1000])
def test_a_dialogue(chunk: int | None) -> None:
    channel = play(DIALOGUE, chunk)
    engine = channel.engine
    assert channel.run(engine.ask(b"hi"), 5) == [b"hello"]
    with pytest.raises(errors.ProgrammingError, match="x"):
        channel.run(engine.ask(b"bye"))
    assert not channel.at_end
    with pytest.raises(errors.OperationalError, match="lost"):
        channel.run(engine.ask(b"end"))
    assert channel.at_end
    assert channel.closed
    with pytest.raises(errors.ConnectionClosed):
        channel.run(engine.ask(b"more"))


def test_the_client_says_something_else() -> None:
    channel = play(DIALOGUE)
    with pytest.raises(AssertionError, match=r"byte 5 .* line 3") as caught:
        channel.run(channel.engine.ask(b"ho"))
    assert "> 02 00 00 00 68 6f" in str(caught.value)
    assert "> 02 00 00 00 68 69" in str(caught.value)
    assert channel.closed
    assert isinstance(channel.engine.broken, AssertionError)


def test_the_client_says_too_much() -> None:
    channel = play("> 02 00 00 00 68 69\n< 05 00 00 00 68 65 6c 6c 6f")
    with pytest.raises(AssertionError, match="the client says"):
        channel.run(channel.engine.pour([b"hi", b"hi"]))


def test_the_client_waits_for_ever() -> None:
    channel = play("> 02 00 00 00 68 69")
    with pytest.raises(AssertionError, match="waits for the server, but the script has\nnothing more"):
        channel.run(channel.engine.ask(b"hi"))


@pytest.mark.parametrize("line", ["> 0", "> xx", "? 00", "<", "<eof", "> 00 ?"])
def test_a_line_that_is_none(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 of the script"):
        Script.parse(f"> 00\n{line}")


def test_a_script_is_a_world(tmp_path: Path) -> None:
    path = tmp_path / "dialogue"
    path.write_text(DIALOGUE)
    channel = open_channel(Endpoint(unix_socket=str(path)), 5)
    channel.engine = Engine()
    assert channel.run(channel.engine.ask(b"hi")) == [b"hello"]
    channel.abort()
    assert channel.closed
    assert channel.fileno() == -1
    with pytest.raises(ValueError, match="unix_socket"):
        open_channel(Endpoint())


def test_recording_and_playing_again(habitat: Habitat, peer: Peer) -> None:
    recorder = Recorder()

    async def test() -> None:
        channel = await habitat.open(peer.endpoint)
        for text in (b"one", b"two" * 20):
            conversation: Any = recorder.watch(channel.engine.ask(text))
            assert await habitat.talk(channel, conversation, 5) == [text]
        channel.abort()

    habitat.run(test())
    written = str(recorder.script)
    assert written.startswith("> 03 00 00 00 6f 6e 65                             # ....one\n< 03")
    again = play(written, 1)
    assert again.run(again.engine.ask(b"one")) == [b"one"]
    assert again.run(again.engine.ask(b"two" * 20)) == [b"two" * 20]
    assert again.at_end
    assert str(Script.parse(written)) == written
