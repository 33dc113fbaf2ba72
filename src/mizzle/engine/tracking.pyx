"""What a server says of the session, behind what it says of the statement (CLIENT_SESSION_TRACK).

Knows the layout of session_state_info ("OK_Packet" in the manual's protocol chapter), and what was said last. Must not
know what becomes of it. Nothing here runs for an OK packet without SERVER_SESSION_STATE_CHANGED.
"""

from mizzle.engine.constants cimport *
from mizzle.engine.reader cimport (
    Reader,
    expect_end,
    malformed,
    read_lenenc_bytes,
    read_lenenc_length,
    read_rest,
    read_u8,
    reader_over,
    remaining,
    skip,
)

cdef dict NOTHING = {}
# What connections are told at their login: one copy is enough for all of them.
cdef dict WORDS = {
    word.encode(): word
    for word in (
        "autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone",
        "redirect_url", "last_gtid", "ON", "OFF", "utf8mb4", "utf8mb3", "latin1", "SYSTEM",
    )
}
cdef tuple OF_CHARSETS = ("character_set_client", "character_set_results")


cdef str read_text(Reader *reader):
    cdef bytes text = read_lenenc_bytes(reader)
    known = WORDS.get(text)
    return text.decode("utf8", "replace") if known is None else known


cdef class Tracked:
    """What one connection's server said last, each None where it said nothing.

    `variables` are values as text. Of `transaction_state` the eight characters are as the manual has them.
    """

    def __init__(self):
        self.variables = self._at_login = NOTHING

    cpdef bint take(self, bytes state) except -1:
        """session_state_info of an OK packet. Did the server say that the session is not as it was (state_change)?"""
        cdef Reader reader = reader_over(<const unsigned char*>state, len(state), "SessionState")
        cdef Reader data
        cdef unsigned long long before = self.changes
        cdef Py_ssize_t length
        cdef int kind
        self.charset_told = False
        while remaining(&reader):
            kind = read_u8(&reader)                     # type [1 byte]
            length = read_lenenc_length(&reader)        # length of data [lenenc]
            data = reader
            skip(&reader, length)
            data.end = reader.pos                       # data
            self._take_change(kind, &data)
        return self.changes != before

    cdef int _take_change(self, int kind, Reader *data) except -1:
        if kind == SESSION_TRACK_SYSTEM_VARIABLES:
            while remaining(data):
                name = read_text(data)                          # name [lenenc]
                self._take_variable(name, read_text(data))      # value [lenenc]
        elif kind == SESSION_TRACK_SCHEMA:
            self.schema = read_text(data) or None               # name [lenenc], empty: none
        elif kind == SESSION_TRACK_STATE_CHANGE:
            # is_tracked: "1", by the servers alone (Session_state_change_tracker::store()), by the manual [lenenc]
            self.changes += read_rest(data) in (b"1", b"\x011")
        elif kind == SESSION_TRACK_GTIDS:
            if read_u8(data) != 0:                              # encoding_specification [1 byte]: 0, text
                data.pos -= 1
                malformed(data, "GTIDs in an unknown encoding")
            self.gtids = read_text(data)                        # gtids [lenenc]
        elif kind == SESSION_TRACK_TRANSACTION_CHARACTERISTICS:
            self.transaction_characteristics = read_text(data)  # characteristics [lenenc]
        elif kind == SESSION_TRACK_TRANSACTION_STATE:
            self.transaction_state = read_text(data)            # tx_state [lenenc]
        else:
            return 0                                            # of a newer server
        return expect_end(data)

    cdef int _take_variable(self, str name, str value) except -1:
        if name in OF_CHARSETS:
            self.charset_told = True
        elif name == "last_gtid":           # of MariaDB, which has no tracker of GTIDs
            self.gtids = value
        if self.variables.get(name) != value:
            # Replaced, so that who was given the former ones keeps them, and _at_login costs no second dict.
            self.variables = {**self.variables, name: value}
        return 0

    cpdef int keep(self) noexcept:
        """The session is as it will be after each reset."""
        self._at_login = self.variables
        return 0

    cpdef int begin_anew(self, bint another_schema, str schema=None) except -1:
        """The session is being reset: what is known is what was known after the login, and the schema if it changes."""
        self.variables = self._at_login
        self.gtids = self.transaction_state = self.transaction_characteristics = None
        if another_schema:
            self.schema = schema
        return 0
