"""What a link would look like if its input sections were in another order: the same script, objects and sizes.

Input sections keep their sizes and alignments, whatever their order; so the location counter can be run over the map's
statements again. The alignments come from the objects (GNU ld's maps do not tell them). First the link is run as it is:
an output section that does not come out at its address, to the byte, is left as linked in every order, and said so.
Values of `. =` come from `evaluate`, because this package knows nothing of scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from ldcheck.image.alignments import Alignments, alignment_between
from ldcheck.image.model import InputSection, LinkMap, MapInput, MapSection, MapStatement
from ldcheck.image.padding import (
    ASSIGNMENT,
    INPUT_ALIGNMENT,
    OuterJumps,
    SectionPadding,
    end_of,
    loaded_sections,
    moves_dot,
    object_name,
    outer_statements,
    section_padding,
    section_paddings,
    start_padding,
)

AS_LINKED = "as linked"
ALL_SORTED = "every wildcard sorted"
CATCH_ALLS_SORTED = "catch-alls sorted"
OBJECTS_SORTED = "each object sorted"
ORDERS = (AS_LINKED, ALL_SORTED, CATCH_ALLS_SORTED, OBJECTS_SORTED)

# The value of dot behind an assignment: given the map's text of it, dot ahead of it, the start of the output section
# that it stands in (None outside of all), and the largest page size. None if it cannot be told.
Evaluate = Callable[[str, int, int | None, int], int | None]

# What CONSTANT(MAXPAGESIZE) is for one target or another; the map's own values tell which.
_PAGE_SIZES = (0x1000, 0x10000, 0x4000, 0x2000, 0x200000)

_PATTERN = re.compile(r"((?:(?:SORT\w*|REVERSE) ?\()*)(?:EXCLUDE_FILE\([^()]*\) )?([^\s()]+)\)*")
_CATCH_ALL = re.compile(r"\.[^.*?\[]+\.?\*$")
# How many sections back the last one of the same memory region is looked for.
_REGIONS = 32
_UNSORTED_NAMES = (".init", ".fini")


class Statement(NamedTuple):
    """An input section description of a map: its file, and the sort and text of each section pattern."""

    file: str
    patterns: tuple[tuple[str, str], ...]

    def takes(self, name: str) -> bool:
        """Whether one of the patterns matches a section's name."""
        return any(fnmatchcase(name, pattern) for _, pattern in self.patterns)


class Layout(NamedTuple):
    """One order: the padding of each output section, and where each input section lies (object, address, size)."""

    order: str
    sections: tuple[SectionPadding, ...]
    places: tuple[tuple[str, int, int], ...]


class Orders(NamedTuple):
    """The layouts, in the order of ORDERS, and sentences on what they leave out."""

    layouts: tuple[Layout, ...]
    notes: tuple[str, ...]


def statement(text: str) -> Statement:
    """Take an input section description apart, as ld's map prints it."""
    if text.startswith("KEEP ("):
        # Newer linkers print it; up to 2.40 it is left out.
        text = text[6:-1]
    bracket = text.rfind("(", 0, _opening(text) + 1)
    file, body = text[:bracket].strip(), text[bracket + 1 : -1]
    patterns = _PATTERN.finditer(body)
    return Statement(file, tuple((" ".join(re.findall(r"\w+", found[1])), found[2]) for found in patterns))


def _opening(text: str) -> int:
    """The bracket that the last one of the text closes."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if not depth:
            return at
    return len(text) - 1


def is_catch_all(description: Statement) -> bool:
    """Whether a statement takes the rest of a family from all files: `*(.text .text.*)`, `*(.data*)`."""
    return description.file == "*" and any(_CATCH_ALL.match(pattern) for _, pattern in description.patterns)


class _Piece(NamedTuple):
    """An input section as it is moved about."""

    entry: MapInput
    align: int


class _Group(NamedTuple):
    """The input sections of one statement, as linked; those at its end that it did not take itself are `orphans`."""

    description: Statement
    pieces: tuple[_Piece, ...]
    orphans: tuple[_Piece, ...]


class _Jump(NamedTuple):
    """An assignment to dot. `page` is the page size with which it comes out; None where it cannot be computed.

    `back`: as linked, dot was past it, as behind a section of another memory region.
    """

    text: str
    value: int
    page: int | None
    back: bool = False


class _Data(NamedTuple):
    """Bytes that a BYTE, LONG ... command writes."""

    size: int


class _Body(NamedTuple):
    """An output section. It starts behind section number `behind` (-1: at a fixed address), aligned to `align`.

    `jumps` are the assignments to dot on the way there. `items` is None for one that could not be reproduced.
    """

    section: MapSection
    items: tuple[_Group | _Jump | _Data, ...] | None
    behind: int
    jumps: tuple[_Jump, ...]
    align: int


def compute(
    link_map: LinkMap,
    objects: Sequence[InputSection],
    evaluate: Evaluate,
    allocated: frozenset[str] | None = None,
) -> Orders:
    """The link as it is and in the three other orders, each output section with its padding."""
    run = _Run(link_map, objects, evaluate, allocated)
    layouts = [Layout(AS_LINKED, section_paddings(link_map, allocated), places_as_linked(link_map, allocated))]
    layouts += [run.layout(order) for order in ORDERS[1:]]
    return Orders(tuple(layouts), tuple(dict.fromkeys(run.notes)))


def places_as_linked(link_map: LinkMap, allocated: frozenset[str] | None = None) -> tuple[tuple[str, int, int], ...]:
    """Object, address and size of each input section that takes memory."""
    sections = loaded_sections(link_map, allocated)
    return tuple((object_name(entry), entry.address, entry.size) for section in sections for entry in section.inputs)


class _Run:
    """One map, taken apart so that dot can be run over it again."""

    def __init__(
        self,
        link_map: LinkMap,
        objects: Sequence[InputSection],
        evaluate: Evaluate,
        allocated: frozenset[str] | None,
    ) -> None:
        self.notes: list[str] = []
        self._jumps = OuterJumps(link_map)
        self._regions = link_map.regions
        self._evaluate = evaluate
        self._alignments = Alignments(objects)
        self._bodies: list[_Body] = []
        for section in loaded_sections(link_map, allocated):
            self._bodies.append(self._body(section))
        self.notes += self._alignments.notes()

    # As linked ---------------------------------------------------------------------------------------------------

    def _body(self, section: MapSection) -> _Body:
        items, align = self._items(section)
        previous = self._bodies[-1].section if self._bodies else None
        jumps: list[_Jump] = []
        dot = end_of(previous)
        for text, value in self._jumps.between(previous, section):
            jumps.append(self._jump(text, value, dot, None))
            dot = value
        behind, align = self._start(section, dot, align)
        return _Body(section, items, behind, tuple(jumps), align)

    def _start(self, section: MapSection, dot: int | None, align: int) -> tuple[int, int]:
        """Which earlier section this one follows, and how it is aligned to that; -1 where its address was chosen."""
        if dot is not None and (found := alignment_between(dot, section.address, align)):
            return len(self._bodies) - 1, found
        # In a memory region it follows the last section of that region.
        last = len(self._bodies) - 2
        for number in range(last, max(last - _REGIONS, -1), -1):
            end = end_of(self._bodies[number].section)
            if end is not None and (found := alignment_between(end, section.address, align)):
                return number, found
        return -1, align

    def _items(self, section: MapSection) -> tuple[tuple[_Group | _Jump | _Data, ...] | None, int]:
        """What the body is made of, and the largest alignment in it."""
        events: list[tuple[int, MapInput | MapStatement]] = [(entry.line, entry) for entry in section.inputs]
        outer = {statement.line for statement in outer_statements(section)}
        events += [(found.line, found) for found in section.statements if found.line not in outer]
        events.sort(key=lambda event: event[0])
        items: list[_Group | _Jump | _Data] = []
        pieces: list[_Piece] = []
        text, dot, largest = "", section.address, 1
        for _, event in events:
            if isinstance(event, MapInput):
                align = self._alignments.of(event, dot)
                if -(-dot // align) * align != event.address:
                    self.notes.append(
                        f"{section.name} is left as linked: {event.name} of {object_name(event)} lies "
                        f"{event.address - dot:,} bytes behind what precedes it, without a cause"
                    )
                    return None, largest
                largest = max(largest, align)
                pieces.append(_Piece(event, align))
                dot = event.address + event.size
                continue
            if event.kind == "pattern" or moves_dot(event) or event.kind == "data":
                _close(items, text, pieces)
                text = event.text if event.kind == "pattern" else ""
            if event.kind == "data":
                items.append(_Data(event.size))
                dot += event.size
            elif moves_dot(event) and event.address is not None:
                items.append(self._jump(event.text, event.address, dot, section.address))
                dot = event.address
        _close(items, text, pieces)
        if dot != section.end:
            self.notes.append(f"{section.name} is left as linked: what the map shows of it ends at {dot:#x}")
            return None, largest
        return tuple(items), largest

    def _jump(self, text: str, value: int, dot: int | None, start: int | None) -> _Jump:
        if dot is not None:
            for page in _PAGE_SIZES if "CONSTANT" in text else _PAGE_SIZES[:1]:
                if self._evaluate(text, dot, start, page) == value:
                    return _Jump(text, value, page)
            self.notes.append(f"`{text}` cannot be computed: what follows is taken to start at {value:#x}, as linked")
        return _Jump(text, value, None, dot is not None and value < dot)

    # In another order --------------------------------------------------------------------------------------------

    def layout(self, order: str) -> Layout:
        """Run dot over the whole link with the inputs of each statement in another order."""
        ends: list[int] = []
        rows: list[SectionPadding] = []
        places: list[tuple[str, int, int]] = []
        for body in self._bodies:
            section = body.section
            behind = ends[body.behind] if body.behind >= 0 else None
            jumps: list[tuple[str, int]] = []
            dot = ends[-1] if ends else None
            for jump in body.jumps:
                dot = self._value(jump, dot, None)
                jumps.append((jump.text, dot))
            if body.behind == len(ends) - 1 and dot is not None:
                behind = dot
            start = section.address if behind is None else -(-behind // body.align) * body.align
            inside, end = self._arranged(body, start, order, places)
            ahead, skipped = start_padding(ends[-1] if ends else None, start, jumps, self._regions)
            row = section_padding(section.name, start, end - start, inside, ahead, skipped)
            rows.append(row)
            ends.append(start if section.name.startswith(".tbss") else end)
        return Layout(order, tuple(rows), tuple(places))

    def _value(self, jump: _Jump, dot: int | None, start: int | None) -> int:
        """What dot becomes; what cannot be computed stays as linked, or goes on by whole pages where dot is past it."""
        if jump.page is not None and dot is not None:
            value = self._evaluate(jump.text, dot, start, jump.page)
            if value is not None:
                return value
        if dot is None or dot <= jump.value or jump.back:
            return jump.value
        page = _PAGE_SIZES[0]
        return jump.value + -(-(dot - jump.value) // page) * page

    def _arranged(
        self, body: _Body, start: int, order: str, places: list[tuple[str, int, int]]
    ) -> tuple[dict[str, int], int]:
        """The padding by cause inside one output section that starts there, and its end; notes the places of inputs."""
        section = body.section
        inside = {INPUT_ALIGNMENT: 0, ASSIGNMENT: 0}
        if body.items is None:
            moved = start - section.address
            places += [(object_name(i), i.address + moved, i.size) for i in section.inputs]
            for padding in section.paddings:
                inside[ASSIGNMENT if padding.cause == ASSIGNMENT else INPUT_ALIGNMENT] += padding.size
            return inside, start + section.size
        dot = start
        for item in body.items:
            if isinstance(item, _Data):
                dot += item.size
            elif isinstance(item, _Jump):
                value = max(self._value(item, dot, start), dot)
                inside[ASSIGNMENT] += value - dot
                dot = value
            else:
                for piece in (*self._sorted(section.name, item, order), *item.orphans):
                    at = -(-dot // piece.align) * piece.align
                    inside[INPUT_ALIGNMENT] += at - dot
                    places.append((object_name(piece.entry), at, piece.entry.size))
                    dot = at + piece.entry.size
        return inside, dot

    def _sorted(self, section: str, group: _Group, order: str) -> Sequence[_Piece]:
        """The inputs that a statement took, in the order asked for (ldlang.c, wild_sort: the sort is stable)."""
        pieces = group.pieces
        description = group.description
        kinds = {sort for sort, _ in description.patterns}
        by_file = description.file.startswith("SORT")
        # An unsorted statement takes the objects in the order of the link.
        ranks = {
            name: number for number, name in enumerate(dict.fromkeys(object_name(piece.entry) for piece in pieces))
        }

        def rank(piece: _Piece) -> int:
            return ranks[object_name(piece.entry)]

        if len(pieces) < 2:
            return pieces
        if order == ALL_SORTED:
            if any(name in _UNSORTED_NAMES for _, name in description.patterns) or not kinds & {"", "SORT_BY_NAME"}:
                return pieces
            if len(kinds) > 1:
                self.notes.append(f"an input section description of {section} with several sorts is left as linked")
                return pieces
            by_name = kinds == {"SORT_BY_NAME"}
            return sorted(pieces, key=lambda piece: (by_file * rank(piece), by_name * piece.entry.name, -piece.align))
        if kinds != {""} or by_file:
            return pieces
        if order == CATCH_ALLS_SORTED:
            return sorted(pieces, key=lambda piece: -piece.align) if is_catch_all(description) else pieces
        return sorted(pieces, key=lambda piece: (rank(piece), -piece.align))


def _close(items: list[_Group | _Jump | _Data], text: str, pieces: list[_Piece]) -> None:
    """Make a group of the inputs collected under a statement. What ld added behind them is not the statement's."""
    if not pieces:
        return
    description = statement(text) if text else Statement("", ())
    taken = len(pieces)
    while taken and not description.takes(pieces[taken - 1].entry.name):
        taken -= 1
    items.append(_Group(description, tuple(pieces[:taken]), tuple(pieces[taken:])))
    pieces.clear()
