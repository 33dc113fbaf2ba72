"""A growing buffer of bytes, the only place that makes room: every write asks reserve() first.

Knows memory, and nothing of what is written. A short text lives in the buffer's own area, on the C stack; a longer one
moves into a bytes object that is handed out in the end, so that a statement of many megabytes is not copied once more.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from libc.string cimport memcpy

cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX
    PyObject *new_bytes "PyBytes_FromStringAndSize"(const char *data, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject **data, Py_ssize_t size) except -1

cdef enum:
    AREA = 1024

cdef struct Buffer:
    char *data
    Py_ssize_t length
    Py_ssize_t capacity
    PyObject *store                 # a bytes object, once the area was outgrown
    # which value is being written, for the error: set by who loops over the parameters
    Py_ssize_t row                  # from 1; 0: not one of many
    Py_ssize_t position             # from 1; 0: not a positional one
    PyObject *name                  # borrowed; NULL: not a named one
    # where, in binary parameters, the null bitmap and the types of this execution stand
    Py_ssize_t nulls
    Py_ssize_t types
    char area[AREA]


cdef inline void start(Buffer *buffer) noexcept:
    buffer.data = buffer.area
    buffer.length = 0
    buffer.capacity = AREA
    buffer.store = NULL
    buffer.row = 0
    buffer.position = 0
    buffer.name = NULL


cdef inline void clear(Buffer *buffer) noexcept:
    Py_XDECREF(buffer.store)
    start(buffer)


cdef inline int grow(Buffer *buffer, Py_ssize_t room) except -1:
    if room < 0 or room > PY_SSIZE_T_MAX - buffer.length - 1024:
        raise MemoryError("an SQL statement longer than memory can hold")
    cdef Py_ssize_t length = buffer.length
    cdef Py_ssize_t capacity = length + room
    if buffer.capacity < PY_SSIZE_T_MAX // 2 and capacity < 2 * buffer.capacity:
        capacity = 2 * buffer.capacity
    if buffer.store == NULL:
        buffer.store = new_bytes(NULL, capacity)
        memcpy(PyBytes_AS_STRING(<object>buffer.store), buffer.data, length)
    else:
        buffer.data, buffer.length, buffer.capacity = buffer.area, 0, AREA      # if this fails, the store is gone
        _PyBytes_Resize(&buffer.store, capacity)
    buffer.data = PyBytes_AS_STRING(<object>buffer.store)
    buffer.length = length
    buffer.capacity = capacity
    return 0


cdef inline char *reserve(Buffer *buffer, Py_ssize_t room) except NULL:
    """Where `room` bytes may be written; who writes them adds to `length` what was used."""
    if room > buffer.capacity - buffer.length:
        grow(buffer, room)
    return buffer.data + buffer.length


cdef inline int put(Buffer *buffer, const char *data, Py_ssize_t size) except -1:
    memcpy(reserve(buffer, size), data, size)
    buffer.length += size
    return 0


cdef inline int put_byte(Buffer *buffer, char byte) except -1:
    reserve(buffer, 1)[0] = byte
    buffer.length += 1
    return 0


cdef inline bytes finish(Buffer *buffer):
    """What was written. The buffer is as good as cleared."""
    if buffer.store == NULL:
        return PyBytes_FromStringAndSize(buffer.data, buffer.length)
    _PyBytes_Resize(&buffer.store, buffer.length)
    text = <bytes>buffer.store
    clear(buffer)
    return text
