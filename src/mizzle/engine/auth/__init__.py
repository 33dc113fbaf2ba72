"""Authentication: one file for each plugin, each plugin a sub-generator of the connection's handshake.

Knows which plugins there are. Knows nothing of packets: the handshake takes the packets apart and hands over payloads.

How a handshake uses a plugin:

    dialogue = start(plugin_name, auth)
    answer = next(dialogue)                 # goes into HandshakeResponse, AuthSwitchResponse or COM_CHANGE_USER
    ...
    answer = dialogue.send(payload)         # an AuthMoreData packet's payload, without its first byte 0x01
    if answer is not None: ...              # is sent as a packet of its own; None: wait for the next packet

A dialogue never ends by itself: OK, ERR and AuthSwitchRequest are the handshake's to understand, and it closes the
dialogue then. AuthMoreData that a plugin does not expect, at whatever point, is an OperationalError 2061 that names the
plugin; so is a truncated or odd one. `exchange.py` has one login's plugins, factors and limits together.

What a hostile or impersonated server can get. It chooses the plugin, so it gets what the weakest one gives away:

* over a plain link, mysql_native_password, caching_sha2_password and client_ed25519 give away an answer to the server's
  nonce, against which passwords can be guessed; never the password itself;
* over a plain link, the full authentication of caching_sha2_password and sha256_password encrypts the password with an
  RSA key. Unless `server_public_key` is given, that key is whatever the server sends, as in other drivers: who can
  stand between client and server can send his own key and read the password. `server_public_key`, or TLS that is
  verified, closes that hole;
* over TLS and Unix sockets, caching_sha2_password, sha256_password, mysql_clear_password and dialog send the password
  as it is, and authentication_openid_connect_client the id token.
  With TLS that is encrypted but not verified (`ssl_mode` preferred and required), the one at the other end may be
  anybody: verify_ca or verify_identity tells.
"""

from __future__ import annotations

from collections.abc import Callable

from mizzle.constants import errnos
from mizzle.engine.auth import (
    auth_gssapi_client,
    authentication_kerberos_client,
    authentication_ldap_sasl_client,
    authentication_openid_connect_client,
    authentication_webauthn_client,
    caching_sha2_password,
    client_ed25519,
    dialog,
    mysql_clear_password,
    mysql_native_password,
    parsec,
    sha256_password,
)
from mizzle.engine.auth.context import AuthContext, Plugin
from mizzle.errors import OperationalError

__all__ = ["PLUGINS", "AuthContext", "Plugin", "start"]

PLUGINS: dict[str, Callable[[AuthContext], Plugin]] = {
    "auth_gssapi_client": auth_gssapi_client.auth_gssapi_client,
    "authentication_kerberos_client": authentication_kerberos_client.authentication_kerberos_client,
    "authentication_ldap_sasl_client": authentication_ldap_sasl_client.authentication_ldap_sasl_client,
    "authentication_openid_connect_client": authentication_openid_connect_client.authentication_openid_connect_client,
    "authentication_webauthn_client": authentication_webauthn_client.authentication_webauthn_client,
    "caching_sha2_password": caching_sha2_password.caching_sha2_password,
    "client_ed25519": client_ed25519.client_ed25519,
    "dialog": dialog.dialog,
    "mysql_clear_password": mysql_clear_password.mysql_clear_password,
    "mysql_native_password": mysql_native_password.mysql_native_password,
    "parsec": parsec.parsec,
    "sha256_password": sha256_password.sha256_password,
}

#: Names of the plugins, as servers name them.
SUPPORTED = tuple(PLUGINS)


def start(plugin_name: str, auth: AuthContext) -> Plugin:
    """The dialogue of that plugin; it has not said anything yet."""
    plugin = PLUGINS.get(plugin_name)
    if plugin is None:
        raise _not_supported(plugin_name)
    return plugin(auth)


def _not_supported(plugin_name: str) -> OperationalError:
    if plugin_name == "mysql_old_password":
        problem = (
            "is the hash of MySQL before 4.1, which gives passwords away and is refused; set the account's password "
            "anew with a plugin of today"
        )
    else:
        problem = "is not supported"
    # The name comes from the server: bounded, and shown as a literal.
    shown = repr(plugin_name[:64])
    return OperationalError(
        errnos.CR_AUTH_PLUGIN_CANNOT_LOAD,
        f"Authentication plugin {shown} {problem}; mizzle has {', '.join(SUPPORTED)}",
        sent=False,
        alive=False,
        hint="Give the account one of these plugins: ALTER USER ... IDENTIFIED WITH caching_sha2_password BY ... "
        "(MariaDB: IDENTIFIED VIA ed25519 USING PASSWORD(...)).",
    )
