"""Which lines changed since a revision, for adoption: `check --diff REV` shows what a change brings, not what it found.

git is asked about the files of findings alone.
"""

from __future__ import annotations

import os
import re

from ldcheck.findings import Finding
from ldcheck.project.revisions import common_base, git
from ldcheck.source import Location

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


class Changes:
    """The lines that changed since a revision, in the working tree. Raises CheckError for a revision that is unknown.

    What changed on the other side since the two parted does not count.
    """

    def __init__(self, revision: str) -> None:
        self._ranges: dict[str, tuple[tuple[int, int], ...]] = {}
        self._base = common_base(revision)

    @property
    def base(self) -> str:
        """The commit since which lines count as changed."""
        return self._base

    def touch(self, finding: Finding) -> bool:
        """Whether a finding, or a place that it names, lies in lines that changed."""
        places = (finding.location, *(related.location for related in finding.related))
        return any(self._changed(place) for place in places)

    def _changed(self, place: Location) -> bool:
        if place.file not in self._ranges:
            self._ranges[place.file] = self._read(place.file)
        last = max(place.line, place.end_line)
        return any(start <= last and place.line < stop for start, stop in self._ranges[place.file])

    def _read(self, file: str) -> tuple[tuple[int, int], ...]:
        """The changed lines of a file, as half-open ranges."""
        if file.startswith("<") or not os.path.exists(file):
            return ()
        folder, name = os.path.split(os.path.abspath(file))
        if git("ls-files", "--error-unmatch", "--", f":(literal){name}", folder=folder) is None:
            return ((0, 1 << 60),)
        options = ("--no-color", "--no-ext-diff", "--no-textconv", "--unified=0")
        patch = git("diff", *options, self._base, "--", f":(literal){name}", folder=folder) or ""
        ranges = []
        for match in _HUNK.finditer(patch):
            start, count = int(match[1]), int(match[2] if match[2] is not None else 1)
            # Where lines were only taken out, the ones around the gap are what changed.
            ranges.append((start, start + count) if count else (start, start + 2))
        return tuple(ranges)
