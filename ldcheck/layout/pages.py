"""What may share a page: proved apart by the script, possibly together, or seen together in an image.

Two stretches of memory are apart in every link if one is proved to end at or below a multiple of the page size that
the other is proved not to start below. Where that is not proved, the statement that would do it is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ldcheck.image.model import Elf
from ldcheck.layout.facts import Known, Reason, distance, not_behind
from ldcheck.layout.result import Layout
from ldcheck.record import dataclass
from ldcheck.script.syntax import InputSectionDescription, Node, OutputSection


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of memory that the script describes: what it is called, where it starts and ends, and who starts it.

    `section` is the output section that starts it or that it lies in.
    """

    name: str
    start: Known
    end: Known
    node: Node
    section: OutputSection | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """A statement to add: its text, and the node in front of which it goes, or (`attribute`) in whose header."""

    text: str
    node: Node
    attribute: bool = False


@dataclass(frozen=True, slots=True)
class Separation:
    """Whether two extents can share a page. `apart` is proved for every link; else `remedy` would make it so.

    `reasons` are the statements that keep them apart, `obstacles` what leaves it open.
    """

    first: Extent
    second: Extent
    apart: bool
    reasons: tuple[Reason, ...] = ()
    obstacles: tuple[Reason, ...] = ()
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses from `start` up to `end` that an image uses, and what for."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SharedPage:
    """Two ranges of an image that lie on one page."""

    page: int
    first: Range
    second: Range


def section_extents(layout: Layout, name: str) -> list[Extent]:
    """The extents of the output sections of a name: what a script gives to one name twice may be two."""
    facts = [fact for fact in layout.sections if fact.name == name]
    nodes = [(fact, fact.node) for fact in facts if isinstance(fact.node, OutputSection)]
    return [Extent(name, fact.start, fact.end, node, node) for fact, node in nodes]


def statement_extent(layout: Layout, statement: InputSectionDescription, section: OutputSection) -> Extent | None:
    """What an input statement places, the padding in front of its first input left out."""
    start, end = layout.first_input(statement), layout.after(statement)
    if start is None or end is None:
        return None
    names = " ".join(pattern.pattern.text for pattern in statement.patterns or ())
    return Extent(f"*({names})" if names else "an input file", start, end, statement, section)


def separations(layout: Layout, first: Sequence[Extent], second: Sequence[Extent], page: int) -> list[Separation]:
    """Every pair of an extent of one group and one of the other, in this order."""
    bounds = [known for known in layout.points() if known.aligned_to(page)]
    return [_separate(one, other, page, bounds) for one in first for other in second]


def _separate(first: Extent, second: Extent, page: int, bounds: Sequence[Known]) -> Separation:
    for below, above in ((first, second), (second, first)):
        bound = _bound(below, above, page, bounds)
        if bound is not None:
            return Separation(first, second, True, bound.reasons)
    above = first if not_behind(second.end, first.start) else second
    obstacles = above.start.obstacles
    return Separation(first, second, False, (), obstacles, _remedy(above, page))


def _bound(below: Extent, above: Extent, page: int, bounds: Sequence[Known]) -> Known | None:
    """A multiple of the page size that is not below the end of one and not above the start of the other."""
    if above.start.aligned_to(page) and not_behind(below.end, above.start):
        return above.start
    if below.end.aligned_to(page) and not_behind(below.end, above.start):
        return below.end
    for bound in bounds:
        if not_behind(below.end, bound) and not_behind(bound, above.start):
            return bound
    # As much as a page between them has the end of one.
    least, _ = distance(below.end, above.start)
    if least is not None and least >= page - 1:
        return above.start
    # Both may be known as numbers, far from each other.
    if below.end.high <= above.start.low // page * page:
        return above.start
    return None


def _remedy(above: Extent, page: int) -> Remedy:
    section = above.section
    if section is not None and above.node is section and section.region is not None:
        # The location counter has no say where a section in a memory region starts.
        return Remedy(f"ALIGN({page})", section, attribute=True)
    return Remedy(f". = ALIGN({page});", above.node)


def section_ranges(elf: Elf, name: str) -> list[Range]:
    """Where the output sections of a name lie in an image; none for those that take no memory."""
    return [
        Range(name, one.address, one.address + one.room)
        for one in elf.sections
        if one.name == name and one.allocated and one.room
    ]


def shared_pages(first: Iterable[Range], second: Iterable[Range], page: int) -> list[SharedPage]:
    """The pages on which ranges of both groups lie, lowest first; one for each pair of ranges."""
    others = sorted(second, key=lambda item: item.start)
    found: list[SharedPage] = []
    for one in first:
        low, high = one.start // page, (one.end - 1) // page
        for other in others:
            if other.start // page > high:
                break
            at = max(low, other.start // page)
            if one.end > one.start and other.end > other.start and (other.end - 1) // page >= at:
                found.append(SharedPage(at * page, one, other))
    return sorted(found, key=lambda item: item.page)
