"""What the values of a connection become in Python: its options as one Decoding, and the conversions that they name.

Knows which type of the servers has which class in Python. Must not know rows or packets. What a conversion needs is
imported when it is asked for first.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from mizzle.constants.charsets import Charset
from mizzle.engine.text_rows import Decoding
from mizzle.errors import NotSupportedError

if TYPE_CHECKING:
    from mizzle.engine.text_rows import Converters
    from mizzle.options import ConnectOptions

Conversion = Callable[[Any], Any]


def decoding_for(options: ConnectOptions, charset: Charset, extended: bool = False) -> Decoding:
    """How values become Python's; one object for all connections that want the same, so that they share row formats.

    `extended`: the server tells more of its types (MARIADB_CLIENT_EXTENDED_METADATA).
    """
    wishes = (options.zero_dates, options.use_unicode, options.uuid, options.inet, options.vector)
    own: Converters = {} if options.json is None else {"json": options.json}
    own |= {key: convert for key, convert in (options.conv or {}).items() if not isinstance(key, type)}
    if not own:
        return shared_decoding(*wishes, charset.codec, extended)
    return make_decoding(*wishes, charset.codec, extended, own)


def make_decoding(
    zero_dates: str,
    use_unicode: bool,
    uuid: bool,
    inet: bool,
    vector: str,
    codec: str,
    extended: bool,
    own: Converters | None = None,
) -> Decoding:
    """`own` are converters of the user's, which go before the others."""
    converters: Converters = {}
    if uuid:
        converters["uuid"] = of_text(uuid_class())
    if inet:
        converters |= {name: of_text(made) for name, made in inet_classes().items()}
    if vector != "bytes":
        converters["vector"] = VECTORS[vector]()
    return Decoding(
        zero_dates=zero_dates,
        use_unicode=use_unicode,
        converters=converters | (own or {}),
        codec=codec,
        extended=extended,
    )


shared_decoding = cache(make_decoding)


def of_text(make: Conversion) -> Conversion:
    """The same, also where use_unicode=False gives bytes."""
    return lambda value: make(value if isinstance(value, str) else value.decode("ascii"))


def uuid_class() -> Conversion:
    """uuid.UUID."""
    import uuid  # noqa: PLC0415

    return uuid.UUID


def inet_classes() -> dict[str, Conversion]:
    """The addresses of `ipaddress`, by the name of MariaDB's type."""
    import ipaddress  # noqa: PLC0415

    return {"inet4": ipaddress.IPv4Address, "inet6": ipaddress.IPv6Address}


def little_endian_floats(data: bytes) -> array[float]:
    """An array.array('f') of what the servers send for a VECTOR: four bytes for each number, the lowest first."""
    values = array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def as_array() -> Conversion:
    """array.array('f')."""
    return little_endian_floats


def as_memoryview() -> Conversion:
    """A memoryview of floats, of the bytes as they came."""
    if sys.byteorder == "big":
        return lambda data: memoryview(little_endian_floats(data))
    return lambda data: memoryview(data).cast("f")


def as_numpy() -> Conversion:
    """A numpy.ndarray of float32, not writeable: it is the bytes as they came."""
    try:
        import numpy  # noqa: PLC0415
    except ImportError as error:
        raise NotSupportedError(
            0,
            "vector='numpy' needs NumPy, which is not installed",
            sent=False,
            alive=False,
            hint="pip install mizzle[numpy], or use vector='array'",
        ) from error
    return lambda data: numpy.frombuffer(data, "<f4")


VECTORS: dict[str, Callable[[], Conversion]] = {"array": as_array, "memoryview": as_memoryview, "numpy": as_numpy}
