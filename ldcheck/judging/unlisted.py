"""What a map of lld does not list: the inputs that were left out of the link, told by the objects beside the map.

An object is known by its name without the folder, as maps and command lines write paths of their own. What an object
has and the map has not was dropped, unless something else may have become of it: another copy of its group was linked,
it was merged, or its file was not linked at all.
"""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.sections.globs import Glob
from ldcheck.words import first_of

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection, LinkMap

# A file by its name and that of its member.
_File = tuple[str, str]


class Unlisted:
    """The comparison of the objects with one map; either may be missing, and then nothing is told."""

    def __init__(self, link_map: LinkMap | None, objects: Sequence[InputSection] | None) -> None:
        self._objects = objects or ()
        self._linked: Counter[tuple[_File, str]] = Counter()
        files: set[tuple[str, str]] = set()
        for section in link_map.sections if link_map is not None else ():
            for part in section.inputs:
                if not part.file.startswith("<"):
                    files.add((part.file, part.member))
                    self._linked[_file(part.file, part.member), part.name] += bool(part.size)
        self._files = Counter(_file(*file) for file in files)

    @cached_property
    def _given(self) -> Counter[_File]:
        return Counter(_file(*one) for one in {(section.file, section.member) for section in self._objects})

    @cached_property
    def complete(self) -> bool:
        """Whether every file that the map names is among the objects."""
        return bool(self._objects) and all(self._given[file] >= count for file, count in self._files.items())

    def dropped(self, *globs: Glob) -> list[InputSection]:
        """The sections of some content that were linked nowhere although their files were; of all names without any."""
        return [section for section, is_sure in self._lost(globs) if is_sure]

    def doubt(self, *globs: Glob) -> str:
        """Why it is not told whether all such sections were linked; empty where they were, or are `dropped`."""
        if not self._objects:
            return "a map of lld does not list what was dropped, give --objects"
        if not self.complete:
            lacking = [file[0] for file, count in self._files.items() if self._given[file] < count]
            return f"a map of lld does not list what was dropped, and the objects lack {first_of(lacking, 'file')}"
        lost = [section for section, is_sure in self._lost(globs) if not is_sure]
        if not lost:
            return ""
        files = first_of([os.path.basename(section.member or section.file) for section in lost], "file")
        return f"a map of lld does not tell whether {lost[0].name} of {files} was dropped, merged or not linked at all"

    def _lost(self, globs: Sequence[Glob]) -> Iterator[tuple[InputSection, bool]]:
        """What the objects have and the map has not, with whether it is certain that it was dropped."""
        names: dict[tuple[_File, str], list[InputSection]] = {}
        for section in self._objects:
            if section.allocated and section.size and (not globs or any(glob.matches(section.name) for glob in globs)):
                names.setdefault((_file(section.file, section.member), section.name), []).append(section)
        groups = {one.group for key, found in names.items() if self._linked[key] for one in found if one.group}
        for (file, name), found in names.items():
            missing = len(found) - self._linked[file, name]
            if missing <= 0 or all(one.group and one.group in groups for one in found):
                continue
            # Of files of one name, the map may have either.
            is_sure = bool(self._files[file]) and (missing == len(found) or self._given[file] == 1)
            for section in found[-missing:]:
                yield section, is_sure and not section.group and not section.mergeable


def _file(file: str, member: str) -> _File:
    return os.path.basename(file), member
