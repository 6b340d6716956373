"""What names mean at a place of the script, in the two runs of ld that count.

ld runs over a script many times. The last run that gives sections their addresses counts, and the final one that gives
symbols their values. Mostly they agree. They do not where an address is given to a section that ld drops, and where a
value hangs on statements that come later: then the one has what an earlier run left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from math import gcd

from ldcheck.layout.anchors import ORIGIN, Anchor
from ldcheck.layout.constants import Constants
from ldcheck.layout.evaluation import Scope, evaluate
from ldcheck.layout.facts import Known, distance, known
from ldcheck.layout.flow import Flow
from ldcheck.layout.frames import (
    ABSOLUTE,
    AETHER,
    FOREIGN,
    UNSURE,
    UNSURE_VALUE,
    Frame,
    Value,
    absolute_value,
    difference,
    relative_value,
    settled,
)
from ldcheck.layout.numbers import ANY, FLAG, MASK, ONE, ZERO, Number, exact
from ldcheck.script.syntax import Assignment, Binary, Call, Expression, Name, Node, OutputSection, Word
from ldcheck.script.uses import leaves, symbols_in


class Section:
    """An output section that the walk has passed; `absent` if ld may drop it."""

    __slots__ = ("absent", "end", "frame", "load", "node")

    def __init__(self, node: OutputSection, frame: Frame, end: Known, load: Known, absent: bool) -> None:
        self.node = node
        self.frame = frame
        self.end = end
        self.load = load
        self.absent = absent


class Names:
    """Symbols and sections as far as the walk has come.

    `sizing` is what the sizing run knows of symbols, `final` what the final one knows; one and the same as long as they
    agree. `drifts`: the location counter hung on later statements somewhere. `by_address`: every name stands for an
    address and every number for itself, wherever an expression stands, as lld has it; its runs all agree, as the last
    one changes no symbol.
    """

    def __init__(self, found: Flow, params: Mapping[str, int], constants: Constants, by_address: bool = False) -> None:
        self.by_address = by_address
        # The output section whose body the walk is in, if it counts by address.
        self.open = ""
        self._flow = found
        self._params = params
        self._constants = constants
        self.sizing: dict[str, Value] = {}
        self.final = self.sizing
        self.sections: dict[str, Section] = {}
        # What the script gives to symbols that an object may define instead.
        self.offered: dict[str, Value] = {}
        self.drifts = False
        # Assignments in an output section (to the location counter too) of a mere number, which counts from its start.
        self.offsets: dict[Node, Number] = {}
        # Symbols whose final value hangs on later statements, what they are assigned by, and those since settled.
        self._late: set[str] = set()
        self._deferred: list[tuple[Assignment, Frame, Value, int]] = []
        # How many assignments there were when each symbol got its value, and when the evaluation at hand was due.
        self._assigned_at: dict[str, int] = {}
        self.count = 0
        self._at = 0
        self._settled: set[str] | None = None
        self._foreign: dict[str, Known] = {}
        # The evaluation at hand.
        self._frame = ABSOLUTE
        self._reading = self.sizing
        self._touched_late = False
        self._addressing = False

    @property
    def agree(self) -> bool:
        """Whether both runs know the same of every symbol."""
        return self.final is self.sizing

    def evaluate(
        self, expression: Expression, frame: Frame, dot: Value, final: bool = False, at: int = 0
    ) -> tuple[Value, bool]:
        """The value of an expression in one of the runs, and whether it hangs on what comes later.

        When all is settled, `at` is the `count` of assignments in front of it.
        """
        self._at = at
        if self.by_address:
            return self._evaluate_by_address(expression, AETHER if frame is ABSOLUTE else frame, dot)
        if (fixed := self._fixed(expression, frame)) is not None:
            return fixed, False
        self._reading, self._touched_late, self._frame = self.final if final else self.sizing, False, frame
        scope = Scope(frame, dot, self._symbol, self._function, self._flow.sane, self.drifts)
        return evaluate(expression, scope), self._touched_late

    def _fixed(self, expression: Expression, frame: Frame) -> Value | None:
        """The value of an expression that is the same in both runs, wherever the location counter is."""
        if frame is not ABSOLUTE or self.by_address or self._flow.sane or (given := _given(expression)) is None:
            return None
        names, value = given
        plain = self._flow.assigned.keys().isdisjoint(names) and self._params.keys().isdisjoint(names)
        return value if plain else None

    def _evaluate_by_address(self, expression: Expression, home: Frame, dot: Value) -> tuple[Value, bool]:
        self._reading, self._touched_late, self._frame = self.final, False, ABSOLUTE
        function: Callable[[str, str], Value] = lambda what, name: _addressed(self._function(what, name))  # noqa: E731
        address = dot.absolute()
        scope = Scope(
            ABSOLUTE,
            Value(address.number, ABSOLUTE, address, home),
            lambda name: _addressed(self._symbol(name)),
            function,
            by_address=True,
        )
        return evaluate(expression, scope), self._touched_late

    def evaluate_addresses(self, expression: Expression, dot: Value) -> Value:
        """The final value of an expression in which every name stands for an address, as lld reads it everywhere."""
        self._addressing = True
        value, _ = self.evaluate(expression, ABSOLUTE, absolute_value(dot.absolute()), final=True)
        self._addressing = False
        return value

    def place(self, expression: Expression, frame: Frame, dot: Value, final: bool = False) -> tuple[Value, bool]:
        """The same for an expression that places something: what hangs on later statements makes the layout drift."""
        value, late = self.evaluate(expression, frame, dot, final)
        self.drifts = self.drifts or late or value.frame is UNSURE
        return value, late

    def assign(self, node: Assignment, frame: Frame, dot: Value, final_dot: Value) -> Known:
        """Give a symbol its value in both runs; the final one is returned."""
        name, expression = node.target.text, assigned_value(node)
        if node.keyword.startswith("PROVIDE") and (fixed := self._fixed(expression, frame)) is not None:
            return self._offer(name, settled(fixed, frame))
        home, frame = frame, ABSOLUTE if self.by_address else frame
        value, late = self.evaluate(expression, home, dot)
        if value.frame is None and frame is not ABSOLUTE:
            self.offsets[node] = value.number
        value = final = settled(value, frame)
        if final_dot.address is not dot.address or not self.agree:
            final, late = self.evaluate(expression, home, final_dot, final=True)
            final = settled(final, frame)
        if late or (mentions(expression, name) and not self.by_address):
            # Until the final run, ld does not assign a symbol from itself.
            value = UNSURE_VALUE
        if (
            self.by_address
            and final.absolute() != final_dot.absolute()
            and _may_mean_the_end(final, self.sections.values())
        ):
            value = final = UNSURE_VALUE
        self._late.discard(name)
        if late:
            final = UNSURE_VALUE
            self._late.add(name)
            self._deferred.append((node, home, final_dot, self.count))
        if final is not value and self.agree:
            self.final = dict(self.sizing)
        self.count += 1
        self._assigned_at[name] = self.count
        uncertain = node.keyword.startswith("PROVIDE") or name in self._flow.uncertain
        if uncertain and not late:
            self.offered[name] = final
        self.sizing[name] = UNSURE_VALUE if uncertain else value
        self.final[name] = UNSURE_VALUE if uncertain else final
        return final.absolute()

    def _offer(self, name: str, value: Value) -> Known:
        """Give a symbol a value that an object may define instead, the same in both runs."""
        self._late.discard(name)
        self.count += 1
        self._assigned_at[name] = self.count
        self.offered[name] = value
        self.sizing[name] = self.final[name] = UNSURE_VALUE
        return value.absolute()

    def enclose(self, node: OutputSection, frame: Frame, end: Known) -> None:
        """Keep the symbols of an output section below the end that its memory region leaves it."""
        for name in {statement.target.text for statement in node.statements if isinstance(statement, Assignment)}:
            for known_names in (self.final,) if self.agree else (self.final, self.sizing):
                value = known_names.get(name)
                if value is not None and value.frame is frame:
                    known_names[name] = Value(value.number, frame, value.address.up_to(end))

    def forget(self) -> None:
        """Behind a file that was not found, any symbol may have another value."""
        for name in self.sizing:
            self.sizing[name] = self.final[name] = UNSURE_VALUE

    def settle(self) -> dict[Node, Known]:
        """Evaluate what hung on later statements, now that these are known: the values by assignment."""
        values: dict[Node, Known] = {}
        self._settled = set()
        for node, frame, dot, at in self._deferred:
            name = node.target.text
            if self._flow.assigned[name] == 1 and name not in self._flow.uncertain and not mentions(node.value, name):
                self.open = frame.name if self.by_address and frame is not ABSOLUTE else ""
                value, _ = self.evaluate(node.value, frame, dot, final=True, at=at)
                self.open = ""
                frame = ABSOLUTE if self.by_address else frame
                if value.frame is None and frame is not ABSOLUTE:
                    self.offsets[node] = value.number
                self.final[name] = settled(value, frame)
                self._settled.add(name)
                values[node] = self.final[name].absolute()
        return values

    def is_final(self, name: str) -> bool:
        """Whether a symbol's value so far is its last one."""
        return self._flow.assigned[name] == 1 and name in self.final

    def is_settled(self, name: str) -> bool:
        """Whether a symbol has its last value here, be it that the script never assigns it."""
        return not self._flow.assigned[name] or self.is_final(name)

    def _symbol(self, name: str) -> Value:
        value = self._reading.get(name)
        if value is None:
            value = self._unassigned(name)
        elif self._settled is not None:
            value = self._settled_value(name, self._settled)
        elif name in self._late and self._reading is self.final:
            self._touched_late = True
        if self._addressing and value.frame not in (FOREIGN, UNSURE):
            return absolute_value(value.absolute())
        if value.frame is ABSOLUTE and (self._frame is not ABSOLUTE or self._flow.sane):
            return Value(value.number)
        return value

    def _unassigned(self, name: str) -> Value:
        """The value of a name that no statement so far assigns."""
        if name in self._flow.assigned:
            constant = self._constants.symbols.get(name)
            if constant is not None:
                return constant
            self._touched_late = True
            return UNSURE_VALUE
        if name in self._params:
            return absolute_value(known(self._params[name]))
        if name not in self._foreign:
            self._foreign[name] = Known(ANY, Anchor(name, wild=True))
        return Value(ANY, FOREIGN, self._foreign[name])

    def _settled_value(self, name: str, settled_names: set[str]) -> Value:
        """The value that a symbol has at a place, when all symbols have theirs."""
        if self._flow.assigned[name] != 1 or name in self._flow.uncertain:
            return UNSURE_VALUE
        constant = self._constants.symbols.get(name)
        if constant is not None:
            return constant
        if self._assigned_at[name] > self._at:
            # It is assigned further on: what counts is what the sizing run left.
            return self.sizing[name]
        return UNSURE_VALUE if name in self._late and name not in settled_names else self.final[name]

    def _function(self, function: str, name: str) -> Value:
        """The value of a builtin function that takes a name, or nothing."""
        if function in ("ADDR", "LOADADDR", "SIZEOF"):
            return self._section_function(function, name)
        if function in ("ORIGIN", "LENGTH"):
            region = self._constants.region(name)
            if region is None:
                return UNSURE_VALUE
            return Value(region.length) if function == "LENGTH" else relative_value(region.origin, self._frame)
        if function == "DEFINED":
            defined = name in self._params or (name in self._reading and name not in self._flow.uncertain)
            return Value(ONE if defined else FLAG)
        if function == "CONSTANT":
            return Value(exact(self._params[name]) if name in self._params else Number(1, 0, 1, MASK))
        return Value(ANY)

    def asks_size_so_far(self, expression: Expression) -> bool:
        """Whether an expression asks for the size of the open output section, which is not that in the image."""
        calls = (part for part in leaves(expression) if isinstance(part, Call) and part.function == "SIZEOF")
        return any(isinstance(word, Word) and word.text == self.open for call in calls for word in call.arguments)

    def _is_passing(self, function: str, name: str) -> bool:
        """Whether what lld takes for the place or size of a section is not its last one.

        In the section's body, SIZEOF() is the size so far; and lld waits for symbols to stay as they are, and not for
        sections.
        """
        late = self._settled is not None or name not in self.sections
        return (name == self.open and function == "SIZEOF") or (self.drifts and late)

    def _section_function(self, function: str, name: str) -> Value:
        section = self.sections.get(name)
        if self.by_address and self._is_passing(function, name):
            return UNSURE_VALUE
        if section is None:
            self._touched_late = self._touched_late or name in self._flow.names
            return UNSURE_VALUE
        if section.node.constraint:
            return UNSURE_VALUE
        if function == "ADDR":
            return Value(ZERO, section.frame, section.frame.start)
        if function == "LOADADDR":
            return absolute_value(section.load)
        size = difference(section.end, section.frame.start)
        return Value(size.join(ZERO) if section.absent else size)


def _addressed(value: Value) -> Value:
    """A value as an address, be it that of an object's symbol."""
    if value.frame in (UNSURE, ABSOLUTE):
        return value
    home = None if value.frame is FOREIGN else value.frame
    return Value(value.absolute().number, ABSOLUTE, value.absolute(), home)


@lru_cache(maxsize=1 << 14)
def _given(expression: Expression) -> tuple[frozenset[str], Value] | None:
    """The symbols in an expression of nothing but numbers and symbols, and its value where objects define all of these.

    It is then the same in all configurations, wherever the location counter is. None if it keeps to one of the symbols.
    """
    parts = leaves(expression)
    if not all((isinstance(part, Name) and part.name != ".") or _is_absolute(part) for part in parts):
        return None
    scope = Scope(ABSOLUTE, UNSURE_VALUE, lambda name: Value(ANY, FOREIGN, Known(ANY, Anchor(name, wild=True))), _none)
    value = evaluate(expression, scope)
    if value.frame is FOREIGN or value.address.anchor not in (None, ORIGIN):
        return None
    return symbols_in(expression), value


def _is_absolute(part: Name | Call) -> bool:
    return isinstance(part, Call) and part.function == "ABSOLUTE"


def _none(_function: str, _name: str) -> Value:
    return UNSURE_VALUE


def assigned_value(node: Assignment) -> Expression:
    """The right side of an assignment, with what `+=` and its like add to it."""
    if node.operator == "=":
        return node.value
    target = Name(node.target.text, start=node.target.start, end=node.target.end)
    return Binary(node.operator[:-1], target, node.value, start=node.start, end=node.end)


def mentions(expression: Expression, name: str) -> bool:
    """Whether a symbol's value goes into an expression."""
    return name in symbols_in(expression)


def _may_mean_the_end(value: Value, passed: Iterable[Section]) -> bool:
    """Whether a symbol may lie one byte ahead of its section, which lld takes for the end (SectionBase::getOffset).

    Outside of output sections that is one of those that were `passed`.
    """
    home, address = value.home, value.absolute()
    if home is None or home in (ABSOLUTE, FOREIGN, UNSURE):
        return False
    starts = [section.frame.start for section in passed] if home is AETHER else [home.start]
    return any(_may_be_just_ahead(address, start) for start in starts)


def _may_be_just_ahead(address: Known, start: Known) -> bool:
    """Whether an address may be the one ahead of another."""
    if address.high < start.low - 1 or address.low >= start.high:
        return False
    step = gcd(address.number.modulus, start.number.modulus)
    off = address.number.remainder + 1 - start.number.remainder
    if off if step == 0 else off % step:
        return False
    least, _ = distance(start, address)
    return least is None or least < 0
