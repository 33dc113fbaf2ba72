"""One login's authentication: which plugin is at work, with which factor's password; is the server to be believed?

Knows what a login must not let happen, whatever the server says. Knows no packets: login.py takes them apart.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from mizzle.constants import errnos
from mizzle.engine import auth
from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error
from mizzle.errors import OperationalError

if TYPE_CHECKING:
    from mizzle.options import ConnectOptions

__all__ = ["BEGINNERS", "PROVING", "Exchange", "Link"]

#: What can begin with the greeting's nonce: the others' own comes with an AuthSwitchRequest, or there is none.
BEGINNERS = frozenset({"mysql_native_password", "caching_sha2_password", "sha256_password", "mysql_clear_password"})
#: Those whose server can vouch for its certificate, and that give nothing away to one who cannot.
PROVING = frozenset({"mysql_native_password", "client_ed25519", "parsec"})

#: Packets of the server in one login, before it is given up: three factors and a long dialog need far fewer.
_MAX_PACKETS = 64


class Link(NamedTuple):
    """What is between client and server."""

    #: Nobody else reads it.
    secure: bool
    unix_socket: bool
    #: The certificate (DER) that the server has yet to vouch for; None where none has to be vouched for.
    unproven: bytes | None = None


class Exchange:
    """start() and next_factor() begin a plugin, more() goes on, each with what is to be sent; end() judges the OK.

    `passwords` has one for each factor. `seed` is the greeting's nonce, with which the server vouches for itself.
    """

    def __init__(
        self, options: ConnectOptions, link: Link, user: str, passwords: tuple[bytes, ...], seed: bytes = b""
    ) -> None:
        self._options = options
        self._link = link
        self._user = user
        self._passwords = passwords
        self._seed = seed
        self._factor = 0
        self._packets = 0
        self._name = ""
        self._plugin: Plugin | None = None
        self._context: AuthContext | None = None

    @property
    def needs_proof(self) -> bool:
        """Must the server vouch for its certificate?"""
        return self._link.unproven is not None

    def start(self, name: str, nonce: bytes) -> bytes | None:
        """Begin with a plugin, the first or another that the server wants: what is to be sent."""
        self._count()
        options, link = self._options, self._link
        if link.unproven is not None and name not in PROVING:
            raise _not_trusted(f"the login is by {name[:64]!r}, which cannot vouch for it")
        self._context = context = AuthContext(
            self._user,
            self._passwords[self._factor],
            nonce,
            link.secure and link.unproven is None,
            options.server_public_key,
            link.unix_socket,
            options.dialog,
            options.webauthn,
            options.openid_token if isinstance(options.openid_token, bytes) else b"",
            options.service_principal,
        )
        self._name, self._plugin = name, auth.start(name, context)
        return next(self._plugin)

    def next_factor(self, name: str, nonce: bytes) -> bytes | None:
        """The server is content so far, and wants the next factor (AuthNextFactor)."""
        self._settle()
        self._factor += 1
        if self._factor >= len(self._passwords):
            raise plugin_error(name[:64], f"the server wants factor {self._factor + 1} of {len(self._passwords)}")
        return self.start(name, nonce)

    def more(self, data: bytes) -> bytes | None:
        """What the plugin answers to this."""
        self._count()
        assert self._plugin is not None
        return self._plugin.send(data)

    def end(self, info: bytes) -> None:
        """The server says OK: is it entitled to? With `info` of its packet it vouches for its certificate."""
        stored = self._settle()
        if self._link.unproven is None:
            return
        fingerprint = sha256(self._link.unproven).digest()
        expected = b"\x01" + sha256((stored or b"") + self._seed + fingerprint).hexdigest().upper().encode()
        if not stored or not hmac.compare_digest(info, expected):
            raise _not_trusted("the server does not vouch for it: it does not know the account's password")

    def _settle(self) -> bytes | None:
        assert self._plugin is not None
        assert self._context is not None
        self._plugin.close()
        if self._context.owed:
            raise plugin_error(self._name, f"the server says OK and still owes {self._context.owed}")
        return self._context.stored

    def _count(self) -> None:
        self._packets += 1
        if self._packets > _MAX_PACKETS:
            raise OperationalError(
                errnos.CR_SERVER_HANDSHAKE_ERR,
                f"The login has no end: after {_MAX_PACKETS} packets the server still wants more",
                alive=False,
            )


def _not_trusted(problem: str) -> OperationalError:
    return OperationalError(
        errnos.CR_SSL_CONNECTION_ERROR,
        f"The server's certificate is not trusted: {problem}",
        alive=False,
        hint="Somebody may stand between you and the server. If not, set ssl_ca to the file of the CA that signed its "
        "certificate (or to the system's store, /etc/ssl/certs/ca-certificates.crt).",
    )
