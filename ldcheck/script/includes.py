"""Where INCLUDE finds its files: as named, in the folders given with -L, and beside the including file.

GNU ld knows the first two (manual: "INCLUDE"); the third makes a script readable from wherever ldcheck is run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ldcheck.source import Source, read_regular

_LONGEST = 64 << 20


def searched(folders: Sequence[str] = ()) -> Callable[[str, str], Source | None]:
    """A function for `ldcheck.script.parser.parse` that looks files up along a search path and reads them."""

    def find(path: str, includer: str) -> Source | None:
        candidates = [path]
        if not os.path.isabs(path):
            candidates += [os.path.join(folder, path) for folder in folders]
            candidates.append(os.path.join(os.path.dirname(includer), path))
        for candidate in candidates:
            text = read_regular(candidate, _LONGEST)
            if text is not None:
                return Source(candidate, text)
        return None

    return find
