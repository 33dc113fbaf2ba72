"""TLS as a filter under the wire: ciphertext in, plaintext out, and back; and the contexts that belong to options.

Knows ssl.SSLContext and ssl.MemoryBIO. Knows nothing of sockets, packets or worlds.

Contexts are built once for each set of settings: reading a CA store takes milliseconds and half a megabyte. TLS
sessions are not resumed: a session belongs to one context and one server, its tickets come after the handshake, and a
connection in a pool shakes hands once.
"""

from __future__ import annotations

import dataclasses
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from mizzle.constants import errnos
from mizzle.errors import OperationalError

if TYPE_CHECKING:
    from mizzle.options import ConnectOptions

__all__ = ["TLSFilter", "context_for"]

# -- contexts --------------------------------------------------------------------------------------------------------

_VERIFYING = ("verify_ca", "verify_identity")
_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_MAX_CONTEXTS = 64

# No lock: two threads that miss at once build two contexts, and setdefault() lets one of them stay.
_contexts: dict[tuple[object, ...], ssl.SSLContext] = {}


def context_for(options: ConnectOptions, *, proven_later: bool = False) -> ssl.SSLContext | None:
    """The context that the options ask for: the user's own, or one shared by all who ask for the same; None: no TLS.

    `proven_later`: the server will vouch for its certificate at the end of the login, whoever has signed it.

    A file that was replaced (a renewed certificate) makes a new context. The system's store of CAs, used to verify
    where neither ssl_ca nor ssl_capath is given, is read once a process.
    """
    if proven_later:
        options = dataclasses.replace(options, ssl_mode="required")
    mode = options.ssl_mode
    if mode == "disabled":
        return None
    if options.ssl is not None:
        return options.ssl
    ca, capath, cert, key = options.ssl_ca, options.ssl_capath, options.ssl_cert, options.ssl_key
    settings = (
        mode,
        options.ssl_key_password,
        options.ssl_cipher,
        options.tls_versions,
        ca and _version_of(ca),
        capath and _version_of(capath),
        cert and _version_of(cert),
        key and _version_of(key),
    )
    context = _contexts.get(settings)
    if context is None:
        built = _build(options)
        for oldest in list(_contexts)[: 1 - _MAX_CONTEXTS]:
            _contexts.pop(oldest, None)
        context = _contexts.setdefault(settings, built)
    return context


def _version_of(path: str) -> tuple[object, ...]:
    """A file as it is now; the same values mean the same content."""
    try:
        status = os.stat(path)
    except OSError:  # reading it says so in better words
        return (path,)
    return path, status.st_mtime_ns, status.st_size, status.st_ino


def _build(options: ConnectOptions) -> ssl.SSLContext:
    # Not create_default_context(): it is strict about extensions (Python 3.13) that the certificates which servers make
    # for themselves do not have.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = options.ssl_mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if options.ssl_mode in _VERIFYING else ssl.CERT_NONE
    with _setting("tls_versions", options.tls_versions):
        versions = [_VERSIONS[version] for version in options.tls_versions] or list(_VERSIONS.values())
        context.minimum_version, context.maximum_version = min(versions), max(versions)
    if options.ssl_ca:
        with _setting("ssl_ca", options.ssl_ca):
            context.load_verify_locations(cafile=options.ssl_ca)
    if options.ssl_capath:
        with _setting("ssl_capath", options.ssl_capath):
            os.listdir(options.ssl_capath)  # OpenSSL takes a folder that is not there for an empty one
            context.load_verify_locations(capath=options.ssl_capath)
    if not options.ssl_ca and not options.ssl_capath and options.ssl_mode in _VERIFYING:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if options.ssl_cert:
        files = options.ssl_cert if not options.ssl_key else f"{options.ssl_cert}, ssl_key {options.ssl_key}"
        with _setting("ssl_cert", files):
            context.load_cert_chain(options.ssl_cert, options.ssl_key, options.ssl_key_password or _no_password)
    if options.ssl_cipher:
        with _setting("ssl_cipher", options.ssl_cipher):
            context.set_ciphers(options.ssl_cipher)
    return context


def _no_password() -> NoReturn:
    """Without a password callback OpenSSL asks at the terminal."""
    raise ValueError("the key is encrypted: give ssl_key_password")


@contextmanager
def _setting(name: str, value: object) -> Iterator[None]:
    """Names the setting that cannot be used."""
    try:
        yield
    except KeyError as error:
        raise _error(f"{name} {value!r}: {error} is none of {', '.join(_VERSIONS)}") from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise _error(f"{name} {value} cannot be used: {_reason(error)}") from error


# -- the filter ------------------------------------------------------------------------------------------------------

#: The most that a record holds. In steps of this size the memory BIOs, which never shrink, stay small.
_STEP = 16384


class TLSFilter:
    """The client's end of one TLS connection.

    The handshake:

        while not tls.handshake():
            (send tls.pending(), then hand what comes in to tls.receive())
        (send tls.pending())

    Then send() and receive(). Any OperationalError from here (2026) means that the connection is of no further use; an
    alert for the server may then be in pending().
    """

    __slots__ = ("_incoming", "_outgoing", "_server_hostname", "_settled", "closed", "ssl_object")

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        """`server_hostname` goes to the server (SNI) and, if the context says so, is looked for in its certificate."""
        #: The server has said that it sends no more (close_notify).
        self.closed = False
        self._settled = False
        self._server_hostname = server_hostname
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object = self._wrap(context)

    def _wrap(self, context: ssl.SSLContext) -> ssl.SSLObject:
        if context.check_hostname and not self._server_hostname:
            raise _error(
                "The server's certificate is to be checked for its host name, and there is no host name; over a Unix "
                "socket use verify_ca"
            )
        try:
            return context.wrap_bio(self._incoming, self._outgoing, server_hostname=self._server_hostname)
        except ValueError as error:  # no DNS name, such as one that begins with a dot: no SNI, then
            if context.check_hostname:
                raise _error(f"{self._server_hostname!r} can stand in no certificate: {error}") from error
            return context.wrap_bio(self._incoming, self._outgoing)

    def handshake(self) -> bool:
        """Go on with what was received; True once it is done. pending() has what is to be sent, either way."""
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise _error(f"TLS handshake failed: {self._explain(error)}", hint=_hint_for(error)) from error
        self._settled = True
        return True

    def pending(self) -> bytes:
        """What is to be sent as it is: handshake and alerts."""
        return self._outgoing.read()

    def send(self, data: bytes | bytearray | memoryview) -> bytes:
        """Ciphertext for this plaintext, behind anything that was pending."""
        parts = []
        with memoryview(data) as view:
            for start in range(0, len(view), _STEP):
                try:
                    self.ssl_object.write(view[start : start + _STEP])
                except ssl.SSLError as error:
                    raise _error(f"TLS failed while sending: {_reason(error)}", sent=True) from error
                parts.append(self._outgoing.read())
        return b"".join(parts)

    def receive(self, data: bytes | bytearray | memoryview) -> bytes:
        """Plaintext of the records that are complete now; b"" while there is none, and in the handshake."""
        if not self._settled:
            self._incoming.write(data)
            return b""
        parts: list[bytes] = []
        with memoryview(data) as view:
            for start in range(0, len(view) or 1, _STEP):
                self._incoming.write(view[start : start + _STEP])
                self._read_records(parts)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_records(self, parts: list[bytes]) -> None:
        """Append the plaintext of each complete record."""
        read, incoming = self.ssl_object.read, self._incoming
        try:
            # An incomplete record is not in the BIO any more but inside OpenSSL: an empty BIO means that all was read,
            # and saves a read that costs an exception.
            while incoming.pending and not self.closed:
                plain = read(_STEP)
                if plain:
                    parts.append(plain)
                else:
                    self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            raise _error(f"TLS failed while receiving: {_reason(error)}", sent=True, hint=_hint_for(error)) from error

    def close(self) -> bytes:
        """Ciphertext that tells the server that no more will come (close_notify)."""
        try:
            self.ssl_object.unwrap()
        except (ssl.SSLError, ValueError):  # it waits for the server's answer, which nobody needs
            return self.pending()
        return self.pending()

    def _explain(self, error: ssl.SSLError) -> str:
        if not isinstance(error, ssl.SSLCertVerificationError):
            return _reason(error)
        certificate = _unverified_certificate(self.ssl_object)
        code = error.verify_code
        if code in _WRONG_NAME:
            names = ", ".join(_names_in(certificate)) or "no name that could be read"
            return f"the server's certificate is not for {self._server_hostname!r} but for: {names}"
        if code in _UNKNOWN_CA:
            return f"the server's certificate comes from a CA that is not trusted here ({error.verify_message})"
        if code == _EXPIRED:
            until = f", the server's is valid until {certificate['notAfter']}" if "notAfter" in certificate else ""
            return f"a certificate has expired{until}"
        return f"the server's certificate is not accepted: {error.verify_message}"


# -- errors ----------------------------------------------------------------------------------------------------------

# X509_V_ERR_* of openssl/x509_vfy.h
_EXPIRED = 10
_UNKNOWN_CA = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME = frozenset({62, 64})

_HINT_UNKNOWN_CA = "Set ssl_ca to the file of the CA that signed it (or ssl_capath)."
_HINTS_BY_CODE = {
    **dict.fromkeys(_UNKNOWN_CA, _HINT_UNKNOWN_CA),
    **dict.fromkeys(
        _WRONG_NAME, 'Connect to one of these names, or use ssl_mode="verify_ca", which does not check the name.'
    ),
    _EXPIRED: "Renew the certificate on the server; check this machine's clock.",
}
_HINT_NOT_TLS = "What answers there does not speak TLS: look for a proxy in between."
_HINT_VERSION = "There is no TLS version that both sides have: see tls_versions here, tls_version on the server."
_HINT_CIPHER = "Server and client have no cipher in common: see ssl_cipher on both sides."
_HINT_CLIENT_CERTIFICATE = "The server asks for a client certificate that it can verify: set ssl_cert and ssl_key."
_HINTS_BY_REASON = {
    "WRONG_VERSION_NUMBER": _HINT_NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": _HINT_NOT_TLS,
    "RECORD_LAYER_FAILURE": _HINT_NOT_TLS,
    "UNSUPPORTED_PROTOCOL": _HINT_VERSION,
    "NO_PROTOCOLS_AVAILABLE": _HINT_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": _HINT_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _HINT_CIPHER,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _HINT_CLIENT_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": _HINT_CLIENT_CERTIFICATE,
    "SSLV3_ALERT_BAD_CERTIFICATE": _HINT_CLIENT_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _HINT_CLIENT_CERTIFICATE,
}


def _error(message: str, *, sent: bool = False, hint: str | None = None) -> OperationalError:
    return OperationalError(errnos.CR_SSL_CONNECTION_ERROR, message, sent=sent, alive=False, hint=hint)


def _reason(error: Exception) -> str:
    """The error in words, without the line of _ssl.c."""
    if isinstance(error, ssl.SSLZeroReturnError):
        return "the server closed the connection"
    if reason := getattr(error, "reason", None):  # an SSLError that Python makes up itself has none
        return str(reason).lower().replace("_", " ")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _hint_for(error: ssl.SSLError) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _HINTS_BY_CODE.get(error.verify_code)
    return _HINTS_BY_REASON.get(getattr(error, "reason", None) or "")


def _unverified_certificate(ssl_object: ssl.SSLObject) -> dict[str, Any]:
    """The certificate that was refused, for the message; {} where it cannot be had.

    getpeercert() shows verified certificates only, and the public get_unverified_chain() of Python 3.13 gives DER,
    which the standard library does not read.
    """
    try:
        chain = ssl_object._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
        return dict(chain[0].get_info()) if chain else {}
    except (AttributeError, ssl.SSLError):
        return {}


def _names_in(certificate: dict[str, Any]) -> list[str]:
    """What a host name is compared with: the alternative names, or the common name where there are none."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    common = [value for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"]
    return [str(name) for name in names or common]
