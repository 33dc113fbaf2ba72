"""Which statements mean the same once they are prepared."""

from __future__ import annotations

import pytest

from mizzle.engine.preparable import template_for
from mizzle.errors import ProgrammingError


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT %s, %s", "SELECT ?, ?"),
        ("SELECT %(a)s, %(a)s", "SELECT ?, ?"),
        ("SELECT '100%%', 7 %% %s", "SELECT '100%', 7 % ?"),
        ("SELECT '?', `?`, \"?\", %s /* ? */ -- ?", "SELECT '?', `?`, \"?\", ? /* ? */ -- ?"),
        ("SELECT 'it''s' # ?\n, %s", "SELECT 'it''s' # ?\n, ?"),
        ("SELECT n FROM t WHERE a = %s ORDER BY b, c LIMIT %s", "SELECT n FROM t WHERE a = ? ORDER BY b, c LIMIT ?"),
        ("SELECT n FROM t ORDER BY b + %s", "SELECT n FROM t ORDER BY b + ?"),
        ("SELECT n FROM t GROUP BY b HAVING c > %s", "SELECT n FROM t GROUP BY b HAVING c > ?"),
        ("SELECT n FROM t ORDER BY FIELD(n, 1) LIMIT 5, %s", "SELECT n FROM t ORDER BY FIELD(n, 1) LIMIT 5, ?"),
        ("SELECT 'ä', %s", "SELECT 'ä', ?"),
    ],
)
def test_what_can_be_prepared(query: str, marked: str) -> None:
    for given in (query, query.encode()):
        template = template_for(given, "utf8", False)
        assert template is not None
        assert template.marked() == marked.encode()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT '%s'",
        'SELECT "%s", %s',
        "SELECT `%s`",
        "SELECT 1 /* %s */",
        "SELECT 1 /*! + %s */",
        "SELECT 1 -- %s",
        "SELECT 1 # %s",
        "SELECT ?, '%s'",
        "SELECT ?",
        "SELECT 'unfinished",
        "SELECT 1 /* unfinished",
        "SELECT n FROM t ORDER BY %s",
        "SELECT n FROM t ORDER BY a, %s",
        "SELECT n FROM t GROUP BY %s",
        b"SELECT '\xff', %s",
    ],
)
def test_what_would_mean_something_else(query: str | bytes) -> None:
    assert template_for(query, "utf8", False) is None


def test_backslashes_that_may_or_may_not_escape() -> None:
    query = "SELECT 'a\\', %s, '"
    assert template_for(query, "utf8", False) is None
    assert template_for("SELECT 'a\\'b', %s", "utf8", False) is not None
    assert template_for("SELECT 'a\\', %s", "utf8", True) is not None
    assert template_for("SELECT 'a\\', %s", "utf8", None) is None


def test_what_is_no_placeholder() -> None:
    with pytest.raises(ProgrammingError, match="is no placeholder"):
        template_for("SELECT 7 % 4", "utf8", False)
