"""One walk over a script by GNU ld's rules, with the state that every statement of it may change.

What it follows and what it takes for granted is said in `ldcheck.layout.interpret`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ldcheck.layout.constants import DEFAULT, Constants, Region
from ldcheck.layout.demanded import Judge
from ldcheck.layout.facts import UNKNOWN, Known, Reason, distance, known, merged
from ldcheck.layout.flow import flow
from ldcheck.layout.frames import ABSOLUTE, UNSURE, Frame, Value, absolute_value, difference, relative_value, settled
from ldcheck.layout.names import Names, Section, assigned_value
from ldcheck.layout.numbers import ANY, MASK, ZERO, Number, exact
from ldcheck.layout.result import Layout, SectionFact
from ldcheck.layout.traits import DATA_SIZES, Traits, is_noload, statements
from ldcheck.layout.traits import traits as traits_of
from ldcheck.linker import GNU, LLD, Linker
from ldcheck.record import replace
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Data,
    Expression,
    Include,
    InputSectionDescription,
    Marker,
    Node,
    OutputSection,
    Overlay,
    Script,
)

# Few inputs need more in usual links: a line of a cache.
USUAL_ALIGNMENT = 64
# From then on SUBALIGN takes the place of ALIGN in the header of an output section. What is between this version and
# 2.40 was not seen.
_SUBALIGN_ALIGNS = (2, 41)
# From then on an ASSERT in an output section asks about offsets, even if the section is dropped.
_ASKS_OFFSETS = (2, 40)
# 2.47 goes on where a section with NOLOAD and notes began, which has no address then; 2.44 goes on behind it.
_NOTES_PASSED_OVER = (2, 45)


class Walk:
    """One interpretation.

    `_dot` is the location counter of the run that gives sections their addresses, `_final_dot` that of the final one,
    which gives symbols their values (see `Names`).
    """

    def __init__(
        self,
        tree: Script,
        params: dict[str, int],
        records: Mapping[InputSectionDescription, int],
        orphans: bool,
        filled: bool,
        linker: Linker = GNU,
        content: Collection[OutputSection] = (),
        resets: bool = True,
    ) -> None:
        self._linker = linker
        self._content = frozenset(content)
        self._tree = tree
        self._records = records
        self._orphans = orphans
        self._resets = resets
        self._filled = filled
        self._flow = flow(tree)
        self._collected = self._flow.collected
        self._dot = self._final_dot = known(0)
        self._constants = Constants(self._flow, params, self._dot)
        self._default = self._constants.regions[DEFAULT]
        # The regions that load addresses may fill, and those that no orphan is the first in.
        self._loaded = self._constants.loaded(self._flow.sections)
        self._closed = self._constants.closed(self._flow, linker)
        self._names = Names(self._flow, params, self._constants, linker.kind == LLD.kind)
        self._judge = Judge(self._flow, self._names)
        # Whether a section so far has another load address, which those behind it inherit.
        self._loads_apart = False
        # What the layout is made of.
        self._before: dict[Node, Known] = {}
        self._after: dict[Node, Known] = {}
        self._values: dict[Node, Known] = {}
        self._inputs: dict[Node, Known] = {}
        self._facts: list[SectionFact] = []
        # Places that are there in every link, unlike those in a section that may be dropped.
        self._points: list[Known] = []

    def run(self) -> Layout:
        """Walk the script and hand over what was found."""
        gaps = self._gaps()
        for index, (node, traits) in enumerate(self._flow.items):
            if index in gaps:
                self._orphan(index, node)
            self._top_level(node, traits)
        if len(self._flow.items) in gaps:
            self._orphan(len(self._flow.items), self._tree)
        self._values.update(self._names.settle())
        assertions = self._judge.settle()
        symbols = self._symbols()
        return Layout(
            before=self._before,
            after=self._after,
            values=self._values,
            offsets=self._names.offsets,
            symbols=symbols,
            asserted=self._judge.asserted(symbols),
            relations=self._judge.relations,
            inputs=self._inputs,
            sections=tuple(self._facts),
            points=self._points,
            assertions=assertions,
            grounds=self._judge.grounds(self._constants.named_regions()),
        )

    def _gaps(self) -> Collection[int]:
        """The places for orphan sections, by the item in front of which they may stand."""
        return self._flow.gaps

    def _symbols(self) -> dict[str, Known]:
        """The final values of the symbols, each with a reason if nothing is known of it."""
        assigned = {node.target.text: node for node in self._values if isinstance(node, Assignment)}
        symbols: dict[str, Known] = {}
        for name, value in self._names.final.items():
            if name in self._flow.uncertain:
                symbols[name] = self._flow.uncertain[name]
                continue
            address = value.absolute()
            if address.modulus == 1 and not address.obstacles and not address.reasons:
                address = address.with_obstacle(Reason(assigned[name], "its value is not decided by the script alone"))
            symbols[name] = address
        return symbols

    # Statements outside of output sections ----------------------------------------------------------------------------

    def _top_level(self, node: Node, traits: Traits | None) -> None:
        self._before[node] = self._final_dot if isinstance(node, Assignment) else self._dot
        if isinstance(node, Assignment):
            self._assignment(node)
        elif isinstance(node, OutputSection):
            assert traits is not None
            self._output_section(node, traits)
        elif isinstance(node, Overlay):
            self._overlay(node)
        elif isinstance(node, Assertion):
            self._judge.judge(node, absolute_value(self._final_dot), ABSOLUTE)
        elif isinstance(node, Include):
            self._forget(node)
        else:
            # A GROUP's address, or statements moved by INSERT: whatever the other script has there.
            self._forget(node)
        self._after[node] = self._final_dot if isinstance(node, Assignment) else self._dot
        self._points += (self._before[node], self._after[node])

    def _assignment(self, node: Assignment) -> None:
        if node in self._flow.asserting:
            self._judge.judge(
                self._flow.asserting[node], absolute_value(self._final_dot), ABSOLUTE, self._is_early(node)
            )
        if node.target.text == ".":
            split = self._final_dot is not self._dot or not self._names.agree
            before = self._dot
            self._dot = self._moved(node, before)
            self._final_dot = self._moved(node, self._final_dot, final=True) if split else self._dot
        else:
            dot = absolute_value(self._dot)
            final_dot = dot if self._final_dot is self._dot else absolute_value(self._final_dot)
            self._judge.define(node, self._final_dot)
            self._values[node] = self._names.assign(node, ABSOLUTE, dot, final_dot)
        self._default.current = self._dot

    def _is_early(self, node: Assignment) -> bool:
        """Whether an ASSERT is asked when its symbol is declared, ahead of all addresses, as by lld."""
        return self._names.by_address and node.target.text != "."

    def _moved(self, node: Assignment, dot: Known, final: bool = False) -> Known:
        """The location counter behind an assignment to it outside of output sections."""
        value, late = self._names.place(assigned_value(node), ABSOLUTE, absolute_value(dot), final)
        if late:
            return Known(ANY, None, 0, (), (Reason(node, "depends on what comes later"),))
        address = settled(value, ABSOLUTE).absolute()
        if address.anchor is not None and address.anchor is dot.anchor and address.offset > dot.offset:
            address = dot.advance(address.offset - dot.offset)
        return _because(address, node, dot)

    def _forget(self, node: Node) -> None:
        """Behind something that was not read, nothing is known."""
        why = Reason(node, "is not known")
        self._lose(why)
        for region in self._constants.regions.values():
            region.current = Known(ANY, None, 0, (), (why,))
        if isinstance(node, Include):
            self._names.forget()

    def _orphan(self, index: int, node: Node) -> None:
        """Where ld may place orphan sections: they take room in a region, or reset the location counter.

        Any region: orphans of one kind stand together, behind the first of them, and each keeps the region of the
        section that it would have followed. Who refuses orphans may still have some without address.
        """
        if self._orphans:
            self._make_room(Reason(node, "an orphan section may be placed in front of it"))
        if index in self._flow.resets and self._resets:
            self._lose(Reason(node, "an orphan section without address may be placed in front of it"))

    def _make_room(self, why: Reason) -> None:
        """Let orphan sections take room in front of a statement."""
        dot, final, last = self._dot, self._final_dot, self._default.current
        reached: list[Known] = []
        for region in self._constants.regions.values():
            if region.current is region.origin and region in self._closed:
                continue
            region.current = region.current.grow("orphan sections", why)
            reached.append(region.current)
        if len(reached) == 1 and same(dot, last):
            self._dot = reached[0]
        else:
            self._dot = joined([dot, *reached])
        self._final_dot = self._dot if final is dot else joined([final, *reached])

    def _lose(self, why: Reason) -> None:
        """Know nothing of the location counter, in neither run: an empty orphan resets it in one of them only."""
        self._dot = Known(ANY, None, 0, (), (why,))
        self._final_dot = Known(ANY, None, 0, (), (why,))

    # Output sections --------------------------------------------------------------------------------------------------

    def _output_section(self, node: OutputSection, traits: Traits) -> None:
        if node.name.text == "/DISCARD/":
            if node.address is not None:
                self._dot = self._address(node.address, node)
            return
        if self._filled:
            traits = traits_of(node, usual=True)
        if traits.notes and is_noload(node) and not self._linker.is_before(*_NOTES_PASSED_OVER):
            traits = replace(traits, present=False, unallocated=True)
        region, base = self._place(node)
        start = self._start(node, base, traits)
        frame = Frame(node.name.text, start)
        self._before[node] = self._dot
        end = self._body(node.statements, frame, node, node.address is None)
        if traits.present and not traits.unallocated:
            self._points.append(start)
            for statement in statements(node.statements):
                self._points += (self._before[statement], self._after[statement])
        if self._orphans and self._collected.may_grow(node):
            end = end.grow(
                f"end of {node.name.text}", Reason(node, "inputs of its own name that no pattern takes join its end")
            )
        power = self._power(node)
        plain = power == 1 or (power is not None and region.ends_at_multiple(power))
        if (plain and node.address is None and not traits.unallocated) or self._is_allocated(node, traits, start, end):
            end = region.bounded(end)
            self._names.enclose(node, frame, end)
        # AT() may speak of the section itself.
        self._names.sections.setdefault(node.name.text, Section(node, frame, end, UNKNOWN, not traits.present))
        load = self._load(node, start, region)
        if difference(load, start).value != 0:
            self._loads_apart = True
        self._remember(node, frame, end, load, not traits.present)
        if traits.thread_local:
            end = start.join(end, f"end of {node.name.text}")
        self._leave(node, traits, region, base, start, end)

    def _remember(self, node: OutputSection, frame: Frame, end: Known, load: Known, absent: bool) -> None:
        name = node.name.text
        passed = self._names.sections
        if name not in passed or passed[name].node is node:
            passed[name] = Section(node, frame, end, load, absent)
        self._facts.append(SectionFact(name, node, frame.start.up_to(end), end, load))

    def _address(self, expression: Expression, node: Node) -> Known:
        value, late = self._names.place(expression, ABSOLUTE, absolute_value(self._dot))
        return UNKNOWN if late else _because(settled(value, ABSOLUTE).absolute(), node, None)

    def _place(self, node: OutputSection | Overlay) -> tuple[Region, Known]:
        """The region of a section, and where it would start without any alignment."""
        region = self._constants.region_of(node)
        if node.address is not None:
            return region, self._address(node.address, node)
        if region is not self._default:
            return region, region.current
        return region, joined([region.current, *(other.current for other in self._constants.attributed())])

    def _power(self, node: OutputSection) -> int | None:
        """What its header aligns an output section to, whichever version links it; None if that is unknown."""
        asked = self._constants.power(node.align)
        if node.subalign is None or self._linker.is_before(*_SUBALIGN_ALIGNS) or asked is None:
            return asked
        inner = self._constants.power(node.subalign)
        return None if inner is None else min(asked, inner)

    def _start(self, node: OutputSection, base: Known, traits: Traits) -> Known:
        name = node.name.text
        power = self._power(node)
        if node.subalign is not None and power != self._constants.power(node.align):
            # The nearest reason is shown.
            base = base.with_obstacle(Reason(node.subalign, "takes the place of ALIGN from GNU ld 2.41 on"))
        because = () if node.align is None else (Reason(node.align, "aligns the start of the section"),)
        if node.address is not None:
            if power is None:
                return base.align_unknown(1, name)
            return base.align_up(power, because[0] if because else None, name)
        if traits.unallocated:
            return base.grow(name, Reason(node, "may not be allocated"))
        if self._is_aligned_for(node, base):
            return base
        why = Reason(node, "starts where the alignment of its inputs lets it")
        return base.align_unknown(power or 1, name, because, why)

    def _is_aligned_for(self, node: OutputSection, place: Known) -> bool:
        """Whether a place is a multiple of all that an output section and its inputs ask for."""
        power = self._power(node)
        if self._filled:
            return place.aligned_to(max(USUAL_ALIGNMENT, power or 1))
        body = list(statements(node.statements)) if self._records and node.subalign is None else []
        inputs = [self._records.get(one, 0) for one in body if isinstance(one, InputSectionDescription)]
        if power is None or not inputs or 0 in inputs or any(isinstance(one, Include | Marker) for one in body):
            return False
        grows = self._orphans and self._collected.may_grow(node)
        return not grows and place.aligned_to(max(power, *inputs))

    def _leave(
        self, node: OutputSection, traits: Traits, region: Region, base: Known, start: Known, end: Known
    ) -> None:
        """The location counter and the region behind an output section."""
        before, final_before, current = self._dot, self._final_dot, region.current
        power = self._power(node)
        filled = (self._filled or node in self._content) and not (traits.conditional or traits.unallocated)
        allocated = filled or self._is_allocated(node, traits, start, end)
        fluid = not (traits.unallocated or traits.conditional or node.name.text in self._flow.mentioned)
        # Its end is a place that nothing else has.
        open_ended = fluid and not traits.present and end.anchor is not start.anchor
        if region is self._default and node.address is None and self._constants.attributed():
            # Its flags may have put it into one of the regions with attributes.
            region_end = current.join(end)
        elif allocated:
            region_end = end
        elif fluid and node.address is None and (not traits.present or power == 1):
            region_end = merged_end(current, end)
        else:
            region_end = current.join(end)
            if open_ended:
                # A section that is there after all has content, and takes room.
                region_end = region_end.past(end)
        if region is self._default and node.address is None:
            for other in self._constants.attributed():
                other.current = other.current.join(end)
        self._take_room_to_load(node, region)
        region.current = region_end
        if traits.conditional:
            self._dot = before.join(end)
            self._final_dot = UNKNOWN
        elif traits.present or filled:
            self._dot = self._final_dot = end
            if region_end.anchor is end.anchor and region_end.number is end.number:
                region.current = end
        elif node.address is not None:
            # The location counter takes the address of a section that is not there after all.
            self._dot = base.join(end).past(end) if open_ended else base.join(end)
            self._final_dot = final_before.join(end)
        elif fluid and same(current, before):
            self._dot = (
                region_end if region_end.anchor and region_end.anchor.parent is end.anchor else merged_end(before, end)
            )
            self._final_dot = self._dot if final_before is before else final_before.join(end)
        else:
            self._dot = before.join(end).past(end) if open_ended else before.join(end)
            self._final_dot = self._dot if final_before is before else final_before.join(end)

    def _take_room_to_load(self, node: OutputSection, region: Region) -> None:
        """Load addresses fill a region as well, if it is named for them; a section inherits it from the one before."""
        for other in self._constants.regions.values():
            if other in self._loaded and other is not region and (node.load_region is not None or self._loads_apart):
                other.current = other.current.grow("load addresses", Reason(node, "may be loaded from there"))

    @staticmethod
    def _is_allocated(node: OutputSection, traits: Traits, start: Known, end: Known) -> bool:
        """Whether a section has content for certain, which takes room in its region."""
        least = distance(start, end)[0]
        return least is not None and least > 0 and node.type is None and not traits.conditional

    def _load(self, node: OutputSection, start: Known, region: Region) -> Known:
        if self._flow.loads_by_segment:
            return UNKNOWN
        if node.load_address is not None:
            value, late = self._names.evaluate(node.load_address, ABSOLUTE, absolute_value(known(0)))
            return UNKNOWN if late else settled(value, ABSOLUTE).absolute()
        if node.load_region is not None:
            return self._load_in_region(node, start, region)
        return UNKNOWN if self._loads_apart else start

    def _load_in_region(self, node: OutputSection, start: Known, region: Region) -> Known:
        assert node.load_region is not None
        loaded = self._constants.region(node.load_region.text)
        power = self._power(node)
        if loaded is None or power is None or node.align_with_input:
            return UNKNOWN
        if loaded is region:
            # The same region, aligned in the same way.
            return start if node.address is None else UNKNOWN
        return loaded.current.align_up(power)

    def _overlay(self, node: Overlay) -> None:
        region, base = self._place(node)
        least = 0
        first: Known | None = None
        ends: list[Known] = []
        for section in node.sections:
            if first is None:
                first = base if node.address is not None else base.align_unknown(1, section.name.text)
            frame = Frame(section.name.text, first)
            self._before[section] = first
            aligned = node.address is None and not ends
            end = self._body(section.statements, frame, section, aligned, node.subalign)
            if self._collected.may_grow(section):
                end = end.grow(f"end of {section.name.text}")
            self._remember(section, frame, end, UNKNOWN, True)
            self._after[section] = end
            ends.append(end)
            least = max(least, distance(first, end)[0] or 0)
        self._loads_apart = True
        if first is None:
            return
        self._dot = self._final_dot = first.grow(
            "end of the overlay", Reason(node, "ends with its longest section"), least
        )
        for other in (region, *self._constants.attributed()):
            other.current = other.current.join(first.grow("end of the overlay"))

    # Inside output sections -------------------------------------------------------------------------------------------

    def _body(
        self,
        body: tuple[Node, ...],
        frame: Frame,
        section: OutputSection,
        aligned: bool,
        subalign: Expression | None = None,
    ) -> Known:
        """The end of an output section. `aligned` if its start is aligned for its inputs."""
        inner = self._constants.power(section.subalign or subalign) if section.subalign or subalign else 0
        dot = Value(ZERO, frame, frame.start)
        for statement in statements(body):
            self._before[statement] = dot.address
            if isinstance(statement, Assignment):
                if statement in self._flow.asserting:
                    uncertain = self._may_not_count(section) or self._is_early(statement)
                    self._judge.judge(self._flow.asserting[statement], dot, frame, uncertain)
                if statement.target.text == ".":
                    dot = self._advanced(statement, frame, dot)
                else:
                    self._values[statement] = self._names.assign(statement, frame, dot, dot)
            elif isinstance(statement, InputSectionDescription):
                self._inputs[statement] = self._first_input(statement, aligned, frame, dot, inner)
                why = Reason(statement, "places inputs of unknown size and alignment")
                dot = _grown(dot, frame, "inputs", why, self._records.get(statement, 1) if not inner else 1)
            elif isinstance(statement, Data):
                size = self._size_of(statement)
                if size is None:
                    dot = _grown(dot, frame, statement.keyword, Reason(statement, "has its own size"))
                else:
                    dot = Value(dot.number.advance(exact(size)), frame, dot.address.advance(size))
            elif isinstance(statement, Assertion):
                self._judge.judge(statement, dot, frame, self._may_not_count(section))
            elif isinstance(statement, Marker) and statement.keyword != "CREATE_OBJECT_SYMBOLS":
                dot = _grown(dot, frame, statement.keyword, Reason(statement, "may add what it collects"))
            elif isinstance(statement, Include):
                self._forget(statement)
                dot = _grown(dot, frame, "INCLUDE", Reason(statement, "is not known"))
            self._after[statement] = dot.address
        return dot.address

    def _may_not_count(self, section: OutputSection) -> bool:
        """Whether an ASSERT in an output section may not count, or ask about an address if the section is empty."""
        return bool(section.constraint) or self._linker.is_before(*_ASKS_OFFSETS)

    def _size_of(self, node: Data) -> int | None:
        """The bytes that a statement with data takes; None if its own text decides."""
        return DATA_SIZES.get(node.keyword)

    def _first_input(
        self, node: InputSectionDescription, aligned: bool, frame: Frame, dot: Value, inner: int | None
    ) -> Known:
        why = Reason(node, "an input's alignment may need padding in front of it")
        if inner:
            return dot.address.align_up(inner)
        if dot.number.value == 0 and aligned and inner == 0:
            # The section as a whole is aligned for its inputs.
            return frame.start
        greatest = self._records.get(node) if inner == 0 else None
        if greatest is not None and dot.address.aligned_to(greatest):
            return dot.address
        return dot.address.align_unknown(1, "the first input", (), why)

    def _advanced(self, node: Assignment, frame: Frame, dot: Value) -> Value:
        """The location counter behind an assignment to it in an output section, which cannot move it back."""
        value, late = self._names.place(assigned_value(node), frame, dot)
        if late or value.frame is UNSURE:
            return _grown(dot, frame, ".", Reason(node, "depends on what is not known here"))
        if value.frame is None and self._names.by_address:
            value = settled(value, ABSOLUTE)
        elif value.frame is None:
            self._names.offsets[node] = value.number
            value = settled(value, frame)
        number = value.number if value.frame is frame else relative_value(value.absolute(), frame).number
        number = number.within(dot.number.low, MASK)
        address = value.absolute()
        if address.number.value is None:
            narrow = address.number.within(dot.address.low, MASK)
            address = Known(narrow, address.anchor, address.offset, address.reasons, address.obstacles)
        if address.anchor is None:
            address = Known(address.number, dot.address.behind("."), 0, address.reasons, address.obstacles)
        else:
            # Wherever it is to go: a linker that would have to go back for it refuses the link.
            address = address.not_ahead_of(dot.address)
        return Value(number, frame, _because(address, node, dot.address))


def same(one: Known, other: Known) -> bool:
    """Whether two facts are of one address."""
    return one is other or (one.anchor is not None and one.anchor is other.anchor and one.offset == other.offset)


def joined(places: list[Known]) -> Known:
    """What is known of an address that is one of some."""
    result = places[0]
    for place in places[1:]:
        result = result.join(place)
    return result


def merged_end(absent: Known, end: Known) -> Known:
    """The place behind a section that may not be there.

    Where it is not, no fact is told of it, and it may be thought of as empty; only the number differs.
    """
    number = absent.number.join(end.number)
    reasons, obstacles = merged(end.reasons, absent.reasons), merged(end.obstacles, absent.obstacles)
    return Known(number, end.behind("section end", 0, 0), 0, reasons, obstacles)


def _because(address: Known, node: Node, before: Known | None) -> Known:
    """`address`, established by the statement `node`."""
    if before is not None and address.reasons is before.reasons and address.number.value is None:
        return address
    step = address.alignment
    text = "sets the location counter"
    if address.number.value is None and step > 1:
        text = f"aligns the location counter to {step}"
    return Known(address.number, address.anchor, address.offset, (Reason(node, text),), address.obstacles)


def _grown(dot: Value, frame: Frame, name: str, why: Reason, step: int = 1) -> Value:
    """The location counter behind something of unknown size: `step` divides that, and what it is aligned to that."""
    address = dot.address.grow(name, why)
    if step > 1 and dot.address.aligned_to(step):
        low = -(-address.low // step) * step
        address = replace(address, number=Number(step, 0, low, MASK // step * step))
    return Value(Number(1, 0, dot.number.low, MASK), frame, address)
