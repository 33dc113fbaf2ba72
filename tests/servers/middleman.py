"""Who stands between client and server with a certificate of his own, and passes everything on."""

from __future__ import annotations

import socket
import ssl
import threading

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
                back = threading.Thread(target=pass_on, args=(server, link.sock))
                back.start()
                pass_on(link.sock, server)
                back.join(PATIENCE)

    return part


def exactly(sock: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        data += sock.recv(length - len(data))
    return data


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one side ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return
    finally:
        try:
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            target.close()
