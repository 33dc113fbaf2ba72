"""dialog: questions and answers in the clear, for MariaDB's PAM plugin and its like.

Knows that one dialogue, and that it takes place on secure links only.
"""

from __future__ import annotations

from mizzle.engine.auth.context import AuthContext, Plugin, demand_secure, plugin_error

__all__ = ["dialog"]

_NAME = "dialog"

#: The type of a question: bit 0 says that it is the last, the others whether the answer may be seen.
_LAST = 1
_ORDINARY, _PASSWORD = 1, 2


def dialog(auth: AuthContext) -> Plugin:
    """The password for the first question that asks for one, what the `dialog` callback says for all others.

    The first question may stand in the nonce's place. Answers go as they are, hence over TLS and Unix sockets only.
    """
    demand_secure(auth, _NAME, "the server asks questions to be answered in clear text")
    unused = auth.password
    question = auth.nonce or (yield None)
    while True:
        kind, text = _parse(question)
        if kind >> 1 == _PASSWORD and unused:
            answer, unused = unused, b""
        else:
            answer = _ask(auth, text, kind >> 1 == _ORDINARY)
        question = yield answer + b"\0"
        if kind & _LAST:
            raise plugin_error(_NAME, "the server asks another question after its last")


def _parse(question: bytes) -> tuple[int, str]:
    """type [1 byte], text [string<EOF>]"""
    kind = question[0] if question else 0
    if kind >> 1 not in {_ORDINARY, _PASSWORD}:
        raise plugin_error(_NAME, f"the server asks a question of the unknown type {kind}")
    return kind, question[1:].decode("utf8", "replace").rstrip("\0")


def _ask(auth: AuthContext, text: str, echo: bool) -> bytes:
    if auth.dialog is None:
        raise plugin_error(
            _NAME,
            f"the server asks {text[:200]!r}, and nobody answers",
            hint="Give connect() a function of the question and whether its answer may be seen: dialog=...",
        )
    answer = auth.dialog(text, echo)
    data = answer.encode() if isinstance(answer, str) else answer
    if not isinstance(data, bytes) or b"\0" in data:
        raise plugin_error(_NAME, "the dialog callback must give a str or bytes without NUL")
    return data
