"""The alignment of the input sections that a GNU ld map names, from the section tables of the objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ldcheck.image.model import InputSection, MapInput

_Key = tuple[str, str, str]

# In how many sections of one name the one that fits is looked for; they come in the order of the link.
_NEAR = 16


class Alignments:
    """Looks up map entries in objects; where a map names a file otherwise than it was given, by its base name."""

    def __init__(self, objects: Sequence[InputSection]) -> None:
        self._exact: dict[_Key, list[InputSection]] = {}
        self._by_base: dict[_Key, list[InputSection]] = {}
        self._unknown: set[str] = set()
        for section in objects:
            self._exact.setdefault((section.file, section.member, section.name), []).append(section)
        for (file, member, name), found in self._exact.items():
            self._by_base.setdefault((os.path.basename(file), member, name), []).extend(found)

    def of(self, entry: MapInput, dot: int) -> int:
        """The alignment with which an input was placed, given dot ahead of it, in bytes.

        1 for a section that was merged into others. A section that no object has (linkers make some) gets the smallest
        alignment that leads to its address.
        """
        candidates = self._exact.get((entry.file, entry.member, entry.name))
        if candidates is None:
            candidates = self._by_base.get((os.path.basename(entry.file), entry.member, entry.name))
        if candidates is None:
            if entry.size:
                self._unknown.add(entry.name)
            return alignment_between(dot, entry.address) or 1
        section = self._next(candidates, entry, dot)
        if not entry.size and section.size:
            return 1
        # What the linker excluded is not aligned, nor is what SUBALIGN or a later pass has moved.
        return section.align if _up(dot, section.align) == entry.address else alignment_between(dot, entry.address) or 1

    def _next(self, candidates: list[InputSection], entry: MapInput, dot: int) -> InputSection:
        """Of sections of one name in one object (in groups, or split by flags) the next that fits; it is used up."""
        near = candidates[:_NEAR]
        fitting = [at for at, found in enumerate(near) if _up(dot, found.align) == entry.address]
        chosen = next((at for at in fitting if near[at].size == entry.size), fitting[0] if fitting else 0)
        return near[chosen] if len(candidates) == 1 else candidates.pop(chosen)

    def notes(self) -> Iterable[str]:
        """What had to be assumed, as sentences."""
        if self._unknown:
            names = sorted(self._unknown)
            shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
            yield f"no object given has {shown}: the alignment there is taken from the addresses"


def _up(dot: int, align: int) -> int:
    return -(-dot // align) * align


def alignment_between(dot: int, start: int, least: int = 1) -> int:
    """The smallest power of two, `least` or more, that leads from dot to the start; 0 if none does."""
    if start < dot:
        return 0
    align = max(least, 1 << (start - dot).bit_length() if start > dot else 1)
    return align if start % align == 0 else 0
