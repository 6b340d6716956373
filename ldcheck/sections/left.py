"""What the claims ahead of one leave for it.

The answer depends on nothing but what is claimed ahead, so configurations that have that alike can share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.claim import Asked, Claim
from ldcheck.sections.globs import contains
from ldcheck.sections.search import Proof, Takers, Witness, among, find

# Steps for each claim ahead that has to be looked at.
_PAIR = 4


class State(Enum):
    """What is left for a rule. UNDECIDED if the budget did not allow to tell."""

    DEAD = "dead"
    COMPETES = "competes"
    FREE = "free"
    UNDECIDED = "undecided"


class Left(NamedTuple):
    """What is left of a claim; the claims ahead are told by their positions.

    `taking` take sections of it first: if it is dead a set of which none can be left out, else all that do. `witness`
    is taken by one of them if it competes, else it is claimed (None if nothing is). `kept` is what is left, None if
    nothing is. Of `undecided` it was not decided whether they take any.
    """

    state: State
    taking: tuple[int, ...]
    witness: Witness | None
    kept: Witness | None
    undecided: tuple[int, ...] = ()


class Ahead(NamedTuple):
    """The claims ahead of one that may be on the same sections, in the order in which they are tried.

    `kept` is what is known to be left of each, None if nothing is known. `first` gives those of the first so many that
    count against a claim.
    """

    claims: Sequence[Claim]
    kept: tuple[Witness | None, ...]
    first: Callable[[int], Takers]


_NOBODY = among(())


def left_of(claim: Claim, ahead: Ahead) -> Left:
    """What is left of a claim. Raises TooComplexError."""
    asked = claim.asked()
    own = find(asked, _NOBODY)
    if own is None:
        return Left(State.DEAD, (), None, None)
    others = ahead.claims
    if not others:
        return Left(State.FREE, (), own, own)
    BUDGET.spend(_PAIR * len(others))
    for number, other in enumerate(others):
        if other.plain and other.sure and contains(other.names, claim.names):
            return Left(State.DEAD, (number,), own, None)
    proof = Proof()
    kept = find(asked, ahead.first(len(others)), proof)
    if kept is None:
        needed = {one.rule.index for one in _needed(asked, proof)}
        taking = tuple([number for number, other in enumerate(others) if other.rule.index in needed])
        return Left(State.DEAD, taking, own, None)
    found: list[int] = []
    undecided: list[int] = []
    shown: Witness | None = None
    for number, other in enumerate(others):
        # What the other one keeps for itself is taken ahead of this one, if this one could take it at all.
        known = ahead.kept[number]
        example = None if known is None else _shared(claim, known)
        if example is None:
            try:
                example = find(other.meet(claim), ahead.first(number))
            except TooComplexError:
                undecided.append(number)
                continue
        if example is not None:
            found.append(number)
            if shown is None or len(example.section) < len(shown.section):
                shown = example
    if found:
        return Left(State.COMPETES, tuple(found), shown, kept, tuple(undecided))
    if undecided:
        return Left(State.UNDECIDED, (), None, None, tuple(undecided))
    return Left(State.FREE, (), own, own)


def _shared(claim: Claim, shown: Witness) -> Witness | None:
    """The section if the claim is on it, with the flags that the claim needs where they do not matter."""
    if not claim.names.matches(shown.section):
        return None
    if claim.plain:
        return shown
    if claim.required & shown.unset or claim.forbidden & shown.flags:
        return None
    archive, colon, member = shown.file.partition(":")
    if not (claim.files.takes(member, archive) if colon else claim.files.takes(shown.file)):
        return None
    return Witness(shown.file, shown.section, shown.flags | claim.required, shown.unset | claim.forbidden)


def _needed(asked: Asked, proof: Proof) -> list[Claim]:
    """Of the claims that leave nothing of what is asked for, some that do, and of which none can be left out.

    Where that is not decided, one is not left out.
    """
    for one in proof.first or ():
        if _leave_nothing(asked, [one]):
            return [one]
    kept = [proof.used[index] for index in sorted(proof.used)]
    for one in reversed(kept):
        if one.rule.index not in proof.needed:
            fewer = [other for other in kept if other is not one]
            if _leave_nothing(asked, fewer):
                kept = fewer
    return kept


def _leave_nothing(asked: Asked, claims: Sequence[Claim]) -> bool:
    try:
        return find(asked, among(claims)) is None
    except TooComplexError:
        return False
