"""Points that only a link decides, and the distances between them: what order is proved from."""

from __future__ import annotations

from ldcheck.layout.numbers import MASK


class Anchor:
    """A point in the address space that only a link decides.

    `parent` is the anchor that it is measured from, at least `low` and at most `high` bytes (None: no limit) behind it.
    An anchor without parent is a value that the script does not define; `name` says which, for people. What is
    measured from a `wild` one may lie anywhere and wrap around; others are places of the location counter. A `twin` is
    another anchor and the distance from it, modulo 2**64.

    `past` are ends of output sections that a link may drop, with the least distance from them to this anchor in the
    links that do not. Nothing follows from it for other places, because there the section's place means nothing.
    """

    __slots__ = ("depth", "has_past", "high", "low", "name", "parent", "past", "twin", "wild")

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
        self.past: dict[Anchor, int] = {}
        # Whether it or one that it is measured from has any.
        self.has_past: bool = parent is not None and parent.has_past

    def set_past(self, past: dict[Anchor, int]) -> None:
        """Add what the anchor lies behind."""
        if past:
            self.past = past
            self.has_past = True


# So many points ahead of a place are kept: what is asked of is near.
_NEAREST = 256

# Exact addresses are measured from here.
ORIGIN = Anchor("0")


Reach = tuple[int | None, int | None]


def between(start: Anchor | None, start_offset: int, end: Anchor | None, end_offset: int) -> Reach:
    """The least and the greatest distance from one place to another, each an anchor and an offset; None: no limit."""
    if start is None or end is None:
        return None, None
    least, most = _measured(start, start_offset, end, end_offset)
    if end.has_past and (behind := _least_past(end, end_offset, start)) is not None:
        least = max(behind - start_offset, behind - start_offset if least is None else least)
    if start.has_past and (behind := _least_past(start, start_offset, end)) is not None:
        most = min(end_offset - behind, end_offset - behind if most is None else most)
    return least, most


def _measured(start: Anchor, start_offset: int, end: Anchor, end_offset: int) -> Reach:
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


def _least_past(anchor: Anchor, offset: int, end: Anchor) -> int | None:
    """How far at least a place lies behind an end; None if it is not known to."""
    found: int | None = None
    current: Anchor | None = anchor
    while current is not None and current.has_past:
        least = current.past.get(end)
        if least is not None:
            found = least + offset if found is None else max(found, least + offset)
        offset += current.low
        current = current.parent
    return found


def _past(anchor: Anchor, offset: int) -> dict[Anchor, int]:
    """The ends that a place lies behind, with the least distances."""
    found: dict[Anchor, int] = {}
    current: Anchor | None = anchor
    while current is not None and current.has_past:
        for end, least in current.past.items():
            found[end] = max(least + offset, found.get(end, least + offset))
        offset += current.low
        current = current.parent
    return found


def all_ahead(anchor: Anchor, offset: int) -> dict[Anchor, int]:
    """The nearest of the points that a place does not lie in front of, with the least distances from them."""
    found: dict[Anchor, int] = {}
    current: Anchor | None = anchor
    while current is not None and len(found) < _NEAREST:
        found[current] = offset
        for end, least in current.past.items():
            found.setdefault(end, least + offset)
        offset += current.low
        current = current.parent
    return found


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
    result = Anchor(name, common, min(first_low, second_low), high)
    if first.has_past or second.has_past:
        result.set_past(_past_of_both(first, first_offset, second, second_offset))
    return result


def _past_of_both(first: Anchor, first_offset: int, second: Anchor, second_offset: int) -> dict[Anchor, int]:
    """What both of two places lie behind."""
    found: dict[Anchor, int] = {}
    for end in {**_past(first, first_offset), **_past(second, second_offset)}:
        one = between(end, 0, first, first_offset)[0]
        other = between(end, 0, second, second_offset)[0]
        if one is not None and other is not None:
            found[end] = min(one, other)
    return found


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
