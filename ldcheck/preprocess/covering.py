"""Covers every pair of values with few configurations, where there are too many to try each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from ldcheck.preprocess.configurations import Value


def covering_rows(symbols: Mapping[str, tuple[Value, ...]]) -> list[dict[str, Value]]:
    """Complete assignments in which each two symbols take each pair of their values.

    Greedy and deterministic. The first row has every symbol's first value (for a flag: not defined), the second every
    symbol's last.
    """
    names = list(symbols)
    pairs = {
        ((one, first), (other, second))
        for one, other in combinations(names, 2)
        for first in symbols[one]
        for second in symbols[other]
    }
    rows = [{name: symbols[name][0] for name in names}]
    last = {name: symbols[name][-1] for name in names}
    if last != rows[0]:
        rows.append(last)
    for row in rows:
        pairs.difference_update(combinations(row.items(), 2))
    while pairs:
        row = _next_row(names, symbols, pairs)
        covered = pairs.intersection(combinations(row.items(), 2))
        pairs -= covered
        rows.append(row)
    return rows


_Pair = tuple[tuple[str, Value], tuple[str, Value]]


def _next_row(names: list[str], symbols: Mapping[str, tuple[Value, ...]], pairs: set[_Pair]) -> dict[str, Value]:
    """A row that covers many of `pairs`: seeded with one of them, each further value chosen for what it adds."""
    seed = min(pairs, key=lambda pair: [(name, value or "") for name, value in pair])
    row: dict[str, Value] = dict(seed)
    order = {name: at for at, name in enumerate(names)}
    for name in names:
        if name not in row:
            gains = [
                sum(_ordered((name, value), item, order) in pairs for item in row.items()) for value in symbols[name]
            ]
            row[name] = symbols[name][gains.index(max(gains))]
    return {name: row[name] for name in names}


def _ordered(one: tuple[str, Value], other: tuple[str, Value], order: Mapping[str, int]) -> _Pair:
    return (one, other) if order[one[0]] < order[other[0]] else (other, one)
