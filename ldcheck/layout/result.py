"""The result of interpreting a script: what is known of its addresses, sections, symbols and ASSERTs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from ldcheck.layout.facts import UNKNOWN, Known, Order, Reason, difference, order
from ldcheck.layout.numbers import Number
from ldcheck.record import dataclass, field, replace
from ldcheck.script.syntax import Assertion, Assignment, Expression, Node

_REVERSED: Mapping[Order | None, Order] = {
    Order.LESS: Order.GREATER,
    Order.LESS_OR_EQUAL: Order.GREATER_OR_EQUAL,
    Order.EQUAL: Order.EQUAL,
    Order.GREATER_OR_EQUAL: Order.LESS_OR_EQUAL,
    Order.GREATER: Order.LESS,
}


class Truth(Enum):
    """What the script alone decides about a condition."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AssertionFact:
    """An ASSERT of the script, and whether it holds in every link, in none, or in some.

    In an output section GNU ld counts from the section's start; `as_addresses` is what the condition would come to if
    every name in it stood for an address. None outside of output sections, where there is no difference.
    """

    node: Assertion
    truth: Truth
    reasons: tuple[Reason, ...] = ()
    obstacles: tuple[Reason, ...] = ()
    as_addresses: Truth | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Said:
    """An expression outside of output sections whose names have their last values there.

    It is the condition of an ASSERT, or what a symbol is assigned. `dot` is the location counter at its place.
    """

    node: Assertion | Assignment
    expression: Expression
    dot: Known


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Grounds:
    """What a script says beside the walk through its addresses.

    `conditions` are those of ASSERTs, which hold in every link. `definitions` are the symbols that are assigned once,
    outside of output sections, by them. `absolute` are the symbols that belong to no output section, `unsure` those
    that may lie in front of the start of theirs. `regions` are the memory regions, by their aliases too: origin and
    length.
    """

    conditions: tuple[Said, ...] = ()
    definitions: Mapping[str, Said] = field(default_factory=dict)
    absolute: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    regions: Mapping[str, tuple[Known, Number]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SectionFact:
    """An output section: where it starts and ends, and from where it is loaded."""

    name: str
    node: Node
    start: Known
    end: Known
    load: Known


class Layout:
    """What a script guarantees of each address. Made by `interpret`; the facts and their limits are described there."""

    def __init__(
        self,
        *,
        before: Mapping[Node, Known],
        after: Mapping[Node, Known],
        values: Mapping[Node, Known],
        offsets: Mapping[Node, Number],
        symbols: Mapping[str, Known],
        asserted: Mapping[str, Known],
        relations: Mapping[tuple[str, str], Order],
        inputs: Mapping[Node, Known],
        sections: tuple[SectionFact, ...],
        points: Sequence[Known],
        assertions: tuple[AssertionFact, ...],
        grounds: Grounds,
    ) -> None:
        self._before = before
        self._after = after
        self._values = values
        self._offsets = offsets
        self._symbols = symbols
        self._asserted = asserted
        self._relations = relations
        self._inputs = inputs
        self._assertions = assertions
        self._points = points
        self.sections = sections
        self.grounds = grounds

    def without_knowledge(self) -> Layout:
        """The same layout, but nothing is known of any address in it."""
        return Layout(
            before=dict.fromkeys(self._before, UNKNOWN),
            after=dict.fromkeys(self._after, UNKNOWN),
            values=dict.fromkeys(self._values, UNKNOWN),
            offsets={},
            symbols=dict.fromkeys(self._symbols, UNKNOWN),
            asserted={},
            relations={},
            inputs=dict.fromkeys(self._inputs, UNKNOWN),
            sections=tuple(replace(one, start=UNKNOWN, end=UNKNOWN, load=UNKNOWN) for one in self.sections),
            points=(UNKNOWN,),
            assertions=tuple(AssertionFact(one.node, Truth.UNKNOWN) for one in self._assertions),
            grounds=Grounds(),
        )

    def before(self, node: Node) -> Known | None:
        """The location counter in front of a statement; None for a node that is none."""
        return self._before.get(node)

    def after(self, node: Node) -> Known | None:
        """The location counter behind a statement."""
        return self._after.get(node)

    def points(self) -> Iterator[Known]:
        """Addresses that are there in every link, each fact once: the location counter at the statements.

        Those in a section that a link may drop are left out. They tell how its parts lie if it is there, but what they
        say of alignment holds of no address if it is not.
        """
        return iter({id(known): known for known in self._points}.values())

    def value(self, node: Node) -> Known | None:
        """The address that an assignment gives to its symbol, if it is this one that defines it."""
        return self._values.get(node)

    def offset(self, node: Node) -> Number | None:
        """The mere number that an assignment in an output section has for value; None where it has an address.

        GNU ld takes it to count from the start of the section: `value` is that much behind it.
        """
        return self._offsets.get(node)

    def symbol(self, name: str, *, with_assertions: bool = False) -> Known | None:
        """The final value of a symbol that the script assigns; None for others.

        A symbol that an object may define instead (PROVIDE) is unknown; `value` tells what the script would give it.
        With assertions, what the script's own ASSERTs demand, of symbols of objects too, is taken for granted: a link
        that fails one is no link.
        """
        if with_assertions and name in self._asserted:
            return self._asserted[name]
        return self._symbols.get(name)

    def section(self, name: str) -> SectionFact | None:
        """The first output section of a name."""
        return next((section for section in self.sections if section.name == name), None)

    def section_start(self, name: str) -> Known | None:
        """The address (VMA) of the first byte of an output section; None if the script has no section of that name."""
        return self._joined([section.start for section in self.sections if section.name == name])

    def section_end(self, name: str) -> Known | None:
        """The address behind the last byte of an output section."""
        return self._joined([section.end for section in self.sections if section.name == name])

    def load_address(self, name: str) -> Known | None:
        """The load address (LMA) of an output section.

        Where load addresses overlap in a segment, the file's may be higher; ld then says "lma adjusted".
        """
        return self._joined([section.load for section in self.sections if section.name == name])

    def load_distance(self, name: str) -> int | None:
        """How far the load address of an output section lies below its address, modulo 2**64; None if that varies."""
        found = {difference(section.load, section.start) for section in self.sections if section.name == name}
        return found.pop() if len(found) == 1 else None

    def first_input(self, node: Node) -> Known | None:
        """Where the first input section that an input statement places begins, padding in front of it passed over."""
        return self._inputs.get(node)

    def order(self, first: str, second: str, *, with_assertions: bool = False) -> Order | None:
        """How two symbols or output sections (by their starts) lie in every link, as far as it is proved."""
        one, other = (self._named(name, with_assertions) for name in (first, second))
        found = None if one is None or other is None else order(one, other)
        if found is not None or not with_assertions:
            return found
        if (first, second) in self._relations:
            return self._relations[first, second]
        return _REVERSED.get(self._relations.get((second, first)))

    def assertions(self) -> tuple[AssertionFact, ...]:
        """Each ASSERT of the script, in its order, and what the script alone decides about it."""
        return self._assertions

    def _named(self, name: str, with_assertions: bool) -> Known | None:
        symbol = self.symbol(name, with_assertions=with_assertions)
        return self.section_start(name) if symbol is None else symbol

    @staticmethod
    def _joined(facts: list[Known]) -> Known | None:
        if not facts:
            return None
        joined = facts[0]
        for fact in facts[1:]:
            joined = joined.join(fact)
        return joined
