"""Who refers to whom in an image that was linked with --emit-relocs: by address, and by input section with its map.

An address in the bytes of such an image is final, so that tables without addends (SHT_REL) tell it directly. What the
linker itself made (stubs, procedure linkage tables) has no relocations: those of the callers name the function that
they were for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from functools import cache, cached_property

from ldcheck.image.by_address import InputsByAddress, is_made
from ldcheck.image.files import OpenFile, collector_paused
from ldcheck.image.model import LinkMap
from ldcheck.image.references import At, Link, Reference, Wanted, anywhere, everything
from ldcheck.image.related import RelatedObject
from ldcheck.words import counted


class ByAddress(ABC):
    """References of a linked image, asked for by the names of input sections; without a map, those names are empty."""

    # Whether there may be more than what is found.
    partial = False

    def __init__(self, link_map: LinkMap | None) -> None:
        self._inputs = InputsByAddress(link_map)
        self._parts, self._starts = self._inputs.parts, self._inputs.starts
        self.part_at = self._inputs.number

    @property
    def by_input(self) -> bool:
        """Whether a map tells the input sections."""
        return bool(self._parts)

    @cached_property
    def sections(self) -> frozenset[str]:
        """The names of the input sections."""
        return frozenset(part.name for part in self._parts)

    @abstractmethod
    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from input sections whose names `source` takes to ones whose names `target` takes.

        `source_at` and `target_at` say the same of addresses.
        """

    def untold(
        self, _source: Wanted, _source_at: At = anywhere, _target: Wanted = everything, _target_at: At = anywhere
    ) -> str:
        """What could not be read or understood of such sources, as a sentence; empty where all was."""
        return ""

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
        part = self._inputs.at(address)
        return ("", "", "") if part is None else (part.name, part.file, part.member)

    def wanted_parts(self, wanted: Wanted) -> Sequence[bool]:
        """Of each input section, and of what is in none at the end, whether its name is wanted."""
        wanted = cache(wanted)
        return [*(wanted(part.name) for part in self._parts), wanted("")]


class _Columns:
    """The relocations of a linked image as columns: there may be half a million, of which a rule wants a few.

    The address of each and the one that it leads to; of both the input section (a number, -1 for none) and the
    section of the image; the name of the symbol if people know one. `unknown` lead nobody knows where.
    """

    def __init__(self) -> None:
        self.addresses, self.targets = array("Q"), array("Q")
        self.parts, self.target_parts = array("i"), array("i")
        self.sections, self.target_sections = array("I"), array("I")
        self.names: list[str] = []
        self.unknown: list[tuple[int, int]] = []


class LinkedReferences(ByAddress):
    """The references of an image that was linked with --emit-relocs, read once.

    `has_relocations` is False where it was not, or was stripped. Raises CheckError for what is no ELF file.
    """

    def __init__(self, path: str, link_map: LinkMap | None) -> None:
        super().__init__(link_map)
        with collector_paused(), OpenFile(path, "an ELF file") as window:
            self._object = RelatedObject(path, "", window, linked=True)
        self.has_relocations = bool(self._object.tables)

    def untold(
        self, source: Wanted, source_at: At = anywhere, _target: Wanted = everything, _target_at: At = anywhere
    ) -> str:
        """What could not be read or understood of such sources, as a sentence; empty where all was.

        It is not known where a relocation leads if a constant was added to the address, so that it is out of its
        section; or if the kind of the instruction is not known.
        """
        if self._object.problems:
            return self._object.problems[0]
        if bare := self._bare(source, source_at):
            return f"the image has no relocations for {bare}, and has some for other sections: they may be taken out"
        parts = self.wanted_parts(source)
        unknown = sum(parts[part] and source_at(address) for part, address in self._columns.unknown)
        return f"the image does not tell where {counted(unknown, 'relocation')} of it lead" if unknown else ""

    def _bare(self, source: Wanted, source_at: At) -> str:
        """The section of such code that has no relocations although it is not the linker's own; empty for none."""
        one = self._object
        for section in one.bare:
            start, end = one.base(section), one.base(section) + one.size(section)
            inside = [part for part in self._parts if start <= part.address < end]
            pieces = [(part.name, part.address, part.size) for part in inside if not is_made(part.file, part.name)]
            if not inside and not is_made(one.file, one.sections[section]):
                pieces = [("", start, end - start)]
            if any(source(name) and (source_at(at) or source_at(at + size - 1)) for name, at, size in pieces):
                return one.sections[section]
        return ""

    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from input sections whose names `source` takes to ones whose names `target` takes."""
        found: dict[tuple[object, ...], Reference] = {}
        one = self._object
        sources, targets = self.wanted_parts(source), self.wanted_parts(target)
        columns = self._columns
        with collector_paused():
            for at, (part, target_part) in enumerate(zip(columns.parts, columns.target_parts, strict=True)):
                if not sources[part] or not targets[target_part]:
                    continue
                address, place = columns.addresses[at], columns.targets[at]
                if not source_at(address) or not target_at(place):
                    continue
                section, target_section = columns.sections[at], columns.target_sections[at]
                names = one.names_at(target_section, place - one.base(target_section), columns.names[at])
                self.collect(found, one.file, one.covering(section, address - one.base(section)), address, names, place)
        return list(found.values())

    @cached_property
    def _columns(self) -> _Columns:
        found = _Columns()
        one = self._object
        link = Link([one])
        with collector_paused():
            for table in one.tables:
                base = one.base(table.section)
                for at, place, name, _ in link.places(one, table, lambda _: True):
                    address = base + table.offsets[at]
                    part = self.part_at(address)
                    # A name says where it is, wherever that may be.
                    if not name and not 0 <= place.offset <= one.size(place.section):
                        found.unknown.append((part, address))
                        continue
                    target = one.base(place.section) + place.offset
                    found.addresses.append(address)
                    found.parts.append(part)
                    found.sections.append(table.section)
                    found.targets.append(target)
                    found.target_parts.append(self.part_at(target))
                    found.target_sections.append(place.section)
                    found.names.append(name)
        return found
