"""Query attributes of MySQL, byte by byte: before a COM_QUERY, and among the parameters of COM_STMT_EXECUTE."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from dialogue import CAPABILITIES, engine, lenenc, ok, packets, play

from mizzle.constants import capabilities as cap
from mizzle.constants import field_types as ft
from mizzle.constants.commands import COM_QUERY, COM_STMT_EXECUTE, COM_STMT_PREPARE
from mizzle.engine import statements
from mizzle.engine.conversations import READ, Engine
from mizzle.engine.parameters import Executions, NotBindable, Parameters
from mizzle.engine.placeholders import Template
from mizzle.engine.prepared import Prepared

NAMED = Parameters(named=True)
AVAILABLE = 8
FIVE = struct.pack("<q", 5)


def template(count: int) -> Template:
    return Template("SELECT " + ", ".join(["%s"] * count), "utf8")


def typed(code: int, name: bytes = b"") -> bytes:
    return bytes((code, 0)) + lenenc(name)


def agreed() -> Engine:
    made = engine()
    made.agree(CAPABILITIES | cap.CLIENT_QUERY_ATTRIBUTES)
    return made


def sent(made: Engine, conversation: Any) -> bytes:
    assert conversation.advance() == READ
    said = bytes(made.wire.outgoing or b"")
    made.wire.sent(len(said))
    return said


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ({}, b"\0\1" + b"\1"),
        ({"trace": "é"}, b"\1\1" + b"\0\1" + typed(ft.MYSQL_TYPE_VAR_STRING, b"trace") + lenenc("é".encode())),
        ({"n": None}, b"\1\1" + b"\1\1" + typed(ft.MYSQL_TYPE_NULL, b"n")),
        (
            {"é": 5, "": b"\xff", "x" * 300: None},
            b"\3\1"
            + b"\4\1"
            + typed(ft.MYSQL_TYPE_LONGLONG, "é".encode())
            + typed(ft.MYSQL_TYPE_BLOB)
            + typed(ft.MYSQL_TYPE_NULL, b"x" * 300)
            + FIVE
            + lenenc(b"\xff"),
        ),
    ],
)
@pytest.mark.feature("query attributes")
def test_before_a_query(attributes: dict[str, Any], wanted: bytes) -> None:
    assert NAMED.attributes(attributes) == wanted


def test_many() -> None:
    attributes = {f"a{number}": number for number in range(300)}
    made = NAMED.attributes(attributes)
    assert made.startswith(b"\xfc\x2c\1\1" + bytes(38) + b"\1" + typed(ft.MYSQL_TYPE_LONGLONG, b"a0"))
    assert made.endswith(struct.pack("<q", 299))
    with pytest.raises(ValueError, match="1001 query attributes"):
        NAMED.attributes(dict.fromkeys(map(str, range(1001))))


def test_in_the_connections_character_set() -> None:
    assert Parameters("latin1", named=True).attributes({"é": "ü"}).endswith(lenenc(b"\xe9") + lenenc(b"\xfc"))


@pytest.mark.parametrize("value", [[1], {}, object(), float("nan")])
def test_what_is_no_value(value: Any) -> None:
    with pytest.raises(NotBindable if value == [1] else Exception, match=r"parameter|written|number"):
        NAMED.attributes({"a": value})
    assert NAMED.attributes({"a": None}) == b"\1\1" + b"\1\1" + typed(ft.MYSQL_TYPE_NULL, b"a")


def test_every_query_says_that_it_has_none() -> None:
    for attributes, head in ((None, b"\0\1"), (NAMED.attributes({"a": 5}), NAMED.attributes({"a": 5}))):
        made = agreed()
        said = sent(made, made.query(b"SELECT 1", None, attributes))
        assert said == packets(bytes((COM_QUERY,)) + head + b"SELECT 1", first=0)


def test_a_server_without_them_gets_nothing_more() -> None:
    made = engine()
    assert sent(made, made.query(b"SELECT 1")) == packets(bytes((COM_QUERY,)) + b"SELECT 1", first=0)


def test_streams_and_queries_of_several_frames() -> None:
    made = agreed()
    sql = b"x" * 0x1000000
    assert sent(made, made.stream(sql)) == packets(bytes((COM_QUERY,)) + b"\0\1" + sql, first=0)


def test_queries_ahead_of_others() -> None:
    made = agreed()
    made.ahead(COM_QUERY, b"SET x = 1")
    said = sent(made, made.ping())
    assert said == packets(bytes((COM_QUERY,)) + b"\0\1SET x = 1", first=0) + packets(b"\x0e", first=0)
    made = agreed()
    made.reset_later()
    assert b"\x03\0\1SET NAMES" in sent(made, made.ping())


# -- prepared statements ----------------------------------------------------------------------------------------------


def head(flags: int, *counts: int) -> bytes:
    return b"\7\0\0\0" + bytes((flags,)) + b"\1\0\0\0" + bytes(counts)


def test_parameters_have_empty_names() -> None:
    made = NAMED.execute(7, template(2), (5, None))
    types = typed(ft.MYSQL_TYPE_LONGLONG) + typed(ft.MYSQL_TYPE_NULL)
    assert made == head(AVAILABLE, 2) + b"\2\1" + types + FIVE
    assert NAMED.execute(7, template(0), ()) == head(0)
    assert NAMED.execute(7, template(0), (), 1) == head(1)


def test_attributes_follow_parameters() -> None:
    made = NAMED.execute(7, template(1), (5,), 1, (), {"a": None, "bc": "x"})
    types = typed(ft.MYSQL_TYPE_LONGLONG) + typed(ft.MYSQL_TYPE_NULL, b"a") + typed(ft.MYSQL_TYPE_VAR_STRING, b"bc")
    assert made == head(AVAILABLE | 1, 3) + b"\2\1" + types + FIVE + lenenc(b"x")
    made = NAMED.execute(7, template(0), (), attributes={"a": "x"})
    assert made == head(AVAILABLE, 1) + b"\0\1" + typed(ft.MYSQL_TYPE_VAR_STRING, b"a") + lenenc(b"x")


def test_without_them_nothing_changes() -> None:
    assert Parameters().execute(7, template(1), (5,), attributes={"a": 1}) == Parameters().execute(7, template(1), (5,))


def test_streamed_parameters() -> None:
    made = NAMED.execute(7, template(2), (None, 5), 0, (0,))
    assert made == head(AVAILABLE, 2) + b"\0\1" + typed(ft.MYSQL_TYPE_BLOB) + typed(ft.MYSQL_TYPE_LONGLONG) + FIVE


def test_executions_in_their_frames() -> None:
    [(frames, count)] = list(Executions(NAMED, 7, template(1), [(5,), (None,)], 1 << 20))
    assert count == 2
    wanted = [NAMED.execute(7, template(1), row) for row in ((5,), (None,))]
    assert frames == b"".join(packets(bytes((COM_STMT_EXECUTE,)) + payload, first=0) for payload in wanted)


@pytest.mark.parametrize("parameters", [1, 60])
@pytest.mark.parametrize("attributes", [0, 1, 300])
def test_other_types_are_another_statement(parameters: int, attributes: int) -> None:
    """Of a parameter; an attribute may be what it likes."""
    made = agreed()
    statement = Prepared(template(parameters), "q")
    others = {f"a{number}": number for number in range(attributes)}

    def prepares(value: Any, more: dict[str, Any]) -> bool:
        conversation = statements.execute(made, statement, NAMED, (value,) * parameters, attributes=more)
        said = sent(made, conversation)
        prepared = bytes((COM_STMT_PREPARE,)) + statement.sql in said
        if prepared:
            answer = packets(b"\0\7\0\0\0" + bytes(7))
            play(conversation, answer + packets(ok()), len(answer))
        else:
            play(conversation, packets(ok()))
        return prepared

    assert prepares(5, others)
    assert not prepares(6, {})
    assert not prepares(7, dict.fromkeys(others, "text"))
    assert not prepares(None, others)
    assert prepares("text", others)
    assert not prepares("more", {})
