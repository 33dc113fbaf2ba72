"""authentication_ldap_sasl_client: MySQL's plugin for accounts that an LDAP server checks by SCRAM.

Knows that one dialogue; scram.py knows what is said in it.
"""

from __future__ import annotations

from mizzle.engine.auth.context import AuthContext, Plugin, plugin_error, unexpected
from mizzle.engine.auth.scram import MECHANISMS, Scram, ScramError

__all__ = ["authentication_ldap_sasl_client"]

_NAME = "authentication_ldap_sasl_client"


def authentication_ldap_sasl_client(auth: AuthContext) -> Plugin:
    """SCRAM-SHA-1 or SCRAM-SHA-256, whichever the server names; the server must prove itself before its OK counts."""
    mechanism = auth.nonce.rstrip(b"\0").decode("ascii", "replace")
    if mechanism not in MECHANISMS:
        raise plugin_error(
            _NAME, f"the server wants the mechanism {mechanism[:40]!r}, mizzle has {', '.join(MECHANISMS)}"
        )
    auth.owed = "a proof that it knows the password"
    try:
        scram = Scram(mechanism, auth.user, auth.password)
        server_first = yield scram.first()
        server_final = yield scram.final(server_first)
        scram.verify(server_final)
    except ScramError as error:
        raise plugin_error(_NAME, str(error)) from error
    auth.owed = ""
    raise unexpected(_NAME, (yield None))
