"""Expressions as sums, so that two that differ in how they are written are seen to be the same.

A value of GNU ld is a sum modulo 2**64 of things that only a link decides, each taken some number of times: `_end`,
SIZEOF(.text), or what is no sum (`_end & 7`). What a symbol is made of counts for it: behind `size = _end - _start;`
the two are one. Whether a value is relative to an output section is kept, because ld computes with the distance from
the section's start then (ldexp.c, `fold_binary`); a form in which the sum could mean something else has no sum here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import NamedTuple

from ldcheck.layout.facts import Known
from ldcheck.layout.numbers import MASK
from ldcheck.layout.result import Said
from ldcheck.record import dataclass
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Binary, Call, Expression, Name, Number, Unary, Word

# Beyond these an expression is nothing that a person wrote, and is taken as unknown.
_DEEPEST = 60
_MOST_TERMS = 40
_HEAVIEST = 200


class Kind(Enum):
    """What ld takes a value to be relative to. UNSURE is as RELATIVE, and may lie in front of its section's start."""

    PLAIN = "a mere number"
    ABSOLUTE = "an address"
    RELATIVE = "relative to a section"
    UNSURE = "perhaps relative to a section"


Terms = frozenset[tuple[Hashable, int]]


@dataclass(frozen=True, slots=True)
class Sum:
    """`constant` and each of `terms` as often as it says, modulo 2**64."""

    constant: int = 0
    terms: Terms = frozenset()

    def plus(self, other: Sum, times: int = 1) -> Sum:
        """The sum with `other`, taken so many times."""
        counts = dict(self.terms)
        for key, count in other.terms:
            counts[key] = counts.get(key, 0) + count * times & MASK
        terms = frozenset((key, count) for key, count in counts.items() if count)
        return Sum(self.constant + other.constant * times & MASK, terms)

    def times(self, factor: int) -> Sum:
        """The sum, taken so many times."""
        return Sum().plus(self, factor)

    @property
    def number(self) -> int | None:
        """The number that it is in every link."""
        return None if self.terms else self.constant


Form = tuple[Sum, Kind]


class Names:
    """What the names of an expression stand for.

    `known` is the value of a symbol, as far as it is measured from a point, `number` that of a function of a name.

    In a policy (`absolute` is None) every symbol is an address; in a script it may be relative to its section.
    """

    def __init__(
        self,
        known: Callable[[str], Known | None],
        number: Callable[[Expression], int | None],
        definitions: Mapping[str, Said],
        absolute: frozenset[str] | None = None,
        unsure: frozenset[str] = frozenset(),
    ) -> None:
        self.known = known
        self.number = number
        self.definitions = definitions
        self.absolute = absolute
        self.unsure = unsure
        # Of symbols by their definitions, which may be made of each other.
        self.defined: dict[str, Form | None] = {}

    def kind(self, name: str) -> Kind:
        """What ld takes the symbol's value to be relative to."""
        if self.absolute is None or name in self.absolute:
            return Kind.ABSOLUTE
        return Kind.UNSURE if name in self.unsure else Kind.RELATIVE


def sum_of(expression: Expression, names: Names, dot: Known | None = None, depth: int = 0) -> Form | None:
    """The sum that an expression is, and what it is relative to; None where that is not certain."""
    if depth > _DEEPEST:
        return None
    form = _form(expression, names, dot, depth + 1)
    return None if form is None or len(form[0].terms) > _MOST_TERMS or _weight(form[0]) > _HEAVIEST else form


def comparable(left: Kind, right: Kind) -> bool:
    """Whether ld compares two values of these kinds as it would the addresses that they mean."""
    if Kind.PLAIN in (left, right):
        return _as_number(left) and _as_number(right)
    return left is right is Kind.RELATIVE or Kind.ABSOLUTE in (left, right)


def _as_number(kind: Kind) -> bool:
    return kind in (Kind.PLAIN, Kind.ABSOLUTE)


def _form(node: Expression, names: Names, dot: Known | None, depth: int) -> Form | None:
    if isinstance(node, Number):
        return Sum(node.value & MASK), Kind.ABSOLUTE
    if isinstance(node, Name):
        return _name(node, names, dot, depth)
    if isinstance(node, Call):
        return _call(node, names, dot, depth)
    if isinstance(node, Unary):
        return _unary(node, names, dot, depth)
    if isinstance(node, Binary):
        left, right = sum_of(node.left, names, dot, depth), sum_of(node.right, names, dot, depth)
        return None if left is None or right is None else _binary(node.operator, left, right)
    found = [sum_of(part, names, dot, depth) for part in (node.test, node.yes, node.no)]
    if any(form is None or not _as_number(form[1]) for form in found):
        return None
    return _joined("?", found)


def _name(node: Name, names: Names, dot: Known | None, depth: int) -> Form | None:
    if node.name == "." and not node.quoted:
        return None if dot is None else _placed(dot, Kind.ABSOLUTE)
    kind = names.kind(node.name)
    known = names.known(node.name)
    placed = None if known is None else _placed(known, kind)
    if placed is not None:
        return placed
    if node.name not in names.defined:
        said = names.definitions.get(node.name)
        names.defined[node.name] = None if said is None else sum_of(said.expression, names, said.dot, depth)
    form = names.defined[node.name]
    # A number that was assigned is an address from then on.
    if form is not None and (kind is Kind.ABSOLUTE or not _as_number(form[1])):
        return form[0], kind
    return Sum(0, frozenset(((("symbol", node.name), 1),))), kind


def _placed(known: Known, kind: Kind) -> Form | None:
    """A value by the point that it is measured from; None if there is none."""
    if known.value is not None:
        return Sum(known.value), kind
    anchor, offset = known.anchor, known.offset
    while anchor is not None and anchor.twin is not None:
        offset += anchor.twin[1]
        anchor = anchor.twin[0]
    return None if anchor is None else (Sum(offset & MASK, frozenset(((anchor, 1),))), kind)


# DEFINED() is not among them: it may change from one statement to the next.
_NAMED = {
    "ADDR": Kind.RELATIVE,
    "ALIGNOF": Kind.PLAIN,
    "CONSTANT": Kind.PLAIN,
    "LENGTH": Kind.PLAIN,
    "LOADADDR": Kind.ABSOLUTE,
    "ORIGIN": Kind.ABSOLUTE,
    "SIZEOF": Kind.PLAIN,
}


def _call(node: Call, names: Names, dot: Known | None, depth: int) -> Form | None:
    values = [argument for argument in node.arguments if not isinstance(argument, Word)]
    words = [argument.text for argument in node.arguments if isinstance(argument, Word)]
    if not values and len(words) == 1 and node.function in _NAMED:
        number = names.number(node)
        key = (node.function, words[0])
        found = Sum(0, frozenset(((key, 1),))) if number is None else Sum(number)
        return found, _NAMED[node.function]
    forms = [sum_of(value, names, dot, depth) for value in values]
    if node.function == "ABSOLUTE" and len(forms) == 1:
        return None if forms[0] is None else (forms[0][0], Kind.ABSOLUTE)
    if node.function in ("ALIGN", "BLOCK") and len(forms) == 1:
        forms.insert(0, None if dot is None else _placed(dot, Kind.ABSOLUTE))
    if node.function in ("ALIGN", "BLOCK", "MAX", "MIN", "LOG2CEIL"):
        return _joined("ALIGN" if node.function == "BLOCK" else node.function, forms, node.function in ("MAX", "MIN"))
    return None


def _unary(node: Unary, names: Names, dot: Known | None, depth: int) -> Form | None:
    form = sum_of(node.operand, names, dot, depth)
    if form is None or node.operator == "+":
        return form
    value, kind = form
    if not _as_number(kind):
        # It is computed on the distance from the section's start.
        return None
    if node.operator == "-":
        return value.times(MASK), kind
    if node.operator == "~":
        return Sum(MASK).plus(value, MASK), kind
    return _opaque("==", (value, Sum()), ordered=False), Kind.PLAIN


def _binary(operator: str, left: Form, right: Form) -> Form | None:
    (one, one_kind), (other, other_kind) = left, right
    if operator == "-" and (one_kind is not Kind.PLAIN or _as_number(other_kind)):
        return one.plus(other, MASK), one_kind if other_kind is Kind.PLAIN else Kind.ABSOLUTE
    if operator == "+" and (_as_number(one_kind) or _as_number(other_kind)):
        kind = Kind.ABSOLUTE
        if Kind.PLAIN in (one_kind, other_kind):
            kind = other_kind if one_kind is Kind.PLAIN else one_kind
        return one.plus(other), kind
    if operator in _COMPARED:
        if not comparable(one_kind, other_kind):
            return None
        return compared(operator, one, other), Kind.PLAIN
    if not (_as_number(one_kind) and _as_number(other_kind)):
        if Kind.ABSOLUTE not in (one_kind, other_kind):
            return None
        one_kind = other_kind = Kind.ABSOLUTE
    kind = Kind.PLAIN if one_kind is other_kind is Kind.PLAIN else Kind.ABSOLUTE
    return _arithmetic(operator, one, other), kind


_COMPARED = frozenset(("==", "!=", "<", ">", "<=", ">="))
_COMMUTATIVE = frozenset(("*", "&", "|", "^", "&&", "||"))


def compared(operator: str, one: Sum, other: Sum) -> Sum:
    """The result of a comparison; that of `a > b` is that of `b < a`."""
    if operator in (">", ">="):
        one, other, operator = other, one, {">": "<", ">=": "<="}[operator]
    return _opaque(operator, (one, other), ordered=operator in ("<", "<="))


def _arithmetic(operator: str, one: Sum, other: Sum) -> Sum:
    left, right = one.number, other.number
    if left is not None and right is not None:
        operands = [Number(value, str(value), start=0, end=0) for value in (left, right)]
        number = evaluate(Binary(operator, *operands, start=0, end=0), Environment()).number
        return _opaque(operator, (one, other)) if number is None else Sum(number & MASK)
    if operator == "*" and (left is not None or right is not None):
        return other.times(left) if left is not None else one.times(right or 0)
    if operator == "<<" and right is not None and right < 64:
        return one.times(1 << right)
    return _opaque(operator, (one, other), ordered=operator not in _COMMUTATIVE)


class Operation(NamedTuple):
    """What is no sum of its operands, a set where their order means nothing. `weight` counts what is in it."""

    operator: str
    operands: tuple[Sum, ...] | frozenset[Sum]
    weight: int


def _opaque(operator: str, operands: tuple[Sum, ...], ordered: bool = True) -> Sum:
    weight = 1 + sum(_weight(value) for value in operands)
    if weight > _HEAVIEST:
        # Like nothing else.
        return Sum(0, frozenset(((object(), 1),)))
    same = frozenset(operands)
    return Sum(0, frozenset(((Operation(operator, operands if ordered or len(same) < 2 else same, weight), 1),)))


def _weight(value: Sum) -> int:
    return sum(key.weight if isinstance(key, Operation) else 1 for key, _ in value.terms)


def _joined(operator: str, forms: list[Form | None], commutative: bool = False) -> Form | None:
    """What is no sum of its operands; None if ld may not take their addresses for it."""
    found = [form for form in forms if form is not None]
    kinds = {kind for _, kind in found}
    # Of values that are relative to different things, ld takes the addresses.
    numbers = all(_as_number(kind) for kind in kinds) or (Kind.ABSOLUTE in kinds and Kind.PLAIN not in kinds)
    if len(found) < len(forms) or not numbers:
        return None
    return _opaque(operator, tuple(value for value, _ in found), ordered=not commutative), Kind.ABSOLUTE


def operation(value: Sum) -> Operation | None:
    """The one operation that a value is the result of; None for a sum."""
    if value.constant or len(value.terms) != 1:
        return None
    ((key, count),) = value.terms
    return key if count == 1 and isinstance(key, Operation) else None
