"""Bounds-checked reads over one packet: the only place that moves a pointer.

Knows the integer and string encodings of the protocol ("Basic Data Types" in the MySQL manual's protocol chapter) and
nothing of any packet's layout. A read past the end is a MalformedPacket that names the packet and the offset.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.string cimport memchr

ctypedef const unsigned char* cbytes

cdef struct Reader:
    cbytes start
    cbytes pos
    cbytes end
    const char *packet      # its name, for the error


cdef inline Reader reader_over(cbytes data, Py_ssize_t length, const char *packet) noexcept:
    cdef Reader reader
    reader.start = reader.pos = data
    reader.end = data + length
    reader.packet = packet
    return reader


cdef inline int malformed(Reader *reader, str what) except -1:
    from mizzle.errors import malformed_packet

    raise malformed_packet(reader.packet.decode("ascii"), reader.pos - reader.start, what)


cdef inline int need(Reader *reader, Py_ssize_t length) except -1:
    if length < 0 or reader.end - reader.pos < length:
        malformed(reader, f"{length} more bytes expected, {reader.end - reader.pos} left")
    return 0


cdef inline Py_ssize_t remaining(Reader *reader) noexcept:
    return reader.end - reader.pos


cdef inline int skip(Reader *reader, Py_ssize_t length) except -1:
    need(reader, length)
    reader.pos += length
    return 0


cdef inline int read_u8(Reader *reader) except -1:
    cdef cbytes at = reader.pos
    need(reader, 1)
    reader.pos += 1
    return at[0]


cdef inline int read_u16(Reader *reader) except -1:
    cdef cbytes at = reader.pos
    need(reader, 2)
    reader.pos += 2
    return at[0] | (at[1] << 8)


cdef inline int peek_u16(Reader *reader, Py_ssize_t offset) except -1:
    """Two bytes further on, without moving."""
    need(reader, offset + 2)
    return reader.pos[offset] | (reader.pos[offset + 1] << 8)


cdef inline long long read_u32(Reader *reader) except -1:
    cdef cbytes at = reader.pos
    need(reader, 4)
    reader.pos += 4
    return at[0] | (at[1] << 8) | (at[2] << 16) | (<long long>at[3] << 24)


cdef inline unsigned long long read_little_endian(Reader *reader, int width) except? 0xFFFFFFFFFFFFFFFF:
    cdef unsigned long long value = 0
    cdef int i
    need(reader, width)
    for i in range(width):
        value |= <unsigned long long>reader.pos[i] << (8 * i)
    reader.pos += width
    return value


cdef inline unsigned long long read_lenenc_int(Reader *reader) except? 0xFFFFFFFFFFFFFFFF:
    """int<lenenc>: one byte below 0xFB, else 0xFC, 0xFD, 0xFE and 2, 3 or 8 bytes."""
    cdef int first = read_u8(reader)
    if first < 0xFB:
        return first
    if first == 0xFC:
        return read_little_endian(reader, 2)
    if first == 0xFD:
        return read_little_endian(reader, 3)
    if first == 0xFE:
        return read_little_endian(reader, 8)
    reader.pos -= 1
    malformed(reader, f"0x{first:02X} does not begin a length-encoded integer")
    return 0


cdef inline Py_ssize_t read_lenenc_length(Reader *reader) except -1:
    """The length of a string<lenenc> whose bytes follow, all of them present."""
    cdef unsigned long long length = read_lenenc_int(reader)
    if length > <unsigned long long>(reader.end - reader.pos):
        malformed(reader, f"a string of {length} bytes announced, {reader.end - reader.pos} left")
    return <Py_ssize_t>length


cdef inline Py_ssize_t read_text_length(Reader *reader) except -2:
    """The length of a text protocol value whose bytes follow, all of them present; -1 for NULL."""
    cdef Py_ssize_t length
    if reader.pos < reader.end and reader.pos[0] < 0xFB:
        length = reader.pos[0]
        if reader.end - reader.pos > length:
            reader.pos += 1
            return length
    elif reader.pos < reader.end and reader.pos[0] == 0xFB:
        reader.pos += 1
        return -1
    return read_lenenc_length(reader)


cdef inline bytes read_bytes(Reader *reader, Py_ssize_t length):
    need(reader, length)
    reader.pos += length
    return PyBytes_FromStringAndSize(<const char*>(reader.pos - length), length)


cdef inline bytes read_lenenc_bytes(Reader *reader):
    return read_bytes(reader, read_lenenc_length(reader))


cdef inline bytes read_rest(Reader *reader):
    return read_bytes(reader, reader.end - reader.pos)


cdef inline bytes read_nul_bytes(Reader *reader):
    """string<NUL>, without its NUL."""
    cdef cbytes nul = <cbytes>memchr(reader.pos, 0, reader.end - reader.pos)
    if nul == NULL:
        malformed(reader, "a NUL-terminated string has no end")
    value = read_bytes(reader, nul - reader.pos)
    reader.pos += 1
    return value


cdef inline int expect_end(Reader *reader) except -1:
    if reader.pos != reader.end:
        malformed(reader, f"{reader.end - reader.pos} bytes too many")
    return 0
