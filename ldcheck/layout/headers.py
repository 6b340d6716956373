"""How many program headers GNU ld makes, which SIZEOF_HEADERS counts (bfd/elf.c, for static links).

They are guessed ahead of the layout (get_program_header_size) and counted behind it, by the segments that its sections
fall into (_bfd_elf_map_sections_to_segments); where the two differ, ld lays out again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from ldcheck.layout.knowledge import Knowledge, Options, Place
from ldcheck.layout.load_addresses import by_load_address, declared_segments, thread_local
from ldcheck.layout.passes import up, without_room
from ldcheck.script.arithmetic import MASK
from ldcheck.script.syntax import ProgramHeaders, Script, statements
from ldcheck.sections.outputs import ALLOC, CODE, HAS_CONTENTS, LOAD, READONLY, THREAD_LOCAL

# The ELF header and a program header, in bytes, of 64 bits and of 32.
_WIDE, _NARROW = (64, 56), (52, 32)
# How often the number may change before it may only grow.
_FREE_TRIES = 4


class Headers:
    """The program headers of a link.

    `in_file` are its output sections as the file has them, `ordered` all in the order of their statements; `names` are
    those of its input sections.
    """

    def __init__(
        self,
        tree: Script,
        known: Knowledge,
        in_file: Callable[[], list[Place]],
        ordered: Callable[[], list[Place]],
        names: Collection[str],
        options: Options,
    ) -> None:
        self._known = known
        self._tree = tree
        self._in_file = in_file
        self._ordered = ordered
        self._names = names
        self._options = options
        self._header, self._entry = _NARROW if options.arch in ("arm32", "x86_32", "riscv32") else _WIDE
        declared = [node for node in statements(tree) if isinstance(node, ProgramHeaders)]
        self._declared = sum(len(node.headers) for node in declared) if declared else None
        # None: neither asked for nor counted so far.
        self._count: int | None = None
        self._tries = 0
        known.count_headers = self.size

    def size(self) -> int:
        """The bytes of all headers, as SIZEOF_HEADERS counts them."""
        if self._count is None:
            self._count = self._guess() if self._declared is None else self._declared
        return self._header + self._entry * self._count

    def changed(self) -> bool:
        """Count anew; whether there are others than before, or ld did not know before."""
        before = self._count
        self._count = self._counted() if self._declared is None else self._declared + self._added(self._in_file())
        self._tries += 1
        if before is not None and self._tries > _FREE_TRIES and self._count < before:
            self._count = before
        return self._count != before

    def segments(self) -> Iterator[tuple[bool, list[Place]]]:
        """The sections of each segment that takes memory, and (True) of that of thread-local data."""
        if self._declared is not None:
            yield from declared_segments(self._tree, self._ordered())
            return
        sections = self._in_file()
        yield from ((False, members) for members in self._loads(sections))
        yield True, thread_local(sections)

    def _guess(self) -> int:
        sections = self._in_file()
        return 2 + self._known.relro + self._others(sections, _adjacent)

    def _others(self, sections: list[Place], joined: Callable[[Place, Place], bool]) -> int:
        """The headers that stand for other things than memory: notes, thread-local data, the stack."""
        count = int(any(place.flags & THREAD_LOCAL for place in sections))
        count += self._options.stack_header or ".note.GNU-stack" in self._names
        count += any(place.name == ".note.gnu.property" and place.size for place in sections)
        count += any(place.name == ".eh_frame_hdr" and place.flags & LOAD for place in sections)
        count += self._added(sections)
        last: Place | None = None
        for place in sections:
            note = place.output.type == "NOTE" and place.flags & LOAD
            if note and not (last is not None and place.align == last.align and joined(last, place)):
                count += 1
            last = place if note else None
        return count

    def _added(self, sections: list[Place]) -> int:
        """The headers that an architecture adds, to those of a script as well (elf_backend_modify_segment_map)."""
        if self._options.arch == "arm32":
            return int(any(place.name == ".ARM.exidx" and place.flags & LOAD for place in sections))
        # Notes on the processor count as empty here.
        return int(any(place.name == ".riscv.attributes" and place.exists for place in self._ordered()))

    def _counted(self) -> int:
        sections = self._in_file()
        known = self._known
        loads = self._loads(sections)
        count = len(loads) + self._others(sections, _touching)
        if known.relro and known.segment.relro_end:
            first, end = known.segment.base, known.segment.relro_end
            held = (load for load in loads if load and first <= load[0].address < end)
            count += any(
                place.size and place.flags & LOAD and place.flags & HAS_CONTENTS for load in held for place in load
            )
        return count

    def _loads(self, sections: list[Place]) -> list[list[Place]]:
        """The sections of each segment that is loaded; the headers may have one of their own."""
        members = by_load_address(place for place in sections if place.flags & ALLOC)
        loads: list[list[Place]] = []
        if not members:
            return loads
        if self._apart(members):
            loads.append([])
        current: list[Place] = []
        for place in members:
            if current and self._new_segment(current, place):
                loads.append(current)
                current = []
            current.append(place)
        if len(current) != 1 or not without_room(current[0].flags):
            loads.append(current)
        return loads

    def _apart(self, members: list[Place]) -> bool:
        """Whether the headers have a segment of their own, as the first section is code."""
        options, page = self._options, self._page
        count = self._count if self._count is not None else self._guess()
        size = self._header + self._entry * count
        first = members[0]
        with_headers = self._known.asked_for_headers or first.load % page >= size % page
        if not with_headers or not options.paged or not self._separate or not first.flags & CODE:
            return False
        start = first.load - size & -page & MASK
        if start + size - 1 & -page == first.load & -page:
            if start < page:
                return False
            start -= page
        wraps = any(place.load + place.size > MASK for place in members)
        return not (first.load < start or first.load < size or wraps)

    @property
    def _page(self) -> int:
        return self._known.pages.get("MAXPAGESIZE", 1)

    @property
    def _separate(self) -> bool:
        chosen = self._options.separate_code
        return self._options.arch in ("x86_64", "x86_32") if chosen is None else chosen

    def _new_segment(self, current: list[Place], place: Place) -> bool:
        last = current[-1]
        size = 0 if without_room(last.flags) else last.size
        end, page = last.load + size & MASK, self._page
        return self._parted(current, place, end, page) or self._region(last.name) is not self._region(place.name)

    def _parted(self, current: list[Place], place: Place, end: int, page: int) -> bool:
        last = current[-1]
        if last.load - last.address & MASK != place.load - place.address & MASK:
            return True
        if place.load < end or end < last.load:
            return True
        if self._options.paged and end - 1 & -page == place.load & -page:
            return False
        following = up(end, page) + page & MASK
        if last.load < following <= place.load:
            return True
        if not last.flags & (LOAD | THREAD_LOCAL) and place.flags & (LOAD | THREAD_LOCAL):
            return True
        if not self._options.paged:
            return False
        if self._separate and any(one.flags & CODE for one in current) != bool(place.flags & CODE):
            return True
        return all(one.flags & READONLY for one in current) and not place.flags & READONLY

    def _region(self, name: str) -> object:
        place = self._known.places.get(name)
        return place.region if place is not None else None


def _adjacent(last: Place, place: Place) -> bool:  # noqa: ARG001 - all that follow each other are taken for adjacent
    return True


def _touching(last: Place, place: Place) -> bool:
    return up(last.load + last.size & MASK, last.align) == place.load
