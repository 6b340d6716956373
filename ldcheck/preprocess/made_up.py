"""Numbers that are made up so that a condition holds or does not: what each stands for, and what is seen of it.

`#if LEVEL != 1` is tried with 0 for every number but 1: a condition on it may say "other than 1", and the text must not
have a 0 that no build has. So a number that the text would show is spelled as nobody spells one, and where such a
spelling comes out of the preprocessor, the name of its symbol takes its place: an unknown value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ldcheck.words import listed

# Longer than any number that people write, and than any value has digits.
_ZEROS = 24
_SPELLED = re.compile(rf"0x0{{{_ZEROS},}}[0-9a-f]+")
_WHOLE = re.compile(rf"(?<![\w.]){_SPELLED.pattern}(?![\w.])")
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "==": int.__eq__,
    "!=": int.__ne__,
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
}

# A sign and a number that a symbol is compared with.
Comparison = tuple[str, int]


def spelled(number: str, at: int) -> str:
    """A number as the value of the symbol with the index `at`: no two symbols have one spelling."""
    return f"0x{'0' * (_ZEROS + at)}{int(number):016x}"


def is_spelled(value: str | None) -> bool:
    """Whether a value, or a token, is a number that was made up."""
    return value is not None and _SPELLED.fullmatch(value) is not None


def plain(text: str) -> str:
    """A value, or a token that may have been pasted of one, with the number written as people do."""
    return _SPELLED.sub(lambda match: str(int(match.group(), 16)), text) if "0x0" in text else text


def named(text: str, names: Mapping[str, str]) -> str:
    """A preprocessor's output with the name of its symbol for each number that was made up; `names` by spelling."""
    return plain(_WHOLE.sub(lambda match: names.get(match.group(), match.group()), text)) if names else text


class _Range(NamedTuple):
    """Numbers from `low` to `high`, both included; None is no bound."""

    low: int | None
    high: int | None


def points(compared: Sequence[Comparison]) -> tuple[str, ...]:
    """One number for each outcome that the comparisons can have together."""
    around = {point for _, number in compared for point in (number - 1, number, number + 1) if point >= 0}
    by_outcome: dict[tuple[bool, ...], str] = {}
    for point in sorted(around):
        by_outcome.setdefault(_outcome(compared, point), str(point))
    return tuple(by_outcome.values())


def _outcome(compared: Sequence[Comparison], point: int) -> tuple[bool, ...]:
    return tuple(_COMPARE[sign](point, number) for sign, number in compared)


def _alike(compared: Sequence[Comparison], value: int) -> list[_Range]:
    """The numbers to which all comparisons answer as they do to `value`."""
    numbers = sorted({number for _, number in compared})
    parts = [_Range(None, numbers[0] - 1), *(_Range(number, number) for number in numbers)]
    parts += [_Range(low + 1, high - 1) for low, high in pairwise(numbers) if high - low > 1]
    parts.append(_Range(numbers[-1] + 1, None))
    found: list[_Range] = []
    for part in sorted(parts, key=lambda part: (part.low is not None, part.low or 0)):
        inside = part.low if part.low is not None else part.high
        if inside is None or _outcome(compared, inside) != _outcome(compared, value):
            continue
        if found and found[-1].high is not None and found[-1].high + 1 == part.low:
            part = _Range(found.pop().low, part.high)
        found.append(part)
    return found


def is_exact(compared: Sequence[Comparison], value: str) -> bool:
    """Whether no other number answers the comparisons as `value` does, so that it is nothing made up."""
    (first, *more) = _alike(compared, int(value))
    return not more and first.low is not None and first.low == first.high


def meaning(name: str, compared: Sequence[Comparison], value: str, undefined: bool) -> str:
    """What a configuration says of a symbol that has `value` in it, for all numbers for which this one was tried.

    `undefined` tells that a symbol that is not defined, which counts as 0, was not tried for itself.
    """
    ranges = _alike(compared, int(value))
    numbers = sorted({number for _, number in compared})
    also = " (or not defined)" if undefined and _outcome(compared, 0) == _outcome(compared, int(value)) else ""
    if len(ranges) == 1:
        low, high = ranges[0]
        if low is not None and high is not None:
            return (f"{name}={low}" if low == high else f"{name} from {low} to {high}") + also
        if high is not None:
            return f"{name} below {high + 1}{also}"
        if low is not None:
            return f"{name} of {low} or more{also}"
    others = [number for number in numbers if _outcome(compared, number) != _outcome(compared, int(value))]
    if ranges and len(ranges) == len(others) + 1 and ranges[0].low is None and ranges[-1].high is None:
        return f"{name} other than {listed([str(number) for number in others], len(others))}"
    return such_as(name, value)


def such_as(name: str, value: str) -> str:
    """The same where nobody knows for which other numbers it is so."""
    return f"{name} such as {plain(value)}"
