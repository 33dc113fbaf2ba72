"""Bytes that came, bytes to go, and the packets between them."""

cdef class ReceiveBuffer:
    cdef bytearray _store
    cdef unsigned char *_data
    cdef readonly Py_ssize_t size
    cdef object _view


cdef class Wire:
    # input: a window of bytes received and not yet taken, in the world's shared buffer or in a store of our own
    cdef unsigned char *_input
    cdef Py_ssize_t _input_length
    cdef ReceiveBuffer _shared          # not None while the window, or the space given out, lies there
    cdef bytearray _own                 # not None while an incomplete packet waits
    cdef bint _space_is_own
    # the packet that next_packet() took: valid until the next one, received() or keep()
    cdef const unsigned char *packet
    cdef Py_ssize_t packet_length
    # output
    cdef object _outgoing
    cdef readonly bint any_sent         # has a byte of this command left?
    # both
    cdef bint damaged                   # bytes were received that cannot be
    cdef public int sequence
    cdef public Py_ssize_t max_packet
    cdef public object filter           # TLS
    cdef public object compression      # what is between it and the packets

    cpdef object space(self, ReceiveBuffer buffer)
    cpdef int received(self, Py_ssize_t n) except -1
    cpdef int keep(self) except -1
    cpdef int sent(self, Py_ssize_t n) except -1
    cdef int _received_filtered(self, object data) except -1
    cdef int _append(self, bytes plain) except -1
    cdef bint _inflate(self) except -1
    cdef bint next_packet(self) except -1
    cdef bint _next_packet(self) except -1
    cdef bint _next_long_packet(self) except -1
    cdef Py_ssize_t frames_end(self, Py_ssize_t count) except -2
    cdef Py_ssize_t _frames_end(self, Py_ssize_t count) except -2
    cdef bint anything_left(self) except -1
    cdef bytes taken(self, Py_ssize_t length)
    cdef int _out_of_order(self, int expected, int got) except -1
    cdef int _too_long(self, Py_ssize_t length) except -1
    cdef int _make_room(self, Py_ssize_t room) except -1
    cdef int begin(self, int command, bytes payload, bytes head=*) except -1
    cdef int begin_framed(self, bytes packets) except -1
    cdef list _compressed_one_by_one(self, bytes packets)
    cdef int queue_filtered(self, bytes data) except -1
    cpdef int write_packet(self, bytes payload) except -1
    cdef int _send(self, bytes data) except -1
    cpdef int queue(self, bytes data) except -1


cdef int frames_in(bytes packet) noexcept
cdef bytes frames(bytes payload, int sequence)
