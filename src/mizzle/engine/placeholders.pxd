"""Where a statement has placeholders."""

from libc.string cimport memchr

from mizzle.engine.sql_buffer cimport Buffer

cdef enum Escaping:
    UTF8        # written from the characters of the str, without a bytes object between
    BYTEWISE    # encoded, then escaped byte by byte: no second byte of a character looks like a quote or backslash
    CHARWISE    # escaped, then encoded

cdef enum Part:
    BAD
    END
    PERCENT
    POSITIONAL
    NAMED

cdef struct Scan:
    const char *text
    Py_ssize_t size
    Py_ssize_t pos
    # what next_part() found
    Py_ssize_t begin        # the constant part,
    Py_ssize_t end
    Py_ssize_t name         # and the name of the placeholder after it
    Py_ssize_t name_end


cdef inline Part next_part(Scan *scan) noexcept:
    """The constant text up to the next directive, and what that is. Holds in every codec: no second byte is a `%`."""
    scan.begin = scan.pos
    cdef const char *end = scan.text + scan.size
    cdef const char *percent = <const char *>memchr(scan.text + scan.pos, c"%", scan.size - scan.pos)
    cdef const char *close
    if percent == NULL:
        scan.pos = scan.end = scan.size
        return END
    scan.end = scan.pos = percent - scan.text
    if end - percent < 2:
        return BAD
    if percent[1] == c"s":
        scan.pos += 2
        return POSITIONAL
    if percent[1] == c"%":
        scan.end += 1
        scan.pos += 2
        return PERCENT
    if percent[1] == c"(":
        close = <const char *>memchr(percent, c")", end - percent)
        if close != NULL and close + 1 < end and close[1] == c"s":
            scan.name = scan.pos + 2
            scan.name_end = close - scan.text
            scan.pos = scan.name_end + 2
            return NAMED
    return BAD


cdef class Template:
    cdef readonly str codec
    cdef readonly tuple names           # of the %(name)s placeholders, in order; None: they are %s
    cdef readonly Py_ssize_t count      # of placeholders
    cdef bytes text                     # all constant parts, one after the other
    cdef Py_ssize_t *ends               # where each of them ends in text: count + 1 of them


cdef object open_scan(Scan *scan, object sql, str codec, int escaping)
cdef bytes encode_sql(object sql, str codec)
cdef object name_of(Scan *scan, str codec, int escaping)
cdef tuple parameters(object args)
cdef object named_parameter(Buffer *out, object args, object name)
cdef str type_name(object value)
cdef object wrong(Buffer *out, int errno, str what, object hint)
cdef object wrong_count(Buffer *out, object names, Py_ssize_t placeholders, object args)
cdef str codec_name(str codec)
cdef int escaping_of(str codec) except -1
