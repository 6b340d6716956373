"""Small words for messages: counts with their unit, sizes, lists that stay short."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, unit: str) -> str:
    """`1 byte`, `8,200 bytes`, `2 entries`."""
    if number == 1:
        return f"1 {unit}"
    plural = unit[:-1] + "ies" if unit.endswith("y") else unit + "s"
    return f"{number:,} {plural}"


def size(number: int) -> str:
    """A size as people write it in a script: `4K`, `2M`, else the number."""
    for unit, letter in ((1 << 20, "M"), (1 << 10, "K")):
        if number and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


def listed(words: Sequence[str], most: int = 3, joint: str = "and") -> str:
    """`a, b and c`; of more than `most` words, the first ones and how many more there are."""
    if len(words) > most:
        return ", ".join(words[:most]) + f" {joint} {len(words) - most:,} more"
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + f" {joint} {words[-1]}"
