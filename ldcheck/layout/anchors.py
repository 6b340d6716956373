"""Points that only a link decides, and the distances between them: what order is proved from."""

from __future__ import annotations

from ldcheck.layout.numbers import MASK


class Anchor:
    """A point in the address space that only a link decides.

    `parent` is the anchor that it is measured from, at least `low` and at most `high` bytes (None: no limit) behind it.
    An anchor without parent is a value that the script does not define; `name` says which, for people. What is
    measured from a `wild` one may lie anywhere and wrap around; others are places of the location counter. A `twin` is
    another anchor and the distance from it, modulo 2**64.
    """

    __slots__ = ("depth", "high", "low", "name", "parent", "twin", "wild")

    def __init__(
        self, name: str, parent: Anchor | None = None, low: int = 0, high: int | None = None, wild: bool = False
    ) -> None:
        self.name = name
        self.wild: bool = wild if parent is None else parent.wild
        self.twin: tuple[Anchor, int] | None = None
        self.parent = parent
        self.low = low
        self.high = high
        self.depth: int = 0 if parent is None else parent.depth + 1


# Exact addresses are measured from here.
ORIGIN = Anchor("0")


Reach = tuple[int | None, int | None]


def between(start: Anchor | None, start_offset: int, end: Anchor | None, end_offset: int) -> Reach:
    """The least and the greatest distance from one place to another, each an anchor and an offset; None: no limit."""
    if start is None or end is None:
        return None, None
    common = common_anchor(start, end)
    if common is None:
        return None, None
    start_low, start_high = reach(start, start_offset, common)
    end_low, end_high = reach(end, end_offset, common)
    least = None if start_high is None else end_low - start_high
    most = None if end_high is None else end_high - start_low
    return least, most


def common_anchor(first: Anchor, second: Anchor) -> Anchor | None:
    """The nearest anchor that both are measured from."""
    one: Anchor | None = first
    other: Anchor | None = second
    while one is not other:
        if one is None or other is None:
            return None
        if one.depth >= other.depth:
            one = one.parent
        else:
            other = other.parent
    return one


def reach(anchor: Anchor, offset: int, ancestor: Anchor) -> tuple[int, int | None]:
    """The least and greatest distance from an anchor above a place to it."""
    low, high = offset, offset
    limited = True
    current: Anchor | None = anchor
    while current is not None and current is not ancestor:
        low += current.low
        if current.high is None:
            limited = False
        else:
            high += current.high
        current = current.parent
    return low, high if limited else None


def joined(
    first: Anchor | None, first_offset: int, second: Anchor | None, second_offset: int, name: str
) -> Anchor | None:
    """An anchor for a place that is one or the other; None if they have nothing in common."""
    if first is None or second is None:
        return None
    common = common_anchor(first, second)
    if common is None:
        return None
    first_low, first_high = reach(first, first_offset, common)
    second_low, second_high = reach(second, second_offset, common)
    high = None if first_high is None or second_high is None else max(first_high, second_high)
    return Anchor(name, common, min(first_low, second_low), high)


def modular_distance(start: Anchor | None, start_offset: int, end: Anchor | None, end_offset: int) -> int | None:
    """The distance modulo 2**64, if it is the same in every link; twins count."""
    one, one_offset = _rooted(start, start_offset)
    other, other_offset = _rooted(end, end_offset)
    if one is not None and one is other:
        return (other_offset - one_offset) & MASK
    least, most = between(start, start_offset, end, end_offset)
    return least & MASK if least is not None and least == most else None


def _rooted(anchor: Anchor | None, offset: int) -> tuple[Anchor | None, int]:
    while anchor is not None and anchor.twin is not None:
        offset += anchor.twin[1]
        anchor = anchor.twin[0]
    return anchor, offset
