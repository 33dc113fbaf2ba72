"""SQL text taken apart into words, quoted texts and symbols, as far as placeholders and INSERT need it.

Knows the lexical syntax of SQL ("Language Structure" in the MySQL manual), in both modes of backslashes. Knows no
grammar. Where the two modes read a text differently and nobody knows which holds, it says so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Ambiguous", "Token", "tokens"]


class Token(NamedTuple):
    kind: str  # word, quoted, symbol
    text: str  # a word in capitals; a name without its quotes
    start: int
    end: int


class Ambiguous(Exception):
    """A quoted text or comment has no end, or one in each mode of backslashes."""


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


def tokens(sql: str, run_comments: bool, no_backslash_escapes: bool | None) -> list[Token]:
    """All but white space and comments. `run_comments`: the text in `/*! … */` belongs to the statement."""
    found_tokens = []
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
                raise Ambiguous
        elif in_comment and sql.startswith("*/", at):
            in_comment, end = False, at + 2
        elif kind == "quoted":
            end = _end_of_quoted(sql, at, no_backslash_escapes)
            found_tokens.append(Token(kind, sql[at + 1 : end - 1], at, end))
        elif kind != "space":
            found_tokens.append(Token(kind, text.upper() if kind == "word" else text, at, end))
        at = end
    return found_tokens


def _end_of_quoted(sql: str, at: int, no_backslash_escapes: bool | None) -> int:
    quote = sql[at]
    ends = set()
    if no_backslash_escapes is not False or quote != "'":
        ends.add(_QUOTED[quote].match(sql, at))
    if quote != "`" and not no_backslash_escapes:  # in `"` too: whether that begins a name depends on ANSI_QUOTES
        ends.add(_QUOTED_WITH_BACKSLASHES[quote].match(sql, at))
    places = {found.end() if found else -1 for found in ends}
    if len(places) != 1 or -1 in places:
        raise Ambiguous
    return places.pop()
