"""Which statements can be prepared as they are written, with %s and %(name)s.

Knows what makes a prepared statement mean something else than the same text with literals in it. Must not know what a
server refuses: it says so itself.
"""

from __future__ import annotations

from mizzle.engine.lexer import Ambiguous, tokens
from mizzle.engine.placeholders import Template

__all__ = ["template_for"]

_CLAUSES = ("ORDER", "GROUP")  # … BY 2 is the second column, … BY ? a constant


def template_for(query: str | bytes, codec: str, no_backslash_escapes: bool | None) -> Template | None:
    """The statement with its placeholders found; None where it would mean something else once it is prepared.

    That is where a placeholder stands in quotes or in a comment, where a ? of the text would be taken for one, and
    where one is all of an ORDER BY or GROUP BY. ProgrammingError for placeholders that are none.
    """
    template = Template(query, codec)
    try:
        sql = query if isinstance(query, str) else bytes(query).decode(codec)
        found = [token for token in tokens(sql, False, no_backslash_escapes) if token.text != "%%"]
    except (Ambiguous, UnicodeDecodeError):
        return None
    symbols = [token.text if token.kind == "symbol" else "" for token in found]
    if "?" in symbols or sum(map(_is_placeholder, symbols)) != template.count:
        return None
    before, clause = "", ""
    for token in found:
        word = token.text if token.kind == "word" else ""
        if word in _CLAUSES:
            clause = word
        if _is_placeholder(token.text) and before in {"BY", ","} and clause:
            return None
        if word in {"LIMIT", "HAVING", "FOR", "UNION", "ROWS", "RANGE"} or token.text == ")":
            clause = ""
        before = token.text
    return template


def _is_placeholder(text: str) -> bool:
    return text.startswith("%") and text.endswith("s") and text != "%%"
