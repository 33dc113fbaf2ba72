"""A dict's values as references of one's own.

`mapping.get(key)` compiles to a borrowed reference that is made one's own a moment later. Where threads run without a
GIL another may clear the dict in between, and the value is gone. So what is shared by threads is looked up here.
"""

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030D0000
    #define mizzle_dict_get PyDict_GetItemRef
    #else
    static inline int mizzle_dict_get(PyObject *mapping, PyObject *key, PyObject **value)
    {
        *value = Py_XNewRef(PyDict_GetItemWithError(mapping, key));
        return *value != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
    }
    #endif
    """
    int dict_get "mizzle_dict_get"(object mapping, object key, PyObject **value) except -1


cdef inline object look_up(object mapping, object key, object default):
    """mapping[key], or `default` if there is none; `mapping` is a dict."""
    cdef PyObject *found
    if not dict_get(mapping, key, &found):
        return default
    value = <object>found
    Py_DECREF(value)
    return value
