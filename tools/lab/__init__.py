"""Server programs for the tests, unpacked into private folders of the cache: `python -m tools.lab fetch`.

They come as Debian packages from the mirror that this machine's own apt uses, with signatures verified, together with
every library they need, the C library and its loader included: so they run on any distribution that has apt, and
neither the system's packages nor its apt state are touched.
"""
