"""The passes in which GNU ld gives sections their addresses and symbols their values.

`size` is lang_size_sections_1 of ldlang.c, `assign` is lang_do_assignments_1: statement by statement, so that what
later statements lead to is seen one pass later, as ld sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ldcheck.layout.knowledge import UNDEFINED, Knowledge, NotPredicted, Part, Phase, Place, Region, Symbol
from ldcheck.layout.traits import DATA_SIZES
from ldcheck.script.arithmetic import MASK
from ldcheck.script.environment import ABSOLUTE, Value
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Conditional,
    Data,
    Expression,
    Fill,
    Marker,
    Name,
    Node,
    Word,
)
from ldcheck.script.uses import leaves
from ldcheck.sections.outputs import ALLOC, CODE, DATA, LOAD, READONLY, THREAD_LOCAL, power_of_two

Listing = Sequence[Place | Node]


def up(address: int, align: int) -> int:
    """An address rounded up to a power of two, in 64 bits."""
    return address + align - 1 & -align & MASK


def without_room(flags: int) -> bool:
    """Whether a section is zero-initialised thread-local data, which takes no memory of its own."""
    return flags & (LOAD | THREAD_LOCAL) == THREAD_LOCAL


class Passes:
    """The statements of a link, and passes over them; `listing` is what stands outside of output sections."""

    def __init__(self, known: Knowledge, listing: Listing, regions: Iterable[Region]) -> None:
        self.known = known
        self.listing = listing
        self.regions = list(regions)
        self.default = self.regions[0]
        # What ld complains of, although it goes on.
        self.complaints: dict[str, None] = {}
        # Where the location counter was behind the assignments to it between output sections.
        self.jumps: dict[Assignment, int] = {}
        # The statements that begin and end what is read-only after relocation.
        self.relro_start: Node | None = None
        self.relro_end: Node | None = None
        self._values: dict[Node, Expression] = {}

    def reset(self) -> None:
        """Begin anew (lang_reset_memory_regions)."""
        for region in self.regions:
            region.current, region.last = region.origin, None
        for place in self.places():
            place.placed = place.placed_load = False
            place.last_size, place.size = place.size, 0

    def places(self) -> Iterable[Place]:
        """The output sections, in the order of the listing."""
        return (one for one in self.listing if isinstance(one, Place))

    # Sizes ------------------------------------------------------------------------------------------------------------

    def size(self, *, check: bool) -> None:
        """Give each output section its address and its size, in the phase that is set."""
        self.known.count += 1
        dot = 0
        for item in self.listing:
            if isinstance(item, Place):
                if item.output.constraint >= 0:
                    dot = self._size(item, dot, check)
                continue
            self.known.segment.seen = ""
            dot = self._statement(item, None, dot)
            seen = self.known.segment.seen
            if seen == "start":
                self.relro_start = self.relro_start or item
            elif seen == "end":
                self.relro_end = self.relro_end or item
            self.default.current = dot
            if isinstance(item, Assignment) and item.target.text == ".":
                self.jumps[item] = dot

    def _size(self, place: Place, dot: int, check: bool) -> int:
        if place.begins is not None:
            address = self.known.address_of(self.known.fold(place.begins, None, dot))
            if address is not None:
                dot = address
            elif self.known.phase != Phase.MARK:
                raise NotPredicted(f"the address of {place.name} is not known where it stands", place.begins)
        if not place.exists:
            return dot
        start = dot
        align = place.own_align if place.node is not None and place.node.align is not None else 1
        if place.begins is None:
            start = self._region_of(place, check).current
            align = place.align
        before, start = start, up(start, align)
        moved = start - before & MASK
        place.address = place.load = start
        self._body(place, start)
        place.placed = True
        if not place.ignored:
            dot = place.address
        align = self._load(place, align, moved)
        place.placed_load = True
        self._remember(place, dot)
        if place.ignored:
            return dot
        taken = 0 if without_room(place.flags) else place.size
        dot = dot + taken & MASK
        if place.closes is not None:
            end = self.known.address_of(self.known.fold(place.closes, None, dot))
            if end is None:
                raise NotPredicted(f"the end of the overlay behind {place.name} is not known", place.node)
            dot = end
        self._take_room(place, dot, taken, check)
        return dot

    def _region_of(self, place: Place, check: bool) -> Region:
        """The region that a section without an address is in."""
        if place.region is None or (place.region is self.default and place.flags & (ALLOC | LOAD)):
            flags = place.flags
            if flags & (ALLOC | READONLY | CODE) == ALLOC:
                flags |= DATA
            fitting = (one for one in self.regions if one.flags & flags and not one.not_flags & flags)
            place.region = next(fitting, self.default)
        bare = place.region is self.default and not place.ignored and place.flags & ALLOC
        if bare and check and len(self.regions) > 1 and not without_room(place.flags):
            self.complaints[f"no memory region specified for loadable section `{place.name}'"] = None
        return place.region

    def _load(self, place: Place, align: int, moved: int) -> int:
        """Give a section its load address; the alignment that counted last."""
        region = place.region or self.default
        last = region.last
        if place.loads is not None:
            load = self.known.address_of(self.known.fold(place.loads, None, 0))
            if load is None and self.known.phase != Phase.MARK:
                raise NotPredicted(f"the load address of {place.name} is not known where it stands", place.loads)
            place.load = load or 0
        elif place.load_region is not None:
            load = place.load_region.current
            if place.align_with_input:
                load = load + moved & MASK
            else:
                if place.load_region is not place.region:
                    align = place.own_align if place.node is not None and place.node.align is not None else 1
                load = up(load, align)
            place.load = load
        elif last is not None and place.flags & ALLOC:
            back = place.address < last.address and place.size
            if back and place.address + place.size & MASK <= last.address:
                return align
            load = last.size if place.of_overlay else place.address - last.address
            place.load = up(last.load + load & MASK, align)
        return align

    @staticmethod
    def _keeps(place: Place, last: Place | None, dot: int) -> bool:
        if not place.flags & ALLOC or without_room(place.flags):
            return False
        if place.size:
            return True
        return place.address != place.load if last is None else dot >= last.address

    def _remember(self, place: Place, dot: int) -> None:
        """Keep the section whose load address the next ones of its region follow."""
        region = place.region or self.default
        if (self._keeps(place, region.last, dot) or place.first_of_overlay) and place.load_region is None:
            region.last = place

    def _take_room(self, place: Place, dot: int, taken: int, check: bool) -> None:
        region, other = place.region, place.load_region
        if region is None or not place.flags & (ALLOC | LOAD):
            return
        region.current = dot
        if check:
            self._check(place, region, place.address)
        if other is not None and other is not region and (place.flags & LOAD or place.align_with_input):
            other.current = place.load + taken & MASK
            if check:
                self._check(place, other, place.load)

    def _check(self, place: Place, region: Region, start: int) -> None:
        outside = region.current < region.origin or region.current - region.origin > region.length
        if outside and (region.current != region.origin + region.length or not start):
            self.complaints[f"section `{place.name}' will not fit in region `{region.name}'"] = None

    def _body(self, place: Place, dot: int) -> None:
        known = self.known
        start = place.address
        for part in place.parts:
            part.address = dot
            if part.input is not None:
                if part.excluded or place.ignored:
                    part.pad = 0
                    continue
                align = self._inner_align(place, part)
                if align > place.align:
                    place.align = align
                part.pad = -dot & align - 1
                dot = part.address = dot + part.pad & MASK
                dot = dot + part.size & MASK
                place.size = dot - start & MASK
                continue
            node = part.node
            if isinstance(node, Data):
                known.fold(_value_of(node), None, dot)
                dot = dot + DATA_SIZES[node.keyword] & MASK
                place.size = dot - start & MASK
            elif isinstance(node, Marker):
                place.kept = place.kept or node.keyword == "CREATE_OBJECT_SYMBOLS"
            elif node is not None and not isinstance(node, Fill):
                after = self._statement(node, place, dot)
                if place.ignored:
                    continue
                part.pad = after - dot & MASK
                if part.pad:
                    place.size = after - start & MASK
                    if not place.unallocated:
                        place.flags |= ALLOC
                dot = after

    def _inner_align(self, place: Place, part: Part) -> int:
        if place.subalign is None:
            return part.align
        value = self.known.fold(place.subalign, None, 0).number
        if value is None:
            if self.known.phase != Phase.MARK:
                raise NotPredicted(f"SUBALIGN of {place.name} is not known where it stands", place.subalign)
            return part.align
        return power_of_two(value)

    # Values -----------------------------------------------------------------------------------------------------------

    def assign(self, phase: Phase) -> None:
        """Give symbols their values, with the sections where they lie."""
        self.known.phase = phase
        self.known.count += 1
        dot = 0
        for item in self.listing:
            if not isinstance(item, Place):
                dot = self._statement(item, None, dot)
                continue
            end = self._assign_in(item, item.address if item.exists else dot)
            if not item.ignored:
                if item.exists:
                    end = item.address + (0 if without_room(item.flags) else item.size) & MASK
                    if item.closes is not None:
                        end = self.known.address_of(self.known.fold(item.closes, None, end)) or end
                dot = end

    def _assign_in(self, place: Place, dot: int) -> int:
        for part in place.parts:
            if part.input is not None:
                if not part.excluded:
                    dot += part.pad + part.size
            elif isinstance(part.node, Data):
                self.known.fold(_value_of(part.node), None, dot)
                dot += DATA_SIZES[part.node.keyword]
            elif part.node is not None and not isinstance(part.node, Fill | Marker):
                dot = self._statement(part.node, place, dot)
                if place.exists:
                    dot += part.pad
            dot &= MASK
        return dot

    def first(self, nodes: Iterable[Node]) -> None:
        """Evaluate assignments as they are read, without any location counter (open_input_bfds)."""
        self.known.phase = Phase.FIRST
        for node in nodes:
            if isinstance(node, Assignment) and node.target.text != ".":
                self._define(node, None, None if _aligns(node.value) else 0)

    def _statement(self, node: Node, place: Place | None, dot: int) -> int:
        """Evaluate an assignment or an ASSERT; the location counter behind it."""
        section = None if place is None else place.key if place.exists else UNDEFINED
        if isinstance(node, Assertion):
            value = self.known.fold(node.condition, section, dot)
            if self.known.phase == Phase.FINAL and not value.number:
                self.complaints[node.message.text] = None
            return dot
        if not isinstance(node, Assignment):
            return dot
        if node.target.text != ".":
            if self._define(node, section, dot) and place is not None:
                place.symbols = True
            return dot
        return self._moved(node, place, section, dot)

    def _moved(self, node: Assignment, place: Place | None, section: str | None, dot: int) -> int:
        known = self.known
        value = known.fold(self.expression(node), section, dot)
        if known.phase == Phase.MARK and place is not None and place.exists and not self._may_vanish(node, value):
            place.kept = True
        if value.number is None or section == UNDEFINED:
            if known.phase == Phase.MARK:
                return dot
            raise NotPredicted("GNU ld refuses an assignment to the location counter that it cannot evaluate", node)
        if known.phase > Phase.ALLOCATING and section is not None:
            return dot
        base = known.base(value.section or section or ABSOLUTE) or 0
        after = value.number + base & MASK
        if after < dot and place is not None:
            raise NotPredicted(f"GNU ld refuses to move the location counter back in {place.name}", node)
        return after

    def _may_vanish(self, node: Assignment, value: Value) -> bool:
        """Whether an assignment to the location counter does not keep an empty section."""
        if value.number != 0:
            return False
        source = self.expression(node)
        if isinstance(source, Binary) and source.operator == "+" and _is_dot(source.left):
            return self._is_zero(source.right)
        return self._is_zero(source) or _aligns_if_not_empty(source)

    def _is_zero(self, source: Expression) -> bool:
        return constant(source) == 0 or (isinstance(source, Name) and self.known.is_zero(source.name))

    def _define(self, node: Assignment, section: str | None, dot: int | None) -> bool:
        """Assign to a symbol; whether it was (PROVIDE may not have to)."""
        known = self.known
        name = node.target.text
        if node.keyword.startswith("PROVIDE") and node not in self.known.provided:
            found = known.symbols.get(name)
            if found is None or found.value is not None:
                return False
        known.target, known.from_itself = name, False
        value = known.fold(self.expression(node), section, dot)
        known.target = ""
        if known.from_itself and known.phase != Phase.FINAL:
            return True
        self.known.provided.add(node)
        before = known.symbols.get(name)
        if value.number is None:
            if before is not None:
                if known.phase == Phase.FINAL:
                    raise NotPredicted(f"GNU ld refuses to assign to {name} what it cannot evaluate", node)
                return True
            value = Value(0)
        by_object = before is not None and (before.by_object or (before.value is not None and not before.assigned))
        known.symbols[name] = Symbol(value.number, value.section or section or ABSOLUTE, known.count, by_object)
        return True

    def expression(self, node: Assignment) -> Expression:
        """What is assigned, with the operator of `+=` and its like."""
        if node.operator == "=":
            return node.value
        found = self._values.get(node)
        if found is None:
            target = Name(node.target.text, start=node.target.start, end=node.target.end)
            found = Binary(node.operator[:-1], target, node.value, start=node.start, end=node.end)
            self._values[node] = found
        return found


def _value_of(node: Data) -> Expression:
    if isinstance(node.value, Word) or node.keyword not in DATA_SIZES:
        raise NotPredicted(f"{node.keyword} is not known to GNU ld 2.40", node)
    return node.value


def _is_dot(source: Expression) -> bool:
    return isinstance(source, Name) and source.name == "."


def _aligns_if_not_empty(source: Expression) -> bool:
    """`ALIGN(. != 0 ? n : 1)`."""
    if not (isinstance(source, Call) and source.function in ("ALIGN", "BLOCK") and len(source.arguments) == 1):
        return False
    inner = source.arguments[0]
    if not isinstance(inner, Conditional) or not isinstance(inner.test, Binary):
        return False
    test = inner.test
    return test.operator == "!=" and _is_dot(test.left) and constant(test.right) == 0 and constant(inner.no) == 1


def _aligns(source: Expression) -> bool:
    """Whether an expression rounds the location counter up, which has no value while a script is read."""
    return any(
        isinstance(part, Call) and part.function in ("ALIGN", "BLOCK", "NEXT") and len(part.arguments) == 1
        for part in leaves(source)
    )
