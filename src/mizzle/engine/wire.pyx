"""Bytes that came, bytes to go, and the packets between them.

Knows framing: the four-byte header, sequence numbers, payloads of 16 MiB and more in several frames ("MySQL Packets" in
the manual's protocol chapter). Must not know what any packet means, except that an ERR packet may come with any
sequence number: MariaDB sends ER_CONNECTION_KILLED with 0, MySQL 4031 likewise.

A world receives into one ReceiveBuffer that all its connections share; whatever is incomplete when a conversation has
to wait is moved into a store of the wire's own, so that an idle connection holds no buffer.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcpy, memmove

from mizzle.constants.errnos import CR_MALFORMED_PACKET, CR_NET_PACKET_TOO_LARGE
from mizzle.errors import OperationalError

cdef enum:
    HEADER = 4
    FULL_FRAME = 0xFFFFFF       # a frame this long is followed by another
    ERR = 0xFF
    ROOM = 65536


cdef inline Py_ssize_t frame_length(const unsigned char *header) noexcept:
    return header[0] | (header[1] << 8) | (header[2] << 16)


cdef inline void write_header(char *header, Py_ssize_t length, int sequence) noexcept:
    header[0] = <char>(length & 0xFF)
    header[1] = <char>((length >> 8) & 0xFF)
    header[2] = <char>((length >> 16) & 0xFF)
    header[3] = <char>(sequence & 0xFF)


cdef class ReceiveBuffer:
    """Where a thread, hub or loop receives for all its connections, one at a time. `size` is in bytes."""

    def __init__(self, Py_ssize_t size=131072):
        if size < 1024:
            raise ValueError(f"a receive buffer of {size} bytes is too small: 1024 at least")
        self._store = bytearray(size)
        self._data = <unsigned char*>PyByteArray_AS_STRING(self._store)
        self.size = size
        self._view = memoryview(self._store)


cdef class Wire:
    """One connection's framing, in both directions."""

    def __init__(self, Py_ssize_t max_packet=1 << 30):
        self.max_packet = max_packet

    # -- what a world calls ---------------------------------------------------------------------------------------

    @property
    def outgoing(self):
        """What is to be sent: bytes, a memoryview of what is left of them, or None."""
        return self._outgoing

    cpdef int sent(self, Py_ssize_t n) except -1:
        """The socket took the first n bytes of `outgoing`."""
        if n > 0:
            self.any_sent = True
        if n == len(self._outgoing):
            self._outgoing = None
        else:
            self._outgoing = memoryview(self._outgoing)[n:]
        return 0

    cpdef object space(self, ReceiveBuffer buffer):
        """Where to put what is received next; never empty, valid until received()."""
        cdef Py_ssize_t waiting = self._input_length
        if self.filter is not None or self.compression is not None:
            self._shared = buffer
            return buffer._view
        if waiting == 0:
            self._shared = buffer
            self._space_is_own = False
            return buffer._view
        self.keep()
        if waiting < buffer.size // 2 and (waiting < HEADER or HEADER + frame_length(self._input) <= buffer.size):
            self._shared = buffer
            self._space_is_own = False
            return buffer._view[waiting:]
        self._make_room(buffer.size)
        self._space_is_own = True
        return memoryview(self._own)[self._input - <unsigned char*>PyByteArray_AS_STRING(self._own) + waiting:]

    cpdef int received(self, Py_ssize_t n) except -1:
        """n bytes (more than 0) stand at the start of the space that was given out."""
        if self._input_length > self.max_packet + ROOM:
            self.damaged = True
            self._too_long(self._input_length)
        if self.filter is not None or self.compression is not None:
            return self._received_filtered(self._shared._view[:n])
        if not self._space_is_own:
            if self._input_length:
                memcpy(self._shared._data, self._input, self._input_length)
                self._own = None
            self._input = self._shared._data
        self._input_length += n
        return 0

    cdef int _received_filtered(self, object data) except -1:
        self.damaged = True             # unless the filters take it
        self._shared = None
        if self.filter is not None:
            data = self.filter.receive(data)
        if self.compression is None:
            self._append(data)
        else:
            self.compression.receive(data)
            if self._input_length == 0:
                self._inflate()
        self.damaged = False
        return 0

    cdef int _append(self, bytes plain) except -1:
        self._make_room(len(plain))
        memcpy(self._input + self._input_length, PyBytes_AS_STRING(plain), len(plain))
        self._input_length += len(plain)
        return 0

    cdef bint _inflate(self) except -1:
        """Have what the next compressed frame holds behind the input, if all of it is there."""
        cdef bytes plain
        if self.compression is None:
            return False
        plain = self.compression.next()
        if not plain:
            return False
        self._append(plain)
        return True

    cpdef int keep(self) except -1:
        """Move what is left of the input out of the shared buffer."""
        cdef bytearray own
        if self._input_length == 0:
            self._shared = None
            self._own = None
        elif self._shared is not None and self._own is None:
            own = bytearray(self._input_length)
            memcpy(PyByteArray_AS_STRING(own), self._input, self._input_length)
            self._own = own
            self._input = <unsigned char*>PyByteArray_AS_STRING(own)
            self._shared = None
        return 0

    cdef int _make_room(self, Py_ssize_t room) except -1:
        """Have space for `room` more bytes behind the input, in our own store.

        It grows with what has arrived, never with what a header announces.
        """
        cdef bytearray own
        cdef Py_ssize_t used = 0
        if self._own is not None:
            used = self._input - <unsigned char*>PyByteArray_AS_STRING(self._own) + self._input_length
            if len(self._own) - used >= room:
                return 0
        own = bytearray(2 * self._input_length + room)
        memcpy(PyByteArray_AS_STRING(own), self._input, self._input_length)
        self._own = own
        self._input = <unsigned char*>PyByteArray_AS_STRING(own)
        self._shared = None
        return 0

    # -- packets that came ----------------------------------------------------------------------------------------

    cdef bint next_packet(self) except -1:
        """Take the next whole packet, if it is there: its payload is `packet`, `packet_length`."""
        while not self._next_packet():
            if not self._inflate():
                return False
        return True

    cdef bint _next_packet(self) except -1:
        cdef unsigned char *header = self._input
        cdef Py_ssize_t length
        if self._input_length < HEADER:
            return False
        length = frame_length(header)
        if header[3] != self.sequence and (self._input_length == HEADER or header[HEADER] != ERR):
            if self._input_length == HEADER and length:
                return False            # whether it is an ERR packet, the next byte tells
            self._out_of_order(self.sequence, header[3])
        if length > self.max_packet:
            self._too_long(length)
        if length == FULL_FRAME:
            return self._next_long_packet()
        if self._input_length < HEADER + length:
            return False
        self.sequence = (header[3] + 1) & 0xFF
        self.packet = header + HEADER
        self.packet_length = length
        self._input += HEADER + length
        self._input_length -= HEADER + length
        return True

    cdef bint _next_long_packet(self) except -1:
        """A payload in several frames: wait for all of them, then close the gaps between them."""
        cdef unsigned char *target
        cdef unsigned char *header = self._input
        cdef Py_ssize_t offset = 0, total = 0, length = FULL_FRAME
        while length == FULL_FRAME:
            if self._input_length < offset + HEADER:
                return False
            length = frame_length(self._input + offset)
            total += length
            if total > self.max_packet:
                self._too_long(total)
            offset += HEADER + length
        if self._input_length < offset:
            return False
        self.packet = target = header + HEADER
        self.packet_length = total
        while total:
            length = frame_length(header)
            if header[3] != self.sequence:
                self._out_of_order(self.sequence, header[3])
            self.sequence = (self.sequence + 1) & 0xFF
            memmove(target, header + HEADER, length)
            target += length
            header += HEADER + length
            total -= length
        if length == FULL_FRAME:        # an exact multiple of the frame length ends with an empty frame
            self.sequence = (self.sequence + 1) & 0xFF
        self._input += offset
        self._input_length -= offset
        return True

    cdef Py_ssize_t frames_end(self, Py_ssize_t count) except -2:
        """How many bytes the next `count` packets fill, headers included; -1 while they are not all there."""
        cdef Py_ssize_t end = self._frames_end(count)
        while end < 0 and self._inflate():
            end = self._frames_end(count)
        return end

    cdef Py_ssize_t _frames_end(self, Py_ssize_t count) except -2:
        cdef Py_ssize_t offset = 0, length
        cdef int sequence = self.sequence
        while count:
            if self._input_length < offset + HEADER:
                return -1
            length = frame_length(self._input + offset)
            if self._input[offset + 3] != sequence:
                self._out_of_order(sequence, self._input[offset + 3])
                sequence = self._input[offset + 3]
            if length == FULL_FRAME or length > self.max_packet:
                self._too_long(length)
            sequence = (sequence + 1) & 0xFF
            offset += HEADER + length
            count -= 1
        return offset if offset <= self._input_length else -1

    cdef bytes taken(self, Py_ssize_t length):
        """Take `length` bytes of whole frames as they are; the caller sets `sequence`."""
        cdef bytes block = PyBytes_FromStringAndSize(<char*>self._input, length)
        self._input += length
        self._input_length -= length
        return block

    def take(self):
        """The next packet's payload as bytes, or None while it is not there."""
        return PyBytes_FromStringAndSize(<const char*>self.packet, self.packet_length) if self.next_packet() else None

    def take_again(self):
        """The packet taken last, as bytes; only until more is received."""
        return PyBytes_FromStringAndSize(<const char*>self.packet, self.packet_length)

    cdef bint anything_left(self) except -1:
        """Has more come than was taken?"""
        return self._input_length > 0 or self.compression is not None and len(self.compression.waiting) > 0

    @property
    def unread(self):
        """The bytes received and not yet taken, as they are (for messages and for the TLS upgrade check)."""
        if self._input_length == 0 and self.compression is not None:
            return self.compression.waiting
        return PyBytes_FromStringAndSize(<char*>self._input, self._input_length)

    cdef int _out_of_order(self, int expected, int got) except -1:
        if self.compression is not None:    # the servers go on with the number of the compressed frame (net_flush())
            self.sequence = got
            return 0
        raise OperationalError(
            CR_MALFORMED_PACKET,
            f"Packets out of order: sequence number {expected} expected, {got} received: either the peer does not "
            f"speak the MySQL protocol or a proxy between has lost count",
            alive=False,
        )

    cdef int _too_long(self, Py_ssize_t length) except -1:
        raise OperationalError(
            CR_NET_PACKET_TOO_LARGE,
            f"The server sent a packet of {length} bytes or more, {self.max_packet} are allowed: "
            f"raise max_allowed_packet if that is what you want",
            alive=False,
        )

    # -- packets to go --------------------------------------------------------------------------------------------

    cdef int begin(self, int command, bytes payload, bytes head=None) except -1:
        """Queue the first packet of a command, `head` in front of its payload: sequence numbers start anew."""
        cdef Py_ssize_t before = 0 if head is None else len(head), length = before + len(payload) + 1
        cdef bytes packet
        cdef char *target
        self.sequence = 0
        self.any_sent = False
        if self.compression is not None:
            self.compression.begin()
        if length >= FULL_FRAME:
            return self.write_packet(bytes((command,)) + (head or b"") + payload)
        packet = PyBytes_FromStringAndSize(NULL, HEADER + length)
        target = PyBytes_AS_STRING(packet)
        write_header(target, length, 0)
        target[HEADER] = <char>command
        if before:
            memcpy(target + HEADER + 1, PyBytes_AS_STRING(head), before)
        memcpy(target + HEADER + 1 + before, PyBytes_AS_STRING(payload), len(payload))
        self.sequence = 1
        return self._send(packet)

    cdef int begin_framed(self, bytes packets) except -1:
        """Queue commands that stand in their frames already; what is read next is the answer to the first."""
        self.any_sent = False
        self.sequence = 1
        if self.compression is None:
            return self._send(packets)
        return self.queue_filtered(b"".join(self._compressed_one_by_one(packets)))

    cdef list _compressed_one_by_one(self, bytes packets):
        """Each command in a compressed frame of its own: MariaDB does not look for a second one in it."""
        cdef const unsigned char *data = <const unsigned char*>PyBytes_AS_STRING(packets)
        cdef Py_ssize_t offset = 0, end, length
        cdef list frames = []
        while offset < len(packets):
            length = frame_length(data + offset)
            end = len(packets) if length == FULL_FRAME else offset + HEADER + length    # a long one goes alone
            self.compression.begin()
            frames.append(self.compression.send(packets[offset:end]))
            offset = end
        return frames

    cpdef int write_packet(self, bytes payload) except -1:
        """Queue a packet that goes on with the dialogue, in as many frames as it takes."""
        cdef int sequence = self.sequence
        self.sequence = (sequence + len(payload) // FULL_FRAME + 1) & 0xFF
        return self._send(frames(payload, sequence))

    cdef int _send(self, bytes data) except -1:
        if self.compression is not None:
            data = self.compression.send(data)
        return self.queue_filtered(data)

    cdef int queue_filtered(self, bytes data) except -1:
        return self.queue(data if self.filter is None else self.filter.send(data))

    cpdef int queue(self, bytes data) except -1:
        """Queue bytes as they are to go over the link."""
        if not data:
            return 0
        self._outgoing = data if self._outgoing is None else bytes(self._outgoing) + data
        return 0


cdef int frames_in(bytes packet) noexcept:
    """How many frames one packet has."""
    return <int>(len(packet) // (FULL_FRAME + HEADER) + 1)


cdef bytes frames(bytes payload, int sequence):
    """A payload in as many frames as it takes."""
    cdef Py_ssize_t length = len(payload), offset = 0, frame
    cdef Py_ssize_t count = length // FULL_FRAME + 1
    cdef bytes packet = PyBytes_FromStringAndSize(NULL, length + HEADER * count)
    cdef char *target = PyBytes_AS_STRING(packet)
    for _ in range(count):
        frame = min(length - offset, <Py_ssize_t>FULL_FRAME)
        write_header(target, frame, sequence)
        memcpy(target + HEADER, PyBytes_AS_STRING(payload) + offset, frame)
        sequence = (sequence + 1) & 0xFF
        target += HEADER + frame
        offset += frame
    return packet
