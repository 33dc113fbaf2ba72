# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, embedsignature=True
"""pyformat placeholders (%s, %(name)s, %%), and what is wrong when parameters do not fit them.

Knows statements as constant text between placeholders, in the codec of the connection, and which codecs can be escaped
safely. Must not know the grammar of SQL: a placeholder is one wherever it stands, in quotes and comments too.
"""

import codecs
from collections.abc import Mapping, Sequence

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject

from mizzle.engine.lookup cimport look_up
from mizzle.engine.sql_buffer cimport Buffer

from mizzle.constants.errnos import CR_INVALID_PARAMETER_NO, CR_PARAMS_NOT_BOUND, CR_UNSUPPORTED_PARAM_TYPE
from mizzle.errors import NotSupportedError, ProgrammingError

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    str PyUnicode_DecodeUTF8(const char *text, Py_ssize_t size, const char *errors)

# Where the second byte of a character may be 0x5C. Python and the server agree in where a character begins. That does not
# hold for big5hkscs: some of its lead bytes are none in the server's big5.
_CHARWISE_CODECS = frozenset({"gbk", "gb18030", "big5", "cp950", "shift_jis", "cp932"})
_BYTEWISE_CODECS = frozenset({"gb2312", "euc_jp", "euc_kr", "cp949"})

cdef dict _known_codecs = {}        # as the user spells it: (Python's name for it, Escaping)


cdef tuple known_codec(str codec):
    cdef object known = look_up(_known_codecs, codec, None)
    if known is None:
        # Under charset "binary" the server takes what comes; UTF-8 is what its other text is most likely in.
        name = codecs.lookup("utf-8" if codec == "binary" else codec).name
        if name == "utf-8":
            known = (name, UTF8)
        elif name in _CHARWISE_CODECS:
            known = (name, CHARWISE)
        elif name in _BYTEWISE_CODECS or _is_single_byte(name):
            known = (name, BYTEWISE)
        else:
            raise NotSupportedError(
                CR_UNSUPPORTED_PARAM_TYPE, f"text cannot be escaped safely in the codec {codec!r}", sent=False,
                hint="connect with charset='utf8mb4'",
            )
        _known_codecs[codec] = known
    return known


cdef str codec_name(str codec):
    return known_codec(codec)[0]


cdef int escaping_of(str codec) except -1:
    return known_codec(codec)[1]


def _is_single_byte(codec):
    """Is each byte a character of its own whatever follows it, and the lower half ASCII?"""
    alone = [bytes([byte]).decode(codec, "replace") for byte in range(256)]
    for lead in range(0x80, 0x100):
        pairs = bytes([byte for trail in range(0x100) for byte in (lead, trail)])
        if pairs.decode(codec, "replace") != "".join([alone[lead] + char for char in alone]):
            return False
    return "".join(alone[:0x80]) == bytes(range(0x80)).decode("ascii")


cdef object open_scan(Scan *scan, object sql, str codec, int escaping):
    """Start over `sql`; the object that is returned keeps the text alive."""
    cdef bytes encoded
    scan.pos = 0
    if escaping == UTF8 and isinstance(sql, str):
        scan.text = PyUnicode_AsUTF8AndSize(sql, &scan.size)
        return sql
    encoded = encode_sql(sql, codec)
    scan.text = PyBytes_AS_STRING(encoded)
    scan.size = PyBytes_GET_SIZE(encoded)
    return encoded


cdef bytes encode_sql(object sql, str codec):
    if isinstance(sql, str):
        return str.encode(sql, codec)
    if isinstance(sql, (bytes, bytearray)):
        return bytes(sql)
    raise ProgrammingError(
        CR_UNSUPPORTED_PARAM_TYPE, f"a statement is a str or bytes, not {type_name(sql)}", sent=False
    )


cdef object name_of(Scan *scan, str codec, int escaping):
    if escaping == UTF8:
        return PyUnicode_DecodeUTF8(scan.text + scan.name, scan.name_end - scan.name, NULL)
    return (<bytes>scan.text[scan.name:scan.name_end]).decode(codec)


cdef object no_placeholder(Scan *scan, str codec):
    """The error for a `%` that begins nothing."""
    at = len((<bytes>scan.text[:scan.pos]).decode(codec, "replace"))
    seen = (<bytes>scan.text[scan.pos:min(scan.size, scan.pos + 12)]).decode(codec, "replace")
    return ProgrammingError(
        CR_INVALID_PARAMETER_NO, f"the statement has {seen!r} at character {at + 1}, which is no placeholder",
        sent=False,
        hint="placeholders are %s and %(name)s; write %% for a percent sign, or give no parameters at all",
    )


cdef object wrong_count(Buffer *out, object names, Py_ssize_t placeholders, object args):
    """The error for parameters that do not fit the placeholders: another number of them, or another kind."""
    out.position = 0
    out.name = NULL
    if isinstance(args, Mapping):
        return wrong(
            out, CR_INVALID_PARAMETER_NO, f"the placeholders are %s, but the parameters are a {type_name(args)}",
            "give a tuple or list, or write %(name)s",
        )
    if names is not None:
        return wrong(
            out, CR_INVALID_PARAMETER_NO,
            f"the placeholders are named, such as %({names[0]})s, but the parameters are no mapping", "give a dict",
        )
    given = len(parameters(args))
    return wrong(
        out, CR_INVALID_PARAMETER_NO,
        f"the statement has {placeholders} placeholder{'' if placeholders == 1 else 's'}, "
        f"{given} parameter{' was' if given == 1 else 's were'} given",
        None if placeholders else "a statement without placeholders needs no parameters",
    )


cdef object named_parameter(Buffer *out, object args, object name):
    """A new reference to args[name]; marks it as what is being written."""
    cdef object found
    out.name = <PyObject *>name
    if type(args) is dict:
        found = look_up(args, name, _known_codecs)      # which is nobody's parameter
        if found is not _known_codecs:
            return found
    elif isinstance(args, Mapping):
        try:
            return args[name]
        except KeyError:
            pass
    else:
        raise wrong_count(out, (name,), 1, args)
    out.name = NULL
    raise wrong(out, CR_PARAMS_NOT_BOUND, f"no value was given for the placeholder %({name})s", None)


cdef tuple parameters(object args):
    """The positional parameters: a sequence of them, or one alone. None: a mapping was given."""
    if isinstance(args, tuple):
        return <tuple>args
    if isinstance(args, list):
        return tuple(args)
    if type(args) is dict or isinstance(args, Mapping):
        return None
    if isinstance(args, Sequence) and not isinstance(args, (str, bytes, bytearray, memoryview)):
        return tuple(args)
    return (args,)


cdef class Template:
    """A statement whose placeholders were found once, to be filled in many times."""

    def __cinit__(self):
        self.ends = NULL

    def __init__(self, sql, str codec="utf8"):
        cdef Scan scan
        cdef Part part = PERCENT
        text, names, ends = bytearray(), [], []
        codec, escaping = known_codec(codec)
        kept = open_scan(&scan, sql, codec, escaping)
        while part != END:
            part = next_part(&scan)
            if part == BAD:
                raise no_placeholder(&scan, codec)
            text += scan.text[scan.begin:scan.end]
            if part != PERCENT:
                ends.append(len(text))
            if part == NAMED:
                names.append(name_of(&scan, codec, escaping))
        del kept
        if names and len(names) != len(ends) - 1:
            raise mixed_placeholders()
        self.codec = codec
        self.names = tuple(names) if names else None
        self.count = len(ends) - 1
        self.text = bytes(text)
        PyMem_Free(self.ends)
        self.ends = <Py_ssize_t *>PyMem_Malloc(len(ends) * sizeof(Py_ssize_t))
        if self.ends == NULL:
            raise MemoryError()
        for i, end in enumerate(ends):
            self.ends[i] = end

    def __dealloc__(self):
        PyMem_Free(self.ends)

    def marked(self):
        """The statement as COM_STMT_PREPARE wants it: a ? for each placeholder."""
        cdef Py_ssize_t i, begin = 0
        parts = []
        for i in range(self.count + 1):
            parts.append(self.text[begin:self.ends[i]])
            begin = self.ends[i]
        return b"?".join(parts)


cdef object mixed_placeholders():
    return ProgrammingError(
        CR_INVALID_PARAMETER_NO, "the statement mixes %s and %(name)s placeholders", sent=False,
        hint="write all of them one way",
    )


cdef str type_name(object value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


cdef object wrong(Buffer *out, int errno, str what, object hint):
    """The error about the value that is being written: it says which."""
    where = f"row {out.row}: " if out.row else ""
    if out.name != NULL:
        where += f"parameter %({<object>out.name})s: "
    elif out.position:
        where += f"parameter {out.position}: "
    error = ProgrammingError(errno, where + what, sent=False, hint=hint)
    if out.row:
        error.row = out.row - 1
    return error
