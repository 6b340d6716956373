"""Files as they would be with some of them edited, for a compiler, which reads its files from disk.

Every file that takes part is there under one folder, below which it has its full path: as a link to what it is, or as
its edited text. A compiler that is sent there finds what it would find without, in the same order, and its line markers
are led back. The tree that is being checked is not written to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from ldcheck.preprocess.files import SourceFile


class Shadow:
    """The folder; `edited` are the files whose text is not that on disk."""

    def __init__(self, folder: str, files: Collection[SourceFile], edited: Collection[str]) -> None:
        self.folder = folder
        self._names = {self.path(file.name): file.name for file in files if not file.virtual}
        self._files = [file for file in files if not file.virtual]
        self._edited = edited

    def path(self, name: str) -> str:
        """Where a file or folder is below the shadow's folder."""
        return self.folder + os.path.abspath(name)

    def write(self) -> None:
        """Make the folder, which did not exist before and which only this user may enter."""
        os.mkdir(self.folder, 0o700)
        made: set[str] = set()
        # What is edited goes first: one file may be known by two names.
        for file in sorted(self._files, key=lambda file: file.name not in self._edited):
            path = self.path(file.name)
            parent = os.path.dirname(path)
            if parent not in made:
                os.makedirs(parent, exist_ok=True)
                made.add(parent)
            if file.name in self._edited:
                with open(path, "x", encoding="utf-8", errors="surrogateescape", newline="") as stream:
                    stream.write(file.text)
            elif not os.path.lexists(path):
                os.symlink(os.path.abspath(file.name), path)

    def led_back(self, stream: str) -> str:
        """What a compiler wrote, its line markers with the names of the files that are shadowed."""
        marker = re.compile(rf'^(# \d+ "){re.escape(self.folder)}(/[^"\n]*)"', re.MULTILINE)
        return marker.sub(lambda found: f'{found[1]}{self._name(found[2])}"', stream)

    def _name(self, path: str) -> str:
        return self._names.get(self.folder + os.path.normpath(path), path)

    def remove(self) -> None:
        """Take the folder away again."""
        from shutil import rmtree

        rmtree(self.folder, ignore_errors=True)
