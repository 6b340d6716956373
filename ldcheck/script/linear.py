"""Expressions as sums: `ORIGIN(RAM) + LENGTH(RAM) - 4` is twice something and a number.

What cannot be written as a sum of functions and symbols has none. It is for questions that hold whatever these are
worth, such as whether one expression is the length of a region above another.
"""

from __future__ import annotations

from collections.abc import Mapping

from ldcheck.record import dataclass
from ldcheck.script.syntax import Binary, Call, Expression, Name, Number, Unary, Word

# As many operands as a person adds.
_MOST = 64


@dataclass(frozen=True, slots=True)
class Linear:
    """`number` plus each part as often as `parts` says; a part is a symbol, the location counter, or a function."""

    number: int
    parts: Mapping[str, int]

    def __sub__(self, other: Linear) -> Linear:
        """The difference, without the parts that are gone."""
        counts = {part: self.parts.get(part, 0) - other.parts.get(part, 0) for part in {**self.parts, **other.parts}}
        return Linear(self.number - other.number, {part: count for part, count in counts.items() if count})


def linear(expression: Expression) -> Linear | None:
    """An expression as a sum; None if it is none, or a long one."""
    number = 0
    parts: dict[str, int] = {}
    pending: list[tuple[Expression, int]] = [(expression, 1)]
    for _ in range(_MOST):
        if not pending:
            return Linear(number, {part: count for part, count in parts.items() if count})
        node, sign = pending.pop()
        if isinstance(node, Number):
            number += sign * node.value
        elif isinstance(node, Name):
            parts[node.name] = parts.get(node.name, 0) + sign
        elif isinstance(node, Binary) and node.operator in ("+", "-"):
            pending += [(node.left, sign), (node.right, sign if node.operator == "+" else -sign)]
        elif isinstance(node, Unary) and node.operator in ("+", "-"):
            pending.append((node.operand, sign if node.operator == "+" else -sign))
        elif isinstance(node, Call) and len(node.arguments) == 1:
            inner = node.arguments[0]
            if isinstance(inner, Word):
                part = f"{_FUNCTIONS.get(node.function, node.function)}({inner.text})"
                parts[part] = parts.get(part, 0) + sign
            elif node.function == "ABSOLUTE":
                pending.append((inner, sign))
            else:
                return None
        else:
            return None
    return None


_FUNCTIONS = {"org": "ORIGIN", "o": "ORIGIN", "len": "LENGTH", "l": "LENGTH"}
