"""Every operation on sets of numbers holds every result of the operation on members."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from ldcheck.layout.numbers import ANY, MASK, Number, exact, multiple, signed

SPAN = 1 << 64


def random_number(random: Random) -> tuple[Number, list[int]]:
    """A set and some of its members."""
    kind = random.random()
    top = random.choice((1 << 8, 1 << 20, 1 << 33, SPAN))
    if kind < 0.3:
        value = random.choice((0, 1, random.randrange(top), MASK - random.randrange(64)))
        return exact(value), [value]
    modulus = random.choice((1, 1, 2, 3, 4, 6, 8, 24, 64, 4096, 1 << 40))
    low = random.randrange(top)
    remainder = low % modulus
    count = random.choice((1, 2, 5, 1000, SPAN))
    last = min(low + modulus * count, MASK)
    last -= (last - remainder) % modulus
    number = Number(modulus, remainder, low, last) if last > low else exact(low)
    steps = (last - low) // modulus
    return number, [low, last, *(low + modulus * random.randint(0, steps) for _ in range(6))]


def rounded(value: int, step: int) -> int:
    return value if step <= 1 else (value + step - 1) % SPAN // step * step


def c_divide(left: int, right: int) -> int:
    top, bottom = signed(left), signed(right)
    quotient = abs(top) // abs(bottom)
    return quotient if (top < 0) == (bottom < 0) else -quotient


def c_modulo(left: int, right: int) -> int:
    return signed(left) - c_divide(left, right) * signed(right)


Operation = tuple[Callable[[Number, Number], Number], Callable[[int, int], int]]
OPERATIONS: dict[str, Operation] = {
    "+": (Number.__add__, lambda a, b: a + b),
    "-": (Number.__sub__, lambda a, b: a - b),
    "*": (Number.__mul__, lambda a, b: a * b),
    "&": (Number.__and__, lambda a, b: a & b),
    "|": (Number.__or__, lambda a, b: a | b),
    "^": (Number.__xor__, lambda a, b: a ^ b),
    "<<": (Number.left_shift, lambda a, b: a << b if b < 64 else 0),
    ">>": (Number.right_shift, lambda a, b: a >> b if b < 64 else 0),
    "/": (Number.divide, lambda a, b: c_divide(a, b) if b else 0),
    "%": (Number.modulo, lambda a, b: c_modulo(a, b) if b else 0),
    "unsigned /": (Number.divide_unsigned, lambda a, b: a // b if b else 0),
    "unsigned %": (Number.modulo_unsigned, lambda a, b: a % b if b else 0),
    "ALIGN": (Number.align, rounded),
    "join": (Number.join, min),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_results_are_in_the_result(name):
    abstract, concrete = OPERATIONS[name]
    random = Random(name)
    for _ in range(4000):
        left, left_values = random_number(random)
        right, right_values = random_number(random)
        if name in ("/", "%") and 0 in right_values:
            continue
        result = abstract(left, right)
        for one in left_values:
            for other in right_values:
                if name in ("<<", ">>") and other >= 64:
                    continue
                value = concrete(one, other) % SPAN
                assert result.holds(value), (name, left, right, result, one, other, value)


def test_complement_and_bounds():
    random = Random(1)
    for _ in range(4000):
        number, values = random_number(random)
        assert all(number.holds(value) for value in values)
        assert all((~number).holds(MASK - value) for value in values)
        assert all(value % number.alignment == 0 for value in values)
        low = random.choice(values)
        assert all(number.within(low, MASK).holds(value) for value in values if value >= low)
        met = number.meet(multiple(8))
        assert all(met.holds(value) for value in values if value % 8 == 0)


def test_comparisons_are_decided_only_where_all_members_agree():
    random = Random(2)
    decided = 0
    for _ in range(4000):
        left, left_values = random_number(random)
        right, right_values = random_number(random)
        for claim, holds in ((left.less(right), int.__lt__), (left.equal(right), int.__eq__)):
            if claim is not None:
                decided += 1
                assert all(holds(one, other) is claim for one in left_values for other in right_values)
        if left.truth is not None:
            assert all((value != 0) is left.truth for value in left_values)
    assert decided > 1000


def test_what_is_known_of_masks():
    page = Number(4096, 0, 0, MASK - 4095)
    assert (page & exact(4095)).value == 0
    assert (ANY & exact(MASK - 4095)).multiple_of(4096)
    assert ((ANY + exact(4095)) & ~exact(4095)).multiple_of(4096)
    assert (page | exact(16)).holds(4112)
    assert (page + exact(16)).align(exact(64)).multiple_of(64)
