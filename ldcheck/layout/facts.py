"""What is known of an address: the abstract values that a script is interpreted with.

A `Known` says of one address what holds in every link of the script: a congruence and bounds, and its place relative to
an `Anchor`. Anchors are points whose distance to each other only the objects decide (what an input statement adds, the
padding that an unknown alignment needs); each knows the least and the greatest distance to the one in front of it,
which is what order is proved from. Addresses are in bytes.
"""

from __future__ import annotations

from enum import Enum
from math import gcd

from ldcheck.layout.anchors import ORIGIN, Anchor, Reach, all_ahead, between, common_anchor, joined, modular_distance
from ldcheck.layout.numbers import ANY, MASK, Number, exact
from ldcheck.record import dataclass
from ldcheck.script.syntax import Node

# An address and a number up to this are taken to have a sum that does not wrap around.
_FAR = 1 << 32
# As many reasons as a person wants to read.
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """A statement and what it does to our knowledge, as a clause: "aligns the location counter to 4096"."""

    node: Node
    text: str


class Order(Enum):
    """How two addresses lie to each other in every link."""

    LESS = "<"
    LESS_OR_EQUAL = "<="
    EQUAL = "="
    GREATER_OR_EQUAL = ">="
    GREATER = ">"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one address.

    `anchor` and `offset` place it relative to an unknown: the address is that of the anchor plus `offset`. `reasons`
    establish the congruence, `obstacles` are the statements that keep it from being stronger.
    """

    number: Number
    anchor: Anchor | None = None
    offset: int = 0
    reasons: tuple[Reason, ...] = ()
    obstacles: tuple[Reason, ...] = ()

    @property
    def value(self) -> int | None:
        """The exact address, if it is the same in every link."""
        return self.number.value

    @property
    def modulus(self) -> int:
        """The address is `remainder` modulo this; 0 if it is exact."""
        return self.number.modulus

    @property
    def remainder(self) -> int:
        """The address modulo `modulus`; the address itself if it is exact."""
        return self.number.remainder

    @property
    def low(self) -> int:
        """The lowest possible address."""
        return self.number.low

    @property
    def high(self) -> int:
        """The highest possible address."""
        return self.number.high

    @property
    def alignment(self) -> int:
        """The greatest power of two that divides the address in every link."""
        return self.number.alignment

    @property
    def base(self) -> str:
        """The name of the unknown that the address is measured from; empty if it is exact or on its own."""
        return "" if self.anchor is None or self.anchor is ORIGIN else self.anchor.name

    def aligned_to(self, boundary: int) -> bool:
        """Whether the address is a multiple of `boundary` in every link."""
        return boundary <= 1 or self.number.multiple_of(boundary)

    def misaligned_to(self, boundary: int) -> bool:
        """Whether the address is a multiple of `boundary` in no link."""
        return boundary > 1 and self.number.equal(Number(boundary, 0, 0, MASK // boundary * boundary)) is False

    def add(self, amount: int) -> Known:
        """The address `amount` bytes further on (or back, if negative)."""
        if 0 < amount <= MASK < self._least() + amount:
            # It wraps around for certain: what is added is a high address taken away.
            amount -= MASK + 1
        if amount == 0:
            return self
        number = self.number + exact(amount)
        if number.modulus == 0:
            return Known(number, ORIGIN, number.remainder, self.reasons, self.obstacles)
        anywhere = self.anchor is None or (self.anchor.wild and self.number.high + amount > MASK)
        if anywhere or not -self.number.low <= amount <= _FAR:
            # A sum of which nobody knows whether it wraps around.
            sum_anchor = Anchor(self.base, wild=True)
            if self.anchor is not None:
                sum_anchor.twin = (self.anchor, self.offset + amount)
            return Known(number, sum_anchor, 0, self.reasons, self.obstacles)
        return Known(number, self.anchor, self.offset + amount, self.reasons, self.obstacles)

    def _least(self) -> int:
        """The lowest possible address, also by the place that it is measured from."""
        if self.anchor is None or self.anchor.wild:
            return self.number.low
        least = between(ORIGIN, 0, self.anchor, self.offset)[0]
        return self.number.low if least is None else max(self.number.low, min(least, MASK))

    def advance(self, amount: int) -> Known:
        """The address `amount` bytes further on, for a location counter, which does not wrap around."""
        number = self.number.advance(exact(amount))
        return Known(number, self.anchor, self.offset + amount, self.reasons, self.obstacles)

    def align_up(self, boundary: int, because: Reason | None = None, name: str = "") -> Known:
        """The next multiple of `boundary`."""
        if boundary <= 1:
            return self
        number = self.number.advance_to(boundary)
        reasons = (because,) if because else self.reasons
        modulus = self.number.modulus
        if modulus % boundary == 0:
            step = -self.number.remainder % boundary
            return Known(number, self.anchor, self.offset + step, reasons if step else self.reasons or reasons)
        least = -self.number.remainder % gcd(modulus, boundary)
        most = boundary - gcd(modulus, boundary) + least
        return Known(number, self.behind(name or "ALIGN", least, most), 0, reasons)

    def align_value(self, boundary: int, because: Reason) -> Known:
        """The next multiple of `boundary`, of an address that may not be one of the location counter."""
        if self.anchor is not None and not self.anchor.wild:
            return self.align_up(boundary, because)
        number = self.number.align(exact(boundary))
        return Known(number, Anchor(self.base, wild=True), 0, (because,), self.obstacles)

    def align_unknown(
        self, least: int, name: str, because: tuple[Reason, ...] = (), hindrance: Reason | None = None
    ) -> Known:
        """The next multiple of a power of two that is unknown, but no less than `least`, itself a power of two.

        What was a multiple of some power of two remains one.
        """
        if self.number.value == 0:
            return self
        kept = self.number.alignment
        step = max(kept, least)
        reasons = because if least > kept else self.reasons
        low = self.number.low if kept >= least else -(-self.number.low // least) * least
        number = Number(step, 0, -(-low // step) * step, MASK // step * step)
        obstacles = self.obstacles if hindrance is None else merged(self.obstacles, (hindrance,))
        return Known(number, self.behind(name), 0, reasons, obstacles)

    def grow(self, name: str, hindrance: Reason | None = None, low: int = 0) -> Known:
        """An address at an unknown distance behind this one, at least `low` bytes."""
        number = Number(1, 0, min(self.number.low + low, MASK), MASK)
        return Known(number, self.behind(name, low), 0, (), () if hindrance is None else (hindrance,))

    def behind(self, name: str, low: int = 0, high: int | None = None) -> Anchor:
        """A new anchor from `low` to `high` bytes behind this address."""
        if self.anchor is None:
            return Anchor(name)
        return Anchor(name, self.anchor, self.offset + low, None if high is None else self.offset + high)

    def past(self, end: Known) -> Known:
        """The same address, which is not in front of a section's end in the links that have the section."""
        if self.anchor is None or end.anchor is None:
            return self
        anchor = self.behind(self.anchor.name, 0, 0)
        anchor.set_past({end.anchor: end.offset})
        return Known(self.number, anchor, 0, self.reasons, self.obstacles)

    def not_ahead_of(self, before: Known) -> Known:
        """The same address, which is not in front of `before` in any link, nor of what that is measured from."""
        if self.anchor is None or before.anchor is None or self.anchor is before.anchor:
            return self
        # What `before` is known to lie behind is lost to an address that is not measured from there.
        kept = not before.anchor.has_past or common_anchor(before.anchor, self.anchor) is before.anchor
        if kept and not_behind(before, self):
            return self
        anchor = self.behind(self.anchor.name if self.base else ".", 0, 0)
        anchor.set_past(all_ahead(before.anchor, before.offset))
        return Known(self.number, anchor, 0, self.reasons, self.obstacles)

    def up_to(self, end: Known) -> Known:
        """The same address, which is not above the highest that `end` can be, if it never lies behind that."""
        if self.high <= end.high or self.value is not None or not not_behind(self, end):
            return self
        number = self.number.within(self.low, end.high)
        return Known(number, self.anchor, self.offset, self.reasons, self.obstacles)

    def join(self, other: Known, name: str = "") -> Known:
        """What is known of an address that is one or the other."""
        if self is other:
            return self
        number = self.number.join(other.number)
        reasons, obstacles = merged(self.reasons, other.reasons), merged(self.obstacles, other.obstacles)
        if self.anchor is other.anchor and self.offset == other.offset:
            return Known(number, self.anchor, self.offset, reasons, obstacles)
        anchor = joined(self.anchor, self.offset, other.anchor, other.offset, name)
        return Known(number, anchor, 0, reasons, obstacles)

    def with_obstacle(self, hindrance: Reason) -> Known:
        """The same address, with another statement that keeps the knowledge from being stronger."""
        return Known(self.number, self.anchor, self.offset, self.reasons, merged(self.obstacles, (hindrance,)))

    def __str__(self) -> str:
        number = self.number
        if number.value is not None:
            return f"{number.value:#x}"
        parts = []
        if number.modulus > 1:
            rest = f" plus {number.remainder}" if number.remainder else ""
            parts.append(f"a multiple of {number.modulus}{rest}")
        if number.low:
            parts.append(f"at least {number.low:#x}")
        if number.high < MASK - number.modulus:
            parts.append(f"at most {number.high:#x}")
        return ", ".join(parts) or "unknown"


def known(value: int) -> Known:
    """The exact address `value`."""
    number = exact(value)
    return Known(number, ORIGIN, number.remainder)


UNKNOWN = Known(ANY)


def merged(first: tuple[Reason, ...], second: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Both lists without repetitions, as many as are worth showing."""
    if not second or first is second:
        return first
    if not first:
        return second
    seen = {id(reason) for reason in first}
    return (first + tuple(reason for reason in second if id(reason) not in seen))[:_SHOWN]


def distance(start: Known, end: Known) -> Reach:
    """The least and the greatest number of bytes from `start` to `end` in any link; None where there is no limit."""
    return between(start.anchor, start.offset, end.anchor, end.offset)


def difference(start: Known, end: Known) -> int | None:
    """`end - start` modulo 2**64, if it is the same in every link."""
    if start.value is not None and end.value is not None:
        return (end.value - start.value) & MASK
    return modular_distance(start.anchor, start.offset, end.anchor, end.offset)


def order(first: Known, second: Known) -> Order | None:
    """How two addresses lie in every link, as far as it is proved."""
    if first.value is not None and second.value is not None:
        least: int | None = second.value - first.value
        most = least
    else:
        least, most = distance(first, second)
        if first.high < second.low and (least is None or least <= 0):
            least = 1
        if first.low > second.high and (most is None or most >= 0):
            most = -1
    if least is not None and least >= 0:
        if least > 0 or first.number.equal(second.number) is False:
            return Order.LESS
        return Order.EQUAL if most == 0 else Order.LESS_OR_EQUAL
    if most is not None and most <= 0:
        return Order.GREATER if most < 0 or first.number.equal(second.number) is False else Order.GREATER_OR_EQUAL
    return None


def not_behind(one: Known | None, other: Known | None) -> bool:
    """Whether it is proved that one address is at most the other; not so for one of which nothing is known (None)."""
    found = order(one, other) if one is not None and other is not None else None
    return found in (Order.LESS, Order.LESS_OR_EQUAL, Order.EQUAL)
