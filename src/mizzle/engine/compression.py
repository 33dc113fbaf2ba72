"""The compressed protocol as a filter under the wire, inside TLS ("Compression" in the manual's protocol chapter).

Knows frames of seven bytes and what is deflated in them, by zlib or zstd. Knows nothing of the packets in it: a frame
holds pieces of them, or several.

What a server sends is inflated one frame at a time, when the packets before it are taken, and never to more than the
frame declares: a small frame that would become gigabytes is a MalformedPacket.
"""

from __future__ import annotations

import zlib
from typing import Any

from mizzle.constants import capabilities as cap
from mizzle.constants.errnos import CR_COMPRESSION_WRONGLY_CONFIGURED, CR_NET_PACKET_TOO_LARGE
from mizzle.errors import MalformedPacket, NotSupportedError, OperationalError, malformed_packet

__all__ = ["Compression", "capability", "chosen", "zstd_module"]

HEADER = 7
MAX_FRAME = 0xFFFFFF
#: What a frame may hold beyond the longest packet: the packets around it.
ROOM = 1 << 16
#: Below this many bytes deflating costs more than it saves; the servers' own limit is 50.
THRESHOLD = 150
LEVELS = {"zlib": 6, "zstd": 3}
#: zstd's levels from 20 on need windows of up to 128 MiB, those below 8 MiB at most.
WINDOWS = {False: 23, True: 27}

_CAPABILITIES = {"zlib": cap.CLIENT_COMPRESS, "zstd": cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM}


def zstd_module() -> Any:
    """Python's own since 3.14, else that of the extra; None without either."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        try:
            from backports import zstd  # type: ignore[no-redef,unused-ignore]  # noqa: PLC0415
        except ImportError:
            return None
    return zstd


def chosen(wish: str | None, capabilities: int) -> str | None:
    """The algorithm to use with a server that has these capabilities; an error where it must be one that is missing."""
    if wish is None:
        return None
    if wish in {"zstd", "best"}:
        if capabilities & cap.CLIENT_ZSTD_COMPRESSION_ALGORITHM and zstd_module() is not None:
            return "zstd"
        if wish == "zstd" and zstd_module() is None:
            raise NotSupportedError(
                0, "compress='zstd' needs a package", sent=False, alive=False, hint="pip install 'mizzle[zstd]'"
            )
    if wish in {"zlib", "best"} and capabilities & cap.CLIENT_COMPRESS:
        return "zlib"
    if wish == "best":
        return None
    raise OperationalError(
        CR_COMPRESSION_WRONGLY_CONFIGURED,
        f"compress={wish!r}, and the server does not offer it",
        sent=False,
        alive=False,
        hint="compress=True takes what both have. MySQL: see protocol_compression_algorithms; MariaDB has zlib only.",
    )


def capability(algorithm: str | None) -> int:
    """What is claimed for it in the handshake."""
    return 0 if algorithm is None else _CAPABILITIES[algorithm]


class Compression:
    """The client's end of a compressed connection: bytes of packets in, frames out, and back."""

    def __init__(self, algorithm: str, level: int | None, threshold: int, max_packet: int) -> None:
        #: "zlib" or "zstd".
        self.algorithm = algorithm
        self._level = LEVELS[algorithm] if level is None else level
        self._threshold = threshold
        self._limit = max_packet + ROOM
        self._sequence = 0
        self._waiting = bytearray()
        self._codec = _Zlib(self._level) if algorithm == "zlib" else _Zstd(self._level)

    @property
    def waiting(self) -> bytes:
        """What has come and was not inflated yet."""
        return bytes(self._waiting)

    def begin(self) -> None:
        """A command begins: frames are numbered anew."""
        self._sequence = 0

    def send(self, data: bytes) -> bytes:
        """Frames for these bytes."""
        frames = []
        for start in range(0, len(data), MAX_FRAME):
            piece = data[start : start + MAX_FRAME]
            declared, body = 0, piece
            if len(piece) >= self._threshold:
                deflated = self._codec.deflate(piece)
                if len(deflated) < len(piece):
                    declared, body = len(piece), deflated
            # compressed_length [3 bytes], compressed_sequence [1 byte], uncompressed_length [3 bytes]
            frames += [
                len(body).to_bytes(3, "little"),
                bytes((self._sequence,)),
                declared.to_bytes(3, "little"),
                body,
            ]
            self._sequence = (self._sequence + 1) & 0xFF
        return b"".join(frames)

    def receive(self, data: bytes | memoryview) -> None:
        """Bytes came."""
        self._waiting += data

    def next(self) -> bytes:
        """What the next frame holds; b"" while it is not all there.

        Whether its number is the next one is not looked at: the servers begin anew where commands were sent together. A
        frame that is out of place shows in what is in it.
        """
        waiting = self._waiting
        while len(waiting) >= HEADER:
            length = int.from_bytes(waiting[:3], "little")
            declared = int.from_bytes(waiting[4:7], "little")
            if max(length, declared) > self._limit:
                raise OperationalError(
                    CR_NET_PACKET_TOO_LARGE,
                    f"The server sent a compressed packet of {max(length, declared)} bytes, "
                    f"{self._limit} are allowed: raise max_allowed_packet if that is what you want",
                    alive=False,
                )
            if len(waiting) < HEADER + length:
                return b""
            self._sequence = (waiting[3] + 1) & 0xFF  # what goes on with the dialogue continues the server's count
            body = bytes(waiting[HEADER : HEADER + length])
            del waiting[: HEADER + length]
            if not waiting:
                self._waiting = bytearray()  # an idle connection holds no buffer
            if not declared:
                plain = body
            else:
                plain = self._codec.inflate(body, declared)
                if len(plain) != declared:
                    raise malformed(f"{declared} bytes were declared, {len(plain)} came")
            if plain:
                return plain
        return b""


class _Zlib:
    def __init__(self, level: int) -> None:
        self._level = level

    def deflate(self, data: bytes) -> bytes:
        return zlib.compress(data, self._level)

    def inflate(self, data: bytes, declared: int) -> bytes:
        inflater = zlib.decompressobj()
        try:
            plain = inflater.decompress(data, declared)
            rest = inflater.decompress(inflater.unconsumed_tail, 1)  # the end, if it has not been seen yet
        except zlib.error as error:
            raise malformed(str(error)) from error
        if rest or not inflater.eof or inflater.unused_data:
            raise malformed(f"it is not {declared} bytes, as was declared")
        return plain


class _Zstd:
    def __init__(self, level: int) -> None:
        self._zstd = zstd_module()
        self._level = level
        self._options = {self._zstd.DecompressionParameter.window_log_max: WINDOWS[level >= 20]}

    def deflate(self, data: bytes) -> bytes:
        deflated: bytes = self._zstd.compress(data, level=self._level)
        return deflated

    def inflate(self, data: bytes, declared: int) -> bytes:
        inflater = self._zstd.ZstdDecompressor(options=self._options)
        try:
            plain: bytes = inflater.decompress(data, max_length=declared)
            rest = b"" if inflater.eof else inflater.decompress(b"", max_length=1)
        except self._zstd.ZstdError as error:
            raise malformed(str(error)) from error
        if rest or not inflater.eof or inflater.unused_data:
            raise malformed(f"it is not {declared} bytes, as was declared")
        return plain


def malformed(what: str) -> MalformedPacket:
    """A frame that is none."""
    return malformed_packet("CompressedPacket", HEADER, what)
