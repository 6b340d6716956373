"""How GNU ld finds the place of the data segment (ldlang.c: lang_size_sections), for scripts with DATA_SEGMENT_ALIGN.

It lays out, looks where the segment and its read-only part end, and lays out again so that they end on pages.
"""

from __future__ import annotations

from collections.abc import Callable

from ldcheck.layout.knowledge import Phase, Place
from ldcheck.layout.passes import Passes, without_room
from ldcheck.script.arithmetic import MASK, align
from ldcheck.script.syntax import InputSectionDescription, Script
from ldcheck.sections.assign import Mapped
from ldcheck.sections.matching import Matcher, takes
from ldcheck.sections.outputs import ALLOC, input_flags
from ldcheck.sections.rules import flat, input_rules


class Relro:
    """The passes that sizes take; `in_file` are the output sections of the file."""

    def __init__(self, tree: Script, mapped: Mapped, passes: Passes, in_file: Callable[[], list[Place]]) -> None:
        self._tree = tree
        self._mapped = mapped
        self._passes = passes
        self._in_file = in_file

    def has_content(self) -> bool:
        """Whether a statement between the ends of what is read-only after relocation matches any input."""
        passes = self._passes
        if passes.relro_start is None:
            return False
        asked: set[int] = set()
        within = False
        for item in passes.listing:
            within = within or item is passes.relro_start
            if item is passes.relro_end:
                break
            if within and isinstance(item, Place) and item.node is not None:
                described = (one for one in flat(item.node.statements) if isinstance(one, InputSectionDescription))
                asked.update(map(id, described))
        matcher = Matcher([rule for rule in input_rules(self._tree) if id(rule.statement) in asked])
        for place in passes.places():
            if not place.exists or place.excluded:
                continue
            for part in place.parts:
                section = part.input
                if section is None or not part.size or not input_flags(section) & ALLOC:
                    continue
                matched = any(takes(rule, section) for rule in matcher.named(section.name))
                if matched and not without_room(input_flags(section)):
                    return True
        return False

    def size_sections(self, *, check: bool) -> None:
        """Size all sections, again where the data segment asks for it."""
        known, passes = self._passes.known, self._passes
        segment = known.segment
        known.phase = Phase.ALLOCATING
        segment.phase = "none"
        passes.size(check=check)
        if segment.phase != "end seen":
            segment.phase = "done"
            return
        if known.relro and segment.relro_end:
            base = segment.base
            end = self._move_base()
            passes.reset()
            passes.size(check=check)
            if segment.relro_end <= end:
                return
            segment.base = base
        elif not self._saves_a_page():
            return
        passes.reset()
        passes.size(check=check)

    def _move_base(self) -> int:
        """Begin the segment so that its read-only part ends on a page (lang_size_relro_segment_1)."""
        segment = self._passes.known.segment
        page = segment.max_page
        relro_end = align(segment.relro_end, page)
        wanted = relro_end - segment.relro_offset & MASK
        for place in reversed(self._in_file()):
            inside = segment.base <= place.address < segment.relro_end - segment.relro_offset
            if place.flags & ALLOC and inside:
                end = place.address + (0 if without_room(place.flags) else place.size)
                wanted = place.address + wanted - end & -place.align & MASK
        segment.phase, segment.base = "relro adjust", wanted
        return relro_end

    def _saves_a_page(self) -> bool:
        segment = self._passes.known.segment
        page = segment.common_page
        first, last = -segment.base & page - 1, segment.end & page - 1
        apart = segment.base & -page != segment.end & -page
        if first and last and apart and first + last <= page:
            segment.phase = "adjust"
            return True
        segment.phase = "done"
        return False
