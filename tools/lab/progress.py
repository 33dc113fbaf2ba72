"""Progress on the terminal: one line that is rewritten, or plain lines where there is no terminal.

Knows terminals. Must not know what is being done.
"""

from __future__ import annotations

import shutil
import sys


class Progress:
    """The progress of one named thing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._live = sys.stderr.isatty()
        self._last = ""

    def say(self, text: str) -> None:
        """Show a stage; it is replaced by what is shown next."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r\033[K" + f"{self._name}: {text}"[:width])
            sys.stderr.flush()

    def stage(self, text: str) -> None:
        """Show the start of a stage, also where there is no terminal."""
        if self._live:
            self.say(text)
        elif text != self._last:
            self._last = text
            print(f"{self._name}: {text}", file=sys.stderr, flush=True)

    def done(self, text: str) -> None:
        """Show the outcome, to stay."""
        if self._live:
            sys.stderr.write("\r\033[K")
        print(f"{self._name}: {text}", file=sys.stderr, flush=True)
