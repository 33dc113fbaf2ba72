"""ConnectOptions: what a connection is to be, settled and checked.

Knows the names and types of the settings. Knows nothing of where they were written: keywords, URL, option files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mizzle.constants.capabilities import (
    CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS,
    CLIENT_FOUND_ROWS,
    CLIENT_INTERACTIVE,
)
from mizzle.types import WebAuthnAssertion, WebAuthnRequest

if TYPE_CHECKING:
    import ssl

SSLMode = Literal["disabled", "preferred", "required", "verify_ca", "verify_identity"]
OnInterrupt = Literal["kill", "drain", "close"]
ZeroDates = Literal["none", "str", "raise"]
ResultsetMetadata = Literal["full", "none"]
Redirect = Literal["off", "preferred", "enforced"]
TrackGtids = Literal["off", "own_gtid", "all_gtids"]
TrackTransactions = Literal["off", "state", "characteristics"]
VectorAs = Literal["bytes", "array", "memoryview", "numpy"]
Password = bytes | Callable[[], str | bytes | Awaitable[str | bytes]]
#: Given the question and whether the answer may be seen as it is typed; gives the answer.
Dialog = Callable[[str, bool], str | bytes]
WebAuthn = Callable[[WebAuthnRequest], WebAuthnAssertion | Sequence[WebAuthnAssertion]]


@dataclass(frozen=True, kw_only=True)
class ConnectOptions:
    """Made by `connect_options()`; every value is of its final type and allowed."""

    host: str = "localhost"
    port: int = 3306
    unix_socket: str | None = None
    bind_address: str | None = None
    tcp_keepalive: bool = True

    user: str = ""
    #: UTF-8 bytes, or a callable that gives the password anew for each connection: see `password_bytes()`.
    password: Password = field(default=b"", repr=False)
    #: For the second and third factor of an account.
    password2: Password = field(default=b"", repr=False)
    password3: Password = field(default=b"", repr=False)
    #: Answers the questions of PAM and the like (plugin dialog). Runs within the login: it holds up a loop or hub.
    dialog: Dialog | None = None
    #: Has an authenticator sign (plugin authentication_webauthn_client). The same holds.
    webauthn: WebAuthn | None = None
    #: The id token of OpenID Connect, and a file that has it, read at each login.
    openid_token: Password = field(default=b"", repr=False)
    openid_token_file: str | None = None
    #: The Kerberos principal that the server must be; None: whatever it says it is.
    service_principal: str | None = None
    auth_plugin: str | None = None
    #: PEM of the server's RSA key: then it is not asked of the server.
    server_public_key: bytes | None = None
    database: str | None = None

    charset: str = "utf8mb4"
    collation: str | None = None
    use_unicode: bool = True
    #: None: leave the server's default.
    autocommit: bool | None = False
    init_command: str | None = None
    sql_mode: str | None = None

    #: Seconds for DNS, TCP, TLS and authentication together; None: no limit.
    connect_timeout: float | None = 10.0
    #: Seconds in which a call must be done, unless it is given its own; None: no limit.
    timeout: float | None = None
    #: Seconds without a byte from the server, or without it taking one, while a command runs; None: no limit.
    read_timeout: float | None = None
    write_timeout: float | None = None
    #: Is `timeout` told to the server, too (MariaDB: max_statement_time; MySQL, SELECT only: max_execution_time)?
    timeout_on_server: bool = False
    #: What becomes of a command that was interrupted or not answered in time.
    on_interrupt: OnInterrupt = "kill"
    #: Seconds in which a connection must have come to rest after an interrupt; else it is closed.
    interrupt_timeout: float = 1.0

    #: CLIENT_* bits that the user asked for.
    client_flag: int = 0
    #: Is a server obeyed that asks, at the login, to use another one (MariaDB's redirect_url)? Once, and only if its
    #: certificate was verified or it names another port of the same host. "preferred" stays where the other server is
    #: not to be had, "enforced" fails then, and where no other is named.
    redirect: Redirect = "off"
    #: What the server is to tell of the session beside what it tells unasked, as its variables of the same names have
    #: it; nothing of it where the server has no session tracking. GTIDs: `Connection.last_gtids`. MariaDB has one way
    #: only, its variable last_gtid.
    session_track_gtids: TrackGtids = "off"
    #: `Connection.transaction_state`, and with "characteristics" `transaction_characteristics`.
    session_track_transaction_info: TrackTransactions = "off"
    #: Names of further system variables, or "*" for all: `Connection.tracked_variables`.
    session_track_system_variables: tuple[str, ...] = ()
    #: `Connection.state_changes`. Pools ask for it, to know what has to be reset.
    session_track_state_change: bool = False
    local_infile: bool = False
    max_allowed_packet: int = 1 << 30
    #: Includes program_name.
    connect_attrs: Mapping[str, str] = field(default_factory=dict)
    program_name: str | None = None

    ssl_mode: SSLMode = "preferred"
    #: A context of the user's own; then the other ssl_* settings are empty, and ssl_mode says what the context checks.
    ssl: ssl.SSLContext | None = None
    ssl_ca: str | None = None
    ssl_capath: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None
    ssl_key_password: str | None = field(default=None, repr=False)
    ssl_cipher: str | None = None
    #: Empty: what Python and OpenSSL allow.
    tls_versions: tuple[str, ...] = ()

    zero_dates: ZeroDates = "none"
    #: "none": the server leaves out what the columns of results are, if it can (MySQL). Then every value is bytes as
    #: they were sent, columns have no names of their own, and no statement can be prepared.
    resultset_metadata: ResultsetMetadata = "full"
    #: "zlib", "zstd", "best" (True: the best that both sides have, or none); None: no compression.
    compress: str | None = None
    #: From 1 to 9 (zlib) or 22 (zstd); None: 6 and 3.
    compress_level: int | None = None
    #: Bytes below which nothing is compressed.
    compress_threshold: int = 150
    #: How often a statement with parameters is executed before it is prepared by itself; 0: never.
    prepare_threshold: int = 0
    #: How many statements a connection keeps prepared: those used last.
    prepared_cache_size: int = 100
    #: Seconds after which a statement is prepared anew; None: never.
    prepared_lifetime: float | None = None
    #: What makes a value of a JSON document's text; None: it is the text.
    json: Callable[[str], Any] | None = None
    #: Do MariaDB's UUID columns become uuid.UUID, INET4 and INET6 the addresses of `ipaddress`?
    uuid: bool = False
    inet: bool = False
    #: What a VECTOR becomes. MariaDB calls its vectors VARBINARY: they stay bytes, unless `conv` says otherwise.
    vector: VectorAs = "bytes"
    #: Functions of a value's text (or bytes), by column type: its code, or its name as in `Column.type_name`, or one of
    #: these and the name of the column's character set, as in ("varbinary", "binary"). The more is known of the column
    #: the better: name and character set, name, code and character set, code. By Python type: functions that write
    #: literals.
    conv: Mapping[int | str | tuple[int | str, str] | type, Callable[..., Any]] | None = None
    cursorclass: type[Any] | None = None
    row_factory: Callable[..., Any] | None = None
    world: str = "auto"
    #: Called with each Progress that MariaDB reports of a long statement; see `Connection.on_progress`.
    on_progress: Callable[[Any], object] | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ConnectOptions:
        """With these settings; the class itself has the defaults of the others, so that they need not be set."""
        options = object.__new__(cls)  # __init__ sets seventy fields: a tenth of what connecting takes
        vars(options).update(settings)
        vars(options).setdefault("connect_attrs", {})
        return options

    @property
    def found_rows(self) -> bool:
        """Does rowcount say matched rows, not changed ones?"""
        return bool(self.client_flag & CLIENT_FOUND_ROWS)

    @property
    def can_handle_expired_passwords(self) -> bool:
        """May a login with an expired password open a connection, on which nothing works but changing it?"""
        return bool(self.client_flag & CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS)

    @property
    def interactive(self) -> bool:
        """Does the server wait `interactive_timeout` seconds for the next command, not `wait_timeout`?"""
        return bool(self.client_flag & CLIENT_INTERACTIVE)

    @property
    def ssl_verify_cert(self) -> bool:
        """Is the server's certificate checked?"""
        return self.ssl_mode in {"verify_ca", "verify_identity"}

    @property
    def ssl_verify_identity(self) -> bool:
        """Is the server's name checked against its certificate?"""
        return self.ssl_mode == "verify_identity"


def password_bytes(password: object) -> bytes:
    """What a `password` callable gave (or its awaitable), as bytes for authentication."""
    if password is None:
        return b""
    if isinstance(password, str):
        return password.encode()
    if isinstance(password, (bytes, bytearray)):
        return bytes(password)
    raise TypeError(f"the password callable must give str or bytes, not {type(password).__name__}")
