"""What an ASSERT demands of a symbol, where it has one of the usual forms.

A link that fails an ASSERT is no link, so what the script's ASSERTs demand holds in every link as well. It is kept
apart from what the script establishes: a check that asks whether an ASSERT is needed must not be told "yes, see there".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ldcheck.layout.facts import Order
from ldcheck.layout.numbers import ANY, MASK, Number, exact
from ldcheck.record import dataclass
from ldcheck.script.syntax import Binary, Call, Expression, Name, Unary, Word


@dataclass(frozen=True, slots=True)
class Demand:
    """A symbol, and the values that an ASSERT leaves it."""

    name: str
    number: Number


@dataclass(frozen=True, slots=True)
class Relation:
    """Two symbols, and the order in which an ASSERT wants them."""

    first: str
    second: str
    order: Order


# Gives the value of an expression, if it is the same in every link.
Constant = Callable[[Expression], int | None]

_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_ORDERS = {
    "<": Order.LESS,
    "<=": Order.LESS_OR_EQUAL,
    "==": Order.EQUAL,
    ">=": Order.GREATER_OR_EQUAL,
    ">": Order.GREATER,
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Part:
    """A part of a condition: a comparison that is true, or (with `right` None) that `left` is zero or not zero."""

    left: Expression
    operator: str
    right: Expression | None = None


# The operators of a `Part` that is no comparison.
ZERO, NONZERO = "is zero", "is not zero"


def parts(condition: Expression, truth: bool = True) -> Iterator[Part]:
    """What must be true for a condition to be true (or false), taken apart at `&&`, `||` and `!`."""
    pending: list[tuple[Expression, bool]] = [(condition, truth)]
    while pending:
        node, truth = pending.pop()
        if isinstance(node, Unary) and node.operator == "!":
            pending.append((node.operand, not truth))
        elif isinstance(node, Call) and node.function == "ABSOLUTE" and isinstance(node.arguments[0], Binary):
            pending.append((node.arguments[0], truth))
        elif isinstance(node, Binary) and node.operator == ("&&" if truth else "||"):
            pending.extend(((node.right, truth), (node.left, truth)))
        elif isinstance(node, Binary) and node.operator in _OPPOSITE:
            yield Part(node.left, node.operator if truth else _OPPOSITE[node.operator], node.right)
        else:
            yield Part(node, NONZERO if truth else ZERO)


def demands(condition: Expression, constant: Constant) -> list[Demand | Relation]:
    """What holds of symbols if a condition outside of output sections is true; unusual forms say nothing."""
    found: list[Demand | Relation] = []
    for part in parts(condition):
        if part.right is not None:
            _compared(part.operator, part.left, part.right, constant, found)
        elif part.operator == ZERO:
            _zero(part.left, constant, found)
    return found


def aligned(found: list[Demand | Relation]) -> list[Demand]:
    """Those of the demands that ask for an alignment."""
    return [
        item for item in found if isinstance(item, Demand) and item.number.modulus > 1 and not item.number.remainder
    ]


def _compared(
    operator: str, left: Expression, right: Expression, constant: Constant, found: list[Demand | Relation]
) -> None:
    value = constant(right)
    if value is None and constant(left) is not None:
        left, right, operator, value = right, left, _SWAPPED[operator], constant(left)
    if value == 0 and operator == "==" and not isinstance(left, Name):
        _zero(left, constant, found)
        return
    name = _symbol(left)
    if name is None:
        # ALIGN(x, n) == x, in either order.
        for one, other in ((left, right), (right, left)):
            step = _step(one, other, constant) if operator == "==" else None
            if step is not None:
                found.append(Demand(step[0], Number(step[1], 0, 0, MASK // step[1] * step[1])))
        return
    if value is not None:
        number = _limited(operator, value)
        if number is not None:
            found.append(Demand(name, number))
        return
    other_name = _symbol(right)
    if other_name is not None and operator in _ORDERS:
        found.append(Relation(name, other_name, _ORDERS[operator]))


def _limited(operator: str, value: int) -> Number | None:
    if operator == "==":
        return exact(value)
    if operator in ("<=", "<"):
        return ANY.within(0, value if operator == "<=" else value - 1) if value else None
    if operator in (">=", ">"):
        return ANY.within(value if operator == ">=" else value + 1, MASK)
    return None


def _zero(node: Expression, constant: Constant, found: list[Demand | Relation]) -> None:
    """`x & mask` or `x % n` is zero."""
    if not isinstance(node, Binary) or node.operator not in ("&", "%"):
        return
    for one, other in ((node.left, node.right), (node.right, node.left)):
        name, value = _symbol(one), constant(other)
        if name is not None and value is not None and (node.operator == "&" or one is node.left):
            step = value + 1 if node.operator == "&" else value
            # The sign of a remainder does not matter for powers of two.
            if step > 1 and step & (step - 1) == 0:
                found.append(Demand(name, Number(step, 0, 0, MASK // step * step)))
            return


def _step(aligned_to: Expression, symbol: Expression, constant: Constant) -> tuple[str, int] | None:
    name = _symbol(symbol)
    if name is None or not isinstance(aligned_to, Call) or aligned_to.function != "ALIGN":
        return None
    if len(aligned_to.arguments) != 2:
        return None
    operand, boundary = aligned_to.arguments
    if not isinstance(operand, Name) or operand.name != name or isinstance(boundary, Word):
        return None
    value = constant(boundary)
    return (name, value) if value is not None and value > 1 else None


def _symbol(node: Expression) -> str | None:
    if isinstance(node, Call) and node.function == "ABSOLUTE" and len(node.arguments) == 1:
        inner = node.arguments[0]
        return inner.name if isinstance(inner, Name) and inner.name != "." else None
    return node.name if isinstance(node, Name) and node.name != "." else None
