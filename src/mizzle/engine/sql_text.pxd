"""What SQL text is made of: digits, dates, quoted text and hexadecimal bytes, written into a buffer.

Knows the spelling of each, and which bytes are escaped by the table that is passed. Must not know connections, charsets
other than UTF-8, or where in a statement it writes. Room is always reserved for the longest that a value can become.
"""

from cpython.datetime cimport (
    PyDateTime_DATE_GET_HOUR, PyDateTime_DATE_GET_MICROSECOND, PyDateTime_DATE_GET_MINUTE, PyDateTime_DATE_GET_SECOND,
    PyDateTime_DELTA_GET_DAYS, PyDateTime_DELTA_GET_MICROSECONDS, PyDateTime_DELTA_GET_SECONDS, PyDateTime_GET_DAY,
    PyDateTime_GET_MONTH, PyDateTime_GET_YEAR, PyDateTime_TIME_GET_HOUR, PyDateTime_TIME_GET_MICROSECOND,
    PyDateTime_TIME_GET_MINUTE, PyDateTime_TIME_GET_SECOND,
)
from libc.string cimport memcpy

from mizzle.engine.sql_buffer cimport PY_SSIZE_T_MAX, Buffer, put, reserve

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030C0000
    #define mizzle_ready(text) PyUnicode_READY(text)
    #else
    #define mizzle_ready(text) 0    /* every str is ready since 3.12 */
    #endif
    """
    int mizzle_ready(object text) except -1


cdef inline char *two_digits(char *to, int value) noexcept:
    to[0] = <char>(c"0" + value // 10)
    to[1] = <char>(c"0" + value % 10)
    return to + 2


cdef inline char *date_digits(char *to, int year, int month, int day) noexcept:
    to = two_digits(two_digits(to, year // 100), year % 100)
    to[0] = c"-"
    to = two_digits(to + 1, month)
    to[0] = c"-"
    return two_digits(to + 1, day)


cdef inline char *minute_digits(char *to, int minute, int second, int microsecond) noexcept:
    to[0] = c":"
    to = two_digits(to + 1, minute)
    to[0] = c":"
    to = two_digits(to + 1, second)
    if microsecond:
        to[0] = c"."
        to = two_digits(to + 1, microsecond // 10000)
        to = two_digits(two_digits(to, microsecond // 100 % 100), microsecond % 100)
    return to


cdef inline char *integer_digits(char *to, unsigned long long value) noexcept:
    cdef char[20] digits
    cdef int at = 20
    while value >= 10:
        at -= 1
        digits[at] = <char>(c"0" + value % 10)
        value //= 10
    at -= 1
    digits[at] = <char>(c"0" + value)
    memcpy(to, &digits[at], 20 - at)
    return to + (20 - at)


cdef inline int put_datetime(Buffer *out, object value) except -1:
    cdef char *begin = reserve(out, 28)
    cdef char *to = begin
    to[0] = c"'"
    to = date_digits(to + 1, PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value))
    to[0] = c" "
    to = minute_digits(
        two_digits(to + 1, PyDateTime_DATE_GET_HOUR(value)), PyDateTime_DATE_GET_MINUTE(value),
        PyDateTime_DATE_GET_SECOND(value), PyDateTime_DATE_GET_MICROSECOND(value),
    )
    to[0] = c"'"
    out.length += to + 1 - begin
    return 0


cdef inline int put_date(Buffer *out, object value) except -1:
    cdef char *to = reserve(out, 12)
    to[0] = to[11] = c"'"
    date_digits(to + 1, PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value))
    out.length += 12
    return 0


cdef inline int put_time(Buffer *out, object value) except -1:
    cdef char *begin = reserve(out, 17)
    cdef char *to = begin
    to[0] = c"'"
    to = minute_digits(
        two_digits(to + 1, PyDateTime_TIME_GET_HOUR(value)), PyDateTime_TIME_GET_MINUTE(value),
        PyDateTime_TIME_GET_SECOND(value), PyDateTime_TIME_GET_MICROSECOND(value),
    )
    to[0] = c"'"
    out.length += to + 1 - begin
    return 0


cdef inline int put_timedelta(Buffer *out, object value) except -1:
    """As TIME, `'-838:59:59.000001'`. Python keeps a negative one as negative days and a positive rest."""
    cdef long long seconds = <long long>PyDateTime_DELTA_GET_DAYS(value) * 86400 + PyDateTime_DELTA_GET_SECONDS(value)
    cdef int microseconds = PyDateTime_DELTA_GET_MICROSECONDS(value)
    cdef bint negative = seconds < 0
    if negative:
        seconds = -seconds
        if microseconds:
            seconds -= 1
            microseconds = 1000000 - microseconds
    cdef char *begin = reserve(out, 36)
    cdef char *to = begin
    cdef long long hours = seconds // 3600
    to[0] = c"'"
    to += 1
    if negative:
        to[0] = c"-"
        to += 1
    to = two_digits(to, <int>hours) if hours < 100 else integer_digits(to, hours)
    to = minute_digits(to, <int>(seconds // 60 % 60), <int>(seconds % 60), microseconds)
    to[0] = c"'"
    out.length += to + 1 - begin
    return 0


cdef inline int put_fixed(Buffer *out, long long millionths) except -1:
    cdef char *begin = reserve(out, 26)
    cdef char *to = begin
    if millionths < 0:
        to[0] = c"-"
        to += 1
        millionths = -millionths
    to = integer_digits(to, millionths // 1000000)
    cdef int fraction = <int>(millionths % 1000000)
    if fraction:
        to[0] = c"."
        to = two_digits(to + 1, fraction // 10000)
        to = two_digits(two_digits(to, fraction // 100 % 100), fraction % 100)
        while (to - 1)[0] == c"0":
            to -= 1
    to[0] = c"e"
    to[1] = c"0"
    out.length += to + 2 - begin
    return 0


ctypedef unsigned char Latin1
ctypedef unsigned short UCS2
ctypedef unsigned int UCS4

ctypedef fused Character:
    Latin1
    UCS2
    UCS4


cdef inline unsigned long long has_zero(unsigned long long word) noexcept:
    """Not zero if one of the eight bytes is: the classic test, exact for whether, not for which."""
    return (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL


cdef inline bint maybe_special(const unsigned char *text) noexcept:
    """Is one of eight bytes a control character, quote or backslash?"""
    cdef unsigned long long word
    memcpy(&word, text, 8)
    return (
        (word - 0x2020202020202020ULL) & ~word & 0x8080808080808080ULL      # one below 0x20
        | has_zero(word ^ 0x2727272727272727ULL) | has_zero(word ^ 0x2222222222222222ULL)
        | has_zero(word ^ 0x5C5C5C5C5C5C5C5CULL)
    ) != 0


cdef inline int put_quoted(
    Buffer *out, const unsigned char *text, Py_ssize_t size, const unsigned char *escapes
) except -1:
    if size > PY_SSIZE_T_MAX // 2 - 2:
        raise MemoryError("a value longer than memory can hold")
    cdef char *begin = reserve(out, 2 * size + 2)
    cdef char *to = begin
    cdef Py_ssize_t i = 0, stop
    cdef unsigned char byte, escape
    to[0] = c"'"
    to += 1
    while i < size:
        stop = size
        if size - i >= 8:
            stop = i + 8
            if not maybe_special(text + i):
                memcpy(to, text + i, 8)
                to += 8
                i = stop
                continue
        while i < stop:
            byte = text[i]
            escape = escapes[byte]
            if escape:
                to[0] = c"'" if byte == c"'" else c"\\"
                to += 1
                byte = escape
            to[0] = <char>byte
            to += 1
            i += 1
    to[0] = c"'"
    out.length += to + 1 - begin
    return 0


cdef inline char *put_beyond_ascii(char *to, unsigned int char) noexcept:
    """One character from U+0080 up, in UTF-8; where the next goes."""
    if char < 0x800:
        to[0] = <char>(0xC0 | char >> 6)
    else:
        if char < 0x10000:
            to[0] = <char>(0xE0 | char >> 12)
        else:
            to[0] = <char>(0xF0 | char >> 18)
            to[1] = <char>(0x80 | char >> 12 & 0x3F)
            to += 1
        to[1] = <char>(0x80 | char >> 6 & 0x3F)
        to += 1
    to[1] = <char>(0x80 | char & 0x3F)
    return to + 2


cdef inline int put_utf8(
    Buffer *out, const Character *text, Py_ssize_t size, const unsigned char *escapes, object value
) except -1:
    cdef Py_ssize_t longest = 2 if Character is Latin1 else 3 if Character is UCS2 else 4
    if size > PY_SSIZE_T_MAX // 4 - 2:
        raise MemoryError("a value longer than memory can hold")
    cdef char *begin = reserve(out, longest * size + 2)
    cdef char *to = begin
    cdef Py_ssize_t i
    cdef unsigned int char
    to[0] = c"'"
    to += 1
    for i in range(size):
        char = text[i]
        if char < 0x80:
            if escapes[char]:
                to[0] = c"'" if char == c"'" else c"\\"
                to += 1
                char = escapes[char]
            to[0] = <char>char
            to += 1
            continue
        if Character is not Latin1 and 0xD800 <= char < 0xE000:
            str.encode(value, "utf-8")          # raises Python's own UnicodeEncodeError
        to = put_beyond_ascii(to, char)
    to[0] = c"'"
    out.length += to + 1 - begin
    return 0


cdef inline int put_hexadecimal(Buffer *out, const unsigned char *data, Py_ssize_t size) except -1:
    if size > PY_SSIZE_T_MAX // 2 - 16:
        raise MemoryError("a value longer than memory can hold")
    put(out, b"_binary X'", 10)
    cdef const char *digits = b"0123456789ABCDEF"
    cdef char *to = reserve(out, 2 * size + 1)
    cdef Py_ssize_t i
    for i in range(size):
        to[2 * i] = digits[data[i] >> 4]
        to[2 * i + 1] = digits[data[i] & 15]
    to[2 * size] = c"'"
    out.length += 2 * size + 1
    return 0
