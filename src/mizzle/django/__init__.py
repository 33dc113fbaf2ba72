"""Django on mizzle: `"ENGINE": "mizzle.django"` in DATABASES. docs/django.md is the guide.

It is Django's own backend for MySQL and MariaDB (`django.db.backends.mysql`) with another driver under it, and with
what that driver has more: connection pools and server-side cursors.

Knows: names. Must not know: how anything is done.
"""

try:
    import django  # noqa: F401 (asked first, so that what is missing is said in one sentence)
except ImportError as error:
    raise ImportError("mizzle.django needs Django: pip install 'mizzle[django]'") from error
