"""Certificates for a throwaway server and its clients, made by trustme (pip install mizzle[testing]).

Knows files of certificates. Must not know servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

NAMES = ("localhost", "127.0.0.1", "::1")
_LONG_AGO = datetime(2001, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: an authority of their own, and what it signed for the server and for a client."""

    ca_file: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path


def make_certificates(folder: Path, *, expired: bool = False) -> Certificates:
    """Write a fresh set into `folder`; `expired` makes the server's own certificate end in 2001."""
    try:
        import trustme  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise RuntimeError("a throwaway server with TLS needs trustme: pip install 'mizzle[testing]'") from error
    authority = trustme.CA()
    server = authority.issue_cert(*NAMES, not_after=_LONG_AGO if expired else None)
    client = authority.issue_cert("client@mizzle.test", common_name="mizzle client")
    made = Certificates(*(folder / f"{name}.pem" for name in ("ca", "server", "server-key", "client", "client-key")))
    folder.mkdir(mode=0o700)
    authority.cert_pem.write_to_path(made.ca_file)
    for leaf, certificate, key in (
        (server, made.server_certificate, made.server_key),
        (client, made.client_certificate, made.client_key),
    ):
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.touch(mode=0o600)
        leaf.private_key_pem.write_to_path(key)
    return made
