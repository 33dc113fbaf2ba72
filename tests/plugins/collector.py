"""The garbage collector, which many tests ask what they have left behind, does not look through the tests themselves.

Knows that twenty thousand collected tests are 800,000 objects, a quarter of a second for each time they are looked at.
"""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
