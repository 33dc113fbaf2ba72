"""mysql_clear_password: the password as it is, for accounts that PAM or LDAP checks.

Knows that one dialogue, and that it takes place on secure links only.
"""

from __future__ import annotations

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected

__all__ = ["mysql_clear_password"]

_NAME = "mysql_clear_password"


def mysql_clear_password(auth: AuthContext) -> Plugin:
    """The password and a NUL, over TLS or a Unix socket; refused elsewhere."""
    if not auth.secure:
        raise plugin_error(
            _NAME,
            "the server asks for the password in clear text, and this link is not encrypted; nothing was sent",
            hint='Connect with TLS (ssl_mode="verify_identity", or at least "required") or over a Unix socket.',
        )
    raise unexpected(_NAME, (yield auth.password + b"\0"))
