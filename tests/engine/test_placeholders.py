"""pyformat placeholders: %s, %(name)s and %%, and the errors where parameters do not fit."""

from __future__ import annotations

import sys
import types
from collections import UserDict, defaultdict, deque, namedtuple
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzle.engine.literals import Literals
from mizzle.engine.placeholders import Template
from mizzle.errors import ProgrammingError

Point = namedtuple("Point", "x y")


class Row(UserDict):  # type: ignore[type-arg]
    """A mapping that is no dict."""


GOOD = [
    ("SELECT 1", (), b"SELECT 1"),
    ("SELECT 1", {}, b"SELECT 1"),
    ("", (), b""),
    ("%s", (1,), b"1"),
    ("a %s b %s c", (1, "x"), b"a 1 b 'x' c"),
    ("a %s b %s c", [1, "x"], b"a 1 b 'x' c"),
    ("%s%s%s", (1, 2, 3), b"123"),
    ("x LIKE 'a%%' AND y = %s", (1,), b"x LIKE 'a%' AND y = 1"),
    ("%%%s%%", (1,), b"%1%"),
    ("%%s", (), b"%s"),
    ("%%", {}, b"%"),
    ("%s", 5, b"5"),
    ("%s", "abc", b"'abc'"),
    ("%s", b"abc", b"_binary'abc'"),
    ("%s", None, b"NULL"),
    ("IN %s", ([1, 2],), b"IN (1, 2)"),
    ("%s %s", range(2), b"0 1"),
    ("%s %s", deque([1, 2]), b"1 2"),
    ("%s %s", Point(1, 2), b"1 2"),
    ("%(a)s %(b)s %(a)s", {"a": 1, "b": "%s", "unused": object()}, b"1 '%s' 1"),
    ("%(a)s", Row(a=1), b"1"),
    ("%(a)s", types.MappingProxyType({"a": 1}), b"1"),
    ("%(a b%)s", {"a b%": 1}, b"1"),
    ("%()s", {"": 1}, b"1"),
    ("é %(é)s", {"é": "é"}, "é 'é'".encode()),
    ("'%s' /* %s */", (1, 2), b"'1' /* 2 */"),
    (b"SELECT \xff %s", (1,), b"SELECT \xff 1"),
    (bytearray(b"%(a)s"), {"a": 1}, b"1"),
    ("%s " * 400, tuple(range(400)), b"".join(b"%d " % number for number in range(400))),
]


@pytest.mark.parametrize(("sql", "args", "expected"), GOOD, ids=lambda value: repr(value)[:20])
def test_placeholders_are_filled_in(sql: str, args: Any, expected: bytes) -> None:
    assert Literals().assemble(sql, args) == expected
    assert Literals().assemble(Template(sql), args) == expected


def test_defaults_of_a_mapping_are_its_own_affair() -> None:
    assert Literals().assemble("%(a)s", defaultdict(int)) == b"0"


BAD = [
    ("%s", (), 2034, "the statement has 1 placeholder, 0 parameters were given"),
    ("%s", (1, 2), 2034, "the statement has 1 placeholder, 2 parameters were given"),
    ("%s %s %%", (1,), 2034, "the statement has 2 placeholders, 1 parameter was given"),
    ("SELECT 1", (1,), 2034, "the statement has 0 placeholders, 1 parameter was given"),
    ("SELECT 1", 5, 2034, "the statement has 0 placeholders, 1 parameter was given"),
    ("%s", {"a": 1}, 2034, "the placeholders are %s, but the parameters are a dict"),
    ("%s", {}, 2034, "the placeholders are %s, but the parameters are a dict"),
    ("%(a)s", (1,), 2034, "the placeholders are named, such as %(a)s, but the parameters are no mapping"),
    ("%(a)s", (), 2034, "the placeholders are named"),
    ("%(a)s", {}, 2031, "no value was given for the placeholder %(a)s"),
    ("%(a)s", Row(b=1), 2031, "no value was given for the placeholder %(a)s"),
    ("%s %(a)s", (1,), 2034, "mixes %s and %(name)s"),
    ("%(a)s %s", {"a": 1}, 2034, "mixes %s and %(name)s"),
    ("%(a)s %s", (1,), 2034, "mixes %s and %(name)s"),
    ("é = %d", (1,), 2034, "has '%d' at character 5, which is no placeholder"),
    ("LIKE 'a%'", (), 2034, 'has "%\'" at character 8'),
    ("50%", (), 2034, "has '%' at character 3"),
    ("%i", (1,), 2034, "has '%i'"),
    ("%(a)d", {"a": 1}, 2034, "has '%(a)d'"),
    ("%(a", {"a": 1}, 2034, "has '%(a'"),
    ("%(a)", {"a": 1}, 2034, "has '%(a)'"),
    ("% s", (1,), 2034, "has '% s'"),
    ("%5s", (1,), 2034, "has '%5s'"),
    ("%s %", (1, 2), 2034, "has '%' at character 4"),
]


@pytest.mark.parametrize(("sql", "args", "errno", "what"), BAD)
def test_parameters_that_do_not_fit(sql: str, args: Any, errno: int, what: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        Literals().assemble(sql, args)
    assert caught.value.args[0] == errno
    assert what in caught.value.args[1]
    assert not caught.value.sent
    with pytest.raises(ProgrammingError) as again:
        Literals().assemble(Template(sql), args)
    assert again.value.args == caught.value.args


@pytest.mark.parametrize("sql", [None, 5, memoryview(b"x"), ["SELECT 1"]])
def test_a_statement_is_text(sql: Any) -> None:
    for call in (lambda: Literals().encode(sql), lambda: Literals().assemble(sql, ()), lambda: Template(sql)):
        with pytest.raises(ProgrammingError, match="a statement is a str or bytes, not"):
            call()


def test_a_statement_without_parameters_is_left_alone() -> None:
    assert Literals().encode("LIKE 'é%' -- %s") == "LIKE 'é%' -- %s".encode()
    assert Literals().encode(b"\xff%") == b"\xff%"
    assert Literals("gbk").encode("你") == "你".encode("gbk")


def test_statements_in_another_charset() -> None:
    for codec in ("gbk", "cp932", "big5"):
        sql = "SELECT 功 AS `功`, %(功)s, '%%'"
        assert Literals(codec).assemble(sql, {"功": "功'"}) == "SELECT 功 AS `功`, '功''', '%'".encode(codec)
        template = Template(sql, codec)
        assert Literals(codec).assemble(template, {"功": 1}) == "SELECT 功 AS `功`, 1, '%'".encode(codec)


def test_a_template_says_what_it_needs() -> None:
    assert Template("%s, %s").count == 2
    assert Template("%s").names is None
    assert Template("%(b)s %(a)s %(b)s").names == ("b", "a", "b")
    assert Template("%%").count == 0


def test_a_template_belongs_to_a_codec() -> None:
    with pytest.raises(ValueError, match="gbk"):
        Literals().assemble(Template("%s", "gbk"), (1,))
    assert Literals("UTF-8").assemble(Template("%s"), (1,)) == b"1"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just("%s"), st.just("%%"), st.text("ab'%(s)\\é", max_size=4)), max_size=8).map("".join))
def test_placeholders_agree_with_python_s_own_formatting(sql: str) -> None:
    """Whatever is accepted gives what Python's `%` gives; Python accepts more directives, not fewer."""
    literals = Literals()
    try:
        count = Template(sql).count
        args: Any = tuple(range(count)) if Template(sql).names is None else dict.fromkeys(Template(sql).names or (), 5)
        result = literals.assemble(sql, args)
    except ProgrammingError:
        return
    assert literals.assemble(Template(sql), args) == result
    if Template(sql).names is None:
        assert result == (sql % args).encode()


def test_no_references_are_lost() -> None:
    value, args = "text of some length", {"name": "x" * 3000}
    literals, template = Literals(), Template("%(name)s %(name)s")

    def references() -> tuple[int, ...]:
        return tuple(map(sys.getrefcount, (value, args, args["name"], template, literals)))

    literals.assemble(template, args)
    before = references()
    for _ in range(200):
        literals.assemble("%s %s", (value, None))
        literals.assemble("%(name)s", args)
        literals.assemble(template, args)
        with pytest.raises(ProgrammingError):
            literals.assemble("%(name)s %(other)s", args)
    assert references() == before
