from collections.abc import Callable

from mizzle.engine.packets import Progress

class Reports:
    """What becomes of MariaDB's reports of progress on one connection."""

    agreed: bool
    callback: Callable[[Progress], object] | None
    def forget(self) -> int: ...
