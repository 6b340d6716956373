"""What the headers of output sections say ahead of any layout: addresses, regions, members of overlays.

As GNU ld has it when it has read a script (ldlang.c: lang_get_regions, lang_leave_overlay, lang_propagate_lma_regions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ldcheck.layout.flow import Flow
from ldcheck.layout.knowledge import NotPredicted, Place, Region
from ldcheck.script.syntax import (
    Binary,
    Call,
    Command,
    Expression,
    MemoryRegion,
    Number,
    Overlay,
    Script,
    Word,
    statements,
)
from ldcheck.sections.mapping import Mapping as OutputMapping
from ldcheck.sections.outputs import ALLOC, CODE, DATA, LOAD, READONLY, Output

_FLAGS = {"a": ALLOC, "r": READONLY, "w": DATA, "x": CODE, "l": LOAD, "i": LOAD}


def declared_regions(found: Flow) -> list[Region]:
    """The memory regions of a script, behind the one of ld's own that is all memory; where they are comes later."""
    regions = [Region("*default*")]
    for node in found.regions:
        if isinstance(node, MemoryRegion) and all(one.name != node.name.text for one in regions):
            region = Region(node.name.text)
            inverted = False
            for letter in node.attributes.text.lower() if node.attributes is not None else "":
                if letter == "!":
                    inverted = not inverted
                elif inverted:
                    region.not_flags |= _FLAGS.get(letter, 0)
                else:
                    region.flags |= _FLAGS.get(letter, 0)
            regions.append(region)
    return regions


def named_regions(found: Flow, regions: Sequence[Region]) -> dict[str, Region]:
    """The memory regions by their names and aliases."""
    named = {region.name: region for region in regions}
    for node in found.regions:
        if isinstance(node, Command) and len(node.arguments) == 2:
            alias, region = (word.text for word in node.arguments)
            if region in named:
                named[alias] = named[region]
    return named


def places(mapping: OutputMapping, tree: Script, regions: Mapping[str, Region], default: Region) -> dict[Output, Place]:
    """The output sections in the order in which they came about, each with what its header says."""
    return _Shapes(mapping, tree, regions, default).made()


class _Shapes:
    def __init__(self, mapping: OutputMapping, tree: Script, regions: Mapping[str, Region], default: Region) -> None:
        self._mapping = mapping
        self._regions = regions
        self._default = default
        self._places = {output: Place(output, output.name) for output in mapping.entered}
        self._overlays = {
            member: (overlay, at)
            for overlay in statements(tree)
            if isinstance(overlay, Overlay)
            for at, member in enumerate(overlay.sections)
        }

    def made(self) -> dict[Output, Place]:
        taken: set[str] = set()
        for count, (output, place) in enumerate(self._places.items()):
            if output.constraint < 0 or place.name in taken:
                place.key = f"{place.name}\0{count}"
            taken.add(place.key)
            if output.node is None:
                self._orphan(output, place)
            else:
                self._described(output, place)
        before: Place | None = None
        for place in (self._places[output] for output in self._mapping.order):
            # Sections of one region that say nothing of their load address keep to that of the one ahead.
            plain = place.load_region is None and place.loads is None and place.begins is None
            if before is not None and plain and place.region is before.region:
                place.load_region = before.load_region
            before = place
        return self._places

    def _described(self, output: Output, place: Place) -> None:
        node = output.node
        assert node is not None
        place.begins, place.loads, place.subalign = node.address, node.load_address, node.subalign
        words = node.region, node.load_region
        bare = place.begins is None
        if node in self._overlays:
            overlay, at = self._overlays[node]
            words, bare = (overlay.region, overlay.load_region), True
            self._member(place, overlay, at)
        place.region, place.load_region = (self._region(word) for word in words)
        if place.region is None:
            place.region = place.load_region if bare and place.load_region is not None else self._default

    def _orphan(self, output: Output, place: Place) -> None:
        if output.beside is not None:
            beside = self._places[output.beside]
            place.region, place.load_region = beside.region, beside.load_region
            if place.region is self._default and place.load_region is not None:
                place.region = place.load_region
        elif self._mapping.common is not output:
            place.region = self._default
        if not output.flags & (ALLOC | LOAD):
            place.begins = Number(0, "0", start=0, end=0)

    @staticmethod
    def _member(place: Place, overlay: Overlay, at: int) -> None:
        place.of_overlay = at > 0
        place.first_of_overlay = at == 0
        place.subalign = overlay.subalign
        first = overlay.sections[0].name.text
        place.begins = overlay.address if at == 0 else _function("ADDR", first)
        place.loads = overlay.load_address if at == 0 else None
        if at == len(overlay.sections) - 1:
            longest = _function("SIZEOF", first)
            for member in overlay.sections[1:]:
                longest = Call("MAX", (longest, _function("SIZEOF", member.name.text)), start=0, end=0)
            place.closes = Binary("+", _function("ADDR", first), longest, start=0, end=0)
            place.symbols = True

    def _region(self, word: Word | None) -> Region | None:
        if word is None:
            return None
        found = self._regions.get(word.text)
        if found is None:
            raise NotPredicted(f"memory region {word.text} is not declared", word)
        return found


def _function(name: str, section: str) -> Expression:
    return Call(name, (Word(section, start=0, end=0),), start=0, end=0)
