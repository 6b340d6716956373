"""Who refers to whom in object files: functions and data by name, from the relocations.

Tables of debugging information are left out, and so are copies of a COMDAT group that the linker drops. What is
computed at run time, and what the assembler settled by itself (a jump within one section), has no relocation and is
not seen. Objects that are given together define one another's symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import NamedTuple

from ldcheck.findings import CheckError
from ldcheck.image.addends import (
    BASES,
    EM_MIPS,
    correction,
    implicit,
    is_high_half,
    is_low_half,
    is_part,
    is_relative,
    is_within,
    joined,
    leads_by_itself,
    refers,
)
from ldcheck.image.archive import is_archive, members
from ldcheck.image.around import Around, Elsewhere
from ldcheck.image.files import OpenFile, Window, collector_paused
from ldcheck.image.related import Place, RelatedObject, Table

# A low half stands within a few instructions of its high half.
_NEAR = 64


class Reference(NamedTuple):
    """What in one section of a file refers to what in another, in all of `times` relocations.

    `source` and `target` are the names of the functions or data, the one to show first and aliases behind; none where
    no symbol covers the place. `number` is the section's in its file, and `offset` that of the first relocation, in
    bytes from the start of the section. Where the image is linked, `address` is that of the relocation, and
    `target_address` that of what is meant. `target_is_merged` is whether the linker merges the section with others.
    """

    file: str
    member: str
    section: str
    number: int
    offset: int
    source: tuple[str, ...]
    target_section: str
    target: tuple[str, ...]
    target_file: str
    target_member: str = ""
    times: int = 1
    address: int | None = None
    target_address: int | None = None
    target_is_merged: bool = False


# Whether a section of that name is wanted, and whether an address is; None where nothing is linked.
Wanted = Callable[[str], bool]
At = Callable[[int | None], bool]


def everything(_: str) -> bool:
    """Every section."""
    return True


def anywhere(_: int | None) -> bool:
    """Every address."""
    return True


class References:
    """The references of objects and archives that go into one link, read once and asked for by sections.

    `given` are references that are known already, and `names` further sections. `notes` are sentences on what could
    not be read. `around` is the link that the objects went into, where it is known: it tells of symbols that none of
    them defines, and which files lack. Raises CheckError for a path that is neither an object nor an archive, or cannot
    be read.
    """

    # Whether there may be more than what is found.
    partial = False

    def __init__(
        self,
        paths: Iterable[str],
        given: Sequence[Reference] = (),
        names: Sequence[str] = (),
        around: Around | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._given = given
        self._names = names
        self._around = around
        self._paths = [*paths]
        with collector_paused():
            self._objects = [one for path in self._paths for one in _objects(path, self.notes)]
            self._link = Link(self._objects, around)

    @cached_property
    def sections(self) -> frozenset[str]:
        """The names of all sections that take memory."""
        found = {*self._names, *(name for one in self._objects for name in one.allocated())}
        return frozenset(found.union(*((one.section, one.target_section) for one in self._given)))

    def untold(
        self, source: Wanted, source_at: At = anywhere, _target: Wanted = everything, _target_at: At = anywhere
    ) -> str:
        """What could not be read, or lacks, as a sentence; empty where all was."""
        if self.notes or self._around is None:
            return self.notes[0] if self.notes else ""
        given = dict.fromkeys([*self._paths, *(one.file for one in self._objects)])
        if lacking := self._around.lacking(given, source, source_at):
            return lacking
        source = cache(source)
        for one in self._objects:
            if name := self._link.nowhere(one, source):
                return f"nothing tells where `{name}` is, to which {one.label} refers, give the map"
        return ""

    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from sections whose names `source` takes to sections whose names `target` takes, in file order.

        `source_at` and `target_at` say the same of addresses.
        """
        found = [one for one in self._given if source(one.section) and target(one.target_section)]
        source, target = cache(source), cache(target)
        with collector_paused():
            for one in self._objects:
                found += self._link.references(one, source, target)
        return [one for one in found if source_at(one.address) and target_at(one.target_address)]


def _objects(path: str, notes: list[str]) -> Iterator[RelatedObject]:
    with OpenFile(path, "an object file or archive") as window:
        if not is_archive(window):
            yield from _object(path, "", window, notes)
            return
        for member in members(window, notes):
            if member.window is not None:
                yield from _object(path, member.name, member.window, notes)
                continue
            with OpenFile(member.name, f"a member of the thin archive {path}") as file:
                yield from _object(member.name, "", file, notes)


def _object(path: str, member: str, window: Window, notes: list[str]) -> Iterator[RelatedObject]:
    # What is no object was said where the sections were read.
    if window.read(0, 4) != b"\x7fELF":
        return
    try:
        found = RelatedObject(path, member, window)
    except CheckError:
        return
    if found.is_object:
        notes += [f"{found.label}: {problem}" for problem in found.problems[:5]]
        yield found


class Link:
    """Objects that go into one link: who defines what."""

    def __init__(self, objects: Sequence[RelatedObject], around: Around | None = None) -> None:
        self._around = around
        self._outside: dict[str, Elsewhere | None] = {}
        self._definitions: dict[str, tuple[RelatedObject, int, bool]] = {}
        self._dropped: set[tuple[int, int]] = set()
        groups: set[str] = set()
        for one in objects:
            for index, group in one.groups.items():
                if group.comdat and group.signature in groups:
                    self._dropped.add((id(one), index))
            groups.update(group.signature for group in one.groups.values() if group.comdat)
            for symbol in one.globals():
                name, weak = one.names[symbol], one.is_weak(symbol) or one.is_common(symbol)
                known = self._definitions.get(name)
                if known is None or (known[2] and not weak):
                    self._definitions[name] = (one, symbol, weak)

    def references(self, one: RelatedObject, source: Wanted, target: Wanted) -> Iterator[Reference]:
        """The references of one object, those of one pair of names together."""
        found: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], Reference] = {}
        for table in one.tables:
            name = one.sections[table.section]
            if (id(one), table.section) in self._dropped or not source(name):
                continue
            for offset, place, targets in self.of_table(one, table, target):
                sources = one.covering(table.section, offset)
                section = place.object.sections[place.section]
                key = (name, sources, section, targets)
                known = found.get(key)
                if known is not None:
                    found[key] = known._replace(times=known.times + 1)
                    continue
                file, member = place.object.file, place.object.member
                where = (one.file, one.member, name, table.section, offset, sources, section, targets)
                merged = place.object.is_merged(place.section)
                found[key] = Reference(*where, file, member, target_is_merged=merged)
            for offset, symbol, there in self._leading_out(one, table):
                if there.known and target(there.section):
                    sources = one.covering(table.section, offset)
                    key = (name, sources, there.section, (symbol,))
                    if (known := found.get(key)) is not None:
                        found[key] = known._replace(times=known.times + 1)
                        continue
                    where = (one.file, one.member, name, table.section, offset, sources, there.section, (symbol,))
                    found[key] = Reference(*where, there.file, there.member)
        yield from found.values()

    def nowhere(self, one: RelatedObject, source: Wanted) -> str:
        """A symbol to which a section that is wanted refers, and of which nothing tells where it is; or empty."""
        for table in one.tables:
            if (id(one), table.section) not in self._dropped and source(one.sections[table.section]):
                for _, symbol, there in self._leading_out(one, table):
                    if not there.known:
                        return symbol
        return ""

    def _leading_out(self, one: RelatedObject, table: Table) -> Iterator[tuple[int, str, Elsewhere]]:
        """The relocations to symbols that the link has elsewhere: their offset, the symbol, and where that is."""
        if self._around is None:
            return
        for offset, symbol, kind in zip(table.offsets, table.symbols, table.kinds, strict=True):
            if not 0 < symbol < len(one.names) or not refers(one.machine, kind):
                continue
            name = one.names[symbol]
            if self._is_elsewhere(one, symbol) and (there := self._outside[name]) is not None and not there.alias:
                yield offset, name, there

    def _is_elsewhere(self, one: RelatedObject, symbol: int) -> bool:
        """Whether no object defines a symbol for good that other objects may define."""
        name = one.names[symbol]
        if self._around is None or not name or name in BASES or not one.is_open(symbol):
            return False
        if name not in self._outside:
            definition = self._definitions.get(name)
            if definition is None:
                self._outside[name] = self._around.find(name, self._definitions.keys())
            elif definition[2]:
                where = definition[0].place(definition[1])
                assert where is not None
                labels = (where.object.file, where.object.member, where.object.sections[where.section])
                replaced = self._around.is_replaced(name, *labels)
                self._outside[name] = self._around.find(name, ()) or Elsewhere() if replaced else Elsewhere(name)
            else:
                self._outside[name] = Elsewhere(name)
        there = self._outside[name]
        return there is None or not there.alias

    def of_table(
        self, one: RelatedObject, table: Table, target: Wanted
    ) -> Iterator[tuple[int, Place, tuple[str, ...]]]:
        """Of each relocation to what is wanted: its offset, the place that is meant, and the names of what is there."""
        for at, place, name, known in self.places(one, table, target):
            names = place.object.names_at(place.section, place.offset, name) if name or known else ()
            yield table.offsets[at], place, names

    def places(self, one: RelatedObject, table: Table, target: Wanted) -> Iterator[tuple[int, Place, str, bool]]:
        """Of each relocation to what is wanted: which it is, the place that is meant, and the name of its symbol.

        The name is empty where people know none; then the last says whether the place is known, or its section only.
        """
        machine = one.machine
        meant: dict[int, tuple[Place, str, bool] | None] = {}
        for at, (symbol, kind) in enumerate(zip(table.symbols, table.kinds, strict=True)):
            try:
                leads = meant[symbol]
            except KeyError:
                leads = meant[symbol] = self._meant(one, symbol, target)
            if leads is None or not refers(machine, kind):
                continue
            place, name, on_the_way = leads
            if name and not on_the_way:
                yield at, place, name, True
                continue
            offset = self._inside(one, table, at, place)
            inside = place if offset is None else Place(place.object, place.section, offset)
            if on_the_way:
                if (further := self._led_on(inside)) is not None:
                    inside, name = further
                elif name:
                    inside = place
                if not target(inside.object.sections[inside.section]):
                    continue
            yield at, inside, name, offset is not None

    def _meant(self, one: RelatedObject, symbol: int, target: Wanted) -> tuple[Place, str, bool] | None:
        """Where a symbol leads, its name if it is one that people gave, and whether that is a table on the way.

        None for where nobody wants to go.
        """
        if not 0 < symbol < len(one.names):
            return None
        name = one.names[symbol]
        if name in BASES:
            return None
        place = one.place(symbol)
        if place is None or one.is_weak(symbol) or one.is_common(symbol):
            if self._is_elsewhere(one, symbol):
                return None
            there = self._outside.get(name)
            definition = self._definitions.get(there.alias if there is not None and there.alias else name)
            if definition is not None:
                place = definition[0].place(definition[1])
        if place is None:
            return None
        on_the_way = place.object.is_on_the_way(place.section)
        if not on_the_way and not target(place.object.sections[place.section]):
            return None
        return place, "" if one.is_label(symbol) else name, on_the_way

    def _inside(self, one: RelatedObject, table: Table, at: int, place: Place) -> int | None:
        """The offset in a section that the number beside its symbol means; None where the number is not known."""
        kind, offset = table.kinds[at], table.offsets[at]
        addend = table.addends[at]
        if addend is None and one.linked:
            return _final(one, table, at, place)
        if addend is None:
            addend = _implicit(one, table, at)
            return None if addend is None else place.offset + addend
        code = table.code
        ahead = None if code is None else lambda size: code[max(offset - size, 0) : offset]
        return place.offset + addend + correction(one.machine, kind, ahead)

    def _led_on(self, place: Place) -> tuple[Place, str] | None:
        """Where the entry of a table of descriptors or addresses leads."""
        entry = place.object.entry(place.section, place.offset)
        if entry is None:
            return None
        symbol, addend = entry
        known = self._anywhere(place.object, symbol)
        if known is None:
            return None
        further, name = known
        if further.object.sections[further.section] == ".opd" and (
            last := further.object.entry(further.section, further.offset + addend)
        ):
            known = self._anywhere(further.object, last[0])
            if known is None:
                return None
            return known[0]._replace(offset=known[0].offset + last[1]), name or known[1]
        return further._replace(offset=further.offset + addend), name

    def _anywhere(self, one: RelatedObject, symbol: int) -> tuple[Place, str] | None:
        name = one.names[symbol] if symbol < len(one.names) else ""
        place = one.place(symbol)
        if place is None and name in self._definitions:
            other, index, _ = self._definitions[name]
            place = other.place(index)
        return None if place is None else (place, "" if one.is_label(symbol) else name)


def _final(one: RelatedObject, table: Table, at: int, place: Place) -> int:
    """The offset in a section that the bytes of a linked image lead to; outside of it where that is not known."""
    kind, offset = table.kinds[at], table.offsets[at]
    start, field = one.base(table.section) + offset, table.content[offset : offset + 8]
    if (address := leads_by_itself(one.machine, kind, field, start)) is not None:
        return address - one.base(place.section)
    if is_part(one.machine, kind):
        number = _implicit(one, table, at)
    else:
        number = implicit(one.machine, kind, one.order, field, table.code is not None)
    if number is None:
        return -1
    if is_relative(one.machine, kind):
        number += start
    elif is_within(one.machine, kind):
        number |= (start + 4) & ~0xFFFFFFF
    return (number & (1 << one.bits) - 1) - one.base(place.section)


def _implicit(one: RelatedObject, table: Table, at: int) -> int | None:
    """The number in the bytes of the section."""
    machine, order = one.machine, one.order
    kind, offset = table.kinds[at], table.offsets[at]

    def field(index: int) -> bytes:
        return table.content[table.offsets[index] : table.offsets[index] + 4]

    high, low = is_high_half(machine, kind, one.linked), is_low_half(machine, kind, one.linked)
    if not high and not low:
        return implicit(machine, kind, order, table.content[offset : offset + 8], table.code is not None)
    # MIPS has the high half first, ARM the low one.
    ahead = high if machine == EM_MIPS else low
    others = range(at + 1, min(at + _NEAR, len(table.kinds))) if ahead else range(at - 1, max(at - _NEAR, -1), -1)
    partner = is_low_half if high else is_high_half
    for other in others:
        if table.symbols[other] == table.symbols[at] and partner(machine, table.kinds[other], one.linked):
            halves = (field(at), field(other)) if high else (field(other), field(at))
            return joined(machine, order, kind, *halves)
    return None
