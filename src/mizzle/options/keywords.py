"""Every setting that connect() takes: its name, what it accepts, and how text from a URL or file becomes its value.

Knows one setting at a time. What several say together is settled elsewhere.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from mizzle.constants import charsets
from mizzle.errors import NotSupportedError

SSL_MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
ON_INTERRUPT = ("kill", "drain", "close")
ZERO_DATES = ("none", "str", "raise")
REDIRECTS = ("off", "preferred", "enforced")
TRACK_GTIDS = ("off", "own_gtid", "all_gtids")
TRACK_TRANSACTIONS = ("off", "state", "characteristics")
VECTORS_AS = ("bytes", "array", "memoryview", "numpy")
TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
# The servers refuse these as a client's character set: an ASCII statement would not be itself.
SERVER_ONLY_CHARSETS = frozenset({"ucs2", "utf16", "utf16le", "utf32"})
MAX_TIMEOUT = 31_536_000

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SIZE = re.compile(r"(\d+)([kmg]?)", re.IGNORECASE)


class NotGiven(Exception):
    """The value means: as if the setting had not been given."""


class Setting(NamedTuple):
    """How a setting reads its values: `read` raises ValueError for one that is not as `expected` says."""

    read: Callable[[Any], Any]
    expected: str
    textual: bool = True  # may it stand in a URL or an option file?
    secret: bool = False  # is its value kept out of messages?
    takes_none: bool = False  # is None a value, and not the absence of one?
    takes_empty: bool = False  # is an empty str a value?


def demand(condition: object) -> None:
    """ValueError unless so; read_value() makes the message."""
    if not condition:
        raise ValueError


def read_text(value: Any) -> str:
    demand(isinstance(value, str) and "\0" not in value)
    return str(value)


def read_path(value: Any) -> str:
    return read_text(os.fspath(value) if isinstance(value, os.PathLike) else value)


def read_host(value: Any) -> str:
    host = read_text(value)
    demand("/" not in host and not host.isspace())
    return host


def read_bool(value: Any) -> bool:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    elif isinstance(value, int) and value in {0, 1}:
        return bool(value)
    raise ValueError


def read_autocommit(value: Any) -> bool | None:
    return None if value is None else read_bool(value)


def read_int(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*", value, re.ASCII):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError


def read_port(value: Any) -> int:
    port = read_int(value)
    if port == 0:
        raise NotGiven
    demand(0 < port < 65536)
    return port


def read_size(value: Any) -> int:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        value = int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]
    size = read_int(value)
    demand(1024 <= size <= 1 << 30)
    return size


def read_compress(value: Any) -> str | None:
    word = value.strip().lower() if isinstance(value, str) else value
    if word in {"zlib", "zstd"}:
        return str(word)
    return "best" if word == "best" or read_bool(value) else None


def read_level(value: Any) -> int:
    level = read_int(value)
    demand(1 <= level <= 22)
    return level


def read_count(value: Any) -> int:
    count = read_int(value)
    demand(count >= 0)
    return count


def read_size_of_cache(value: Any) -> int:
    size = read_int(value)
    demand(1 <= size <= 10_000)
    return size


def read_seconds(value: Any) -> float | None:
    if value is None:
        return None
    demand(isinstance(value, (int, float, str)) and not isinstance(value, bool))
    seconds = float(value)
    demand(0 < seconds <= MAX_TIMEOUT)
    return seconds


def read_client_flag(value: Any) -> int:
    flags = read_int(value)
    demand(0 <= flags < 1 << 32)
    return flags


def read_password(value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode(errors="surrogateescape")  # of an option file that is not UTF-8
    if isinstance(value, (bytes, bytearray)):
        demand(b"\0" not in value)
        return bytes(value)
    return read_callable(value)


def read_charset(value: Any) -> str:
    name = read_text(value).lower()
    charset = charsets.default_collation(name).charset
    demand(charset not in SERVER_ONLY_CHARSETS)
    return charset


def read_collation(value: Any) -> str:
    name = read_text(value)
    demand(re.fullmatch(r"[A-Za-z0-9_]+", name))  # it becomes part of SET NAMES
    return name.lower()


def read_public_key(value: Any) -> bytes:
    key = value.encode() if isinstance(value, str) else value
    demand(isinstance(key, bytes) and b"-----BEGIN" in key)
    return bytes(key)


def read_attrs(value: Any) -> dict[str, str]:
    demand(isinstance(value, Mapping) and all(isinstance(word, str) for pair in value.items() for word in pair))
    return dict(value)


def read_ssl(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, ssl.SSLContext) else read_bool(value)


def read_tls_versions(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    demand(isinstance(words, Iterable))
    known = {version.lower(): version for version in TLS_VERSIONS}
    return tuple(known[str(word).strip().lower()] for word in words)


def read_names_of_variables(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    demand(isinstance(words, Iterable))
    names = tuple(read_text(word).strip() for word in words)
    demand(all(re.fullmatch(r"\*|[A-Za-z0-9_.]+", name, re.ASCII) for name in names))  # it becomes part of SET
    return names


def read_conv(value: Any) -> dict[Any, Any]:
    demand(isinstance(value, Mapping))
    for key in value:
        if isinstance(key, tuple):  # a column type and a character set
            demand(len(key) == 2 and isinstance(key[0], (int, str)) and isinstance(key[1], str))
        else:
            demand(isinstance(key, (int, str, type)))
    return dict(value)


def read_json(value: Any) -> Any:
    if callable(value):
        return value
    return json.loads if read_bool(value) else None


def read_callable(value: Any) -> Any:
    demand(callable(value))
    return value


def read_class(value: Any) -> Any:
    demand(isinstance(value, type))
    return value


def one_of(*words: str) -> Setting:
    """A setting that is one of some words, in any case, with - for _ too."""

    def read(value: Any) -> str:
        word = read_text(value).lower().replace("-", "_")
        demand(word in words)
        return word

    return Setting(read, "one of " + ", ".join(map(repr, words)))


TEXT = Setting(read_text, "a str without NUL")
PATH = Setting(read_path, "a path")
BOOL = Setting(read_bool, "True or False (as text: 1, true, yes, on, 0, false, no, off)")
SECONDS = Setting(read_seconds, f"seconds, above 0 and up to {MAX_TIMEOUT}, or None")
SECRET = Setting(read_password, "a str or bytes without NUL, or a callable that gives one", secret=True)
ANY_CALLABLE = Setting(read_callable, "a callable", textual=False)

SETTINGS: dict[str, Setting] = {
    "host": Setting(read_host, "a host name or address (the path of a socket goes into unix_socket=)"),
    "port": Setting(read_port, "a whole number from 1 to 65535"),
    "unix_socket": PATH,
    "bind_address": TEXT,
    "tcp_keepalive": BOOL,
    "user": TEXT,
    "password": SECRET,
    "password2": SECRET,
    "password3": SECRET,
    "dialog": ANY_CALLABLE,
    "webauthn": ANY_CALLABLE,
    "openid_token": SECRET,
    "openid_token_file": PATH,
    "service_principal": TEXT,
    "can_handle_expired_passwords": BOOL,
    "auth_plugin": TEXT,
    "server_public_key": Setting(read_public_key, "the key itself in PEM ('-----BEGIN PUBLIC KEY-----...')"),
    "database": TEXT,
    "charset": Setting(read_charset, "a character set such as 'utf8mb4' or 'latin1' (not ucs2, utf16, utf16le, utf32)"),
    "collation": Setting(read_collation, "a collation such as 'utf8mb4_bin'"),
    "use_unicode": BOOL,
    "autocommit": Setting(read_autocommit, "True, False or None (the server's default)", takes_none=True),
    "init_command": TEXT,
    "sql_mode": Setting(read_text, TEXT.expected, takes_empty=True),
    "connect_timeout": Setting(read_seconds, SECONDS.expected, takes_none=True),
    "read_timeout": SECONDS,
    "write_timeout": SECONDS,
    "timeout": SECONDS,
    "timeout_on_server": BOOL,
    "on_interrupt": one_of(*ON_INTERRUPT),
    "interrupt_timeout": SECONDS,
    "client_flag": Setting(read_client_flag, "CLIENT_* flags, a whole number below 2**32"),
    "found_rows": BOOL,
    "redirect": one_of(*REDIRECTS),
    "session_track_gtids": one_of(*TRACK_GTIDS),
    "session_track_transaction_info": one_of(*TRACK_TRANSACTIONS),
    "session_track_system_variables": Setting(
        read_names_of_variables, "names of system variables (as text, with commas between them), or '*'"
    ),
    "session_track_state_change": BOOL,
    "local_infile": BOOL,
    "max_allowed_packet": Setting(read_size, "bytes, from 1024 to 1073741824 (as text also with K, M or G)"),
    "connect_attrs": Setting(read_attrs, "a mapping of str to str", textual=False),
    "program_name": TEXT,
    "ssl_mode": one_of(*SSL_MODES),
    "ssl": Setting(read_ssl, "True, False, an ssl.SSLContext or a dict"),
    "ssl_disabled": BOOL,
    "ssl_ca": PATH,
    "ssl_capath": PATH,
    "ssl_cert": PATH,
    "ssl_key": PATH,
    "ssl_key_password": Setting(read_text, TEXT.expected, secret=True),
    "ssl_verify_cert": BOOL,
    "ssl_verify_identity": BOOL,
    "ssl_cipher": TEXT,
    "tls_versions": Setting(read_tls_versions, "some of 'TLSv1.2' and 'TLSv1.3'"),
    "zero_dates": one_of(*ZERO_DATES),
    "compress": Setting(read_compress, "'zlib', 'zstd', True (the best that both sides have) or False"),
    "compress_level": Setting(read_level, "a whole number from 1 to 9 (zlib) or 22 (zstd)"),
    "compress_threshold": Setting(read_count, "bytes"),
    "prepare_threshold": Setting(read_count, "how often a statement is executed before it is prepared, or 0: never"),
    "prepared_cache_size": Setting(read_size_of_cache, "a whole number from 1 to 10000"),
    "prepared_lifetime": SECONDS,
    "json": Setting(read_json, "True (json.loads), False, or a callable that makes a value of a JSON document's text"),
    "uuid": BOOL,
    "inet": BOOL,
    "resultset_metadata": one_of("full", "none"),
    "vector": one_of(*VECTORS_AS),
    "conv": Setting(
        read_conv,
        "a mapping whose keys are column types (a code, a name, or a tuple of one and a character set) or Python types",
        textual=False,
    ),
    "cursorclass": Setting(read_class, "a class", textual=False),
    "row_factory": ANY_CALLABLE,
    "world": TEXT,
    "on_progress": ANY_CALLABLE,
    "interactive": BOOL,
}

ALIASES = {"passwd": "password", "password1": "password", "db": "database"}
SOURCES = frozenset({"url", "read_default_file", "read_default_group"})
# What other drivers take and mizzle does not; harmless while false.
REFUSED = {
    "named_pipe": "named pipes are Windows's; use host and port",
    "defer_connect": "connect() connects at once; call it when the connection is wanted",
    "auth_plugin_map": "authentication plugins cannot be replaced; auth_plugin= says which one to start with",
}
# PyMySQL's binary_prefix: bytes always get it here.
IGNORED = frozenset({"binary_prefix"})
SECRETS = frozenset(word for word in (*SETTINGS, *ALIASES) if SETTINGS[ALIASES.get(word, word)].secret)
KNOWN = frozenset({*SETTINGS, *ALIASES, *REFUSED, *IGNORED})


def read_value(name: str, value: object, origin: str = "") -> Any:
    """The value of one setting in its final type; NotGiven for what stands for nothing. `origin`: ' in the URL'."""
    setting = SETTINGS[name]
    if origin and not setting.textual:
        raise ValueError(f"{name} cannot be given{origin}: it takes {setting.expected}, as a keyword argument")
    empty = isinstance(value, (str, bytes)) and not value
    if (value is None and not setting.takes_none) or (empty and not setting.takes_empty):
        raise NotGiven
    try:
        return setting.read(value)
    except (ValueError, LookupError):
        shown = "not usable" if setting.secret else f"{value!r}, which is not allowed"
        raise ValueError(f"{name}{origin} is {shown}: expected {setting.expected}") from None


def settings_from(given: Mapping[str, object], origin: str = "") -> dict[str, Any]:
    """All settings of one source, read; the words of other drivers accepted or refused."""
    read: dict[str, Any] = {}
    for word, value in given.items():
        name = ALIASES.get(word, word)
        if name in SETTINGS:
            try:
                new = read_value(name, value, origin)
            except NotGiven:
                continue
            if name in read and read[name] != new:
                other = next(alias for alias, target in ALIASES.items() if target == name)
                raise ValueError(f"{name} and {other} are the same setting and have different values{origin}")
            read[name] = new
        elif name in REFUSED:
            if value and not (isinstance(value, str) and value.lower() in _FALSE):
                raise NotSupportedError(0, f"{name}{origin}: {REFUSED[name]}", sent=False, alive=False)
        elif name not in IGNORED:
            unknown(word, origin)
    return read


def unknown(word: str, origin: str) -> NoReturn:
    """TypeError, as Python has it for an unknown keyword; ValueError for one in a URL."""
    names = [name for name, setting in SETTINGS.items() if setting.textual or not origin]
    names += [*ALIASES, *SOURCES] if not origin else ALIASES
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    text = f"connect() has no keyword {word!r}" if not origin else f"unknown setting {word!r}{origin}"
    text += f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(names))}"
    raise ValueError(text) if origin else TypeError(text)
