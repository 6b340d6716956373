"""Configurations of a script, and the smallest condition that tells some of them from the others.

A configuration is a partial assignment: the symbols that it does not mention decide nothing once the others are as they
are (`BUILD_ID_EFI` without `EFI`). Conditions are minimised over such partial assignments directly, in the manner of
the espresso algorithm: each one is widened as long as it meets none of the configurations to be excluded, and then the
fewest that still cover everything are kept. What no configuration covers is free.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ldcheck.record import dataclass, field

# What a symbol is: its value, or None where it is not defined.
Value = str | None
Assignment = Mapping[str, Value]
Meanings = Mapping[tuple[str, Value], str]


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """What distinguishes one configuration: the symbols that are varied, None for one that is not defined.

    `meanings` says in words what a symbol with some value means, where that is not just `SYMBOL=value`; all
    configurations of a script have the same.
    """

    definitions: Assignment
    meanings: Meanings = field(default_factory=dict)

    def describe(self) -> str:
        """The configuration in words ("with CONFIG_LD_IS_GNU and without EFI"); empty if nothing is varied."""
        return _words(self.definitions, self.meanings)


def smallest_condition(
    every: Sequence[Configuration],
    those: Collection[Configuration],
    deciding: Collection[str] | None = None,
    enclosing: Collection[str] = (),
) -> str:
    """What must hold for a configuration to be one of `those`, in as few words as possible.

    Empty when `those` are all, or none. `every` are all configurations that were looked at; those of them that are
    not among `those` (by identity) are excluded by the condition. Where `every` is a choice of configurations, some
    symbols happen to tell one from the other: then the condition is made of the symbols `deciding` alone (None:
    `every` are all that there are). If these do not tell them apart, it is made of the symbols `enclosing`, without
    which it cannot be, and says that they are not all.
    """
    chosen = {id(configuration) for configuration in those}
    inside: list[Assignment] = [configuration.definitions for configuration in every if id(configuration) in chosen]
    outside: list[Assignment] = [
        configuration.definitions for configuration in every if id(configuration) not in chosen
    ]
    if not outside or not inside:
        return ""
    if deciding is not None:
        telling = _narrowed(inside, deciding), _narrowed(outside, deciding)
        if not _are_apart(*telling):
            return _in_part(_narrowed(inside, enclosing), _narrowed(outside, enclosing), every)
        inside, outside = telling
    terms = _minimise(inside, outside)
    told = "only " + ", or ".join(_words(term, every[0].meanings) for term in terms)
    if deciding is not None and any(len(term) > 1 for term in terms):
        told += f", as far as the {len(every):,} configurations that were looked at tell"
    return told


def _narrowed(cubes: Sequence[Assignment], names: Collection[str]) -> list[Assignment]:
    return [{name: cube[name] for name in cube if name in names} for cube in cubes]


def _are_apart(inside: Sequence[Assignment], outside: Sequence[Assignment]) -> bool:
    return all(
        any(name in other and other[name] != cube[name] for name in cube) for cube in inside for other in outside
    )


def _in_part(inside: Sequence[Assignment], outside: Sequence[Assignment], every: Sequence[Configuration]) -> str:
    """What all of `inside` have in common and not all of `outside`: it is needed, and does not suffice."""
    first, *rest = inside
    common = {name: value for name, value in first.items() if all(other.get(name, "") == value for other in rest)}
    telling = {name: value for name, value in common.items() if any(other.get(name, "") != value for other in outside)}
    if telling:
        return f"only {_words(telling, every[0].meanings)}, and there in some configurations"
    return f"in {len(inside):,} of the {len(every):,} configurations that were looked at"


def _minimise(inside: Sequence[Assignment], outside: Sequence[Assignment]) -> list[Assignment]:
    """Few and wide partial assignments that together cover `inside` and meet nothing of `outside`."""
    candidates: dict[frozenset[tuple[str, Value]], Assignment] = {}
    for cube in inside:
        for term in _widened(cube, outside):
            candidates.setdefault(frozenset(term.items()), term)
    uncovered = list(inside)
    chosen: list[Assignment] = []
    ranked = sorted(candidates.values(), key=_rank)
    while uncovered:
        # A cube that no term covers whole is met by at least the one that was widened from it.
        best = min(ranked, key=lambda term: (-sum(_covers(term, cube) for cube in uncovered), *_rank(term)))
        left = [cube for cube in uncovered if not _covers(best, cube)]
        if len(left) == len(uncovered):
            break
        chosen.append(best)
        uncovered = left
    for term in sorted(chosen, key=_rank, reverse=True):
        others = [other for other in chosen if other is not term]
        if all(any(_covers(other, cube) for other in others) for cube in inside):
            chosen = others
    return sorted(chosen, key=_rank)


def _rank(term: Assignment) -> tuple[int, int, list[tuple[str, bool, str]]]:
    """Fewer symbols are better, then symbols that are given (`with`) rather than missing, then the alphabet."""
    missing = sum(value is None for value in term.values())
    return len(term), missing, sorted((name, value is None, value or "") for name, value in term.items())


def _widened(cube: Assignment, outside: Sequence[Assignment]) -> list[Assignment]:
    """Widest assignments that contain `cube` and meet nothing outside; several, from different orders of trying."""
    conflicts = [
        frozenset(name for name, value in cube.items() if name in other and other[name] != value) for other in outside
    ]
    if not all(conflicts):
        # The two overlap: the caller's configurations contradict each other, and nothing may be left out.
        return [cube]
    widest: list[Assignment] = [{name: cube[name]} for name in sorted(frozenset.intersection(*conflicts))]
    if widest:
        return widest
    names = sorted(cube)
    for first in names:
        kept = _hitting_set(conflicts, [first, *(name for name in names if name != first)])
        widest.append({name: cube[name] for name in kept})
    return widest


def _hitting_set(conflicts: Sequence[frozenset[str]], order: Sequence[str]) -> list[str]:
    """Symbols of which at least one is in each set of `conflicts`, none to spare; those that hit most are preferred."""
    left = list(conflicts)
    kept = []
    if any(order[0] in names for names in left):
        kept.append(order[0])
        left = [names for names in left if order[0] not in names]
    while left:
        best = max(order, key=lambda name: sum(name in names for names in left))
        kept.append(best)
        left = [names for names in left if best not in names]
    for name in list(kept):
        rest = frozenset(kept) - {name}
        if all(rest & names for names in conflicts):
            kept.remove(name)
    return sorted(kept)


def _covers(term: Assignment, cube: Assignment) -> bool:
    return all(name in cube and cube[name] == value for name, value in term.items())


def _words(term: Assignment, meanings: Meanings) -> str:
    names = sorted(term)
    given = [meanings.get((name, term[name])) or _plainly(name, term[name]) for name in names if term[name] is not None]
    missing = [name for name in names if term[name] is None]
    parts = []
    if given:
        parts.append("with " + _listed(given, "and"))
    if missing:
        parts.append("without " + _listed(missing, "or"))
    return " and ".join(parts)


def _plainly(name: str, value: Value) -> str:
    return name if value in ("1", "", name) else f"{name}={value}"


def _listed(names: Sequence[str], last: str) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" {last} " + names[-1]
