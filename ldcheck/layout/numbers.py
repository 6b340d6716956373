"""Sets of 64-bit numbers, as far as layout needs them: a congruence and an interval.

GNU ld computes every expression in unsigned 64-bit arithmetic that wraps around (ldexp.c, `fold_binary`). A `Number`
stands for all the values that an expression may have in some link; each operation here returns a set that holds every
result of the operation on members of its operands, wrap-around included. Only `advance` leaves the wrap-around out: it
is for location counters, which layout takes not to run past the end of the address space.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from ldcheck.record import dataclass

BITS = 64
SPAN = 1 << BITS
MASK = SPAN - 1
_SIGN = 1 << (BITS - 1)


@dataclass(frozen=True, slots=True)
class Number:
    """The numbers n with low <= n <= high and n = remainder modulo `modulus`; modulus 0 is one exact value."""

    modulus: int
    remainder: int
    low: int
    high: int

    @property
    def value(self) -> int | None:
        """The one value, where there is only one."""
        return self.remainder if self.modulus == 0 else None

    @property
    def alignment(self) -> int:
        """The greatest power of two (at most 2**64) that divides every value."""
        divisor = gcd(self.modulus, self.remainder)
        return divisor & -divisor if divisor else SPAN

    def multiple_of(self, divisor: int) -> bool:
        """Whether every value is a multiple of `divisor`, which is positive."""
        return self.modulus % divisor == 0 and self.remainder % divisor == 0

    def holds(self, value: int) -> bool:
        """Whether `value` is one of the numbers."""
        return self.low <= value <= self.high and (
            value == self.remainder if self.modulus == 0 else value % self.modulus == self.remainder
        )

    def __add__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left + right)
        if self.high + other.high <= MASK:
            return _make(
                gcd(self.modulus, other.modulus),
                self.remainder + other.remainder,
                self.low + other.low,
                self.high + other.high,
            )
        if right is not None and right >= _SIGN and self.low >= SPAN - right:
            return self - exact(SPAN - right)
        return _wrapped(gcd(self.modulus, other.modulus), self.remainder + other.remainder)

    def __sub__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left - right)
        if self.low >= other.high:
            return _make(
                gcd(self.modulus, other.modulus),
                self.remainder - other.remainder,
                self.low - other.high,
                self.high - other.low,
            )
        return _wrapped(gcd(self.modulus, other.modulus), self.remainder - other.remainder)

    def __mul__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left * right)
        modulus = gcd(self.remainder * other.modulus, self.modulus * other.remainder, self.modulus * other.modulus)
        product = self.remainder * other.remainder
        if self.high * other.high <= MASK:
            return _make(modulus, product, self.low * other.low, self.high * other.high)
        return _wrapped(modulus, product)

    def __invert__(self) -> Number:
        return _make(self.modulus, MASK - self.remainder, MASK - self.high, MASK - self.low)

    def __and__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left & right)
        if left is not None:
            return other & self
        if right is None:
            bits = min(self.known_bits, other.known_bits)
            return _make(1 << bits, self.remainder & other.remainder, 0, min(self.high, other.high))
        known = self.known_bits
        rest = right >> known
        if rest == 0:
            return exact(self.remainder & right)
        low, high = 0, min(self.high, right)
        if right | (right - 1) == MASK and right:
            # A mask of high ones rounds down, which keeps the order.
            low, high = self.low & right, self.high & right
        bits = known + (rest & -rest).bit_length() - 1
        return _make(1 << bits, self.remainder & right, low, high)

    def __or__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left | right)
        bits = min(self.known_bits, other.known_bits)
        return _make(
            1 << bits,
            self.remainder | other.remainder,
            max(self.low, other.low),
            (1 << max(self.high, other.high).bit_length()) - 1,
        )

    def __xor__(self, other: Number) -> Number:
        left, right = self.value, other.value
        if left is not None and right is not None:
            return exact(left ^ right)
        bits = min(self.known_bits, other.known_bits)
        high = (1 << max(self.high, other.high).bit_length()) - 1
        return _make(1 << bits, self.remainder ^ other.remainder, 0, high)

    @property
    def known_bits(self) -> int:
        """How many of the lowest bits are the same in every value."""
        if self.modulus == 0:
            return BITS
        return min((self.modulus & -self.modulus).bit_length() - 1, BITS)

    def left_shift(self, other: Number) -> Number:
        """`self << other`; nothing is known of shifts by 64 or more, which C leaves undefined."""
        places = other.value
        return ANY if places is None or places >= BITS else self * exact(1 << places)

    def right_shift(self, other: Number) -> Number:
        """`self >> other`, unsigned."""
        places = other.value
        if places is None or places >= BITS:
            return ANY if other.high >= BITS else _make(1, 0, 0, self.high >> other.low)
        if self.modulus == 0:
            return exact(self.remainder >> places)
        modulus = self.modulus >> places if self.modulus % (1 << places) == 0 else 1
        return _make(modulus, self.remainder >> places, self.low >> places, self.high >> places)

    def divide(self, other: Number) -> Number:
        """`self / other`, signed as in ld. A division by zero ends a link."""
        left, right = self.value, other.value
        if left is not None and right:
            top, bottom = signed(left), signed(right)
            quotient = abs(top) // abs(bottom)
            return exact(quotient if (top < 0) == (bottom < 0) else -quotient)
        if right and right < _SIGN and self.high < _SIGN:
            modulus = self.modulus // right if self.modulus % right == 0 else 1
            return _make(modulus, self.remainder // right, self.low // right, self.high // right)
        return ANY

    def modulo(self, other: Number) -> Number:
        """`self % other`, signed as in ld. A division by zero ends a link."""
        left, right = self.value, other.value
        if left is not None and right:
            top = signed(left)
            rest = abs(top) % abs(signed(right))
            return exact(-rest if top < 0 else rest)
        if right and right < _SIGN:
            if self.high < _SIGN:
                if self.modulus % right == 0:
                    return exact(self.remainder % right)
                return _make(gcd(self.modulus, right), self.remainder, 0, min(self.high, right - 1))
            if right & (right - 1) == 0 and self.multiple_of(right):
                return ZERO
        return ANY

    def divide_unsigned(self, other: Number) -> Number:
        """`self / other`, unsigned as in lld."""
        left, right = self.value, other.value
        if left is not None and right:
            return exact(left // right)
        if right:
            modulus = self.modulus // right if self.modulus % right == 0 else 1
            return _make(modulus, self.remainder // right, self.low // right, self.high // right)
        return ANY

    def modulo_unsigned(self, other: Number) -> Number:
        """`self % other`, unsigned as in lld."""
        left, right = self.value, other.value
        if left is not None and right:
            return exact(left % right)
        if right:
            if self.modulus % right == 0:
                return exact(self.remainder % right)
            return _make(gcd(self.modulus, right), self.remainder, 0, min(self.high, right - 1))
        return ANY

    def align(self, boundary: Number) -> Number:
        """The next multiple of `boundary`, as `align_n` in ldexp.c computes it: 0 and 1 change nothing."""
        step = boundary.value
        if step is None:
            return self if boundary.high <= 1 else ANY
        if step <= 1:
            return self
        if self.modulus == 0:
            return exact((self.remainder + step - 1) % SPAN // step * step)
        if self.high + step - 1 <= MASK:
            return self.advance_to(step)
        return _make(step, 0, 0, MASK)

    def advance_to(self, step: int) -> Number:
        """The next multiple of `step`, for a location counter that does not wrap around."""
        if self.modulus == 0:
            return exact(-(-self.remainder // step) * step)
        if self.modulus % step == 0:
            return self.advance(exact(-self.remainder % step))
        return _make(step, 0, -(-self.low // step) * step, min(-(-self.high // step) * step, MASK))

    def advance(self, other: Number) -> Number:
        """The sum, for a location counter that does not wrap around."""
        if self.modulus == 0 and other.modulus == 0:
            return exact(self.remainder + other.remainder)
        return _make(
            gcd(self.modulus, other.modulus),
            self.remainder + other.remainder,
            min(self.low + other.low, MASK),
            min(self.high + other.high, MASK),
        )

    def join(self, other: Number) -> Number:
        """The values of both."""
        if self is other:
            return self
        return _make(
            gcd(self.modulus, other.modulus, self.remainder - other.remainder),
            self.remainder,
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def within(self, low: int, high: int) -> Number:
        """The values from `low` to `high`; unchanged if there are none, as on a path that no link takes."""
        low, high = max(self.low, low), min(self.high, high)
        if low > high or self.modulus == 0:
            return self
        return _make(self.modulus, self.remainder, low, high)

    def meet(self, other: Number) -> Number:
        """Values that are in both sets; the larger knowledge of the two where the congruences do not nest."""
        if self.modulus == 0 or other.modulus == 0:
            return self if self.modulus == 0 else other
        finer = self if self.modulus >= other.modulus else other
        return finer.within(max(self.low, other.low), min(self.high, other.high))

    def less(self, other: Number) -> bool | None:
        """Whether self < other, unsigned; None if some link has it so and another not."""
        if self.high < other.low:
            return True
        return False if self.low >= other.high else None

    def equal(self, other: Number) -> bool | None:
        """Whether the values are equal; None if some link has it so and another not."""
        if self.modulus == 0 and other.modulus == 0:
            return self.remainder == other.remainder
        if self.high < other.low or other.high < self.low:
            return False
        common = gcd(self.modulus, other.modulus)
        return False if common and (self.remainder - other.remainder) % common else None

    @property
    def truth(self) -> bool | None:
        """Whether the value is other than zero; None if it may be either."""
        if self.modulus == 0:
            return self.remainder != 0
        return None if self.holds(0) else True


def signed(value: int) -> int:
    """A 64-bit value as C's signed type reads it."""
    return value - SPAN if value >= _SIGN else value


@lru_cache(maxsize=512)
def exact(value: int) -> Number:
    """The one number `value`, modulo 2**64."""
    value &= MASK
    return Number(0, value, value, value)


def multiple(step: int, low: int = 0) -> Number:
    """Any multiple of `step` from `low` on."""
    return _make(step, 0, low, MASK)


def either(truth: bool | None) -> Number:
    """A comparison's result as a number."""
    return FLAG if truth is None else ONE if truth else ZERO


def _make(modulus: int, remainder: int, low: int, high: int) -> Number:
    if modulus == 0:
        return exact(remainder)
    remainder %= modulus
    low += (remainder - low) % modulus
    high -= (high - remainder) % modulus
    return exact(low) if low >= high else Number(modulus, remainder, low, high)


def _wrapped(modulus: int, remainder: int) -> Number:
    """A result that may have wrapped around: only what divides 2**64 is left of the congruence."""
    modulus &= -modulus
    return _make(min(modulus, SPAN) or SPAN, remainder, 0, MASK)


ANY = Number(1, 0, 0, MASK)
FLAG = Number(1, 0, 0, 1)
ZERO = exact(0)
ONE = exact(1)
