"""What a SQLAlchemy URL says, as keywords of `mizzle.connect`.

Knows: SQLAlchemy's URL, mizzle's settings, and what SQLAlchemy's older MySQL dialects read into a URL. Must not know:
engines, connections.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from mizzle import errors
from mizzle.options.keywords import KNOWN, SOURCES, settings_from

#: What decides by itself how much of a certificate is checked.
_DECIDED = {"ssl_mode", "ssl_verify_cert", "ssl_verify_identity", "ssl_disabled", "ssl"}
_UNDERSTOOD = {*KNOWN, *SOURCES, "ssl_check_hostname"}


def connect_keywords(url: URL) -> dict[str, Any]:
    """The keywords that a URL stands for, each of its final type; ArgumentError for a value that is not allowed.

    What is no setting of mizzle's is handed on as it stands, as SQLAlchemy's own dialects do: it may be meant for a
    listener to `do_connect`, which takes it out. Where none does, `mizzle.connect` refuses it, and says what may have
    been meant.
    """
    keywords: dict[str, Any] = {"found_rows": True}  # SQLAlchemy counts the rows that matched
    given: dict[str, Any] = {}
    for word, value in url.query.items():
        name = word.lower().replace("-", "_")
        if name not in _UNDERSTOOD:
            keywords[word] = value
            continue
        if not isinstance(value, str) or name in given:
            raise ArgumentError(f"the URL gives {name} twice")
        given[name] = value
    for name in SOURCES - {"url"}:
        if name in given:
            keywords[name] = given.pop(name)
    check_hostname = given.pop("ssl_check_hostname", None)
    try:
        keywords |= settings_from(given, " in the URL")
    except (ValueError, errors.NotSupportedError) as error:
        raise ArgumentError(str(error)) from error
    if check_hostname is None and ("ssl_ca" in keywords or "ssl_capath" in keywords) and not _DECIDED & keywords.keys():
        # mysql+pymysql:// checks the server's name as soon as there is a CA: another driver must not do less.
        check_hostname = "true"
    if check_hostname is not None:
        keywords["ssl"] = {"check_hostname": check_hostname}
    return keywords | url.translate_connect_args(username="user")
