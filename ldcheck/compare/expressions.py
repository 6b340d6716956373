"""Expressions in a form that is equal for equal meanings: numbers computed, what commutes in one order.

Only such rules of arithmetic are used as hold in GNU ld whatever section a value is relative to (ldexp.c). Two plain
numbers give a plain number; a plain number may be added from either side, and several at once.
"""

from __future__ import annotations

from typing import NamedTuple

from ldcheck.script.syntax import Binary, Call, Conditional, Expression, Name, Number, Unary, Word

_MASK = (1 << 64) - 1
# One function by two names (ldgram.y).
_ALIASES = {"BLOCK": "ALIGN"}


class _Form(NamedTuple):
    """The text of a form; its number, if it is one; and for the sum of something and a number, both."""

    text: str
    number: int | None = None
    base: str = ""
    addend: int = 0


def canonical(expression: Expression) -> str:
    """The form of an expression, as text that is made to be compared; any depth."""
    done: list[_Form] = []
    pending: list[tuple[Expression | Word, bool]] = [(expression, False)]
    while pending:
        node, ready = pending.pop()
        below = _operands(node)
        if below and not ready:
            pending.append((node, True))
            pending += [(one, False) for one in reversed(below)]
        else:
            forms = done[len(done) - len(below) :]
            del done[len(done) - len(below) :]
            done.append(_form(node, forms))
    return done[0].text


def sum_of(name: str, operator: str, value: Expression) -> str:
    """The form of `name operator value`, which is what `name operator= value` assigns."""
    start, end = value.start, value.end
    return canonical(Binary(operator, Name(name, start=start, end=end), value, start=start, end=end))


def _operands(node: Expression | Word) -> tuple[Expression | Word, ...]:
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Binary):
        return node.left, node.right
    if isinstance(node, Conditional):
        return node.test, node.yes, node.no
    if not isinstance(node, Call):
        return ()
    # What ASSERT() says where it fails is no part of an image.
    return node.arguments[:1] if node.function == "ASSERT" else node.arguments


def _form(node: Expression | Word, forms: list[_Form]) -> _Form:
    if isinstance(node, Number):
        return _number(node.value)
    if isinstance(node, Word):
        return _Form(f'"{node.text}"')
    if isinstance(node, Name):
        return _Form("." if node.name == "." and not node.quoted else f"`{node.name}`")
    if isinstance(node, Unary):
        return _unary(node.operator, forms[0])
    if isinstance(node, Binary):
        return _binary(node.operator, *forms)
    if isinstance(node, Conditional):
        # Both branches are kept, for what stands in the other one may be a reference all the same.
        return _Form(f"(? {' '.join(form.text for form in forms)})")
    function = _ALIASES.get(node.function, node.function)
    return _Form(f"({' '.join([function, *(form.text for form in forms)])})")


def _number(value: int) -> _Form:
    return _Form(f"{value & _MASK:#x}", value & _MASK)


def _unary(operator: str, operand: _Form) -> _Form:
    value = operand.number
    if operator == "+":
        return operand
    if value is not None and operator in "-~":
        return _number(-value if operator == "-" else ~value)
    return _Form(f"(u{operator} {operand.text})")


def _binary(operator: str, left: _Form, right: _Form) -> _Form:
    one, other = left.number, right.number
    if one is not None and other is not None and (value := _computed(operator, one, other)) is not None:
        return _number(value)
    if operator == "+" and one is not None:
        left, right, other = right, left, one
    if operator in "+-" and other is not None:
        base = left.base or left.text
        addend = (left.addend + (other if operator == "+" else -other)) & _MASK
        return _Form(f"(+ {base} {addend:#x})", None, base, addend)
    return _Form(f"({operator} {left.text} {right.text})")


def _computed(operator: str, one: int, other: int) -> int | None:
    if operator == "+":
        return one + other
    if operator == "-":
        return one - other
    if operator == "*":
        return one * other
    if operator == "&":
        return one & other
    if operator == "|":
        return one | other
    if operator == "<<" and other < 64:
        return one << other
    return one >> other if operator == ">>" and other < 64 else None
