"""What the many ssl keywords say together: one ssl_mode, and the files and the context that belong to it.

Knows the meaning that PyMySQL, mysqlclient and the servers' own clients give them. Opens no file and makes no context.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from mizzle.options.keywords import NotGiven, read_bool, read_value

#: The settings that decide how much TLS there is; the others say with which files.
DECISIONS = frozenset({"ssl", "ssl_mode", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"})
FILES = frozenset({"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher", "tls_versions"})

_VERIFYING = ("verify_ca", "verify_identity")
_DICT_FILES = {
    "ca": "ssl_ca",
    "capath": "ssl_capath",
    "cert": "ssl_cert",
    "key": "ssl_key",
    "password": "ssl_key_password",
    "cipher": "ssl_cipher",
}


def settle(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with `ssl_mode` decided, `ssl` a context or None, and no other decision left in them."""
    given = dict(settings)
    decisions = {name: given.pop(name, None) for name in DECISIONS}
    if isinstance(decisions["ssl"], dict):
        decisions.update(_unfold(decisions["ssl"], given, decisions))
    context = decisions["ssl"] if isinstance(decisions["ssl"], ssl.SSLContext) else None
    if context is not None and (extra := sorted(FILES & given.keys())):
        raise ValueError(f"ssl is an SSLContext, which holds its own settings: {', '.join(extra)} must go into it")
    if given.get("ssl_key") and not given.get("ssl_cert"):
        raise ValueError("ssl_key is given and ssl_cert is not: the key belongs to a certificate")
    _refuse_contradictions(decisions)
    if decisions["ssl_disabled"]:
        mode = "disabled"
    elif context is not None:
        mode = _mode_of_context(context, decisions["ssl_mode"])
    else:
        mode = decisions["ssl_mode"] or _implied_mode(decisions, given)
    return {**given, "ssl": context, "ssl_mode": mode}


def _unfold(keys: Mapping[str, Any], given: dict[str, Any], decisions: Mapping[str, Any]) -> dict[str, Any]:
    """PyMySQL's and mysqlclient's ssl={...}: files go to `given` where no keyword has them; returns the decisions."""
    if unknown := keys.keys() - _DICT_FILES.keys() - {"check_hostname", "verify_mode"}:
        known = ", ".join([*_DICT_FILES, "check_hostname", "verify_mode"])
        raise ValueError(f"ssl has unknown keys {sorted(unknown)}: expected some of {known}")
    for key, name in _DICT_FILES.items():
        try:
            given.setdefault(name, read_value(name, keys.get(key), " in ssl"))
        except NotGiven:
            continue
    verify = _verify_mode(keys.get("verify_mode"))
    identity = _check_hostname(keys.get("check_hostname"))
    if identity and verify is False:
        raise ValueError("ssl says verify_mode none and check_hostname: a name cannot be checked without a certificate")
    if identity is None and verify is not False and (given.get("ssl_ca") or given.get("ssl_capath")):
        identity = decisions["ssl_mode"] is None  # with a CA, PyMySQL's dict checks the name unless it is told not to
    return {
        "ssl": True if keys else None,
        "ssl_verify_cert": verify if decisions["ssl_verify_cert"] is None else decisions["ssl_verify_cert"],
        "ssl_verify_identity": identity
        if decisions["ssl_verify_identity"] is None
        else decisions["ssl_verify_identity"],
    }


def _check_hostname(value: object) -> bool | None:
    try:
        return None if value is None else read_bool(value)
    except ValueError:
        raise ValueError(f"check_hostname in ssl is {value!r}: expected True or False") from None


def _verify_mode(value: object) -> bool | None:
    """'none' | 'optional' | 'required', a bool, or one of ssl.CERT_*."""
    if value is None:
        return None
    if isinstance(value, str) and value.lower() in {"none", "optional", "required"}:
        return value.lower() != "none"
    if isinstance(value, ssl.VerifyMode):
        return value is not ssl.CERT_NONE
    try:
        return read_bool(value)
    except ValueError:
        raise ValueError(
            f"verify_mode in ssl is {value!r}: expected 'none', 'optional', 'required', True, False or ssl.CERT_*"
        ) from None


def _refuse_contradictions(decisions: Mapping[str, Any]) -> None:
    """An ssl_mode that was written down stands; what asks for something else beside it is a mistake."""
    mode = decisions["ssl_mode"]
    if mode is None:
        return
    wrong = None
    if decisions["ssl_disabled"] and mode != "disabled":
        wrong = "ssl_disabled=True"
    elif decisions["ssl"] is False and mode != "disabled":
        wrong = "ssl=False"
    elif decisions["ssl"] is True and mode in {"disabled", "preferred"}:
        wrong = "ssl=True"
    elif decisions["ssl_verify_identity"] and mode != "verify_identity":
        wrong = "ssl_verify_identity=True"
    elif decisions["ssl_verify_cert"] and mode not in _VERIFYING:
        wrong = "ssl_verify_cert=True"
    elif decisions["ssl_verify_cert"] is False and mode in _VERIFYING:
        wrong = "ssl_verify_cert=False"
    if wrong:
        raise ValueError(f"ssl_mode={mode!r} and {wrong} contradict each other: leave one of them out")


def _mode_of_context(context: ssl.SSLContext, asked: str | None) -> str:
    """What a context checks; it cannot be asked for more, but for being dispensable."""
    checks = "required"
    if context.verify_mode is not ssl.CERT_NONE:
        checks = "verify_identity" if context.check_hostname else "verify_ca"
    if asked in {"disabled", "preferred"}:
        return asked
    strength = ("required", *_VERIFYING)
    if asked is not None and strength.index(asked) > strength.index(checks):
        raise ValueError(f"ssl_mode is {asked!r}, but the SSLContext in ssl checks no more than {checks!r}")
    return checks


def _implied_mode(decisions: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """The mode where none was written down."""
    verify, identity = decisions["ssl_verify_cert"], decisions["ssl_verify_identity"]
    if decisions["ssl"] is False:
        return "disabled"
    if identity:
        return "verify_identity"
    if verify or (verify is None and (given.get("ssl_ca") or given.get("ssl_capath"))):
        return "verify_ca"
    if decisions["ssl"] or any(given.get(name) for name in ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key")):
        return "required"
    return "preferred"
