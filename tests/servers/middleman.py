"""Who stands between client and server with a certificate of his own, and passes everything on."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress

import trustme

from faults.hostile import PATIENCE, Link, Part

SSL_REQUEST = 36  # its length on the wire


def middleman(port: int, certificate: trustme.LeafCert) -> Part:
    """TLS with the client on one side, with the server on the other, and in the clear between."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    towards_server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    towards_server.check_hostname, towards_server.verify_mode = False, ssl.CERT_NONE

    def part(link: Link) -> None:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain:
            header = exactly(plain, 4)
            link.say(header, exactly(plain, int.from_bytes(header[:3], "little")))
            plain.sendall(exactly(link.sock, SSL_REQUEST))
            link.sock = context.wrap_socket(link.sock, server_side=True)
            with towards_server.wrap_socket(plain) as server:
                pass_on(link.sock, server)

    return part


def exactly(sock: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        data += sock.recv(length - len(data))
    return data


def pass_on(one: ssl.SSLSocket, other: ssl.SSLSocket) -> None:
    """Both ways, until one side ends; in one thread, for OpenSSL does not let two use one connection."""
    with suppress(OSError):
        while True:
            ready = [side for side in (one, other) if side.pending()] or select.select([one, other], [], [], PATIENCE)[
                0
            ]
            if not ready:
                return
            for side in ready:
                data = side.recv(65536)
                if not data:
                    return
                (other if side is one else one).sendall(data)
