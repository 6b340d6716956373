"""Where lld may make something else of an expression than GNU ld does of the same addresses."""

from __future__ import annotations

from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Assertion, Binary, Call, Expression, Name, Node, Number, walk

_SIGNED = (1 << 63) - 1
# On these GNU ld computes with addresses, or with the difference of two, as lld does.
_ALIKE = frozenset(("+", "-", "<", "<=", ">", ">=", "==", "!=", "&&", "||"))


def differs_by_lld(part: Node, environment: Environment) -> bool:
    """Whether the linkers may differ about a part of an expression, with the numbers that its operands have here."""
    if isinstance(part, Assertion):
        return True
    if isinstance(part, Call) and part.function in ("LOADADDR", "ASSERT"):
        # Of a section that is empty, the map does not tell.
        return True
    if not isinstance(part, Expression) or isinstance(part, Name | Number):
        return False
    if isinstance(part, Binary) and part.operator in ("/", "%"):
        sides = (evaluate(side, environment).number for side in (part.left, part.right))
        return any(number is None or number > _SIGNED for number in sides)
    if isinstance(part, Binary) and part.operator in _ALIKE:
        return False
    return any(isinstance(inner, Call) and inner.function == "ADDR" for inner in walk(part) if inner is not part)
