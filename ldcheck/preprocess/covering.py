"""Covers every pair of values with few configurations, where there are too many to try each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from ldcheck.preprocess.configurations import Assignment, Value


def covering_rows(
    symbols: Mapping[str, tuple[Value, ...]], refused: Sequence[Assignment] = ()
) -> list[dict[str, Value]]:
    """Complete assignments in which each two symbols take each pair of their values, as far as that is possible.

    No row contains one of the combinations `refused`. Greedy and deterministic: the first row has every symbol's first
    value (for a flag: not defined), the second every symbol's last.
    """
    names = list(symbols)
    pairs = {
        ((one, first), (other, second))
        for one, other in combinations(names, 2)
        for first in symbols[one]
        for second in symbols[other]
    }
    first = {name: symbols[name][0] for name in names}
    last = {name: symbols[name][-1] for name in names}
    rows = [row for row in ((first, last) if first != last else (first,)) if not _contains(row, refused)]
    for row in rows:
        pairs.difference_update(combinations(row.items(), 2))
    for seed in sorted(pairs, key=lambda pair: [(name, value or "") for name, value in pair]):
        if seed not in pairs:
            continue
        # A pair that no acceptable row has, as far as one is found, is left out.
        pairs.discard(seed)
        if (found := _row(names, symbols, pairs, seed, refused)) is not None:
            pairs.difference_update(combinations(found.items(), 2))
            rows.append(found)
    return rows


def _contains(row: Assignment, refused: Sequence[Assignment]) -> bool:
    return any(all(name in row and row[name] == value for name, value in part.items()) for part in refused)


_Pair = tuple[tuple[str, Value], tuple[str, Value]]


def _row(
    names: list[str],
    symbols: Mapping[str, tuple[Value, ...]],
    pairs: set[_Pair],
    seed: _Pair,
    refused: Sequence[Assignment],
) -> dict[str, Value] | None:
    """A row with `seed` that covers many of `pairs`, each value chosen for what it adds; None if none is found."""
    row: dict[str, Value] = dict(seed)
    order = {name: at for at, name in enumerate(names)}
    # What a refused combination speaks of is decided first, while there is a choice.
    touched = {name for part in refused for name in part}
    for name in sorted(names, key=lambda name: (name not in touched, order[name])):
        if name in row:
            continue
        best, gain = None, -1
        for value in symbols[name]:
            if _contains({**row, name: value}, refused):
                continue
            added = sum(_ordered((name, value), item, order) in pairs for item in row.items())
            if added > gain:
                best, gain = value, added
        if gain < 0:
            return None
        row[name] = best
    return None if _contains(row, refused) else {name: row[name] for name in names}


def _ordered(one: tuple[str, Value], other: tuple[str, Value], order: Mapping[str, int]) -> _Pair:
    return (one, other) if order[one[0]] < order[other[0]] else (other, one)
