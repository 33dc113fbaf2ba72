"""INSERT … VALUES with one row of placeholders, taken apart so that many rows go into one statement.

Knows the lexical syntax of SQL ("Language Structure" in the MySQL manual) and the grammar of INSERT and REPLACE as far
as their rows. Must not know how values are written. Where it is in doubt it answers that a statement cannot be folded:
then every row is a statement of its own, which is slower and never wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from mizzle.engine.literals import Batches, Literals
from mizzle.engine.placeholders import Template
from mizzle.errors import ProgrammingError

__all__ = ["Folded", "fold", "fold_insert"]


class Folded(NamedTuple):
    """A statement before, in and after its row; `%%` still stands for `%` in all three."""

    prefix: str
    row: str
    suffix: str


class _Token(NamedTuple):
    kind: str  # word, quoted, symbol
    text: str  # a word in capitals; a name without its quotes
    start: int
    end: int


class _NotFoldable(Exception):
    pass


_LEXER = re.compile(
    r"""
      (?P<space> \s+ | \# [^\n]* | -- (?=[\x00-\x20]|\Z) [^\n]* )
    | (?P<comment> /\* )
    | (?P<quoted> ['"`] )
    | (?P<word> [0-9A-Za-z_$\x80-\U0010FFFF]+ )
    | (?P<symbol> %% | %s | % \( [^)]* \) s | := | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_EXECUTABLE = re.compile(r"/\*M?!\d*")  # MySQL's and MariaDB's comments whose text is run, by some servers
_QUOTED = {quote: re.compile(f"{quote}[^{quote}]*(?:{quote}{quote}[^{quote}]*)*{quote}") for quote in "'\"`"}
_QUOTED_WITH_BACKSLASHES = {
    quote: re.compile(rf"{quote}[^{quote}\\]*(?:(?:\\.|{quote}{quote})[^{quote}\\]*)*{quote}", re.DOTALL)
    for quote in "'\""
}
_LONGEST_KEPT = 4096  # characters of a statement in the cache
_MODIFIERS = {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE"}
# What a row may not ask for, as the answer depends on the rows before it having been statements of their own.
_DEPENDS_ON_LAST_STATEMENT = {"LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS", ":="}


def fold_insert(sql: str, no_backslash_escapes: bool | None = None) -> Folded | None:
    """Take an INSERT or REPLACE apart around its row; None where rows cannot simply be listed after each other.

    `no_backslash_escapes` is the server's sql_mode; None: not known, so that a string in the statement whose end
    depends on it is not folded.
    """
    take_apart = _take_apart if len(sql) <= _LONGEST_KEPT else _take_apart.__wrapped__
    return take_apart(sql, no_backslash_escapes)


@lru_cache(maxsize=128)
def _take_apart(sql: str, no_backslash_escapes: bool | None) -> Folded | None:
    try:
        readings = (False, True) if "/*" in sql else (False,)
        splits = {_split(_tokens(sql, run_comments, no_backslash_escapes)) for run_comments in readings}
        if len(splits) != 1:
            return None
        start, end = splits.pop()
        folded = Folded(sql[:start], sql[start:end], sql[end:])
        placeholders = [Template(part).count for part in folded]
    except (_NotFoldable, ProgrammingError):
        return None
    return None if placeholders[0] or placeholders[2] else folded


def fold(literals: Literals, folded: Folded, rows: Iterable[object], max_bytes: int) -> Iterator[bytes]:
    """The statements that insert `rows`, each as long as `max_bytes` allows; a row that is longer goes alone.

    An error about a value names its row, counted from 1. Nothing is taken from `rows` before it is needed.
    """
    prefix, suffix = literals.assemble(folded.prefix, ()), literals.assemble(folded.suffix, ())
    return Batches(literals, prefix, Template(folded.row, literals.codec), suffix, rows, max_bytes)


def _tokens(sql: str, run_comments: bool, no_backslash_escapes: bool | None) -> list[_Token]:
    """All but white space and comments. `run_comments`: the text in `/*! … */` belongs to the statement."""
    tokens = []
    at, in_comment = 0, False
    while at < len(sql):
        found = _LEXER.match(sql, at)
        assert found is not None
        kind, text, end = str(found.lastgroup), found[0], found.end()
        if kind == "comment":
            executable = _EXECUTABLE.match(sql, at) if run_comments else None
            in_comment = in_comment or executable is not None
            end = executable.end() if executable else sql.find("*/", at + 2) + 2
            if end < at + 2:
                raise _NotFoldable
        elif in_comment and sql.startswith("*/", at):
            in_comment, end = False, at + 2
        elif kind == "quoted":
            end = _end_of_quoted(sql, at, no_backslash_escapes)
            tokens.append(_Token(kind, sql[at + 1 : end - 1], at, end))
        elif kind != "space":
            tokens.append(_Token(kind, text.upper() if kind == "word" else text, at, end))
        at = end
    return tokens


def _end_of_quoted(sql: str, at: int, no_backslash_escapes: bool | None) -> int:
    quote = sql[at]
    ends = set()
    if no_backslash_escapes is not False or quote != "'":
        ends.add(_QUOTED[quote].match(sql, at))
    if quote != "`" and not no_backslash_escapes:  # in `"` too: whether that begins a name depends on ANSI_QUOTES
        ends.add(_QUOTED_WITH_BACKSLASHES[quote].match(sql, at))
    places = {found.end() if found else -1 for found in ends}
    if len(places) != 1 or -1 in places:
        raise _NotFoldable
    return places.pop()


class _Parser:
    """Where in the list of tokens we are."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def accept(self, kind: str, *texts: str) -> bool:
        """Step over the next token if it is one of these."""
        token = self.peek()
        found = token is not None and token.kind == kind and token.text in texts
        self._at += found
        return found

    def expect(self, kind: str, *texts: str) -> None:
        if not self.accept(kind, *texts):
            raise _NotFoldable

    def name(self) -> str:
        token = self.peek()
        if token is None or token.kind == "symbol" or self._tokens[self._at].text == "":
            raise _NotFoldable
        self._at += 1
        return token.text.upper()

    def parentheses(self) -> list[_Token]:
        """Step over a pair of parentheses and all that is in it."""
        begin, depth = self._at, 0
        self.expect("symbol", "(")
        depth = 1
        while depth:
            token = self.peek()
            if token is None or token[:2] == ("symbol", ";"):
                raise _NotFoldable
            if token.kind == "symbol":
                depth += (token.text == "(") - (token.text == ")")
            self._at += 1
        return self._tokens[begin : self._at]

    def rest(self) -> list[_Token]:
        return self._tokens[self._at :]


def _split(tokens: list[_Token]) -> tuple[int, int]:
    """Where the row begins and ends."""
    parser = _Parser(tokens)
    parser.expect("word", "INSERT", "REPLACE")
    while parser.accept("word", *_MODIFIERS):
        pass
    parser.accept("word", "INTO")
    table = parser.name()
    while parser.accept("symbol", "."):
        table = parser.name()
    if parser.accept("word", "PARTITION"):
        parser.parentheses()
    if not parser.accept("word", "VALUES", "VALUE"):
        parser.parentheses()  # the columns
        parser.expect("word", "VALUES", "VALUE")
    row = parser.parentheses()
    _check_row(row, table)
    _check_suffix(parser)
    return row[0].start, row[-1].end


def _check_row(row: list[_Token], table: str) -> None:
    texts = {token.text.upper() for token in row}
    if texts & _DEPENDS_ON_LAST_STATEMENT or ("SELECT" in texts and table in texts):
        raise _NotFoldable


def _check_suffix(parser: _Parser) -> None:
    """After the row: an alias for it, ON DUPLICATE KEY UPDATE or RETURNING; no second row, no second statement."""
    if parser.accept("word", "AS"):
        parser.name()
        token = parser.peek()
        if token is not None and token[:2] == ("symbol", "("):
            parser.parentheses()
    rest = parser.rest()
    if rest and rest[-1][:2] == ("symbol", ";"):
        rest.pop()
    if not rest:
        return
    if rest[0][:2] not in {("word", "ON"), ("word", "RETURNING")}:
        raise _NotFoldable
    if any(token[:2] == ("symbol", ";") for token in rest):
        raise _NotFoldable
