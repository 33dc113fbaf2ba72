"""What a server says of the session behind an OK packet, byte by byte, and what the engine makes of it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from dialogue import column, engine, err, lenenc, ok, packets, play, row
from hypothesis import given
from hypothesis import strategies as st
from login_client import Client, greeting
from login_client import engine as login_engine

from mizzle.constants import capabilities as cap
from mizzle.constants import charsets, commands, status
from mizzle.constants import field_types as ft
from mizzle.constants import session_track as track
from mizzle.engine.conversations import Engine
from mizzle.engine.literals import Literals
from mizzle.engine.login import session_statements
from mizzle.engine.packets import parse_ok
from mizzle.engine.tracking import Tracked
from mizzle.errors import MalformedPacket
from mizzle.types import TransactionState, transaction_state

CHANGED = status.SERVER_STATUS_AUTOCOMMIT | status.SERVER_SESSION_STATE_CHANGED
MORE = status.SERVER_MORE_RESULTS_EXISTS


def change(kind: int, *values: bytes, raw: bytes = b"") -> bytes:
    return bytes((kind,)) + lenenc(raw + b"".join(map(lenenc, values)))


def variable(name: bytes, value: bytes) -> bytes:
    return change(track.SESSION_TRACK_SYSTEM_VARIABLES, name, value)


SCHEMA = change(track.SESSION_TRACK_SCHEMA, "schön".encode())
VARIABLES = change(track.SESSION_TRACK_SYSTEM_VARIABLES, b"autocommit", b"ON", b"x", b"y" * 300)
STATE_CHANGE = change(track.SESSION_TRACK_STATE_CHANGE, raw=b"1")
GTIDS = change(track.SESSION_TRACK_GTIDS, b"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", raw=b"\0")
CHARACTERISTICS = change(track.SESSION_TRACK_TRANSACTION_CHARACTERISTICS, b"START TRANSACTION;")
TRANSACTION = change(track.SESSION_TRACK_TRANSACTION_STATE, b"T_R_W_S_")
LATIN1 = variable(b"character_set_client", b"latin1") + variable(b"character_set_results", b"latin1")
ALL = SCHEMA + VARIABLES + STATE_CHANGE + GTIDS + CHARACTERISTICS + TRANSACTION


def told(*changes: bytes, info: bytes = b"", flags: int = 0, header: int = 0) -> bytes:
    return ok(flags=CHANGED | flags, header=header) + lenenc(info) + lenenc(b"".join(changes))


def seen(tracked: Tracked) -> tuple[Any, ...]:
    return (
        tracked.schema,
        tracked.variables,
        tracked.changes,
        tracked.gtids,
        tracked.transaction_characteristics,
        tracked.transaction_state,
    )


NOTHING = (None, {}, 0, None, None, None)
EVERYTHING = (
    "schön",
    {"autocommit": "ON", "x": "y" * 300},
    1,
    "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
    "START TRANSACTION;",
    "T_R_W_S_",
)


def test_all_that_is_told() -> None:
    tracked = Tracked()
    assert seen(tracked) == NOTHING
    assert tracked.take(ALL)
    assert seen(tracked) == EVERYTHING
    assert not tracked.take(b"")
    assert not tracked.take(change(99, raw=b"of a newer server"))
    assert seen(tracked) == EVERYTHING


def test_what_ends() -> None:
    tracked = Tracked()
    tracked.take(ALL)
    tracked.take(change(track.SESSION_TRACK_SCHEMA, b"") + change(track.SESSION_TRACK_TRANSACTION_CHARACTERISTICS, b""))
    assert (tracked.schema, tracked.transaction_characteristics) == (None, "")


def test_state_changes_are_counted() -> None:
    tracked = Tracked()
    answers = [tracked.take(change(track.SESSION_TRACK_STATE_CHANGE, raw=raw)) for raw in (b"1", b"\x011", b"0", b"")]
    assert answers == [True, True, False, False]
    assert tracked.changes == 2


def test_variables_that_were_handed_out_stay_as_they_were() -> None:
    tracked = Tracked()
    tracked.take(variable(b"a", b"1"))
    before = tracked.variables
    tracked.take(variable(b"a", b"1"))
    assert tracked.variables is before
    tracked.take(variable(b"a", b"2"))
    assert (before, tracked.variables) == ({"a": "1"}, {"a": "2"})


def test_mariadbs_gtid_is_a_variable() -> None:
    tracked = Tracked()
    tracked.take(variable(b"last_gtid", b"0-1-7"))
    assert tracked.gtids == "0-1-7"


@pytest.mark.parametrize("whole", [SCHEMA, VARIABLES, GTIDS, CHARACTERISTICS, TRANSACTION])
def test_truncated_at_every_length(whole: bytes) -> None:
    for length in range(1, len(whole)):
        with pytest.raises(MalformedPacket) as caught:
            Tracked().take(whole[:length])
        assert caught.value.packet == "SessionState"
        assert 0 <= caught.value.offset <= length


@pytest.mark.parametrize(
    "kind",
    [
        track.SESSION_TRACK_SCHEMA,
        track.SESSION_TRACK_GTIDS,
        track.SESSION_TRACK_TRANSACTION_CHARACTERISTICS,
        track.SESSION_TRACK_TRANSACTION_STATE,
    ],
)
def test_with_a_tail_inside(kind: int) -> None:
    raw = b"\0" * (kind == track.SESSION_TRACK_GTIDS) + lenenc(b"x")
    Tracked().take(change(kind, raw=raw))
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        Tracked().take(change(kind, raw=raw + b"\0"))


HOSTILE = [
    b"\0\xfe" + b"\xff" * 8,  # 2**64 - 1 bytes
    b"\0\xfe" + (1 << 63).to_bytes(8, "little"),
    b"\0\xff",  # begins no length
    b"\0\xfb",  # NULL
    b"\1\2\5ab",  # the inner string is longer than the outer one, and the packet is long enough
    change(0, b"name without a value"),
    change(0, b"a", b"b", b"c"),
    change(0, raw=b"\xfe" + b"\xff" * 8),
    change(track.SESSION_TRACK_GTIDS, b"in binary", raw=b"\1"),
    change(track.SESSION_TRACK_GTIDS, raw=b""),
]


@pytest.mark.parametrize("state", HOSTILE)
def test_hostile_lengths(state: bytes) -> None:
    with pytest.raises(MalformedPacket):
        Tracked().take(state + SCHEMA if state[-1:] == b"b" else state)


@given(st.binary(max_size=80))
def test_noise_is_something_or_malformed(noise: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        Tracked().take(noise)
    with contextlib.suppress(MalformedPacket):
        Tracked().take(parse_ok(told(noise)).session_state + noise)


def test_the_ok_packet_around_it() -> None:
    whole = told(ALL, info=b"words")
    assert (parse_ok(whole).info, parse_ok(whole).session_state) == (b"words", ALL)
    assert parse_ok(ok(flags=CHANGED))[4:] == (b"", b"")
    for length in range(8, len(whole)):
        with pytest.raises(MalformedPacket):
            parse_ok(whole[:length])
    with pytest.raises(MalformedPacket, match="1 bytes too many"):
        parse_ok(whole + b"x")


def test_transaction_states() -> None:
    names = TransactionState._fields
    letters = {"I": "implicit", "T": "explicit"}
    letters |= dict(zip("rRwWsSL", names[2:], strict=True))
    for letter, name in letters.items():
        state = transaction_state(("" if letter in "TI" else "_") + letter + "______")
        assert {field for field in names if getattr(state, field)} == {name}
    assert not any(transaction_state("________"))
    assert transaction_state("T_______").is_open
    assert transaction_state("I___W___").wrote
    assert not transaction_state("_______L").is_open


# -- in answers


ROWS = [column("s", ft.MYSQL_TYPE_VAR_STRING, 8)]


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_behind_counts_and_rows(chunk: int | None) -> None:
    made = engine()
    play(made.query(b"Q"), packets(told(ALL)), chunk)
    assert seen(made.tracked) == EVERYTHING
    made = engine()
    rows = packets(b"\x01", *ROWS, row(b"a"), told(ALL, header=0xFE))
    assert play(made.query(b"Q"), rows, chunk).rows == [("a",)]
    assert seen(made.tracked) == EVERYTHING
    made = engine()
    play(made.ping(), packets(told(ALL)), chunk)
    assert seen(made.tracked) == EVERYTHING


def test_behind_a_streamed_result() -> None:
    made = engine()
    result = play(made.stream(b"Q"), packets(b"\x01", *ROWS, row(b"a"), told(ALL, header=0xFE)))
    play(made.fetch_batch(result), b"")
    assert seen(made.tracked) == EVERYTHING


def test_of_several_results_each_has_its_say() -> None:
    made = engine()
    second = told(change(track.SESSION_TRACK_SCHEMA, b"two"), variable(b"x", b"z"))
    play(made.query(b"Q"), packets(told(ALL, flags=MORE), second))
    assert made.tracked.schema == "two"
    assert made.tracked.variables == {"autocommit": "ON", "x": "z"}


def test_what_is_malformed_ends_the_connection() -> None:
    made = engine()
    conversation = made.query(b"Q")
    with pytest.raises(MalformedPacket):
        play(conversation, packets(told(b"\0\xff")))
    assert not conversation.finished
    assert isinstance(made.broken, MalformedPacket)


# -- what follows


def test_character_sets_are_followed() -> None:
    made = engine()
    made.writers = (Literals("utf8"), Literals("utf8"))
    play(made.query(b"Q"), packets(told(LATIN1)))
    assert (made.charset.charset, [writer.literal("é") for writer in made.writers]) == ("latin1", [b"'\xe9'"] * 2)
    result = play(made.query(b"Q"), packets(b"\x01", *ROWS, row(b"\xe9"), ok(header=0xFE)))
    assert result.rows == [("é",)]


def test_what_a_procedure_sets_is_not_followed_where_the_server_takes_it_back() -> None:
    made = engine()
    made.writers = (Literals("utf8"),)
    rows = [b"\x01", *ROWS, row(b"a"), told(LATIN1, header=0xFE, flags=MORE)]
    play(made.query(b"CALL p()"), packets(*rows, ok()))
    assert (made.charset.charset, made.writers[0].codec) == ("latin1", "utf-8")


def test_escaping_follows_too() -> None:
    """In gbk 0x5C may be the second byte of a character: what is safe in UTF-8 would end the literal there."""
    made = engine()
    made.writers = (Literals("utf8"),)
    hostile = b"\xbf'".decode("latin1")
    play(made.query(b"Q"), packets(told(variable(b"character_set_client", b"gbk"))))
    assert made.charset.charset == "utf8mb4"  # of what comes
    with pytest.raises(UnicodeEncodeError):
        made.writers[0].literal(hostile)
    assert made.writers[0].literal("誠") == b"'" + "誠".encode("gbk") + b"'"


@pytest.mark.parametrize("name", [b"", b"of_a_newer_server"])
def test_character_sets_that_nobody_knows_change_nothing(name: bytes) -> None:
    made = engine()
    made.writers = (Literals("utf8"),)
    unknown = (variable(b"character_set_client", name), variable(b"character_set_results", name))
    play(made.query(b"Q"), packets(told(*unknown)))
    assert (made.charset.charset, made.writers[0].codec) == ("utf8mb4", "utf-8")


def test_the_collation_of_the_options_stays() -> None:
    made = engine(collation="utf8mb4_bin")
    play(made.query(b"Q"), packets(told(variable(b"character_set_results", b"utf8mb4"))))
    assert made.charset == charsets.by_collation("utf8mb4_bin")


def test_a_change_of_the_session_is_a_trace() -> None:
    made = engine()
    made.pristine = True
    play(made.query(b"SELECT a FROM v"), packets(told(SCHEMA)))
    assert made.pristine
    play(made.query(b"SELECT a FROM v"), packets(told(STATE_CHANGE)))
    assert not made.pristine


def test_the_reset_itself_is_none() -> None:
    made = engine(database="d")
    made.initial_status = status.SERVER_STATUS_AUTOCOMMIT
    made.writers = (Literals("latin1"),)
    made.tracked.keep()
    play(made.query(b"SET NAMES latin1"), packets(told(ALL, LATIN1)))
    made.reset_later()
    assert made.writers[0].codec == "utf-8"
    assert seen(made.tracked) == ("d", {}, 1, None, None, None)
    answers = b"".join(packets(told(STATE_CHANGE, SCHEMA)) for _ in range(3))
    play(made.query(b"SELECT 1"), answers + packets(ok()))
    assert made.pristine
    assert made.tracked.changes == 4
    made.reset_later()
    play(made.query(b"SELECT 1"), answers + packets(told(STATE_CHANGE)))
    assert not made.pristine


# -- what is asked for


def settings(is_mariadb: bool = False, tracks: bool = True, **options: Any) -> bytes:
    made = engine(**options)
    made.is_mariadb = is_mariadb
    made.agree(made.capabilities | (cap.CLIENT_SESSION_TRACK if tracks else 0))
    return session_statements(made)[0]


NAMES = b"NAMES utf8mb4, autocommit = 0"
VARIABLES_TOO = b"session_track_system_variables = CONCAT_WS(',', NULLIF(@@session_track_system_variables, ''), '%s'), "


@pytest.mark.parametrize(
    ("options", "mysql", "mariadb"),
    [
        ({}, b"", b""),
        (
            {"session_track_gtids": "own_gtid"},
            b"session_track_gtids = own_gtid, ",
            VARIABLES_TOO % b"last_gtid",
        ),
        (
            {"session_track_transaction_info": "state", "session_track_state_change": True},
            b"session_track_transaction_info = state, session_track_state_change = 1, ",
            b"session_track_transaction_info = state, session_track_state_change = 1, ",
        ),
        (
            {"session_track_system_variables": ("sql_mode", "x"), "session_track_gtids": "all_gtids"},
            b"session_track_gtids = all_gtids, " + VARIABLES_TOO % b"sql_mode,x",
            VARIABLES_TOO % b"sql_mode,x,last_gtid",
        ),
        (
            {"session_track_system_variables": ("*",), "session_track_gtids": "own_gtid"},
            b"session_track_gtids = own_gtid, session_track_system_variables = '*', ",
            b"session_track_system_variables = '*', ",
        ),
    ],
)
def test_what_the_session_settings_ask_for(options: dict[str, Any], mysql: bytes, mariadb: bytes) -> None:
    assert settings(False, **options) == b"SET " + mysql + NAMES
    assert settings(True, **options) == b"SET " + mariadb + NAMES
    assert settings(tracks=False, **options) == b"SET " + NAMES


@pytest.mark.parametrize("errno", [1193, 1231])
def test_a_server_that_tracks_something_else(errno: int) -> None:
    """It need not have every variable of MySQL's; pools ask for this one unasked."""
    made: Engine = login_engine(session_track_state_change=True)
    client = Client(made)
    capabilities = 0xFFFFFFFF & ~(cap.CLIENT_SSL | cap.CLIENT_COMPRESS)
    client.hear(packets(greeting(capabilities=capabilities), first=0))
    said = client.hear(packets(ok(), first=2))
    assert b"session_track_state_change = 1" in said
    if errno == 1193:
        again = client.hear(packets(err(errno, "Unknown system variable")))
        assert again[4] == commands.COM_QUERY
        assert again[5:].removeprefix(b"\0\1") == b"SET " + NAMES
        client.hear(packets(ok()))
        assert client.done
        assert not made.watches
    else:
        with pytest.raises(Exception, match="no such value"):
            client.hear(packets(err(errno, "no such value")))
