"""Where INCLUDE finds its files: as named, in the folders given with -L, and beside the including file.

GNU ld knows the first two (manual: "INCLUDE"); the third makes a script readable from wherever ldcheck is run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from ldcheck.source import Source, decode

_LONGEST = 64 << 20


def searched(folders: Sequence[str] = ()) -> Callable[[str, str], Source | None]:
    """A function for `ldcheck.script.parser.parse` that looks files up along a search path and reads them."""

    def find(path: str, includer: str) -> Source | None:
        candidates = [path]
        if not os.path.isabs(path):
            candidates += [os.path.join(folder, path) for folder in folders]
            candidates.append(os.path.join(os.path.dirname(includer), path))
        for candidate in candidates:
            text = _read(candidate)
            if text is not None:
                return Source(candidate, text)
        return None

    return find


def _read(path: str) -> str | None:
    """The text of a regular file; a device or a pipe that a script names must not block."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST:
            return None
        with open(path, "rb") as stream:
            return decode(stream.read(_LONGEST))
    except (OSError, ValueError):
        return None
