"""Who refers to whom in an image that was linked with --emit-relocs: by address, and by input section with its map.

An address in the bytes of such an image is final, so that tables without addends (SHT_REL) tell it directly. What the
linker itself made (stubs, procedure linkage tables) has no relocations: those of the callers name the function that
they were for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property

from ldcheck.image.files import OpenFile, collector_paused
from ldcheck.image.model import LinkMap
from ldcheck.image.references import Link, Reference
from ldcheck.image.related import RelatedObject
from ldcheck.words import counted


class ByAddress(ABC):
    """References of a linked image, asked for by the names of input sections; without a map, those names are empty."""

    # Whether there may be more than what is found.
    partial = False

    def __init__(self, link_map: LinkMap | None) -> None:
        parts = [part for section in (link_map.sections if link_map is not None else ()) for part in section.inputs]
        self._parts = sorted((part for part in parts if part.size), key=lambda part: part.address)
        self._starts = [part.address for part in self._parts]

    @property
    def by_input(self) -> bool:
        """Whether a map tells the input sections."""
        return bool(self._parts)

    @property
    def notes(self) -> Sequence[str]:
        """What could not be read or understood."""
        return ()

    @cached_property
    def sections(self) -> frozenset[str]:
        """The names of the input sections."""
        return frozenset(part.name for part in self._parts)

    def between(self, source: Callable[[str], bool], target: Callable[[str], bool]) -> list[Reference]:
        """Those from input sections whose names `source` takes to ones whose names `target` takes."""
        return [one for one in self._known if source(one.section) and target(one.target_section)]

    @cached_property
    def _known(self) -> Sequence[Reference]:
        return self.read()

    @abstractmethod
    def read(self) -> Sequence[Reference]:
        """All of them."""

    def collect(
        self,
        found: dict[tuple[object, ...], Reference],
        path: str,
        sources: tuple[str, ...],
        address: int,
        targets: tuple[str, ...],
        target: int,
    ) -> None:
        """Add what is at one address and refers to another, those of one pair of names together."""
        section, file, member = self._input(address)
        target_section, target_file, target_member = self._input(target)
        # What has no name is told by its address.
        key = (section, file, member, sources or address, target_section, targets or target)
        known = found.get(key)
        if known is not None:
            found[key] = known._replace(times=known.times + 1)
            return
        where = (file or path, member, section, 0, 0, sources, target_section, targets)
        found[key] = Reference(*where, target_file or path, target_member, 1, address, target)

    def _input(self, address: int) -> tuple[str, str, str]:
        """Name, file and member of the input section at an address."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._parts[at].address + self._parts[at].size:
            return "", "", ""
        part = self._parts[at]
        return part.name, part.file, part.member


class LinkedReferences(ByAddress):
    """The references of an image that was linked with --emit-relocs, read once.

    `has_relocations` is False where it was not, or was stripped. `unknown` counts the relocations of which it is not
    known where they lead, once they were asked for: a constant was added to the address, so that it is out of its
    section; or the kind of the instruction is not known. Raises CheckError for what is no ELF file.
    """

    def __init__(self, path: str, link_map: LinkMap | None) -> None:
        super().__init__(link_map)
        with collector_paused(), OpenFile(path, "an ELF file") as window:
            self._object = RelatedObject(path, "", window, linked=True)
        self.has_relocations = bool(self._object.tables)
        self.unknown = 0

    @property
    def notes(self) -> Sequence[str]:
        """What could not be read or understood."""
        problems = tuple(self._object.problems)
        told = f"the image does not tell where {counted(self.unknown, 'relocation')} of it lead"
        return (*problems, told) if self.unknown else problems

    def read(self) -> Sequence[Reference]:
        """All of them."""
        found: dict[tuple[object, ...], Reference] = {}
        one = self._object
        link = Link([one])
        with collector_paused():
            for table in one.tables:
                base = one.base(table.section)
                sources: tuple[str, ...] = ()
                begin = end = 0
                for offset, place, targets in link.of_table(one, table, lambda _: True):
                    # A name says where it is, wherever that may be.
                    if not targets and not 0 <= place.offset <= one.size(place.section):
                        self.unknown += 1
                        continue
                    if not begin <= offset < end:
                        begin = offset
                        sources, end = one.covering_until(table.section, offset)
                    target = one.base(place.section) + place.offset
                    self.collect(found, one.file, sources, base + offset, targets, target)
        return list(found.values())
