"""What a script decides about an expression that stands outside of it, as those of policies do.

Two things decide: what `interpret` proved of addresses, and the script's own ASSERTs, for a link that fails one is no
link. Symbols are addresses here, whatever section they belong to, as they are when one looks them up in an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ldcheck.layout.anchors import Anchor
from ldcheck.layout.assertions import NONZERO, ZERO, Part, parts
from ldcheck.layout.evaluation import Scope, evaluate
from ldcheck.layout.facts import Known, known, not_behind
from ldcheck.layout.frames import ABSOLUTE, UNSURE_VALUE, Frame, Value, absolute_value, difference
from ldcheck.layout.linear import Names, Sum, Terms, comparable, operation, sum_of
from ldcheck.layout.numbers import ANY, MASK, exact
from ldcheck.layout.numbers import ZERO as NOTHING
from ldcheck.layout.result import Layout
from ldcheck.record import dataclass
from ldcheck.script.syntax import Assertion, Binary, Expression, Number

_SWAPPED = {">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Decision:
    """Whether a condition is true in every link (or false in every link), and the ASSERTs that see to it, if any do."""

    truth: bool
    asserted: tuple[Assertion, ...] = ()


class Decided:
    """The values and conditions that a layout decides. `params` are symbols that the script leaves undefined."""

    def __init__(self, layout: Layout, params: Mapping[str, int] | None = None) -> None:
        self._layout = layout
        self._params = params or {}
        self._foreign: dict[str, Known] = {}
        self._frames: dict[str, Frame] = {}

    def value(self, expression: Expression, dot: Known | None = None) -> Known:
        """What is known of an expression's value in every link; `dot` is what `.` means in it."""
        scope = Scope(ABSOLUTE, UNSURE_VALUE if dot is None else absolute_value(dot), self._symbol, self._function)
        return evaluate(expression, scope).absolute()

    def condition(self, condition: Expression) -> Decision | None:
        """Whether a condition holds in every link or in none; None if the script does not decide it."""
        truth = self.value(condition).number.truth
        if truth is not None:
            return Decision(truth)
        for wanted in (True, False):
            found = self._follows(condition, wanted)
            if found is not None:
                return Decision(wanted, tuple(dict.fromkeys(found)))
        return None

    def at_most(self, expression: Expression, bound: int) -> Decision | None:
        """Whether a value is at most `bound`, as an unsigned number."""
        limit = Number(bound, str(bound), start=0, end=0)
        return self.condition(Binary("<=", expression, limit, start=expression.start, end=expression.end))

    # What addresses prove ---------------------------------------------------------------------------------------------

    def _symbol(self, name: str) -> Value:
        found = self._layout.symbol(name, with_assertions=True)
        if found is None and name in self._params:
            found = known(self._params[name])
        if found is None:
            found = self._foreign.setdefault(name, Known(ANY, Anchor(name, wild=True)))
        return absolute_value(found)

    def _function(self, function: str, name: str) -> Value:
        layout = self._layout
        if function == "SIZEOF":
            start, end = layout.section_start(name), layout.section_end(name)
            # A section without content is not there, and then its size is 0.
            return UNSURE_VALUE if start is None or end is None else Value(difference(end, start).join(NOTHING))
        if function in ("ADDR", "LOADADDR"):
            place = layout.section_start(name) if function == "ADDR" else layout.load_address(name)
            if place is None or function == "LOADADDR":
                return UNSURE_VALUE if place is None else absolute_value(place)
            # For ld it is the start of its section: a size beside it counts from there.
            return Value(NOTHING, self._frames.setdefault(name, Frame(name, place)), place)
        if function in ("ORIGIN", "LENGTH") and name in layout.grounds.regions:
            origin, length = layout.grounds.regions[name]
            return absolute_value(origin) if function == "ORIGIN" else Value(length)
        if function == "CONSTANT" and name in self._params:
            return Value(exact(self._params[name]))
        return Value(ANY)

    # What ASSERTs demand ----------------------------------------------------------------------------------------------

    def _names(self, *, in_script: bool) -> Names:
        grounds = self._layout.grounds
        absolute = grounds.absolute if in_script else None

        def measured(name: str) -> Known | None:
            if name in self._params and self._layout.symbol(name) is None:
                return known(self._params[name])
            return self._layout.symbol(name)

        def number(expression: Expression) -> int | None:
            return self.value(expression).value

        return Names(measured, number, grounds.definitions, absolute, grounds.unsure)

    @cached_property
    def _asked(self) -> Names:
        return self._names(in_script=False)

    @cached_property
    def _facts(self) -> _Facts:
        facts = _Facts()
        names = self._names(in_script=True)
        for said in self._layout.grounds.conditions:
            assert isinstance(said.node, Assertion)
            for part in parts(said.expression):
                compare = _compare(part, names, said.dot)
                if compare is not None:
                    facts.add(compare, said.node)
        return facts

    def _follows(self, condition: Expression, truth: bool, depth: int = 0) -> list[Assertion] | None:
        """The ASSERTs from which a condition (or its contrary) follows."""
        found: list[Assertion] = []
        for part in parts(condition, truth):
            proof = self._proof(part, depth)
            if proof is None:
                return None
            found += proof
        return found

    def _proof(self, part: Part, depth: int) -> list[Assertion] | None:
        if part.right is not None:
            whole: Expression = Binary(part.operator, part.left, part.right, start=0, end=0)
            if self.value(whole).number.truth:
                return []
        elif self.value(part.left).number.truth is (part.operator == NONZERO):
            return []
        node = part.left
        either = "||" if part.operator == NONZERO else "&&"
        if part.right is None and isinstance(node, Binary) and node.operator == either and depth < 20:
            for side in (node.left, node.right):
                proof = self._follows(side, part.operator == NONZERO, depth + 1)
                if proof is not None:
                    return proof
        compare = _compare(part, self._asked, None)
        if compare is None:
            return None
        found = self._facts.proves(compare)
        if found is None and part.right is not None and isinstance(node, Binary) and node.operator == "-":
            found = self._by_order(part, node)
        return None if found is None else [found]

    def _by_order(self, part: Part, minus: Binary) -> Assertion | None:
        """`a - b <= c` from `a <= b + c`, where b is known not to lie behind a."""
        if part.operator not in ("<", "<=") or not not_behind(self.value(minus.right), self.value(minus.left)):
            return None
        assert part.right is not None
        far = Binary("+", minus.right, part.right, start=0, end=0)
        compare = _compare(Part(minus.left, part.operator, far), self._asked, None)
        return None if compare is None else self._facts.proves(compare)


@dataclass(frozen=True, slots=True)
class _Compare:
    """`one operator other`, where the operator is one of == != < <=."""

    one: Sum
    operator: str
    other: Sum


def _compare(part: Part, names: Names, dot: Known | None) -> _Compare | None:
    """A part of a condition as sums; None where it is not certain what ld compares."""
    left = sum_of(part.left, names, dot)
    if left is None:
        return None
    if part.right is None:
        return _Compare(left[0], "==" if part.operator == ZERO else "!=", Sum())
    right = sum_of(part.right, names, dot)
    if right is None or not comparable(left[1], right[1]):
        return None
    if part.operator in _SWAPPED:
        return _Compare(right[0], _SWAPPED[part.operator], left[0])
    return _Compare(left[0], part.operator, right[0])


class _Facts:
    """Comparisons that are true in every link, and what follows from one of them.

    A bound on a sum is an interval for its terms, which may wrap around: `a - b + 4 <= 8` puts `a - b` into the nine
    values from -4 on.
    """

    def __init__(self) -> None:
        self._said: dict[_Compare, Assertion] = {}
        self._within: dict[Terms, list[tuple[int, int, Assertion]]] = {}
        self._multiples: dict[Terms, list[tuple[int, int, Assertion]]] = {}

    def add(self, compare: _Compare, node: Assertion) -> None:
        """Take a comparison for true because of an ASSERT."""
        self._said.setdefault(compare, node)
        multiple = _multiple(compare)
        if multiple is not None:
            value, step = multiple
            self._multiples.setdefault(value.terms, []).append((step, -value.constant % step, node))
        interval = _interval(compare)
        if interval is not None:
            terms, start, length = interval
            self._within.setdefault(terms, []).append((start, length, node))
            # The same of the terms with the other sign.
            opposite = Sum(0, terms).times(MASK).terms
            self._within.setdefault(opposite, []).append((-(start + length) & MASK, length, node))

    def proves(self, compare: _Compare) -> Assertion | None:
        """The ASSERT from which a comparison follows."""
        one, other = compare.one, compare.other
        candidates = [compare]
        if compare.operator in ("==", "!="):
            candidates.append(_Compare(other, compare.operator, one))
        if compare.operator in ("<=", "!="):
            candidates.append(_Compare(one, "<", other))
        if compare.operator == "!=":
            candidates.append(_Compare(other, "<", one))
        if compare.operator == "<=":
            candidates += (_Compare(one, "==", other), _Compare(other, "==", one))
        for candidate in candidates:
            if candidate in self._said:
                return self._said[candidate]
        return self._by_multiple(compare) or self._by_interval(compare)

    def _by_multiple(self, compare: _Compare) -> Assertion | None:
        multiple = _multiple(compare)
        if multiple is None:
            return None
        value, step = multiple
        for known_step, remainder, node in self._multiples.get(value.terms, ()):
            if known_step % step == 0 and (remainder + value.constant) % step == 0:
                return node
        return None

    def _by_interval(self, compare: _Compare) -> Assertion | None:
        if compare.operator == "!=":
            difference_of = compare.one.plus(compare.other, MASK)
            wanted = (difference_of.terms, 1 - difference_of.constant & MASK, MASK - 1)
        else:
            interval = _interval(compare)
            if interval is None:
                return None
            wanted = interval
        terms, start, length = wanted
        for low, reach, node in self._within.get(terms, ()):
            if (low - start & MASK) + reach <= length:
                return node
        return None


def _interval(compare: _Compare) -> tuple[Terms, int, int] | None:
    """The terms, and the first value and the last one's distance from it, of what a comparison bounds by numbers."""
    one, other, operator = compare.one, compare.other, compare.operator
    if operator == "==":
        rest = one.plus(other, MASK)
        return (rest.terms, -rest.constant & MASK, 0) if rest.terms else None
    low, high = one.number, other.number
    if operator == "!=" or (low is None) is (high is None):
        return None
    strict = operator == "<"
    if high is not None:
        return (one.terms, -one.constant & MASK, high - strict) if high >= strict else None
    assert low is not None
    return (other.terms, low + strict - other.constant & MASK, MASK - low - strict) if low + strict <= MASK else None


def _multiple(compare: _Compare) -> tuple[Sum, int] | None:
    """The value that a comparison says to be a multiple, and of what power of two: `a & 7 == 0`, `ALIGN(a, 8) == a`."""
    if compare.operator != "==":
        return None
    for one, other in ((compare.one, compare.other), (compare.other, compare.one)):
        found = operation(one)
        if found is None or len(found.operands) != 2:
            continue
        first, second = found.operands
        if found.operator == "ALIGN" and first == other:
            return _of_power(first, second.number)
        if found.operator == "%" and other.number == 0:
            return _of_power(first, second.number)
        if found.operator == "&" and other.number is not None:
            value, mask = (first, second) if second.number is not None else (second, first)
            step = None if mask.number is None else mask.number + 1
            return _of_power(value.plus(other, MASK), step) if step is not None and other.number < step else None
    return None


def _of_power(value: Sum, step: int | None) -> tuple[Sum, int] | None:
    return None if step is None or step < 2 or step & (step - 1) else (value, step)
