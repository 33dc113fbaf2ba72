"""Option files (my.cnf), read as the servers' own clients read them.

Knows their syntax (MySQL manual, "Using Option Files": comments, quotes, escapes, !include, options without a value)
and which of their options are settings of mizzle. Other options belong to other programs and are passed over.
configparser cannot do this: it has no !include and no escapes, and refuses an option that is written twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mizzle.options.keywords import NotGiven, read_bool, read_value

DEFAULT_FILES = ("/etc/my.cnf", "/etc/mysql/my.cnf", "~/.my.cnf")
CLIENT_GROUPS = ("client", "client-server")
MAX_DEPTH = 10

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", "\\": "\\", '"': '"', "'": "'"}

# option: setting
_OPTIONS = {
    "user": "user",
    "password": "password",
    "password1": "password",
    "password2": "password2",
    "password3": "password3",
    "authentication_openid_connect_client_id_token_file": "openid_token_file",
    "host": "host",
    "port": "port",
    "socket": "unix_socket",
    "database": "database",
    "bind_address": "bind_address",
    "default_character_set": "charset",
    "default_auth": "auth_plugin",
    "init_command": "init_command",
    "connect_timeout": "connect_timeout",
    "local_infile": "local_infile",
    "compress": "compress",
    "max_allowed_packet": "max_allowed_packet",
    "ssl": "ssl",
    "ssl_mode": "ssl_mode",
    "ssl_ca": "ssl_ca",
    "ssl_capath": "ssl_capath",
    "ssl_cert": "ssl_cert",
    "ssl_key": "ssl_key",
    "ssl_cipher": "ssl_cipher",
    "tls_version": "tls_versions",
}
_SWITCHES = frozenset({"ssl", "compress", "local_infile", "ssl_verify_server_cert"})
_PREFIXES = {"skip_": "0", "disable_": "0", "enable_": "1"}


class Option(NamedTuple):
    """One line of a file; `value` is None where there is no `=`."""

    group: str
    name: str
    value: str | None
    place: str


def settings_in_files(file: str | os.PathLike[str] | None, group: str | None) -> dict[str, Any]:
    """The settings of [client] and, over them, of `group`; without a file, of those places where all clients look.

    A file that was named must be there.
    """
    options: list[Option] = []
    if file is not None:
        options.extend(read_file(Path(file).expanduser()))
    else:
        for name in DEFAULT_FILES:
            path = Path(name).expanduser()
            if path.is_file():
                options.extend(read_file(path))
    settings: dict[str, Any] = {}
    for groups in (CLIENT_GROUPS, (group,)):
        for option in options:
            if option.group in groups:
                settings.update(_setting(option))
    return settings


def read_file(path: Path, depth: int = 0) -> Iterator[Option]:
    """All options of a file and of those that it includes, in their order."""
    if depth > MAX_DEPTH:
        raise ValueError(f"option files include one another more than {MAX_DEPTH} deep, at {path}")
    group = None
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(), 1):
        text, place = line.strip(), f" in {path}, line {number}"
        if not text or text[0] in "#;":
            continue
        if text[0] == "!":
            for included in _included(text, path, place):
                yield from read_file(included, depth + 1)
        elif text[0] == "[":
            if "]" not in text:
                raise ValueError(f"a group without its ]{place}")
            group = text[1 : text.index("]")].strip()
        elif group is None:
            raise ValueError(f"an option before the first [group]{place}")
        else:
            name, value = split_option(text)
            yield Option(group, name, value, place)


def split_option(text: str) -> tuple[str, str | None]:
    """`name = "value"  # comment` -> name, value; the name with _ for - and without loose_."""
    name, equals, value = _without_comment(text).partition("=")
    name = name.strip().lower().replace("-", "_").removeprefix("loose_")
    value = value.strip()
    if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]:
        value = value[1:-1]
    return name, _unescaped(value) if equals else None


def _included(text: str, path: Path, place: str) -> list[Path]:
    """The files that an !include or !includedir line names; relative paths start at the file that names them."""
    word, _, target = text[1:].strip().partition(" ")
    where = path.parent / target.strip()
    if word == "include" and target:
        return [where]
    if word == "includedir" and target:
        return sorted(where.glob("*.cnf"))
    raise ValueError(f"unknown directive{place}: expected !include FILE or !includedir FOLDER")


def _without_comment(text: str) -> str:
    """A # starts a comment anywhere but in quotes."""
    quote, escaped = "", False
    for place, char in enumerate(text):
        if char in "'\"" and not escaped:
            if not quote:
                quote = char
            elif quote == char:
                quote = ""
        elif char == "#" and not quote:
            return text[:place]
        escaped = bool(quote) and char == "\\" and not escaped
    return text


def _unescaped(value: str) -> str:
    """Backslash sequences; an unknown one stays as it stands, as in a Windows path."""
    parts: list[str] = []
    chars = iter(value)
    for char in chars:
        if char == "\\" and (following := next(chars, None)) is not None:
            parts.append(_ESCAPES.get(following, "\\" + following))
        else:
            parts.append(char)
    return "".join(parts)


def _setting(option: Option) -> dict[str, Any]:
    """The setting that an option stands for, if any."""
    name, value = option.name, option.value
    for prefix, meaning in _PREFIXES.items():
        if value is None and name.removeprefix(prefix) in _SWITCHES:
            name, value = name.removeprefix(prefix), meaning if name.startswith(prefix) else "1"
    if name == "ssl_verify_server_cert":
        return _verify_server_cert(value, option.place)
    if name not in _OPTIONS or value is None or (name == "default_character_set" and value == "auto"):
        return {}
    setting = _OPTIONS[name]
    try:
        return {setting: read_value(setting, value, option.place)}
    except NotGiven:
        return {}


def _verify_server_cert(value: str | None, place: str) -> dict[str, Any]:
    """MariaDB's option: chain and name are checked, or nothing is."""
    try:
        verify = read_bool(value)
    except ValueError:
        raise ValueError(f"ssl-verify-server-cert{place} is {value!r}: expected 0 or 1") from None
    return {"ssl_verify_identity": True} if verify else {"ssl_verify_identity": False, "ssl_verify_cert": False}
