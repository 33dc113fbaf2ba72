"""Which commands leave no trace in the session: behind them nothing has to be reset.

Knows SQL as far as it takes to be sure of the plain SELECT: no variables, no comments, and of functions those alone that
are known to change nothing. Where it is not sure there is a trace, and a reset that was not needed. Must not know what
becomes of the answer; that a transaction is open says the server.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr

from mizzle.engine.constants cimport *

cdef enum Kind:
    OTHER
    LETTER              # of a word: [0-9A-Za-z_$\x80-\xff]
    QUOTE
    SPACE
    DOUBT               # @variable, # comment, ; another statement
    MAYBE_COMMENT

cdef unsigned char[256] KINDS
for _byte in range(256):
    KINDS[_byte] = LETTER if _byte >= 0x80 or chr(_byte).isalnum() or _byte in b"_$" else OTHER
for _bytes, _kind in ((b"'\"`", QUOTE), (b" \t\n\r\v\f", SPACE), (b"@#;\\\0", DOUBT), (b"-/", MAYBE_COMMENT)):
    for _byte in _bytes:
        KINDS[_byte] = _kind

cdef enum:
    LONGEST_NAME = 19
# What may stand in front of a parenthesis: the grammar's words, and functions without side effects.
cdef frozenset HARMLESS = frozenset(
    b"""
    all and any as between by case distinct div else except exists for from group having if in index intersect interval
    is join key like limit mod not of on or order over partition rollup select separator some then union using values when
    where with xor

    avg bit_and bit_or bit_xor count group_concat json_arrayagg json_objectagg max min std stddev stddev_pop stddev_samp
    sum var_pop var_samp variance
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number

    coalesce greatest ifnull isnull least nullif
    abs ceil ceiling crc32 exp floor ln log log10 log2 pi pow power round sign sqrt truncate
    ascii bin binary bit_length cast char char_length character_length concat concat_ws convert elt field find_in_set
    format from_base64 hex insert instr lcase left length locate lower lpad ltrim md5 octet_length ord position repeat
    replace reverse right rpad rtrim sha1 sha2 soundex space strcmp substr substring substring_index to_base64 trim ucase
    unhex upper uuid
    adddate addtime curdate current_date current_time current_timestamp curtime date date_add date_format date_sub
    datediff day dayname dayofmonth dayofweek dayofyear extract from_days from_unixtime hour last_day localtime
    localtimestamp makedate maketime microsecond minute month monthname now period_add period_diff quarter sec_to_time
    second str_to_date subdate subtime sysdate time time_format time_to_sec timediff timestamp timestampadd timestampdiff
    to_days to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year yearweek
    json_array json_contains json_contains_path json_depth json_extract json_keys json_length json_object json_quote
    json_search json_type json_unquote json_valid json_value
    connection_id current_user database row schema sleep user version
    inet6_aton inet6_ntoa inet_aton inet_ntoa regexp_instr regexp_like regexp_replace regexp_substr
    """.split()
)
# The server tells by its status flags whether a transaction is open.
cdef frozenset OF_TRANSACTIONS = frozenset({b"BEGIN", b"COMMIT", b"ROLLBACK", b"START TRANSACTION"})


def is_traceless(bytes sql not None):
    return leaves_no_trace(COM_QUERY, sql)


cdef bint leaves_no_trace(int command, bytes payload) except -1:
    if command == COM_QUERY or command == COM_STMT_PREPARE:
        if PyBytes_GET_SIZE(payload) > 6 and payload[0] | 0x20 == c"s" and _is_plain_select(payload):
            return True
        return payload in OF_TRANSACTIONS
    # What is executed has been prepared since the last reset, and was looked at then.
    return command in (
        COM_STMT_EXECUTE, COM_STMT_FETCH, COM_STMT_CLOSE, COM_STMT_RESET, COM_STMT_SEND_LONG_DATA,
        COM_STMT_BULK_EXECUTE, COM_PING, COM_STATISTICS,
    )


cdef bint _is_plain_select(bytes statement) except -1:
    cdef const unsigned char *sql = <const unsigned char*>PyBytes_AS_STRING(statement)
    cdef const unsigned char *end = sql + PyBytes_GET_SIZE(statement)
    cdef const unsigned char *at = sql + 6
    cdef const unsigned char *start
    cdef unsigned char before = 0           # the last symbol
    cdef Kind kind
    if not _is(sql, b"select", 6) or KINDS[at[0]] == LETTER:
        return False
    while at < end:
        start, kind = at, <Kind>KINDS[at[0]]
        at += 1
        if kind == LETTER:
            while KINDS[at[0]] == LETTER:   # the zero behind the end is none
                at += 1
            if _is_doubtful(start, at - start):
                return False
            if _opens(at, end) and (before == c"." or not _is_harmless(start, at - start)):
                return False
            before = 0
        elif kind == QUOTE:
            at = <const unsigned char*>memchr(at, start[0], end - at)
            if at == NULL or memchr(start, c"\\", at - start) != NULL:
                return False                # where it ends depends on the sql_mode
            at += 1
            if start[0] != c"'" and _opens(at, end):
                return False
            before = 0
        elif kind == DOUBT or kind == MAYBE_COMMENT and at < end and at[0] in (c"-", c"*"):
            return False
        elif kind != SPACE:
            before = start[0]
    return True


cdef inline bint _is_doubtful(const unsigned char *word, Py_ssize_t length) noexcept:
    """SELECT … INTO @variable, PROCEDURE ANALYSE, FOUND_ROWS() of the next user, MariaDB's LASTVAL()."""
    if length == 4:
        return _is(word, b"into", 4) or _is(word, b"next", 4)
    if length == 7:
        return _is(word, b"nextval", 7)
    if length == 9:
        return _is(word, b"procedure", 9)
    return length == 19 and _is(word, b"sql_calc_found_rows", 19)


cdef inline bint _is(const unsigned char *word, const char *lower, Py_ssize_t length) noexcept:
    cdef Py_ssize_t i
    for i in range(length):
        if word[i] | 0x20 != lower[i] | 0x20:       # of the letters: A and a; of _ itself
            return False
    return True


cdef inline bint _opens(const unsigned char *at, const unsigned char *end) noexcept:
    """Does a parenthesis follow?"""
    while KINDS[at[0]] == SPACE:
        at += 1
    return at < end and at[0] == c"("


cdef bint _is_harmless(const unsigned char *word, Py_ssize_t length) except -1:
    return length <= LONGEST_NAME and _lower(word, length) in HARMLESS


cdef bytes _lower(const unsigned char *word, Py_ssize_t length):
    return PyBytes_FromStringAndSize(<const char*>word, length).lower()
