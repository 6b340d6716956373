"""A line on standard error for runs that take longer than a second, where that is a terminal; gone when they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

_AFTER_SECONDS = 1.0


class Progress:
    """What is to be told of each step, while this is entered. Where nobody watches, telling costs nothing."""

    def __init__(self) -> None:
        self._line: _Line | None = None

    def __enter__(self) -> Callable[[str], None]:
        if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or os.environ.get("CI"):
            return lambda _: None
        self._line = _Line()
        return self._line.tell

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.close()


class _Line:
    """The line; a timer shows it first, so that it comes even while a single step takes long."""

    def __init__(self) -> None:
        import threading

        self._step = ""
        self._shown = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(_AFTER_SECONDS, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def tell(self, step: str) -> None:
        """Say what is being done from now on."""
        with self._lock:
            self._step = step
            if self._shown:
                self._write()

    def close(self) -> None:
        """Take the line away, if it was ever there."""
        self._timer.cancel()
        with self._lock:
            if self._shown:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            self._shown = False

    def _begin(self) -> None:
        with self._lock:
            self._shown = True
            self._write()

    def _write(self) -> None:
        from ldcheck.cli.output import width
        from ldcheck.report.escape import clipped

        room = max((width(sys.stderr) or 80) - 1, 10)
        sys.stderr.write(f"\r\x1b[K{clipped(self._step, room)[:room]}")
        sys.stderr.flush()
