"""Random expressions of the linker's language, over names whose meaning a link gives."""

from __future__ import annotations

import random
from collections.abc import Sequence

_BINARY = ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "==", "!=", "<", ">", "<=", ">=", "&&", "||")
NUMBERS = (
    "0", "1", "2", "7", "8", "0x10", "0x1000", "4K", "1M", "017", "09", "10h", "0ffh", "101b", "12o", "99d", "$1f",
    "dead", "addb", "0xffffffffffffffff", "0x8000000000000000", "18446744073709551615", "99999999999999999999",
    "0x7fffffff", "3k", "0x4M",
)  # fmt: skip
_DIVISORS = ("1", "2", "7", "0x10", "4K", "0xfffffffffffffff0", "0x8000000000000000", "CONSTANT(MAXPAGESIZE)")


def expression(chance: random.Random, names: Sequence[str], depth: int) -> str:
    """An expression of at most `depth` levels; `names` are symbols and calls that may stand in it."""
    if depth <= 0 or chance.random() < 0.15:
        return chance.choice((chance.choice(NUMBERS), chance.choice(names), "."))

    def inner() -> str:
        return expression(chance, names, depth - 1)

    kind = chance.random()
    if kind < 0.55:
        operator = chance.choice(_BINARY)
        # GNU ld evaluates in passes; what is not zero in the end may be in the first, and that stops it.
        right = chance.choice(_DIVISORS) if operator in "/%" else inner()
        return f"({inner()} {operator} {right})"
    if kind < 0.65:
        return f"{chance.choice('-~!+')} {inner()}"
    if kind < 0.73:
        return f"({inner()} ? {inner()} : {inner()})"
    # Alignments stay small, so that values do not all end as 0.
    small = chance.choice(("1", "2", "16", "0x1000", "3", "6", inner()))
    return chance.choice(
        (
            f"ALIGN({small})",
            f"BLOCK({small})",
            f"ALIGN({inner()}, {small})",
            f"ABSOLUTE({inner()})",
            f"MAX({inner()}, {inner()})",
            f"MIN({inner()}, {inner()})",
            f"LOG2CEIL({inner()})",
            f"NEXT({small})",
            f'SEGMENT_START("none", {inner()})',
            inner(),
        )
    )
