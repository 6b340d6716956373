"""What a build places differently than another, by cause: inputs that one statement took and another one takes now.

Inputs that keep their order among each other have not moved, however their addresses slid. Of those that change it, as
few as possible count as moved, so that one moved statement is one entry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.compare.pairing import Paired
from ldcheck.compare.sides import Piece, Side
from ldcheck.record import dataclass, replace
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.source import Location

# Inputs that are named of one entry.
_MOST_NAMED = 5
DISCARD = "/DISCARD/"


@dataclass(frozen=True, slots=True)
class Taken:
    """Where inputs are: the output section, the statement that took them (empty for orphans), and its place."""

    output: str
    statement: str = ""
    place: Location | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Inputs with a common cause. `count` inputs, `size` bytes; `named` are the largest, with the symbols in them.

    `unit` is what they are: input sections, or, where no map tells those, symbols.

    `kind` is `moved` (another output section), `order` (another order in it, or another statement that took them),
    `discarded` (thrown away now) or `kept` (thrown away before).
    """

    kind: str
    old: Taken
    new: Taken
    count: int
    size: int
    named: tuple[str, ...]
    unit: str = "input section"


def moves(old: Side, new: Side, paired: Paired) -> tuple[Move, ...]:
    """All moves of input sections, the largest first."""
    found = [*_moved(old, new, old.pieces, new.pieces, paired), *_thrown(old, new, paired)]
    return _in_order(found)


def symbol_moves(old: Side, new: Side, paired: Paired) -> tuple[Move, ...]:
    """The same of symbols."""
    before, after = (
        [Piece(one.scope, "", one.name, one.section, one.address, one.size, "") for one in side.symbols]
        for side in (old, new)
    )
    # In the order of the image, as input sections are.
    places = [sorted(range(len(side)), key=lambda at: side[at].address) for side in (before, after)]
    ranks = [{at: rank for rank, at in enumerate(order)} for order in places]
    pairs = Paired(0, 0)
    pairs.pairs = sorted((ranks[0][at], ranks[1][to]) for at, to in paired.pairs)
    before, after = ([side[at] for at in order] for side, order in zip((before, after), places, strict=True))
    found = _moved(old, new, before, after, pairs)
    return _in_order([replace(move, unit="symbol") for move in found])


def _in_order(found: list[Move]) -> tuple[Move, ...]:
    return tuple(sorted(found, key=lambda move: (move.kind == "order", -move.size, str(move.old), str(move.new))))


def _moved(old: Side, new: Side, before: Sequence[Piece], after: Sequence[Piece], paired: Paired) -> list[Move]:
    """What is in another output section, or elsewhere in it."""
    groups: dict[tuple[str, Taken, Taken], list[Piece]] = {}
    takers = _Takers(old), _Takers(new)

    def add(kind: str, one: Piece, other: Piece) -> None:
        key = kind, takers[0].of(one), takers[1].of(other)
        groups.setdefault(key, []).append(other)

    rows: dict[str, list[tuple[int, int]]] = {}
    for at, to in paired.pairs:
        if before[at].output != after[to].output:
            add("moved", before[at], after[to])
        else:
            rows.setdefault(after[to].output, []).append((at, to))
    for row in rows.values():
        for at, to in out_of_order(row):
            add("order", before[at], after[to])
    return [_move(kind, one, other, pieces, new) for (kind, one, other), pieces in groups.items()]


def _thrown(old: Side, new: Side, paired: Paired) -> list[Move]:
    """What one side has in the image and the other one lists as discarded."""
    found = []
    for kind, side, other, chosen in (("discarded", old, new, paired.gone), ("kept", new, old, paired.fresh)):
        known = _Takers(side)
        groups: dict[Taken, list[Piece]] = {}
        for at in chosen:
            piece = side.pieces[at]
            if (piece.file, piece.member, piece.name) in other.thrown:
                groups.setdefault(known.of(piece), []).append(piece)
        for taken, pieces in groups.items():
            ends = (taken, Taken(DISCARD)) if kind == "discarded" else (Taken(DISCARD), taken)
            found.append(_move(kind, *ends, pieces, side))
    return found


def _move(kind: str, one: Taken, other: Taken, pieces: Sequence[Piece], side: Side) -> Move:
    largest = sorted(pieces, key=lambda piece: (-piece.size, piece.name))[:_MOST_NAMED]
    return Move(
        kind,
        one,
        other,
        len(pieces),
        sum(piece.size for piece in pieces),
        tuple(described(one, side) for one in largest),
    )


def described(piece: Piece, side: Side) -> str:
    """An input section as people know it: the symbols in it, where it comes from, and its size."""
    size = counted(piece.size, "byte")
    if side.map is None:
        return f"{piece.name}{f' of {piece.file}' if piece.file else ''}, {size}"
    file = f"{piece.file}({piece.member})" if piece.member else piece.file
    symbols = side.inside(piece)
    lead = f"{', '.join(symbols)}: " if symbols else ""
    return f"{lead}{piece.name} of {file}, {size}"


def follows(move: Move, spans: tuple[Location | None, Location | None]) -> bool:
    """Whether what a statement takes now, or took before, moved because that statement is another one.

    `spans` are the statement as it was and as it is.
    """
    return any(
        place is not None
        and span is not None
        and place.file == span.file
        and (span.line, span.column) <= (place.line, place.column) <= (span.end_line, span.end_column)
        for place, span in zip((move.old.place, move.new.place), spans, strict=True)
    )


class _Takers:
    """The statements that took inputs, by the script where it is given, else as the map prints them."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._known: dict[tuple[str, str, str, str], Taken] = {}

    def of(self, piece: Piece) -> Taken:
        key = piece.name, piece.file, piece.member, piece.output
        found = self._known.get(key)
        if found is None:
            rule = self._side.rule(piece)
            if rule is not None:
                found = Taken(piece.output, piece.pattern or rule.text, self._side.place(rule))
            else:
                found = Taken(piece.output, piece.pattern)
            self._known[key] = found
        return found


def out_of_order(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs, ascending by their first, that have to move for the second ones to ascend too; as few as possible."""
    order = [to for _, to in pairs]
    if order == sorted(order):
        return []
    ends: list[int] = []
    at_end: list[int] = []
    previous: list[int] = []
    for index, (_, to) in enumerate(pairs):
        place = bisect_left(ends, to)
        previous.append(at_end[place - 1] if place else -1)
        if place == len(ends):
            ends.append(to)
            at_end.append(index)
        else:
            ends[place] = to
            at_end[place] = index
    kept: set[int] = set()
    index = at_end[-1] if at_end else -1
    while index >= 0:
        kept.add(index)
        index = previous[index]
    return [pair for index, pair in enumerate(pairs) if index not in kept]
