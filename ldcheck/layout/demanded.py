"""What a script's ASSERTs come to: which hold in every link, and what they demand of symbols."""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.layout.assertions import Demand, Relation, demands
from ldcheck.layout.evaluation import is_behind_start
from ldcheck.layout.facts import Known, Order, Reason, merged
from ldcheck.layout.flow import Flow
from ldcheck.layout.frames import ABSOLUTE, Frame, Value, absolute_value
from ldcheck.layout.names import Names
from ldcheck.layout.numbers import Number
from ldcheck.layout.result import AssertionFact, Grounds, Said, Truth
from ldcheck.script.syntax import Assertion, Assignment, Expression, Name
from ldcheck.script.uses import leaves, symbols_in

_TRUTHS: Mapping[bool | None, Truth] = {True: Truth.TRUE, False: Truth.FALSE, None: Truth.UNKNOWN}


class Judge:
    """Judges the ASSERTs of a script as the walk comes to them, or at its end if they hang on later statements.

    `asks_early`: the linker fails an ASSERT as soon as it comes to it, when a later symbol has no value yet.
    """

    def __init__(self, found: Flow, names: Names) -> None:
        self._flow = found
        self._names = names
        self.asks_early = False
        self._facts: dict[Assertion, AssertionFact] = {}
        self._deferred: list[tuple[Assertion, Value, Frame, str, int, bool]] = []
        self._demanded: dict[str, Known] = {}
        self._conditions: list[Said] = []
        self._definitions: dict[str, Said] = {}
        self.relations: dict[tuple[str, str], Order] = {}

    def judge(self, node: Assertion, dot: Value, frame: Frame, uncertain: bool = False) -> None:
        """Judge an ASSERT where it stands; `uncertain` if it may not count, or count too early."""
        if self._names.by_address:
            frame, dot = ABSOLUTE, absolute_value(dot.absolute())
        value, late = self._names.evaluate(node.condition, frame, dot, final=True)
        if late:
            self._deferred.append((node, dot, frame, self._names.open, self._names.count, uncertain))
            return
        self._note(node, None if uncertain else value.number.truth, self._as_addresses(node, dot, frame))
        if frame is ABSOLUTE and not self._flow.sane:
            self._note_demands(node, dot)

    def settle(self) -> tuple[AssertionFact, ...]:
        """The facts on all ASSERTs, in the order of the script, once every symbol has its value."""
        for node, dot, frame, section, at, uncertain in self._deferred:
            self._names.open = section
            value, _ = self._names.evaluate(node.condition, frame, dot, final=True, at=at)
            truth = None if uncertain or self.asks_early else value.number.truth
            self._note(node, truth, self._as_addresses(node, dot, frame))
        self._names.open = ""
        return tuple(self._facts[node] for node in self._flow.assertions if node in self._facts)

    def _as_addresses(self, node: Assertion, dot: Value, frame: Frame) -> Truth | None:
        if frame is ABSOLUTE:
            return None
        return _TRUTHS[self._names.evaluate_addresses(node.condition, dot).number.truth]

    def _note(self, node: Assertion, truth: bool | None, as_addresses: Truth | None) -> None:
        reasons: tuple[Reason, ...] = ()
        obstacles: tuple[Reason, ...] = ()
        for part in leaves(node.condition):
            found = self._names.final.get(part.name) if isinstance(part, Name) else None
            if found is not None:
                address = found.absolute()
                reasons, obstacles = merged(reasons, address.reasons), merged(obstacles, address.obstacles)
        if truth is not None:
            obstacles = ()
        self._facts[node] = AssertionFact(node, _TRUTHS[truth], reasons, obstacles, as_addresses)

    def _note_demands(self, node: Assertion, dot: Value) -> None:
        """Keep what an ASSERT leaves to symbols whose value is final where it stands."""

        def constant(expression: Expression) -> int | None:
            return self._names.evaluate(expression, ABSOLUTE, dot, final=True)[0].absolute().value

        if self._is_settled(node.condition) and not self._names.asks_size_so_far(node.condition):
            self._conditions.append(Said(node, node.condition, dot.absolute()))
        final = [self._names.final.get(part.name) for part in leaves(node.condition) if isinstance(part, Name)]
        if not all(value is None or is_behind_start(value) for value in final):
            # Of two symbols of one section GNU ld compares the offsets, and a negative one is huge.
            return
        why = Reason(node, "is demanded by an ASSERT")
        for demand in demands(node.condition, constant):
            names = [demand.name] if isinstance(demand, Demand) else [demand.first, demand.second]
            if not all(self._names.is_settled(name) for name in names):
                continue
            if isinstance(demand, Relation):
                self.relations[demand.first, demand.second] = demand.order
            else:
                before = self._demanded.get(demand.name)
                number = demand.number if before is None else before.number.meet(demand.number)
                reasons = (why,) if before is None else merged(before.reasons, (why,))
                self._demanded[demand.name] = Known(number, None, 0, reasons)

    def define(self, node: Assignment, dot: Known) -> None:
        """Keep what a symbol is assigned outside of output sections, if that is all that is ever assigned to it."""
        once = self._flow.assigned[node.target.text] == 1 and node.operator == "="
        if once and not node.keyword.startswith("PROVIDE") and self._is_settled(node.value):
            self._definitions[node.target.text] = Said(node, node.value, dot)

    def _is_settled(self, expression: Expression) -> bool:
        return all(name == "." or self._names.is_settled(name) for name in symbols_in(expression))

    def grounds(self, regions: Mapping[str, tuple[Known, Number]]) -> Grounds:
        """What the ASSERTs and the assignments outside of output sections say, once all of them were seen."""
        final = self._names.final
        absolute = frozenset(name for name, value in final.items() if value.frame is ABSOLUTE)
        # The symbol of an object never lies in front of its section.
        offered = {**final, **self._names.offered}
        unsure = frozenset(name for name, value in offered.items() if not is_behind_start(value))
        definitions = {} if self._flow.sane else self._definitions
        return Grounds(tuple(self._conditions), definitions, absolute, unsure, regions)

    def asserted(self, symbols: Mapping[str, Known]) -> dict[str, Known]:
        """The symbols of which ASSERTs demand something, with what is known of them besides."""
        found: dict[str, Known] = {}
        for name, demanded in self._demanded.items():
            known = symbols.get(name)
            if known is not None:
                number, reasons = known.number.meet(demanded.number), merged(known.reasons, demanded.reasons)
                demanded = Known(number, known.anchor, known.offset, reasons, known.obstacles)
            found[name] = demanded
        return found
