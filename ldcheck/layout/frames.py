"""Values of expressions: a number, what it is relative to, and the address that it means.

A value is a number relative to an output section, to the absolute section, or to nothing (a plain number). Which of
them decides the address: a plain 5 assigned inside `.data` is 5 bytes behind the start of `.data`.
"""

from __future__ import annotations

from ldcheck.layout import facts
from ldcheck.layout.anchors import ORIGIN
from ldcheck.layout.facts import UNKNOWN, Known, distance, known
from ldcheck.layout.numbers import ANY, MASK, Number, exact, signed
from ldcheck.record import dataclass

# What is added to an address and does not make it run past the end of the address space.
_SMALL = 1 << 32


class Frame:
    """What values are relative to: an output section, or the absolute section."""

    __slots__ = ("name", "start")

    def __init__(self, name: str, start: Known) -> None:
        self.name = name
        self.start = start


ABSOLUTE = Frame("*ABS*", known(0))
# What lld takes for the section of a location counter outside of output sections.
AETHER = Frame("", known(0))
# A symbol of an object: relative to a section, or absolute.
FOREIGN = Frame("an object's section", UNKNOWN)
# A value that may be relative to one thing or another, so that nothing is known of what an operation makes of it.
UNSURE = Frame("unknown", UNKNOWN)


@dataclass(frozen=True, slots=True)
class Value:
    """The result of an expression: a number relative to `frame` (None: a plain number), and the address it means.

    `home` is the output section that lld takes an address to belong to, if any.
    """

    number: Number
    frame: Frame | None = None
    address: Known = UNKNOWN
    home: Frame | None = None

    def absolute(self) -> Known:
        """The address that this value stands for; a plain number stands for itself."""
        return plain_address(self.number) if self.frame is None else self.address


UNSURE_VALUE = Value(ANY, UNSURE)


def plain_address(number: Number) -> Known:
    """A number as an address."""
    return Known(number, ORIGIN, number.remainder) if number.modulus == 0 else Known(number)


def absolute_value(address: Known) -> Value:
    """A value relative to the absolute section."""
    return Value(address.number, ABSOLUTE, address)


def settled(value: Value, frame: Frame) -> Value:
    """A value as an assignment stores it: a plain number becomes relative to where the assignment stands."""
    return relative_number(value.number, frame) if value.frame is None else value


def relative_value(address: Known, frame: Frame, number: Number | None = None) -> Value:
    """An address as a value relative to a section that starts at or in front of it."""
    if frame is ABSOLUTE:
        return absolute_value(address)
    if address.anchor is not None and address.anchor is frame.start.anchor:
        number = exact(address.offset - frame.start.offset)
    elif number is None:
        number = difference(address, frame.start)
    return Value(number, frame, address)


def difference(end: Known, start: Known) -> Number:
    """`end - start` as ld computes it."""
    same = facts.difference(start, end)
    if same is not None:
        return exact(same)
    number = end.number - start.number
    least, most = distance(start, end)
    if least is not None and least >= 0:
        if end.anchor is not None and not end.anchor.wild and end.high >= start.low:
            # Both are places of the location counter, and in this order.
            most = end.high - start.low if most is None else min(most, end.high - start.low)
        return number.within(least, MASK if most is None else most)
    return number


def relative_number(number: Number, frame: Frame | None, address: Known | None = None) -> Value:
    """A number as a value relative to `frame`; `address`, if it is known where that is."""
    if frame is None:
        return Value(number)
    if frame is ABSOLUTE:
        return Value(number, ABSOLUTE, _refined(address, number) if address else plain_address(number))
    start = frame.start.number
    found = plain_address(start.advance(number) if number.high <= _SMALL else start + number)
    if address is not None:
        found = _refined(address, found.number)
    elif number.value is not None:
        found = frame.start.add(signed(number.value))
    return Value(number, frame, found)


def _refined(address: Known, number: Number) -> Known:
    """An address that is known by its anchor, with what is known of it as a number."""
    if number is address.number:
        return address
    return Known(address.number.meet(number), address.anchor, address.offset, address.reasons, address.obstacles)
