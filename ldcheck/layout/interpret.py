"""The location counter, followed through a script without any object.

`interpret` follows GNU ld's layout (ldlang.c: lang_size_sections_1 for addresses, lang_do_assignments_1 for the final
values of symbols) over sets of values, so that what it finds holds in every ELF link of the script: with any number of
input sections of any size and alignment, with orphan sections wherever ld may place them, with or without garbage
collection, sorting, merging and relaxation.

What it takes for granted:
* the script is the only one (`-T`), the link is final (no `-r`), and no option changes what the script says
  (`--section-start`, `-Ttext` and the like, `--defsym` of a symbol that the script assigns, `--wrap`,
  `--enable-non-contiguous-regions`, with MEMORY `--no-check-sections`, and with /DISCARD/ in front of other sections
  `--orphan-handling=discard`, which makes ld count from 0 behind it);
* the location counter does not run past the end of the address space, and alignments are powers of two;
* an output section that can only hold allocated input by the names of its patterns is allocated; facts on one that has
  no input and no assignment, which ld drops, mean nothing;
* a symbol that places something and that the script leaves undefined is a number, as `--defsym` gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ldcheck.layout.assertions import Demand, Relation, demands
from ldcheck.layout.facts import (
    UNKNOWN,
    Anchor,
    AssertionFact,
    Known,
    Layout,
    Order,
    Reason,
    SectionFact,
    Truth,
    distance,
    known,
    merged,
)
from ldcheck.layout.flow import Flow, flow, leaves
from ldcheck.layout.numbers import ANY, FLAG, MASK, ONE, ZERO, Number, exact
from ldcheck.layout.traits import DATA_SIZES, Collected, Traits, statements
from ldcheck.layout.values import (
    ABSOLUTE,
    FOREIGN,
    UNSURE,
    Frame,
    Scope,
    Value,
    absolute_value,
    difference,
    evaluate,
    relative_value,
    settled,
)
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Command,
    Data,
    Expression,
    Include,
    InputSectionDescription,
    Marker,
    Name,
    Node,
    OutputSection,
    Overlay,
    Script,
    Word,
)

_UNSURE = Value(ANY, UNSURE)
_DEFAULT = "*default*"


def interpret(
    tree: Script,
    *,
    params: Mapping[str, int] | None = None,
    input_alignments: Callable[[InputSectionDescription], int | None] | None = None,
    orphans: bool = True,
) -> Layout:
    """What `tree` guarantees of each address.

    `params` gives values to symbols that the script leaves undefined, and to CONSTANT(MAXPAGESIZE) and
    CONSTANT(COMMONPAGESIZE) by these names. `input_alignments` tells the greatest alignment of the input sections that
    a statement places, where it is known. Without `orphans`, the link is one that refuses orphan sections.
    """
    return _Walk(tree, dict(params or {}), input_alignments, orphans).run()


class _Region:
    """A memory region: the address at which its next section starts."""

    __slots__ = ("attributes", "current", "length", "origin")

    def __init__(self, origin: Known, length: Number, attributes: bool) -> None:
        self.origin = origin
        self.length = length
        self.current = origin
        self.attributes = attributes


class _Section:
    """An output section that the walk has passed."""

    __slots__ = ("absent", "end", "frame", "load", "node")

    def __init__(self, node: OutputSection, frame: Frame, end: Known, load: Known, absent: bool) -> None:
        self.node = node
        self.frame = frame
        self.end = end
        self.load = load
        self.absent = absent


class _Walk:
    """One interpretation.

    ld runs over the script many times. Two of these runs count: the last one that gives sections their addresses, and
    the final one that gives symbols their values. They mostly agree; where they may not, `_final` and `_final_dot` hold
    what the final run knows beside what the sizing run knows (`_sizing`, `_dot`).
    """

    def __init__(
        self,
        tree: Script,
        params: dict[str, int],
        input_alignments: Callable[[InputSectionDescription], int | None] | None,
        orphans: bool,
    ) -> None:
        self._tree = tree
        self._params = params
        self._input_alignments = input_alignments
        self._orphans = orphans
        self._flow: Flow = flow(tree)
        self._collected = Collected(self._flow.sections)
        self._sizing: dict[str, Value] = {}
        self._final = self._sizing
        self._reading = self._sizing
        # Symbols whose final value hangs on statements that come later.
        self._late: set[str] = set()
        self._touched_late = False
        self._deferred: list[tuple[Node, Frame, Value]] = []
        self._foreign: dict[str, Known] = {}
        self._constants = _constants(tree, self._flow, params)
        self._dot = self._final_dot = known(0)
        self._regions = {_DEFAULT: _Region(self._dot, ANY, False)}
        self._aliases: dict[str, str] = {}
        self._sections: dict[str, _Section] = {}
        self._frame = ABSOLUTE
        # Whether a section so far has another load address, which those behind it inherit.
        self._loads_apart = False
        self._drifts = False
        self._settling = False
        # What the layout is made of.
        self._before: dict[Node, Known] = {}
        self._after: dict[Node, Known] = {}
        self._values: dict[Node, Known] = {}
        self._inputs: dict[Node, Known] = {}
        self._facts: list[SectionFact] = []
        self._truths: dict[Node, AssertionFact] = {}
        self._demanded: dict[str, Known] = {}
        self._relations: dict[tuple[str, str], Order] = {}

    def run(self) -> Layout:
        """Walk the script and hand over what was found."""
        self._declare_regions()
        for index, (node, traits) in enumerate(self._flow.items):
            if index in self._flow.gaps and self._orphans:
                self._orphan(index, node)
            self._top_level(node, traits)
        if len(self._flow.items) in self._flow.gaps and self._orphans:
            self._orphan(len(self._flow.items), self._tree)
        self._settle()
        symbols = {
            name: value.absolute() if name not in self._flow.uncertain else UNKNOWN
            for name, value in self._final.items()
        }
        return Layout(
            before=self._before,
            after=self._after,
            values=self._values,
            symbols=symbols,
            asserted={name: self._narrowed(name, symbols.get(name)) for name in self._demanded},
            relations=self._relations,
            inputs=self._inputs,
            sections=tuple(self._facts),
            assertions=tuple(self._truths[node] for node in self._flow.assertions if node in self._truths),
        )

    def _narrowed(self, name: str, found: Known | None) -> Known:
        """A symbol with what the script's ASSERTs demand of it."""
        demanded = self._demanded[name]
        if found is None:
            return demanded
        number = found.number.meet(demanded.number)
        reasons = merged(found.reasons, demanded.reasons)
        return Known(number, found.anchor, found.offset, reasons, found.obstacles)

    # Names ------------------------------------------------------------------------------------------------------------

    def _scope(self, dot: Value, frame: Frame) -> Scope:
        self._frame = frame
        return Scope(frame, dot, self._symbol, self._function, self._flow.sane, self._drifts)

    def _symbol(self, name: str) -> Value:
        value = self._reading.get(name)
        if value is None or (self._settling and name in self._late):
            value = self._undefined(name)
        elif self._settling and self._flow.assigned[name] != 1:
            value = _UNSURE
        elif name in self._late and self._reading is self._final:
            self._touched_late = True
        if value.frame is ABSOLUTE and (self._frame is not ABSOLUTE or self._flow.sane):
            return Value(value.number)
        return value

    def _undefined(self, name: str) -> Value:
        """The value of a name that no statement so far assigns."""
        if name in self._flow.assigned:
            constant = self._constants.get(name)
            if constant is not None:
                return constant
            if self._settling:
                return self._settled_value(name)
            self._touched_late = True
            return _UNSURE
        if name in self._params:
            return absolute_value(known(self._params[name]))
        if name not in self._foreign:
            self._foreign[name] = Known(ANY, Anchor(name, wild=True))
        return Value(ANY, FOREIGN, self._foreign[name])

    def _settled_value(self, name: str) -> Value:
        """What an earlier run left as the value of a symbol that is assigned once, behind its use."""
        if self._flow.assigned[name] != 1 or name in self._flow.uncertain:
            return _UNSURE
        if name in self._late:
            return self._final.get(name, _UNSURE) if name in self._settled_names else _UNSURE
        return self._sizing.get(name, _UNSURE)

    def _function(self, function: str, name: str) -> Value:
        """The value of a builtin function that takes a name, or nothing."""
        if function in ("ADDR", "LOADADDR", "SIZEOF"):
            return self._section_function(function, name)
        if function in ("ORIGIN", "LENGTH"):
            region = self._regions.get(self._aliases.get(name, name))
            if region is None:
                return _UNSURE
            return Value(region.length) if function == "LENGTH" else relative_value(region.origin, self._frame)
        if function == "DEFINED":
            return Value(ONE if name in self._params or self._is_defined(name) else FLAG)
        if function == "CONSTANT" and name in self._params:
            return Value(exact(self._params[name]))
        if function in ("CONSTANT", "ALIGNOF"):
            return Value(Number(1, 0, 0 if function == "ALIGNOF" else 1, MASK))
        return Value(ANY)

    def _is_defined(self, name: str) -> bool:
        return name in self._reading and name not in self._flow.uncertain

    def _section_function(self, function: str, name: str) -> Value:
        section = self._sections.get(name)
        if section is None:
            if name in self._flow.names:
                self._touched_late = True
            return _UNSURE
        if section.node.constraint:
            return _UNSURE
        if function == "ADDR":
            return Value(ZERO, section.frame, section.frame.start)
        if function == "LOADADDR":
            return absolute_value(section.load)
        size = difference(section.end, section.frame.start)
        return Value(size.join(ZERO) if section.absent else size)

    # Regions ----------------------------------------------------------------------------------------------------------

    def _declare_regions(self) -> None:
        """MEMORY and REGION_ALIAS, which count from the start of the link, with the values known then."""
        for node in self._flow.regions:
            if isinstance(node, Command):
                if len(node.arguments) == 2:
                    alias, region = (word.text for word in node.arguments)
                    self._aliases[alias] = self._aliases.get(region, region)
                continue
            if node.name.text in self._regions:
                continue
            origin = self._constant(node.origin)
            length = self._constant(node.length)
            start = known(origin) if origin is not None else Known(ANY, Anchor(f"ORIGIN({node.name.text})"))
            self._regions[node.name.text] = _Region(
                start, ANY if length is None else exact(length), node.attributes is not None
            )

    def _constant(self, expression: Expression | None) -> int | None:
        """The value of an expression that is the same at all times of a link."""
        if expression is None:
            return None
        value = _constant_value(expression, self._constants, self._params, self._regions, self._flow)
        return None if value is None else value.number.value

    def _power(self, expression: Expression | None) -> int | None:
        """The alignment that an attribute asks for, rounded up to a power of two (exp_get_power); None if unknown."""
        if expression is None:
            return 1
        value = self._constant(expression)
        if value is None:
            return None
        return 1 << (value - 1).bit_length() if 1 < value <= 1 << 63 else 1

    # Statements outside of output sections ----------------------------------------------------------------------------

    def _top_level(self, node: Node, traits: Traits | None) -> None:
        self._before[node] = self._final_dot if isinstance(node, Assignment) else self._dot
        if isinstance(node, OutputSection):
            assert traits is not None
            self._output_section(node, traits)
        elif isinstance(node, Overlay):
            self._overlay(node)
        elif isinstance(node, Assignment):
            self._assignment(node)
        elif isinstance(node, Assertion):
            self._assert(node, absolute_value(self._final_dot), ABSOLUTE)
        elif isinstance(node, Include):
            self._forget(node)
        else:
            # A GROUP's address, or statements moved by INSERT: whatever the other script has there.
            self._forget(node)
        self._after[node] = self._final_dot if isinstance(node, Assignment) else self._dot

    def _assignment(self, node: Assignment) -> None:
        if node.target.text == ".":
            split = self._final_dot is not self._dot or self._final is not self._sizing
            before = self._dot
            self._dot = self._moved(node, before, self._sizing)
            self._final_dot = self._moved(node, self._final_dot, self._final) if split else self._dot
        else:
            self._assign(node, ABSOLUTE, absolute_value(self._dot), absolute_value(self._final_dot))
        self._regions[_DEFAULT].current = self._dot

    def _moved(self, node: Assignment, dot: Known, names: dict[str, Value]) -> Known:
        """The location counter behind an assignment to it outside of output sections."""
        value, late = self._evaluated(node, ABSOLUTE, absolute_value(dot), names)
        self._drifts = self._drifts or late or value.frame is UNSURE
        if late:
            return Known(ANY, None, 0, (), (Reason(node, "depends on what comes later"),))
        address = settled(value, ABSOLUTE).absolute()
        if address.anchor is not None and address.anchor is dot.anchor and address.offset > dot.offset:
            address = dot.advance(address.offset - dot.offset)
        return _because(address, node, dot)

    def _evaluated(self, node: Assignment, frame: Frame, dot: Value, names: dict[str, Value]) -> tuple[Value, bool]:
        """The value of an assignment's right side, and whether it hangs on what comes later."""
        self._reading, self._touched_late = names, False
        scope = self._scope(dot, frame)
        expression = node.value
        if node.operator != "=":
            target = Name(node.target.text, start=node.target.start, end=node.target.end)
            expression = Binary(node.operator[:-1], target, node.value, start=node.start, end=node.end)
        return evaluate(expression, scope), self._touched_late

    def _assign(self, node: Assignment, frame: Frame, dot: Value, final_dot: Value) -> None:
        name = node.target.text
        selfish = node.operator != "=" or _mentions(node.value, name)
        value, late = self._evaluated(node, frame, dot, self._sizing)
        value = settled(value, frame)
        final = value
        if final_dot.address is not dot.address or self._final is not self._sizing:
            final, late = self._evaluated(node, frame, final_dot, self._final)
            final = settled(final, frame)
        if late or selfish:
            self._split()
            value = _UNSURE
        if late:
            final = _UNSURE
            self._late.add(name)
            self._deferred.append((node, frame, final_dot))
        else:
            self._late.discard(name)
        if node.keyword.startswith("PROVIDE") or name in self._flow.uncertain:
            self._sizing[name] = _UNSURE
            self._final[name] = _UNSURE
        else:
            self._sizing[name] = value
            self._final[name] = final
        self._values[node] = final.absolute()

    def _split(self) -> None:
        """Keep what the final run knows of symbols apart from what the sizing runs know."""
        if self._final is self._sizing:
            self._final = dict(self._sizing)

    def _forget(self, node: Node) -> None:
        """Behind something that was not read, nothing is known."""
        why = Reason(node, "is not known")
        self._lose(why)
        for region in self._regions.values():
            region.current = Known(ANY, None, 0, (), (why,))
        if isinstance(node, Include):
            for name in self._sizing:
                self._sizing[name] = self._final[name] = _UNSURE

    def _orphan(self, index: int, node: Node) -> None:
        """Where ld may place orphan sections: they take room in a region, or reset the location counter."""
        why = Reason(node, "an orphan section may be placed in front of it")
        dot, final, last = self._dot, self._final_dot, self._regions[_DEFAULT].current
        reached: list[Known] = []
        for region in self._orphan_regions(index):
            region.current = region.current.grow("orphan sections", why)
            reached.append(region.current)
        if len(reached) == 1 and _same(dot, last):
            self._dot = reached[0]
        else:
            self._dot = _joined([dot, *reached])
        self._final_dot = self._dot if final is dot else _joined([final, *reached])
        if index in self._flow.resets:
            self._lose(Reason(node, "an orphan section without address may be placed in front of it"))

    def _lose(self, why: Reason) -> None:
        """Know nothing of the location counter; the two runs agree on it if they did so far."""
        agree = self._final_dot is self._dot
        self._dot = Known(ANY, None, 0, (), (why,))
        self._final_dot = self._dot if agree else Known(ANY, None, 0, (), (why,))

    def _orphan_regions(self, index: int) -> list[_Region]:
        """The regions that orphan sections at a place may take room in.

        Orphans of one kind stand together, behind the first of them, and each keeps the region of the section that it
        would have followed. In front of all sections that region is none, which ld refuses where MEMORY declares
        regions that it may not choose by itself.
        """
        regions = list(self._regions.values())
        gap = self._flow.gaps[index]
        if gap.node is None and not gap.notes and len(regions) > 1 and not self._attributed():
            return regions[:1]
        return regions

    # Output sections --------------------------------------------------------------------------------------------------

    def _output_section(self, node: OutputSection, traits: Traits) -> None:
        if node.name.text == "/DISCARD/":
            if node.address is not None:
                self._dot = self._address(node.address, node)
            return
        region, base = self._place(node)
        start = self._start(node, base, traits)
        frame = Frame(node.name.text, start)
        self._before[node] = self._dot
        end = self._body(node.statements, frame, node, node.address is None)
        if self._collected.may_grow(node):
            end = end.grow(
                f"end of {node.name.text}", Reason(node, "inputs of its own name that no pattern takes join its end")
            )
        if self._is_allocated(node, traits, start, end) or (node.address is None and self._power(node.align) == 1):
            end = _bounded(end, region)
        # AT() may speak of the section itself.
        self._sections.setdefault(node.name.text, _Section(node, frame, end, UNKNOWN, not traits.present))
        load = self._load(node, start, region)
        if difference(load, start).value != 0:
            self._loads_apart = True
        self._remember(node, frame, end, load, not traits.present)
        if traits.thread_local:
            end = start.join(end, f"end of {node.name.text}")
        self._leave(node, traits, region, base, start, end)

    def _remember(self, node: OutputSection, frame: Frame, end: Known, load: Known, absent: bool) -> None:
        name = node.name.text
        if name not in self._sections or self._sections[name].node is node:
            self._sections[name] = _Section(node, frame, end, load, absent)
        self._facts.append(SectionFact(name, node, frame.start, end, load))

    def _address(self, expression: Expression, node: Node) -> Known:
        self._reading, self._touched_late = self._sizing, False
        value = evaluate(expression, self._scope(absolute_value(self._dot), ABSOLUTE))
        self._drifts = self._drifts or self._touched_late or value.frame is UNSURE
        if self._touched_late:
            return UNKNOWN
        return _because(settled(value, ABSOLUTE).absolute(), node, None)

    def _region(self, node: OutputSection | Overlay) -> _Region:
        word = node.region
        if word is None and node.address is None and node.load_region is not None:
            word = node.load_region
        if word is None:
            return self._regions[_DEFAULT]
        name = self._aliases.get(word.text, word.text)
        if name not in self._regions:
            self._regions[name] = _Region(Known(ANY), ANY, False)
        return self._regions[name]

    def _place(self, node: OutputSection | Overlay) -> tuple[_Region, Known]:
        """The region of a section, and where it would start without any alignment."""
        region = self._region(node)
        if node.address is not None:
            return region, self._address(node.address, node)
        if region is not self._regions[_DEFAULT]:
            return region, region.current
        return region, _joined([region.current, *(other.current for other in self._attributed())])

    def _attributed(self) -> list[_Region]:
        """The regions that a section may go to by its flags (lang_memory_default)."""
        return [region for region in self._regions.values() if region.attributes]

    def _start(self, node: OutputSection, base: Known, traits: Traits) -> Known:
        name = node.name.text
        power = self._power(node.align)
        because = () if node.align is None else (Reason(node.align, "aligns the start of the section"),)
        if node.address is not None:
            if power is None:
                return base.align_unknown(1, name)
            return base.align_up(power, because[0] if because else None, name)
        if traits.unallocated:
            return base.grow(name, Reason(node, "may not be allocated"))
        why = Reason(node, "starts where the alignment of its inputs lets it")
        return base.align_unknown(power or 1, name, because, why)

    def _leave(
        self, node: OutputSection, traits: Traits, region: _Region, base: Known, start: Known, end: Known
    ) -> None:
        """The location counter and the region behind an output section."""
        before, final_before, current = self._dot, self._final_dot, region.current
        power = self._power(node.align)
        allocated = self._is_allocated(node, traits, start, end)
        fluid = node.address is None and not traits.unallocated and node.name.text not in self._flow.mentioned
        if allocated:
            region_end = end
        elif fluid and (not traits.present or power == 1):
            region_end = _merged_end(current, end)
        else:
            region_end = current.join(end)
        for other in self._attributed():
            if other is not region:
                other.current = other.current.join(end)
        self._take_room_to_load(node, region)
        region.current = region_end
        if traits.conditional:
            self._dot = before.join(end)
            self._final_dot = UNKNOWN
        elif traits.present:
            self._dot = self._final_dot = end
            if region_end.anchor is end.anchor and region_end.number is end.number:
                region.current = end
        elif fluid and _same(current, before):
            self._dot = (
                region_end if region_end.anchor and region_end.anchor.parent is end.anchor else _merged_end(before, end)
            )
            self._final_dot = self._dot if final_before is before else final_before.join(end)
        else:
            absent = before if node.address is None else base
            self._dot = absent.join(end)
            self._final_dot = self._dot if absent is final_before else final_before.join(end)

    def _take_room_to_load(self, node: OutputSection, region: _Region) -> None:
        """Load addresses fill a region as well; a section inherits the region of the one before it."""
        for other in self._regions.values():
            if other is not region and (node.load_region is not None or self._loads_apart):
                other.current = other.current.grow("load addresses", Reason(node, "may be loaded from there"))

    @staticmethod
    def _is_allocated(node: OutputSection, traits: Traits, start: Known, end: Known) -> bool:
        """Whether a section has content for certain, which takes room in its region."""
        least = distance(start, end)[0]
        return least is not None and least > 0 and node.type is None and not traits.conditional

    def _load(self, node: OutputSection, start: Known, region: _Region) -> Known:
        if self._flow.loads_by_segment:
            return UNKNOWN
        if node.load_address is not None:
            self._reading, self._touched_late = self._sizing, False
            value = evaluate(node.load_address, self._scope(absolute_value(known(0)), ABSOLUTE))
            return UNKNOWN if self._touched_late else settled(value, ABSOLUTE).absolute()
        if node.load_region is not None:
            return self._load_in_region(node, start, region)
        return UNKNOWN if self._loads_apart else start

    def _load_in_region(self, node: OutputSection, start: Known, region: _Region) -> Known:
        assert node.load_region is not None
        name = self._aliases.get(node.load_region.text, node.load_region.text)
        loaded = self._regions.get(name)
        power = self._power(node.align)
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
        for other in (region, *self._attributed()):
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
        inner = self._power(section.subalign or subalign) if section.subalign or subalign else 0
        dot = Value(ZERO, frame, frame.start)
        for statement in statements(body):
            self._before[statement] = dot.address
            if isinstance(statement, Assignment):
                if statement.target.text == ".":
                    dot = self._advanced(statement, frame, dot)
                else:
                    self._assign(statement, frame, dot, dot)
            elif isinstance(statement, InputSectionDescription):
                self._inputs[statement] = self._first_input(statement, aligned, frame, dot, inner)
                why = Reason(statement, "places inputs of unknown size and alignment")
                dot = _grown(dot, frame, "inputs", why)
            elif isinstance(statement, Data):
                size = DATA_SIZES.get(statement.keyword)
                if size is None:
                    dot = _grown(dot, frame, statement.keyword, Reason(statement, "has its own size"))
                else:
                    dot = Value(dot.number.advance(exact(size)), frame, dot.address.advance(size))
            elif isinstance(statement, Assertion):
                self._assert(statement, dot, frame)
            elif isinstance(statement, Marker) and statement.keyword != "CREATE_OBJECT_SYMBOLS":
                dot = _grown(dot, frame, statement.keyword, Reason(statement, "may add what it collects"))
            elif isinstance(statement, Include):
                self._forget(statement)
                dot = _grown(dot, frame, "INCLUDE", Reason(statement, "is not known"))
            self._after[statement] = dot.address
        return dot.address

    def _first_input(
        self, node: InputSectionDescription, aligned: bool, frame: Frame, dot: Value, inner: int | None
    ) -> Known:
        why = Reason(node, "an input's alignment may need padding in front of it")
        if inner:
            return dot.address.align_up(inner)
        if dot.number.value == 0 and aligned and inner == 0:
            # The section as a whole is aligned for its inputs.
            return frame.start
        greatest = self._input_alignments(node) if self._input_alignments and inner == 0 else None
        if greatest is not None and dot.address.aligned_to(greatest):
            return dot.address
        return dot.address.align_unknown(1, "the first input", (), why)

    def _advanced(self, node: Assignment, frame: Frame, dot: Value) -> Value:
        """The location counter behind an assignment to it in an output section, which cannot move it back."""
        value, late = self._evaluated(node, frame, dot, self._sizing)
        if late or value.frame is UNSURE:
            self._drifts = True
            return _grown(dot, frame, ".", Reason(node, "depends on what is not known here"))
        if value.frame is None:
            value = settled(value, frame)
        number = value.number if value.frame is frame else relative_value(value.absolute(), frame).number
        number = number.within(dot.number.low, MASK)
        address = value.absolute()
        if address.number.value is None:
            narrow = address.number.within(dot.address.low, MASK)
            address = Known(narrow, address.anchor, address.offset, address.reasons, address.obstacles)
        if address.anchor is None:
            address = Known(address.number, dot.address.behind("."), 0, address.reasons, address.obstacles)
        return Value(number, frame, _because(address, node, dot.address))

    # Assertions and the end -------------------------------------------------------------------------------------------

    def _assert(self, node: Assertion, dot: Value, frame: Frame) -> None:
        self._reading, self._touched_late = self._final, False
        value = evaluate(node.condition, self._scope(dot, frame))
        if self._touched_late and not self._settling:
            self._deferred.append((node, frame, dot))
            return
        if frame is ABSOLUTE and not self._flow.sane:
            self._note_demands(node, dot)
        truth = value.number.truth
        reasons: tuple[Reason, ...] = ()
        obstacles: tuple[Reason, ...] = ()
        for name in _names_in(node.condition):
            found = self._reading.get(name)
            if found is not None:
                address = found.absolute()
                reasons, obstacles = merged(reasons, address.reasons), merged(obstacles, address.obstacles)
        if truth is None:
            self._truths[node] = AssertionFact(node, Truth.UNKNOWN, reasons, obstacles)
        else:
            self._truths[node] = AssertionFact(node, Truth.TRUE if truth else Truth.FALSE, reasons)

    def _note_demands(self, node: Assertion, dot: Value) -> None:
        """Keep what an ASSERT leaves to symbols whose value is final where it stands."""

        def constant(expression: Expression) -> int | None:
            return evaluate(expression, self._scope(dot, ABSOLUTE)).absolute().value

        why = Reason(node, "is demanded by an ASSERT")
        for demand in demands(node.condition, constant):
            names = [demand.name] if isinstance(demand, Demand) else [demand.first, demand.second]
            if any(self._flow.assigned[name] and not self._is_settled(name) for name in names):
                continue
            if isinstance(demand, Relation):
                self._relations[demand.first, demand.second] = demand.order
            else:
                before = self._demanded.get(demand.name)
                number = demand.number if before is None else before.number.meet(demand.number)
                reasons = (why,) if before is None else merged(before.reasons, (why,))
                self._demanded[demand.name] = Known(number, None, 0, reasons)

    def _is_settled(self, name: str) -> bool:
        return self._flow.assigned[name] == 1 and name in self._final

    def _settle(self) -> None:
        """Evaluate what hung on later statements, now that these are known."""
        self._settling = True
        self._settled_names: set[str] = set()
        for node, frame, dot in self._deferred:
            if isinstance(node, Assertion):
                self._assert(node, dot, frame)
                continue
            assert isinstance(node, Assignment)
            name = node.target.text
            if self._flow.assigned[name] != 1 or name in self._flow.uncertain or _mentions(node.value, name):
                continue
            value, _ = self._evaluated(node, frame, dot, self._final)
            self._final[name] = settled(value, frame)
            self._settled_names.add(name)
            self._values[node] = self._final[name].absolute()


def _bounded(end: Known, region: _Region) -> Known:
    """The end of a section in a region, which ld does not let lie outside of it (os_region_check)."""
    origin, length = region.origin.value, region.length.value
    if origin is None or length is None or end.number.value is not None:
        return end
    number = end.number.within(origin, min(origin + length, MASK))
    return Known(number, end.anchor, end.offset, end.reasons, end.obstacles)


def _same(one: Known, other: Known) -> bool:
    """Whether two facts are of one address."""
    return one is other or (one.anchor is not None and one.anchor is other.anchor and one.offset == other.offset)


def _joined(places: list[Known]) -> Known:
    result = places[0]
    for place in places[1:]:
        result = result.join(place)
    return result


def _merged_end(absent: Known, end: Known) -> Known:
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


def _grown(dot: Value, frame: Frame, name: str, why: Reason) -> Value:
    return Value(Number(1, 0, dot.number.low, MASK), frame, dot.address.grow(name, why))


def _mentions(expression: Expression, name: str) -> bool:
    return (isinstance(expression, Name) and expression.name == name) or any(
        isinstance(node, Name) and node.name == name for node in leaves(expression)
    )


def _names_in(expression: Expression) -> list[str]:
    return [node.name for node in leaves(expression) if isinstance(node, Name)]


def _constants(tree: Script, found: Flow, params: Mapping[str, int]) -> dict[str, Value]:
    """Symbols that have one value at all times of a link: assigned once, outside of output sections, from numbers."""
    del tree
    constants: dict[str, Value] = {}
    for _ in range(2):
        for node in found.plain:
            name = node.target.text
            if name not in constants:
                value = _constant_value(node.value, constants, params, {}, found)
                if value is not None:
                    constants[name] = value
    return constants


def _constant_value(
    expression: Expression,
    constants: Mapping[str, Value],
    params: Mapping[str, int],
    regions: Mapping[str, _Region],
    found: Flow,
) -> Value | None:
    for node in leaves(expression):
        if isinstance(node, Name):
            if node.name not in constants and (node.name not in params or node.name in found.assigned):
                return None
        elif isinstance(node, Call):
            operands = [item for item in node.arguments if not isinstance(item, Word)]
            if node.function not in ("MAX", "MIN", "LOG2CEIL", "ABSOLUTE", "ORIGIN", "LENGTH") and not (
                node.function == "ALIGN" and len(operands) == 2
            ):
                return None

    def symbol(name: str) -> Value:
        return constants.get(name) or absolute_value(known(params[name]))

    def function(function: str, name: str) -> Value:
        region = regions.get(name)
        if region is None:
            return _UNSURE
        return Value(region.length) if function == "LENGTH" else absolute_value(region.origin)

    value = evaluate(expression, Scope(ABSOLUTE, absolute_value(known(0)), symbol, function))
    value = settled(value, ABSOLUTE)
    return value if value.frame is ABSOLUTE and value.number.value is not None else None
