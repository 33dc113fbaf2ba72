"""What an authentication plugin is given, and what all plugins share.

Knows the user's credentials and the server's nonce. Knows nothing of packets, TLS or sockets.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mizzle.constants import errnos
from mizzle.errors import OperationalError

if TYPE_CHECKING:
    from mizzle.options import Dialog, WebAuthn

__all__ = ["AuthContext", "Plugin", "demand_secure", "nonce_of_20", "plugin_error", "unexpected"]

#: A plugin at work: yields answers for the server (None: nothing to say), is sent the payloads of AuthMoreData packets.
Plugin = Generator[bytes | None, bytes, None]

_NONCE_LENGTH = 20


@dataclass(slots=True, eq=False)
class AuthContext:
    """Credentials, the server's nonce, and how far the link can be trusted.

    The password stays in here: plugins pass the context around rather than the password, so that it stands in no local
    variable that a traceback with locals would show.
    """

    user: str
    password: bytes = field(repr=False)
    #: As the server sent it. A NUL after the 20 bytes of the older plugins does no harm; cut nothing else off:
    #: client_ed25519 has 32 random bytes, which may end in NUL.
    nonce: bytes = field(repr=False)
    #: Nobody else reads this link: TLS (running already, not merely agreed on) or a Unix socket.
    secure: bool
    #: PEM; given by the user, never what the server sent.
    server_public_key: bytes | None = field(default=None, repr=False)
    #: `secure` stands for a Unix socket without TLS, which sha256_password does not take for secure.
    unix_socket: bool = False
    #: The user's own: see ConnectOptions.
    dialog: Dialog | None = None
    webauthn: WebAuthn | None = None
    openid_token: bytes = field(default=b"", repr=False)
    service_principal: str | None = None
    #: Set by plugins whose server keeps this of the password: with it the server vouches for its certificate.
    stored: bytes | None = field(default=None, repr=False)
    #: Set by plugins that have the server prove itself, too: what it still owes. Then an OK is too early.
    owed: str = ""


def nonce_of_20(auth: AuthContext, plugin: str) -> bytes:
    """The nonce of the plugins that have one of 20 bytes."""
    nonce = auth.nonce
    if len(nonce) == _NONCE_LENGTH + 1 and nonce[-1] == 0:
        nonce = nonce[:-1]
    if len(nonce) != _NONCE_LENGTH:
        raise plugin_error(plugin, f"the server's nonce has {len(nonce)} bytes, {_NONCE_LENGTH} are needed")
    return nonce


def demand_secure(auth: AuthContext, plugin: str, problem: str) -> None:
    """For plugins that answer in the clear: nothing is said on a link that others may read."""
    if not auth.secure:
        raise plugin_error(
            plugin,
            f"{problem}, and this link is not encrypted; nothing was sent",
            hint='Connect with TLS (ssl_mode="verify_identity", or at least "required") or over a Unix socket.',
        )


def plugin_error(plugin: str, problem: str, *, hint: str | None = None) -> OperationalError:
    """2061: the plugin cannot go on; the connection is of no further use."""
    message = f"Authentication plugin {plugin!r} reported error: {problem}"
    return OperationalError(errnos.CR_AUTH_PLUGIN_ERR, message, sent=False, alive=False, hint=hint)


def unexpected(plugin: str, data: bytes) -> OperationalError:
    """For an AuthMoreData packet that has no place at this point of the dialogue."""
    shown = data[:8].hex(" ") + (" ..." if len(data) > 8 else "")
    return plugin_error(plugin, f"the server sent {len(data)} unexpected bytes ({shown or 'an empty packet'})")
