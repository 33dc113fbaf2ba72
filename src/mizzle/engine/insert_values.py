"""INSERT … VALUES with one row of placeholders, taken apart so that many rows go into one statement.

Knows the lexical syntax of SQL ("Language Structure" in the MySQL manual) and the grammar of INSERT and REPLACE as far
as their rows. Must not know how values are written. Where it is in doubt it answers that a statement cannot be folded:
then every row is a statement of its own, which is slower and never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from mizzle.engine.lexer import Ambiguous, Token, tokens
from mizzle.engine.literals import Batches, Literals
from mizzle.engine.placeholders import Template
from mizzle.errors import ProgrammingError

__all__ = ["Folded", "fold", "fold_insert"]


class Folded(NamedTuple):
    """A statement before, in and after its row; `%%` still stands for `%` in all three."""

    prefix: str
    row: str
    suffix: str


class _NotFoldable(Exception):
    pass


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
        splits = {_split(tokens(sql, run_comments, no_backslash_escapes)) for run_comments in readings}
        if len(splits) != 1:
            return None
        start, end = splits.pop()
        folded = Folded(sql[:start], sql[start:end], sql[end:])
        placeholders = [Template(part).count for part in folded]
    except (Ambiguous, _NotFoldable, ProgrammingError):
        return None
    return None if placeholders[0] or placeholders[2] else folded


def fold(literals: Literals, folded: Folded, rows: Iterable[object], max_bytes: int) -> Iterator[bytes]:
    """The statements that insert `rows`, each as long as `max_bytes` allows; a row that is longer goes alone.

    An error about a value names its row, counted from 1. Nothing is taken from `rows` before it is needed.
    """
    prefix, suffix = literals.assemble(folded.prefix, ()), literals.assemble(folded.suffix, ())
    return Batches(literals, prefix, Template(folded.row, literals.codec), suffix, rows, max_bytes)


class _Parser:
    """Where in the list of tokens we are."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> Token | None:
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

    def parentheses(self) -> list[Token]:
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

    def rest(self) -> list[Token]:
        return self._tokens[self._at :]


def _split(tokens: list[Token]) -> tuple[int, int]:
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


def _check_row(row: list[Token], table: str) -> None:
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
