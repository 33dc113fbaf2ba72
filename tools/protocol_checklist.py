"""What there is in the protocol of MySQL and MariaDB that a client can speak: the lines of docs/protocol.md.

Tests are marked with these names (`@pytest.mark.feature("…")`); tests/test_protocol_page.py holds them together.
"""

from __future__ import annotations

CHECKLIST = {
    "Logging in": (
        "mysql_native_password",
        "caching_sha2_password",
        "caching_sha2_password: with an RSA key, over TLS, from the server's cache",
        "sha256_password",
        "mysql_clear_password",
        "client_ed25519",
        "parsec",
        "dialog (PAM)",
        "unix_socket, auth_socket",
        "GSSAPI (MariaDB)",
        "Kerberos (MySQL)",
        "LDAP SASL (SCRAM)",
        "OpenID Connect",
        "WebAuthn",
        "several factors",
        "passwords from a function",
        "accounts that need a client certificate",
        "expired passwords",
    ),
    "Connections": (
        "Unix sockets",
        "TLS",
        "CLIENT_SSL_VERIFY_SERVER_CERT",
        "TLS certificates that the server vouches for",
        "zlib compression",
        "zstd compression",
        "connection attributes",
        "interactive sessions",
        "redirects",
        "MariaDB's extended capabilities",
        "no EOF packets (DEPRECATE_EOF)",
    ),
    "Session tracking": (
        "tracked: schema",
        "tracked: system variables",
        "tracked: transaction state",
        "tracked: transaction characteristics",
        "tracked: GTIDs",
        "in_transaction behind an implicit commit",
    ),
    "Commands": (
        "several statements in one COM_QUERY",
        "procedures with results",
        "streamed results",
        "packets over 16 MiB",
        "query attributes",
        "results without their columns",
        "progress reports",
        "LOAD DATA LOCAL from a file",
        "LOAD DATA LOCAL from a stream",
        "COM_PING",
        "COM_INIT_DB",
        "COM_STATISTICS",
        "COM_SET_OPTION",
        "COM_RESET_CONNECTION",
        "COM_CHANGE_USER",
        "COM_QUIT",
        "KILL",
        "KILL QUERY of an interrupted statement",
    ),
    "Prepared statements": (
        "prepare, execute, introspection",
        "statements prepared by themselves",
        "prepared again after DDL, a reset, another login, a loss",
        "COM_STMT_SEND_LONG_DATA, COM_STMT_RESET",
        "COM_STMT_CLOSE without a round trip",
        "server cursors (COM_STMT_FETCH)",
        "several results of a prepared statement",
        "column definitions cached by the client",
        "bulk execution of prepared statements",
        "a result for each row of a bulk execution",
        "generated id and affected rows of each row of executemany",
        "pipelined executions",
    ),
    "Types": (
        "rows and parameters of every type, text and binary",
        "extended column types",
        "UUID, INET4, INET6 told apart",
        "JSON told apart and decoded",
        "VECTOR",
        "VECTOR told by the server (type 0xF2)",
        "geometries",
        "impossible dates",
        "every character set",
        "converters by type, character set and extended type",
    ),
    "Other servers": (
        "servers that offer little (MySQL 5.1, 5.5, Drizzle)",
        "proxies (as ProxySQL, MaxScale)",
        "another implementation of the server (mysql-mimic)",
    ),
}

#: What was only tried by hand, as docs/authentication.md says, and where.
BY_HAND = {"GSSAPI (MariaDB)": ("mariadb1011",), "Kerberos (MySQL)": ("scripted",)}

#: What a server has, but not in every package of it, or not without more around it: tests run where it is there.
NOT_TRIED = {
    "mysql_clear_password": ("mariadb1011", "mariadb118"),  # pam_use_cleartext_plugin
    "dialog (PAM)": ("mariadb1011", "mariadb118"),  # where the package lacks dialog_examples.so
    "GSSAPI (MariaDB)": ("mariadb118",),
}

#: What mizzle does not speak.
NOT_HERE = {
    "COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_REGISTER_SLAVE": "a replica's stream of events is not built",
    "authentication_oci_client": "for accounts of Oracle's cloud; not built, as no server outside of it has them",
    "mysql_old_password": "gives passwords away",
    "COM_PROCESS_KILL, COM_PROCESS_INFO, COM_FIELD_LIST": "taken out of MySQL 9; the statements KILL, SHOW are there",
}
