"""GNU ld's arithmetic: numbers of 64 bits that wrap, unsigned but for division (ldexp.c, `fold_binary`)."""

from __future__ import annotations

from collections.abc import Callable

MASK = (1 << 64) - 1
_SIGN = 1 << 63


def align(value: int, alignment: int) -> int:
    """`value` rounded up to a multiple, in 64 bits; the alignment need be no power of two (`align_n`)."""
    if alignment <= 1:
        return value
    return ((value + alignment - 1 & MASK) // alignment) * alignment & MASK


def divide(operator: str, a: int, b: int) -> tuple[int | None, str]:
    """Division and remainder as in C on signed numbers: towards zero. None, with the reason, where ld has no result."""
    if not b:
        return None, "division by zero"
    left, right = _signed(a), _signed(b)
    if left == -_SIGN and right == -1:
        return None, "GNU ld crashes on this division"
    quotient = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        quotient = -quotient
    return (quotient if operator == "/" else left - quotient * right) & MASK, ""


def _signed(number: int) -> int:
    return number - (1 << 64) if number & _SIGN else number


# Shifts by 64 and more are undefined in C; on all hosts of today the count is taken modulo 64.
OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a and b)),
    "||": lambda a, b: int(bool(a or b)),
}
PLAIN_RESULT = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||"})

# Results that one operand decides alone.
FORCED: dict[str, Callable[[int | None, int | None], int | None]] = {
    "&&": lambda a, b: 0 if 0 in (a, b) else None,
    "||": lambda a, b: 1 if a or b else None,
    "*": lambda a, b: 0 if 0 in (a, b) else None,
    "&": lambda a, b: 0 if 0 in (a, b) else None,
}
