"""Which sections two scripts give to different statements: decided for all names, each with one that shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.claim import Claim
from ldcheck.sections.claims import claim_of
from ldcheck.sections.globs import may_overlap
from ldcheck.sections.reach import script_of
from ldcheck.sections.rules import InputRule
from ldcheck.sections.search import Takers, Witness, among, find

# Pairs of statements beyond which no more are looked at.
_MOST_PAIRS = 20_000


class Elsewhere(NamedTuple):
    """Sections that the rule `old` of one script takes, and the rule `new` of the other; None for orphans.

    `witness` is the shortest of them. It is None where it was not decided whether there are any.
    """

    old: InputRule | None
    new: InputRule | None
    witness: Witness | None


def elsewhere(
    old: Sequence[InputRule], new: Sequence[InputRule], touched: tuple[Collection[int], Collection[int]]
) -> Iterator[Elsewhere]:
    """The pairs of rules with different output sections between which sections go over.

    `touched` are the indices of the rules that the scripts do not have in common, or not in the same order: of two
    others, the one takes nothing ahead of which the other did not stand before.
    """
    before, after = _Side(old), _Side(new)
    pairs = 0
    for one in (*before.claims, None):
        for other in (*after.claims, None):
            if not _counts(one, other, touched):
                continue
            pairs += 1
            if pairs > _MOST_PAIRS:
                return
            rules = (None if one is None else one.rule, None if other is None else other.rule)
            try:
                witness = _witness(one, other, before, after)
            except TooComplexError:
                BUDGET.undecided += 1
                yield Elsewhere(*rules, None)
                continue
            if witness is not None:
                yield Elsewhere(*rules, witness)


class _Side:
    """One of the two scripts."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self.claims = [claim_of(rule) for rule in rules]
        self._script = script_of(tuple(rules))

    def ahead(self, claim: Claim | None) -> Takers:
        """What stands ahead of a claim; of an orphan, everything."""
        if claim is None:
            return among([one for one in self.claims if one.sure])
        at = claim.rule.index
        return self._script.ahead(self.claims[:at], at, claim.rule)


def _counts(one: Claim | None, other: Claim | None, touched: tuple[Collection[int], Collection[int]]) -> bool:
    """Whether sections may go over from the one to the other."""
    if one is None or other is None:
        # What a rule takes that both scripts have is no orphan in the other one.
        return (one is not None and one.rule.index in touched[0]) or (
            other is not None and other.rule.index in touched[1]
        )
    if one.rule.output == other.rule.output or not may_overlap(one.names, other.names):
        return False
    return one.rule.index in touched[0] or other.rule.index in touched[1]


def _witness(one: Claim | None, other: Claim | None, before: _Side, after: _Side) -> Witness | None:
    """A section that the one takes in its script and the other in the other."""
    claim = one or other
    assert claim is not None
    asked = one.meet(other) if one is not None and other is not None else claim.asked()
    first, second = before.ahead(one), after.ahead(other)
    return find(asked, lambda name, file, archive: [*first(name, file, archive), *second(name, file, archive)])
