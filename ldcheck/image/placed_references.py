"""Who refers to whom in objects, at the addresses where a link map has their sections.

A linker places sections as a whole, so that the range of addresses that a function is in is that of its section. Two
kinds have several addresses to choose from: sections of one name in one file, and constants that the linker merges
with those of other files. Where all of them are in a range, or none is, nothing more is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ldcheck.image.link_files import LinkFiles
from ldcheck.image.model import LinkMap
from ldcheck.image.references import At, Reference, References, Wanted, anywhere, everything
from ldcheck.words import counted

# The file on which a map of lld books what was merged, by the names of output sections.
_MADE_BY_LLD = "<internal>"
# What is known of an input section: where it may be. None where the map does not have the file.
_Places = Sequence[int] | None


class PlacedReferences:
    """The references of objects that were linked, of what the linker kept; the map is of that link."""

    # Whether there may be more than what is found.
    partial = False

    def __init__(self, references: References, link_map: LinkMap) -> None:
        self._references = references
        self._files = LinkFiles(link_map)
        self._places: dict[tuple[str, str, str], list[int]] = {}
        self._outputs: dict[tuple[str, str, str], list[list[int]]] = {}
        self._merged: dict[tuple[str, str, str], Sequence[int]] = {}
        made = (part for output in link_map.sections for part in output.inputs if part.file == _MADE_BY_LLD)
        self._made = [part.address for part in made if part.size and part.address]
        self._answers: dict[tuple[int, At], bool | None] = {}
        for output in link_map.sections:
            inside = [part.address for part in output.inputs if part.size]
            for part in output.inputs:
                key = part.file, part.member, part.name
                # What was merged with that of another file has no size left.
                self._places.setdefault(key, []).append(part.address)
                outputs = self._outputs.setdefault(key, [])
                if not outputs or outputs[-1] is not inside:
                    outputs.append(inside)

    @property
    def sections(self) -> frozenset[str]:
        """The names of all sections that take memory."""
        return self._references.sections

    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from sections whose names `source` takes to sections whose names `target` takes, in file order.

        `source_at` and `target_at` say the same of addresses.
        """
        return [one for one, sure in self._found(source, target, source_at, target_at) if sure]

    def untold(
        self, source: Wanted, source_at: At = anywhere, target: Wanted = everything, target_at: At = anywhere
    ) -> str:
        """What could not be read, or be found in the map, as a sentence; empty where all was."""
        if said := self._references.untold(source, source_at, target, target_at):
            return said
        unknown = [one for one, sure in self._found(source, target, source_at, target_at) if not sure]
        for file in dict.fromkeys(file for one in unknown for file in (one.file, one.target_file)):
            if self._files.named(file) is None:
                return f"the map does not tell where {os.path.basename(file)} is"
        return f"the map does not tell where {counted(len(unknown), 'reference')} lead" if unknown else ""

    def _found(self, source: Wanted, target: Wanted, source_at: At, target_at: At) -> Iterator[tuple[Reference, bool]]:
        """Each reference that may be meant, and whether it surely is."""
        for one in self._references.between(source, target):
            places = self._at(one.file, one.member, one.section, merged=False)
            others = self._at(one.target_file, one.target_member, one.target_section, merged=one.target_is_merged)
            if places == () or others == ():
                # The linker left it out.
                continue
            here, there = self._decided(places, source_at), self._decided(others, target_at)
            if here is False or there is False:
                continue
            address = places[0] + one.offset if places else None
            yield (
                one._replace(address=address, target_address=others[0] if others else None),
                bool(here and there),
            )

    def _at(self, file: str, member: str, section: str, merged: bool) -> _Places:
        """Where an input section may be; nowhere if the linker left it out."""
        known = self._files.named(file)
        if known is None:
            return None
        key = known, member, section
        if not merged:
            return self._places.get(key, ())
        if key not in self._places:
            return self._made or None
        # Merged contents are where the first of their kind in the output section is.
        if key not in self._merged:
            self._merged[key] = [address for inside in self._outputs[key] for address in inside]
        return self._merged[key]

    def _decided(self, places: _Places, wanted: At) -> bool | None:
        """Whether all of some places are wanted, or none of them; None where that is not known."""
        if places is None:
            return None
        # Those of one section are one list, which is asked about again and again.
        key = id(places), wanted
        if key not in self._answers:
            answers = {wanted(place) for place in places}
            self._answers[key] = answers.pop() if len(answers) == 1 else None
        return self._answers[key]
