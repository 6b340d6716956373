"""What alignment costs in a link, and how far the sections of one object are spread: the facts, as linked.

Three causes are told apart. "input alignment": bytes ahead of an input section, inside an output section. "assignment":
bytes that `. = ALIGN(n)` or `. += n` skipped, inside or between output sections. "section start": bytes ahead of an
output section because of its own alignment. Where a script chooses an address (`. = 0x80000000`, a memory region), what
lies before it is no padding.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ldcheck.image.model import LinkMap, MapInput, MapSection, MapStatement, Padding

INPUT_ALIGNMENT = "input alignment"
ASSIGNMENT = "assignment"
SECTION_START = "section start"

# Sections that take no memory stand at address 0. Sections that do may too, so the names decide.
_NOT_LOADED = re.compile(
    r"\.(?:debug|zdebug|comment|stab|line|note\.GNU-stack|gnu\.(?:debuglto|lto|attributes|warning)|gnu_debug|symtab|strtab"
    r"|shstrtab|(?:ARM|riscv|c6xabi|MSP430)\.attributes|pdr|mdebug|SUNW|GCC\.command)"
)
# Nothing is aligned to more: what is further apart stands at addresses that somebody chose.
_FURTHEST = 1 << 26
_SKIPS = re.compile(r"ALIGN|\. = \(?\. \+")


class SectionPadding(NamedTuple):
    """Bytes of padding of one output section, by cause; `size` is the section's, without what lies ahead of it.

    `ahead` is what of the padding lies between the section before and this one, whatever its cause.
    """

    name: str
    address: int
    size: int
    input_alignment: int
    assignment: int
    section_start: int
    ahead: int = 0

    @property
    def total(self) -> int:
        """The sum over all causes."""
        return self.input_alignment + self.assignment + self.section_start

    @property
    def inside(self) -> int:
        """The padding between the section's first and last byte."""
        return self.total - self.ahead


class Spread(NamedTuple):
    """The pages that the sections of one object touch. `least` is how many its bytes would fill."""

    object: str
    bytes: int
    pages: int
    least: int


def loaded_sections(link_map: LinkMap, allocated: frozenset[str] | None = None) -> tuple[MapSection, ...]:
    """The output sections that take memory; `allocated` are their names if an ELF file tells them."""
    return tuple(
        section
        for section in link_map.sections
        if section.present
        and section.size
        and (section.name in allocated if allocated is not None else not _NOT_LOADED.match(section.name))
    )


def outer_statements(section: MapSection) -> tuple[MapStatement, ...]:
    """The assignments to dot that a map shows under a section, and which stand behind it in the script.

    Nothing in a map ends an output section: what leads beyond its last byte is outside.
    """
    return tuple(
        statement
        for statement in section.statements
        if statement.kind == "assignment" and moves_dot(statement) and (statement.address or 0) > section.end
    )


def moves_dot(statement: MapStatement) -> bool:
    """Whether an assignment is one to the location counter."""
    return statement.kind == "assignment" and statement.text.startswith((". = ", ". +", ". -"))


def by_alignment(section: MapSection) -> tuple[Padding, ...]:
    """The padding inside a section that aligns something, without room that is reserved: `. = . + 0x800`, `. = 0x1000`.

    Unexplained gaps are among it.
    """
    jumps = [statement for statement in section.statements if moves_dot(statement)]
    lines = [statement.line for statement in jumps]
    found = []
    for padding in section.paddings:
        if padding.cause == ASSIGNMENT:
            at = bisect_right(lines, padding.line) - 1
            # GNU ld prints the fill on the line behind the assignment, lld on the same.
            if at >= 0 and padding.line - lines[at] <= 1:
                texts = [jumps[at].text]
            else:
                texts = [jump.text for jump in jumps if jump.address == padding.address + padding.size]
            if texts and not any("ALIGN" in text for text in texts):
                continue
        found.append(padding)
    return tuple(found)


def section_paddings(link_map: LinkMap, allocated: frozenset[str] | None = None) -> tuple[SectionPadding, ...]:
    """The padding of each output section that takes memory, as linked, in the order of the map."""
    found = []
    outer = OuterJumps(link_map)
    previous: MapSection | None = None
    for section in loaded_sections(link_map, allocated):
        jumps = outer.between(previous, section)
        ahead, skipped = start_padding(end_of(previous), section.address, jumps, link_map.regions)
        inside = {INPUT_ALIGNMENT: 0, ASSIGNMENT: 0}
        for padding in section.paddings:
            inside[ASSIGNMENT if padding.cause == ASSIGNMENT else INPUT_ALIGNMENT] += padding.size
        found.append(section_padding(section.name, section.address, section.size, inside, ahead, skipped))
        previous = section
    return tuple(found)


def end_of(section: MapSection | None) -> int | None:
    """Where the next section may begin. Zero-initialised thread data takes no place of its own."""
    return None if section is None else section.address + section.room


class OuterJumps:
    """The assignments to dot that a map shows between output sections."""

    def __init__(self, link_map: LinkMap) -> None:
        self._statements = [statement for statement in link_map.statements if moves_dot(statement)]
        self._lines = [statement.line for statement in self._statements]

    def between(self, previous: MapSection | None, section: MapSection) -> list[tuple[str, int]]:
        """Texts and values of those behind `previous` (None: from the beginning) and ahead of `section`."""
        low = previous.line if previous is not None else 0
        inside: set[int] = set()
        if previous is not None:
            outside = {statement.line for statement in outer_statements(previous)}
            inside = {statement.line for statement in previous.statements} - outside
        found = self._statements[bisect_left(self._lines, low) : bisect_left(self._lines, section.line)]
        return [(statement.text, statement.address or 0) for statement in found if statement.line not in inside]


def start_padding(
    end: int | None, start: int, jumps: Sequence[tuple[str, int]], regions: Sequence[tuple[str, int, int]] = ()
) -> tuple[int, int]:
    """Bytes between the end of one section and the start of the next: by its alignment, and by assignments.

    `jumps` are the assignments to dot between them, with the values that they gave it; `regions` the memory regions
    (name, origin and length in bytes): between two of them nothing is lost.
    """
    if end is None or start < end or _in_another(end, start, regions):
        return 0, 0
    dot, skipped = end, 0
    for text, value in jumps:
        if _SKIPS.search(text) and value >= dot:
            skipped += value - dot
        elif value != dot:
            # An address that the script chose: what lies before it is not lost.
            skipped = 0
        dot = value
    if not dot <= start:
        return 0, 0
    ahead = start - dot
    # Aligning never skips as much as the alignment that the start has.
    if ahead >= min(start & -start, _FURTHEST):
        return 0, 0
    return ahead, skipped


def _in_another(end: int, start: int, regions: Sequence[tuple[str, int, int]]) -> bool:
    """Whether a section starts in a memory region that the end of the one before it is not in."""
    homes = [(origin, origin + length) for _, origin, length in regions if origin <= start < origin + length]
    return bool(homes) and not any(low <= end <= high for low, high in homes)


def section_padding(
    name: str, address: int, size: int, inside: Mapping[str, int], ahead: int, skipped: int
) -> SectionPadding:
    """Put the padding inside a section, by cause, and that ahead of it together."""
    return SectionPadding(
        name, address, size, inside[INPUT_ALIGNMENT], inside[ASSIGNMENT] + skipped, ahead, ahead + skipped
    )


def object_name(entry: MapInput) -> str:
    """What an object is called: its file, or `archive(member)`."""
    return f"{entry.file}({entry.member})" if entry.member else entry.file


def spread(places: Sequence[tuple[str, int, int]], page: int) -> tuple[Spread, ...]:
    """The pages that each object touches, the widest spread first; `places` are objects, addresses and sizes."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for name, address, size in places:
        if size:
            ranges.setdefault(name, []).append((address // page, (address + size - 1) // page))
    totals: dict[str, int] = {}
    for name, _, size in places:
        totals[name] = totals.get(name, 0) + size
    found = []
    for name, pages in ranges.items():
        pages.sort()
        count, last = 0, -1
        for low, high in pages:
            count += max(0, high - max(low, last + 1) + 1)
            last = max(last, high)
        found.append(Spread(name, totals[name], count, -(-totals[name] // page)))
    found.sort(key=lambda spread: (-spread.pages, spread.object))
    return tuple(found)
