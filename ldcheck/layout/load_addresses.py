"""What BFD makes of load addresses that overlap in a segment (bfd/elf.c: assign_file_positions_for_load_sections).

The sections of a segment lie one behind the other in memory; one whose load address is ahead of the end of the last one
is moved there. Zero-initialised thread-local data takes room among thread-local data alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ldcheck.layout.knowledge import Place
from ldcheck.layout.passes import without_room
from ldcheck.script.arithmetic import MASK
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import Name, OutputSection, Overlay, ProgramHeader, ProgramHeaders, Script, Word, statements
from ldcheck.sections.outputs import ALLOC, LOAD, THREAD_LOCAL

_LOAD, _TLS = ("PT_LOAD", 1), ("PT_TLS", 7)


def settle_load_addresses(segments: Iterable[tuple[bool, list[Place]]]) -> None:
    """Move the load addresses that overlap; segments are those of memory, and (True) that of thread-local data."""
    for thread_local, members in segments:
        end: int | None = None
        for place in by_load_address(members):
            if without_room(place.flags) and not thread_local:
                continue
            if end is None:
                end = place.load
            if place.load < end:
                place.load = end
            end = place.load + place.size & MASK


def by_load_address(places: Iterable[Place]) -> list[Place]:
    """Sections in the order of a segment: by load address (elf_sort_sections)."""
    placed = sorted(((place, at) for at, place in enumerate(places)), key=_order)
    return [place for place, _ in placed]


def _order(entry: tuple[Place, int]) -> tuple[int, int, bool, int, int]:
    place, at = entry
    loaded = place.size if place.flags & LOAD else 0
    behind = not place.flags & (LOAD | THREAD_LOCAL) and place.size != 0
    return place.load, place.address, behind, loaded, at


def declared_segments(tree: Script, places: Iterable[Place]) -> Iterator[tuple[bool, list[Place]]]:
    """The sections of each segment of PHDRS (ldlang.c: lang_record_phdrs); `places` in the order of the statements."""
    headers = [one for node in statements(tree) if isinstance(node, ProgramHeaders) for one in node.headers]
    overlays = {
        member: node.phdrs for node in statements(tree) if isinstance(node, Overlay) for member in node.sections
    }
    listed = [one for one in places if one.output.constraint >= 0]
    words = {one: _words(one, overlays) for one in listed}
    last: tuple[Word, ...] = ()
    for header in headers:
        members = []
        for at, place in enumerate(listed):
            named = words[place]
            if named:
                last = named
            elif place.output.kind == "NOLOAD" or not place.exists or not place.flags & ALLOC:
                continue
            elif not last:
                last = next((words[one] for one in listed[at:] if words[one]), ())
            chosen = named or last
            if place.exists and not place.excluded and any(word.text == header.name.text for word in chosen):
                members.append(place)
        if _is(header, _TLS):
            yield True, members
        elif _is(header, _LOAD):
            yield False, [one for one in members if one.flags & ALLOC]


def _words(place: Place, overlays: Mapping[OutputSection, tuple[Word, ...]]) -> tuple[Word, ...]:
    """The segments that a section names; an orphan names those of the one that it stands beside."""
    output = place.output
    while output.node is None and output.beside is not None:
        output = output.beside
    if output.node is None:
        return ()
    return output.node.phdrs or overlays.get(output.node, ())


def thread_local(places: Iterable[Place]) -> list[Place]:
    """The sections of the segment that ld makes for thread-local data, in the order of the file."""
    return [one for one in places if one.flags & THREAD_LOCAL]


def _is(header: ProgramHeader, kind: tuple[str, int]) -> bool:
    name, number = kind
    return header.type.name == name if isinstance(header.type, Name) else constant(header.type) == number
