"""The list of extension modules; everything else is in pyproject.toml."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

SOURCES = Path("src")

setup(
    ext_modules=cythonize(
        [
            Extension(
                ".".join(source.relative_to(SOURCES).with_suffix("").parts),
                [str(source)],
                extra_compile_args=["-O3", "-fno-strict-aliasing"],
            )
            for source in sorted(SOURCES.rglob("*.pyx"))
        ],
        include_path=["src"],
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "embedsignature": True,
            "freethreading_compatible": True,  # docs/architecture.md says what that rests on
        },
    ),
)
