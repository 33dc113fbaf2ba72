"""mysql_clear_password: the password as it is, for accounts that PAM or LDAP checks.

Knows that one dialogue, and that it takes place on secure links only.
"""

from __future__ import annotations

from mizzle.engine.auth.context import AuthContext, Plugin, demand_secure, unexpected

__all__ = ["mysql_clear_password"]

_NAME = "mysql_clear_password"


def mysql_clear_password(auth: AuthContext) -> Plugin:
    """The password and a NUL, over TLS or a Unix socket; refused elsewhere."""
    demand_secure(auth, _NAME, "the server asks for the password in clear text")
    raise unexpected(_NAME, (yield auth.password + b"\0"))
