"""The connection phase: greeting, TLS, authentication, session settings; and COM_CHANGE_USER, which repeats its end.

Knows the dialogue's order ("Connection Phase" in the manual's protocol chapter; "Connection" in MariaDB's). Knows
nothing of what an authentication plugin computes (auth/) or how TLS works (tls.py). Rare and short, hence plain Python.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Generator
from functools import lru_cache
from typing import TYPE_CHECKING

from mizzle.constants import capabilities as cap
from mizzle.constants.charsets import Charset, by_collation, default_collation
from mizzle.constants.commands import COM_CHANGE_USER, COM_INIT_DB, COM_QUERY, COM_RESET_CONNECTION
from mizzle.constants.errnos import (
    CR_SERVER_HANDSHAKE_ERR,
    CR_SSL_CONNECTION_ERROR,
    ER_AUTHENTICATION_REQUIRES_REGISTRATION,
    ER_MUST_CHANGE_PASSWORD,
    ER_UNKNOWN_SYSTEM_VARIABLE,
)
from mizzle.constants.status import SERVER_STATUS_AUTOCOMMIT
from mizzle.engine import compression, tls
from mizzle.engine.auth.exchange import BEGINNERS, Exchange, Link
from mizzle.engine.packets import (
    Handshake,
    build_attributes,
    build_change_user,
    build_handshake_response,
    build_ssl_request,
    parse_auth_switch_request,
    parse_err,
    parse_handshake,
    parse_ok,
)
from mizzle.engine.redirects import redirect_in
from mizzle.errors import Error, MalformedPacket, NotSupportedError, OperationalError, malformed_packet

if TYPE_CHECKING:
    import ssl

    from mizzle.engine.conversations import Engine
    from mizzle.options import ConnectOptions

READ = 1
Steps = Generator[int, None, None]

OK, AUTH_MORE_DATA, AUTH_NEXT_FACTOR, AUTH_SWITCH_REQUEST, ERR = 0x00, 0x01, 0x02, 0xFE, 0xFF

WANTED = (
    cap.CLIENT_LONG_PASSWORD
    | cap.CLIENT_LONG_FLAG
    | cap.CLIENT_PROTOCOL_41
    | cap.CLIENT_TRANSACTIONS
    | cap.CLIENT_SECURE_CONNECTION
    | cap.CLIENT_MULTI_RESULTS
    | cap.CLIENT_PS_MULTI_RESULTS
    | cap.CLIENT_PLUGIN_AUTH
    | cap.CLIENT_CONNECT_ATTRS
    | cap.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    | cap.CLIENT_DEPRECATE_EOF
    | cap.CLIENT_MULTI_FACTOR_AUTHENTICATION
    | cap.MARIADB_CLIENT_STMT_BULK_OPERATIONS
    | cap.MARIADB_CLIENT_CACHE_METADATA
    | cap.MARIADB_CLIENT_EXTENDED_METADATA
    | cap.MARIADB_CLIENT_BULK_UNIT_RESULTS
    | cap.MARIADB_CLIENT_PROGRESS
    | cap.CLIENT_QUERY_ATTRIBUTES
    | cap.CLIENT_SESSION_TRACK
)
# What a user may ask for with client_flag: the others change the protocol, and are the engine's own business.
ON_REQUEST = (
    cap.CLIENT_FOUND_ROWS
    | cap.CLIENT_NO_SCHEMA
    | cap.CLIENT_ODBC
    | cap.CLIENT_IGNORE_SPACE
    | cap.CLIENT_INTERACTIVE
    | cap.CLIENT_MULTI_STATEMENTS
    | cap.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS
)
LOGIN_PACKET = 256 * 1024  # nobody has been let in yet: a Kerberos token is the longest thing said, and has 64 KiB
CHANGE_FIRST = (ER_MUST_CHANGE_PASSWORD, ER_AUTHENTICATION_REQUIRES_REGISTRATION)
NATIVE = "mysql_native_password"
SET_AUTOCOMMIT = ((COM_QUERY, b"SET autocommit=0", True), (COM_QUERY, b"SET autocommit=1", True))
IDENTITY = b"SELECT @@hostname, @@port, @@server_id"
REQUIRED = cap.CLIENT_PROTOCOL_41 | cap.CLIENT_SECURE_CONNECTION
ENCRYPTED_MODES = ("required", "verify_ca", "verify_identity")


def connect(engine: Engine) -> Steps:
    """The whole connection phase, up to the session settings."""
    engine.settled = False
    engine.wire.max_packet = min(engine.options.max_allowed_packet, LOGIN_PACKET)
    engine.phase = "waiting for the server's greeting"
    greeting = yield from read_greeting(engine)
    describe_server(engine, greeting)
    engine.agree(agreed_capabilities(engine.options, greeting))
    context = context_to_use(engine, greeting)
    if context is not None:
        engine.phase = "in the TLS handshake"
        engine.agree(engine.capabilities | cap.CLIENT_SSL)
        yield from start_tls(engine, context)
    engine.phase = "authenticating"
    yield from log_in(engine, greeting, context)
    engine.phase = "setting up the session"
    if engine.options.database and not engine.capabilities & cap.CLIENT_CONNECT_WITH_DB:
        engine.begin(COM_INIT_DB, engine.options.database.encode("utf8"))
        yield from engine.expect_ok()
    yield from settle_session(engine)
    engine.initial_status, engine.initial_charset = engine.status_flags, engine.charset
    engine.tracked.keep()
    engine.phase = ""


# -- greeting --------------------------------------------------------------------------------------------------------


def read_greeting(engine: Engine) -> Generator[int, None, Handshake]:
    wire, payload = engine.wire, b""
    try:
        payload = yield from packet(engine)
        if payload[0] == ERR:  # 1040, 1129, 1130: the server has no place for us
            raise refused(payload)
        return parse_handshake(payload)
    except OperationalError as error:
        if wire.sequence == 0 or isinstance(error, MalformedPacket):
            raise OperationalError(
                CR_SERVER_HANDSHAKE_ERR,
                f"The peer does not speak the MySQL protocol, it began with {(payload or wire.unread)[:40]!r}",
                sent=False,
                alive=False,
                hint="Is this the server's port, and its protocol not the X protocol (33060) or HTTP?",
            ) from error
        raise


def describe_server(engine: Engine, greeting: Handshake) -> None:
    engine.is_mariadb, engine.server_version, engine.server_version_info = understood(
        greeting.server_version, bool(greeting.capabilities & cap.CLIENT_MYSQL)
    )
    engine.connection_id = greeting.connection_id
    engine.status_flags = greeting.status_flags


@lru_cache
def understood(version: str, from_mysql: bool) -> tuple[bool, str, tuple[int, ...]]:
    """Is it MariaDB's, the version without what does not belong to it, and its numbers."""
    # MariaDB before 11 puts "5.5.5-" before its version, for the sake of old replicas.
    is_mariadb = "mariadb" in version.lower() or version.startswith("5.5.5-") or not from_mysql
    version = version.removeprefix("5.5.5-") if is_mariadb else version
    return is_mariadb, version, tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def agreed_capabilities(options: ConnectOptions, greeting: Handshake) -> int:
    if greeting.capabilities & REQUIRED != REQUIRED:
        raise NotSupportedError(
            CR_SERVER_HANDSHAKE_ERR,
            f"The server ({greeting.server_version}) does not have the protocol and passwords of MySQL 4.1: "
            "mizzle speaks with MySQL 5.5 and MariaDB 5.5 and later",
            sent=False,
            alive=False,
        )
    wanted = WANTED | (options.client_flag & ON_REQUEST)
    if options.database:
        wanted |= cap.CLIENT_CONNECT_WITH_DB
    if options.resultset_metadata == "none":
        wanted |= cap.CLIENT_OPTIONAL_RESULTSET_METADATA
    if options.local_infile:
        wanted |= cap.CLIENT_LOCAL_FILES
    wanted |= compression.capability(compression.chosen(options.compress, greeting.capabilities))
    return wanted & greeting.capabilities


# -- TLS -------------------------------------------------------------------------------------------------------------


def context_to_use(engine: Engine, greeting: Handshake) -> ssl.SSLContext | None:
    """The TLS context, or None to go on without TLS; refuses to where ssl_mode demands it and the server has none."""
    mode = engine.options.ssl_mode
    if mode == "disabled" or (mode == "preferred" and engine.secure):
        return None
    if greeting.capabilities & cap.CLIENT_SSL:
        return engine.ssl_context or tls.context_for(engine.options, proven_later=vouches_for_itself(engine))
    if mode in ENCRYPTED_MODES:
        raise OperationalError(
            CR_SSL_CONNECTION_ERROR,
            f"ssl_mode={mode!r} demands TLS, and the server does not offer it",
            sent=False,
            alive=False,
            hint="Give the server a certificate (ssl_cert, ssl_key), or look for somebody between you and it.",
        )
    return None


def vouches_for_itself(engine: Engine) -> bool:
    """Is the certificate one that the server vouches for with the password (MariaDB 11.4, "zero-configuration TLS")?"""
    options = engine.options
    return (
        options.ssl_mode in ("verify_ca", "verify_identity")
        and not (options.ssl or options.ssl_ca or options.ssl_capath or engine.ssl_context)
        and not engine.secure
        and engine.is_mariadb
        and engine.server_version_info >= (11, 4)
        and bool(engine.password)
    )


def start_tls(engine: Engine, context: ssl.SSLContext) -> Steps:
    wire = engine.wire
    if wire.unread:  # what comes in the clear before the handshake must not be taken for what comes after it
        raise OperationalError(
            CR_SSL_CONNECTION_ERROR, "The server sent data before the TLS handshake", sent=False, alive=False
        )
    wire.write_packet(build_ssl_request(engine.capabilities, offered_packet(engine), handshake_charset(engine)))
    link = wire.filter = tls.TLSFilter(context, None if engine.secure else engine.options.host)
    while not link.handshake():
        wire.queue(link.pending())
        yield READ
    wire.queue(link.pending())


# -- authentication --------------------------------------------------------------------------------------------------


def log_in(engine: Engine, greeting: Handshake, context: ssl.SSLContext | None) -> Steps:
    options = engine.options
    engine.nonce = greeting.auth_plugin_data
    name = options.auth_plugin or greeting.auth_plugin_name
    exchange = exchange_over(engine, options.user, engine.password, proof=context is not None)
    # The server's default need not be this account's plugin: it will ask for another.
    if name not in BEGINNERS or exchange.needs_proof:
        name = NATIVE
    response = exchange.start(name, engine.nonce)
    engine.wire.write_packet(
        build_handshake_response(
            engine.capabilities,
            offered_packet(engine),
            handshake_charset(engine),
            options.user.encode("utf8"),
            response or b"",
            (options.database or "").encode("utf8"),
            name.encode("ascii"),
            attributes(options),
            compression.LEVELS["zstd"] if options.compress_level is None else options.compress_level,
        )
    )
    yield from authenticate(engine, exchange)
    engine.wire.max_packet = options.max_allowed_packet
    start_compression(engine)


def start_compression(engine: Engine) -> None:
    """From the command phase on all is compressed."""
    options = engine.options
    for algorithm in ("zstd", "zlib"):
        if engine.capabilities & compression.capability(algorithm):
            engine.wire.compression = compression.Compression(
                algorithm, options.compress_level, options.compress_threshold, engine.max_allowed_packet
            )
            return


def change_user(engine: Engine, user: str, password: bytes, database: str) -> Steps:
    exchange = exchange_over(engine, user, password)
    response = exchange.start(NATIVE, engine.nonce)
    engine.begin(
        COM_CHANGE_USER,
        build_change_user(
            engine.capabilities,
            handshake_charset(engine),
            user.encode("utf8"),
            response or b"",
            database.encode("utf8"),
            NATIVE.encode("ascii"),
            attributes(engine.options),
        ),
    )
    engine.tracked.begin_anew(True, None)
    yield from authenticate(engine, exchange)
    yield from settle_session(engine)


def exchange_over(engine: Engine, user: str, password: bytes, *, proof: bool = False) -> Exchange:
    """The authentication of this user. `proof`: TLS has just begun, and the server may have to vouch for itself."""
    options, link = engine.options, engine.tls
    others = (options.password2, options.password3) if user == options.user else (b"", b"")
    unproven = link.getpeercert(binary_form=True) if link and proof and vouches_for_itself(engine) else None
    return Exchange(
        options,
        Link(secure=engine.secure or link is not None, unix_socket=engine.secure and link is None, unproven=unproven),
        user,
        (password, *(known if isinstance(known, bytes) else b"" for known in others)),
        engine.nonce,
    )


def authenticate(engine: Engine, exchange: Exchange) -> Steps:
    """Answer what the server asks, until it says OK. Each plugin computes; the packets around it are the same."""
    while True:
        payload = yield from packet(engine)
        head, answer = payload[0], None
        if head == OK:
            ok = parse_ok(payload)
            exchange.end(ok.info)
            engine.status_flags = ok.status_flags
            engine.tracked.take(ok.session_state)
            engine.redirect = redirect_in(ok.info, engine.tracked.variables)
            engine.settled = True
            return
        if head == ERR:
            raise refused(payload)
        if head == AUTH_SWITCH_REQUEST:
            request = parse_auth_switch_request(payload)
            if (
                request.auth_plugin_name == NATIVE
            ):  # the one that COM_CHANGE_USER will begin with; others' are their own
                engine.nonce = request.auth_plugin_data
            answer = exchange.start(request.auth_plugin_name, request.auth_plugin_data)
        elif head == AUTH_NEXT_FACTOR and engine.capabilities & cap.CLIENT_MULTI_FACTOR_AUTHENTICATION:
            request = parse_auth_switch_request(payload)  # of the same form
            answer = exchange.next_factor(request.auth_plugin_name, request.auth_plugin_data)
        else:  # MariaDB puts AUTH_MORE_DATA only before what would pass for another packet
            answer = exchange.more(payload[1:] if head == AUTH_MORE_DATA else payload)
        if answer is not None:
            engine.wire.write_packet(answer)


def refused(payload: bytes) -> Exception:
    """The ERR packet of a server that did not let us in: it closes the connection behind it."""
    error = parse_err(payload)
    error.alive = False
    return error


# -- session settings ------------------------------------------------------------------------------------------------


def settle_session(engine: Engine) -> Steps:
    """Make a fresh or reset session what the options want. Which server it is, is asked once, in the same flush."""
    engine.session += 1
    speak(engine, charset_of(engine.options))
    statements = session_statements(engine)
    asks = engine.phase != "" and identity_is_needed(engine)
    answers = yield from engine.run_together([IDENTITY, *statements] if asks else statements)
    if asks and not isinstance(answer := answers.pop(0), Error) and answer.rows:
        engine.identity = answer.rows[0]
    if engine.watches and isinstance(answers[0], Error) and answers[0].errno == ER_UNKNOWN_SYSTEM_VARIABLE:
        engine.watches = False  # another vendor's server, which tracks something but not this
        yield from settle_session(engine)
        return
    for failure in answers:
        if isinstance(failure, Error) and not expected_of_expired(engine, failure):
            raise failure


def reset_connection(engine: Engine) -> Steps:
    """COM_RESET_CONNECTION, then the database and the session settings of the options again."""
    engine.tracked.begin_anew(False)
    for command, payload in reset_commands(engine):
        yield from engine._simple(command, payload)
    yield from settle_session(engine)


def commands_anew(engine: Engine) -> list[tuple[int, bytes, bool]]:
    """The same as commands for Engine.ahead()."""
    settings = [(COM_QUERY, sql) for sql in session_statements(engine)]
    return [(command, payload, True) for command, payload in reset_commands(engine) + settings]


def reset_commands(engine: Engine) -> list[tuple[int, bytes]]:
    """The session as the server makes it, in the database of the options."""
    commands = [(COM_RESET_CONNECTION, b"")]
    if engine.options.database is not None:  # which the server leaves as it is
        commands.append((COM_INIT_DB, engine.options.database.encode("utf8")))
    return commands


def expected_of_expired(engine: Engine, failure: Error) -> bool:
    """The password has expired, and the user has said that he will change it: until then nothing else is done."""
    return failure.errno in CHANGE_FIRST and engine.options.can_handle_expired_passwords


def identity_is_needed(engine: Engine) -> bool:
    """A statement is killed over another connection, which a load balancer may lead to another server."""
    return engine.options.on_interrupt == "kill" and not engine.secure


def session_statements(engine: Engine) -> list[bytes]:
    """The session settings, and the user's init_command."""
    charset = charset_of(engine.options)
    statements = [session_statement(engine, charset)]
    if engine.capabilities & cap.CLIENT_OPTIONAL_RESULTSET_METADATA:
        statements.append(b"SET resultset_metadata = NONE")
    if engine.options.init_command:
        statements.append(engine.options.init_command.encode(charset.codec))
    return statements


def session_statement(engine: Engine, charset: Charset) -> bytes:
    # Without COLLATE the server's own default collation holds: the handshake's byte would force MySQL 5.7's on it.
    options = engine.options
    names = f"NAMES {charset.charset}"
    if options.collation:
        names += f" COLLATE {options.collation}"
    # What is to be tracked comes first: MySQL would forget what it has to tell of the settings before it.
    settings = tracking_settings(engine) if engine.capabilities & cap.CLIENT_SESSION_TRACK else []
    settings.append(names)
    if options.autocommit is not None:
        settings.append(f"autocommit = {int(options.autocommit)}")
    if options.sql_mode is not None:
        quoted = options.sql_mode.replace("\\", "").replace("'", "''")
        settings.append(f"sql_mode = '{quoted}'")
    if options.timeout_on_server and options.timeout is not None:
        # MariaDB's is in seconds, for every statement; MySQL's in milliseconds, for SELECT only.
        limit = f"max_statement_time = {options.timeout:f}"
        settings.append(limit if engine.is_mariadb else f"max_execution_time = {max(int(options.timeout * 1000), 1)}")
    return f"SET {', '.join(settings)}".encode("ascii")


def autocommit_later(engine: Engine, value: bool) -> bool:
    """Have autocommit switched in front of the next command; False if it has to be done at once.

    Not while a transaction is open, or while rows are to come, whose end says what autocommit is. That no statement
    failed since the last transaction the caller must know: without autocommit it may have begun one, and an error says
    nothing of that. Who has yet to change a password is refused the SET, and must not lose the next command by it.
    """
    if engine.in_transaction or not engine.settled or engine.options.can_handle_expired_passwords:
        return False
    before, wanted = SET_AUTOCOMMIT[not value], SET_AUTOCOMMIT[value]
    if engine.in_front[-1:] == [before]:
        engine.in_front.pop()  # the server has not heard of it
    else:
        engine.ahead(*wanted)
    others = engine.status_flags & ~SERVER_STATUS_AUTOCOMMIT
    engine.status_flags = others | (SERVER_STATUS_AUTOCOMMIT if value else 0)
    engine.pristine = False
    return True


def tracking_settings(engine: Engine) -> list[str]:
    """What the server is to tell of the session, beside what it tells unasked."""
    options = engine.options
    settings, variables = [], list(options.session_track_system_variables)
    if options.session_track_gtids != "off":
        if engine.is_mariadb:
            variables.append("last_gtid")
        else:
            settings.append(f"session_track_gtids = {options.session_track_gtids}")
    if options.session_track_transaction_info != "off":
        settings.append(f"session_track_transaction_info = {options.session_track_transaction_info}")
    if engine.watches:
        settings.append("session_track_state_change = 1")
    if "*" in variables:
        settings.append("session_track_system_variables = '*'")
    elif variables:
        usual = "NULLIF(@@session_track_system_variables, '')"
        settings.append(f"session_track_system_variables = CONCAT_WS(',', {usual}, '{','.join(variables)}')")
    return settings


def speak(engine: Engine, charset: Charset) -> None:
    """The session's character set is this one, for what is sent and for what comes."""
    if charset is not engine.charset:
        engine.set_charset(charset)
    for writer in engine.writers:
        writer.speak(charset.codec)


def follow_charset(engine: Engine, by_statement: bool) -> None:
    """A statement has set the character set (SET NAMES): text must be escaped and encoded, and decoded, by that.

    What the client is to write in stays so for statements alone: a procedure that sets it tells so behind its rows, and
    at its end the server restores the former without a word.
    """
    said = engine.tracked.variables
    client, results = (known_charset(said.get(f"character_set_{name}", "")) for name in ("client", "results"))
    if client is not None and by_statement:
        for writer in engine.writers:
            writer.speak(client.codec)
    if results is not None and results.charset != engine.charset.charset:
        engine.set_charset(results)


def known_charset(name: str) -> Charset | None:
    """None for one that only a newer server knows, and for no character set at all (results as they are stored)."""
    try:
        return default_collation(name)
    except LookupError:
        return None


# -- what several steps need -----------------------------------------------------------------------------------------


def packet(engine: Engine) -> Generator[int, None, bytes]:
    """The next packet's payload."""
    while (payload := engine.wire.take()) is None:
        yield READ
    if not payload:
        raise malformed_packet("authentication", 0, "an empty packet")
    return payload


def offered_packet(engine: Engine) -> int:
    """The max_packet_size of the handshake: what the server may send us, in four bytes."""
    return min(engine.options.max_allowed_packet, 0xFFFFFFFF)


def handshake_charset(engine: Engine) -> int:
    """The collation of the handshake's one byte; session_statement() sets those that do not fit."""
    charset = engine.charset
    return charset.id if charset.id < 256 else default_collation(charset.charset).id


def charset_of(options: ConnectOptions) -> Charset:
    """The connection's character set; a collation that only a newer server knows is left to SET NAMES."""
    if options.collation:
        try:
            return by_collation(options.collation)
        except LookupError:
            return default_collation(options.charset)._replace(collation=options.collation)
    return default_collation(options.charset)


def attributes(options: ConnectOptions) -> bytes:
    """Connection attributes, as performance_schema.session_connect_attrs shows them."""
    pid = os.getpid()
    if options.connect_attrs:
        return build_attributes({**client_attributes(pid), **options.connect_attrs})
    return usual_attributes(pid)


@lru_cache(maxsize=1)
def usual_attributes(pid: int) -> bytes:
    return build_attributes(client_attributes(pid))


def client_attributes(pid: int) -> dict[str, str]:
    from mizzle import __version__  # noqa: PLC0415 - the package is importing us

    return {
        "_client_name": "mizzle",
        "_client_version": __version__,
        "_os": platform.system(),
        "_platform": platform.machine(),
        "_runtime": f"{platform.python_implementation()} {platform.python_version()}",
        "_pid": str(pid),
    }
