"""What each rule of a script can still take, given the rules ahead of it.

A rule is dead if the rules ahead of it take every (file, section, flags) that it could take, competes if they take some
of them, and is free otherwise. The answers hold for all links; each comes with the rules that do it and with a witness.

ONLY_IF_RO and ONLY_IF_RW depend on the whole link (ldlang.c: check_input_sections): such a rule takes what it can where
it is asked what may happen, but only what it is sure to take counts against a later rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ldcheck.record import dataclass
from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.claim import Asked, Claim
from ldcheck.sections.claims import Claims, Surety, claim_of, index_of
from ldcheck.sections.files import files
from ldcheck.sections.globs import Glob, contains, may_overlap, overlaps, section_glob, witness
from ldcheck.sections.rules import SHF_WRITE, InputRule
from ldcheck.sections.search import Proof, Takers, among, find
from ldcheck.sections.search import Witness as Witness  # noqa: PLC0414 - part of what this module gives its users

# So many claims are looked at one after the other; of more, those that matter are looked up.
_FEW = 32
# Steps for each rule ahead that has to be looked at.
_PAIR = 4


class State(Enum):
    """What is left for a rule. UNDECIDED if the budget did not allow to tell."""

    DEAD = "dead"
    COMPETES = "competes"
    FREE = "free"
    UNDECIDED = "undecided"


class Relation(Enum):
    """Where a rule stands that takes sections ahead of another, the closest first.

    Within one statement, and between the same two boundary symbols, it makes no difference which of two rules takes a
    section, except for the order of the sections.
    """

    SAME_STATEMENT = "in the same statement"
    SAME_STRETCH = "in the same output section, between the same boundary symbols"
    SAME_OUTPUT = "in the same output section, on the other side of a boundary symbol"
    OTHER_OUTPUT = "in another output section"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reach:
    """The state of one rule.

    `earlier` are the rules that take sections of its language first: for a dead rule a set of which none can be left
    out, else all that do. `witness` is taken by one of them if the rule competes, else it is in the rule's
    language (None if that is empty). `kept` is what still reaches the rule, None for a dead one.

    Of a rule that competes, `undecided` are other rules ahead of which it was not decided whether they take sections
    of its language. An undecided rule has neither of the others.
    """

    rule: InputRule
    state: State
    earlier: tuple[InputRule, ...]
    witness: Witness | None
    kept: Witness | None
    undecided: tuple[InputRule, ...] = ()

    def __repr__(self) -> str:
        return f"Reach({self.rule!r}, {self.state.name}, {self.earlier!r}, {self.witness!r})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Taking:
    """That `earlier` takes `witness` ahead of the rule that was asked about."""

    earlier: InputRule
    witness: Witness
    relation: Relation


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shadowing:
    """A rule that names the sections asked about, and what takes them ahead of it.

    `state` is that of the rule for these sections alone. `witness` is one of them that the rule takes, None if it is
    dead or undecided. Of the rules `undecided` it was not decided whether they take any ahead of it.
    """

    rule: InputRule
    state: State
    takings: tuple[Taking, ...]
    witness: Witness | None
    undecided: tuple[InputRule, ...] = ()


class Asking(NamedTuple):
    """A rule that could take sections that were asked about, with one that it does take: None if it takes none.

    If that was not `decided`, there is none either.
    """

    rule: InputRule
    witness: Witness | None
    decided: bool = True


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reaching:
    """The rules that take sections of some names, each with such a section, in the order in which they are tried.

    Of the rules `undecided` it was not decided.
    """

    takers: tuple[tuple[InputRule, Witness], ...]
    undecided: tuple[InputRule, ...] = ()


def relation(rule: InputRule, earlier: InputRule) -> Relation:
    """Where `earlier` stands with respect to `rule`."""
    if rule.statement is earlier.statement:
        return Relation.SAME_STATEMENT
    if rule.section is not earlier.section or rule.section is None:
        return Relation.OTHER_OUTPUT
    return Relation.SAME_STRETCH if rule.stretch == earlier.stretch else Relation.SAME_OUTPUT


def first_taker(
    rules: Iterable[InputRule], section: str, file: str = "x.o", flags: int | None = None
) -> InputRule | None:
    """The rule that a section of that name goes to; `file` is a plain object or `archive:member`.

    With `flags` None the flags are taken to be whatever a rule asks for.
    """
    return next(iter(takers(rules, section, file, flags)), None)


def takers(
    rules: Iterable[InputRule], section: str, file: str = "x.o", flags: int | None = None
) -> tuple[InputRule, ...]:
    """Every rule that would take the section if those ahead of it did not, in the order in which they are tried."""
    archive, colon, member = file.partition(":")
    return tuple(
        rule
        for rule in rules
        if (rule.takes(section, member, archive, flags) if colon else rule.takes(section, file, None, flags))
        and (flags is None or rule.constraint != "ONLY_IF_RO" or not flags & SHF_WRITE)
    )


def reaches(rules: Sequence[InputRule]) -> tuple[Reach, ...]:
    """The state of every rule, in the order of the rules, which must be that of `input_rules`."""
    return script_of(tuple(rules)).reaches()


def shadowing(rules: Sequence[InputRule], name_pattern: str) -> tuple[Shadowing, ...]:
    """The rules that name the sections of a pattern, such as `.data.read_mostly`, and what keeps those from them.

    A rule names them if its pattern matches nothing else, or begins with all the literal characters that the given
    pattern begins with (`.data.read_mostly*` names `.data.read_mostly`). Empty if no rule names them.

    Raises TooComplexError where the budget does not allow to tell which do.
    """
    wanted = section_glob(name_pattern)
    script = script_of(tuple(rules))
    near = script.index.near(wanted, files(None))
    found: list[Shadowing] = []
    for number, claim in enumerate(near):
        if not overlaps(claim.names, wanted) or not names(claim.names, wanted):
            continue
        takings: list[Taking] = []
        undecided: list[InputRule] = []
        for at, other in enumerate(near[:number]):
            try:
                shown = find(_also(other.meet(claim), wanted), script.ahead(near, at, other.rule))
            except TooComplexError:
                BUDGET.undecided += 1
                undecided.append(other.rule)
                continue
            if shown is not None:
                takings.append(Taking(other.rule, shown, relation(claim.rule, other.rule)))
        try:
            left = find(_also(claim.asked(), wanted), script.ahead(near, number, claim.rule))
            state = State.DEAD if left is None else State.COMPETES if takings or undecided else State.FREE
        except TooComplexError:
            BUDGET.undecided += 1
            left, state = None, State.UNDECIDED
        found.append(Shadowing(claim.rule, state, tuple(takings), left, tuple(undecided)))
    return tuple(found)


def reaching(rules: Sequence[InputRule], name_pattern: str) -> Reaching:
    """Every rule that takes sections of that name (or names) in some link, with one that it takes."""
    asked = asked_for(rules, name_pattern)
    return Reaching(
        tuple((rule, shown) for rule, shown, _ in asked if shown is not None),
        tuple(rule for rule, _, decided in asked if not decided),
    )


def asked_for(rules: Sequence[InputRule], name_pattern: str, file_pattern: str | None = None) -> tuple[Asking, ...]:
    """Every rule that could take sections of such a name, from files of such a pattern, in the order of the rules.

    With each comes one that it does take; None if rules ahead of it take them all, so that it is only the next in turn.
    """
    wanted = section_glob(name_pattern)
    asking = files(file_pattern)
    script = script_of(tuple(rules))
    near = script.index.near(wanted, asking)
    found: list[Asking] = []
    for number, claim in enumerate(near):
        own = claim.asked()
        asked = _also(own._replace(files=(*own.files, asking)), wanted)
        try:
            if find(asked, among(())) is not None:
                found.append(Asking(claim.rule, find(asked, script.ahead(near, number, claim.rule))))
        except TooComplexError:
            BUDGET.undecided += 1
            found.append(Asking(claim.rule, None, decided=False))
    return tuple(found)


def _also(asked: Asked, wanted: Glob) -> Asked:
    """The question about sections of such a name only."""
    if any(contains(wanted, glob) for glob in asked.names):
        return asked
    return asked._replace(names=(*asked.names, wanted))


def names(pattern: Glob, wanted: Glob) -> bool:
    """Whether a rule's pattern names the sections of `wanted`, rather than taking them along with others.

    Raises TooComplexError.
    """
    if not may_overlap(pattern, wanted):
        return False
    if contains(wanted, pattern):
        return True
    if wanted.prefix and pattern.prefix.startswith(wanted.prefix):
        return overlaps(pattern, wanted)
    return wanted.literal is None and pattern.literal is None and witness((pattern,), (wanted,)) is None


@lru_cache(maxsize=80)
def script_of(rules: tuple[InputRule, ...]) -> Claimed:
    """What is known of the rules of a script; of as many scripts as a target has configurations."""
    BUDGET.grant(len(rules))
    return Claimed(rules)


class Claimed:
    """The rules of one script, and what is known of them once it was asked for."""

    def __init__(self, rules: tuple[InputRule, ...]) -> None:
        self.rules = rules
        self.kept: dict[int, Witness] = {}
        self._surety: Surety | None = None
        self._index: Claims | None = None
        self._reaches: tuple[Reach, ...] | None = None

    @property
    def surety(self) -> Surety:
        """What the rules are sure to take. Raises TooComplexError."""
        if self._surety is None:
            self._surety = Surety(self.rules)
        return self._surety

    @property
    def index(self) -> Claims:
        """What every rule claims."""
        if self._index is None:
            self._index = Claims(map(claim_of, self.rules))
        return self._index

    def reaches(self) -> tuple[Reach, ...]:
        """The state of every rule."""
        if self._reaches is None:
            seen = Claims()
            self._reaches = tuple(self.add(rule, seen) for rule in self.rules)
        return self._reaches

    def ahead(self, near: Sequence[Claim], number: int, rule: InputRule, index: Claims | None = None) -> Takers:
        """What counts against `rule`: the first `number` claims of `near`, which are those that may and stand ahead.

        `index` has those, and perhaps others.
        """
        if number <= _FEW:
            return among(self.surety.of(near[:number], rule))
        claims = index or self.index

        def takers(name: str, file: str, archive: str | None) -> Sequence[Claim]:
            found = [claim for claim in claims.takers(name, file, archive) if claim.rule.index < rule.index]
            BUDGET.spend(_FEW + len(found))
            found.sort(key=index_of)
            return self.surety.of(found, rule)

        return takers

    def add(self, rule: InputRule, seen: Claims) -> Reach:
        """The state of a rule behind those seen, which it joins unless it is dead."""
        claim = claim_of(rule)
        try:
            reach = self._judge(claim, seen)
        except TooComplexError:
            BUDGET.undecided += 1
            reach = Reach(rule, State.UNDECIDED, (), None, None)
        if reach.state is not State.DEAD:
            seen.add(claim)
        if reach.kept is not None:
            self.kept[rule.index] = reach.kept
        return reach

    def _judge(self, claim: Claim, seen: Claims) -> Reach:
        # Where nothing is left, not even the rules ahead are looked for.
        BUDGET.spend(_PAIR)
        rule = claim.rule
        asked = claim.asked()
        own = find(asked, _NOBODY)
        if own is None:
            return Reach(rule, State.DEAD, (), None, None)
        found = seen.near(claim.names, claim.files)
        if not found:
            return Reach(rule, State.FREE, (), own, own)
        BUDGET.spend(_PAIR * len(found))
        for other in found:
            if other.plain and other.sure and contains(other.names, claim.names):
                return Reach(rule, State.DEAD, (other.rule,), own, None)
        proof = Proof()
        left = find(asked, self.ahead(found, len(found), rule, seen), proof)
        if left is None:
            return Reach(rule, State.DEAD, _needed(asked, proof), own, None)
        taking: list[InputRule] = []
        undecided: list[InputRule] = []
        shown: Witness | None = None
        for number, other in enumerate(found):
            # What the other rule keeps for itself is taken ahead of this one, if this one could take it at all.
            kept = self.kept.get(other.rule.index)
            example = None if kept is None else _shared(claim, kept)
            if example is None:
                try:
                    example = find(other.meet(claim), self.ahead(found, number, other.rule, seen))
                except TooComplexError:
                    undecided.append(other.rule)
                    continue
            if example is not None:
                taking.append(other.rule)
                if shown is None or len(example.section) < len(shown.section):
                    shown = example
        BUDGET.undecided += len(undecided)
        if taking:
            return Reach(rule, State.COMPETES, tuple(taking), shown, left, tuple(undecided))
        if undecided:
            return Reach(rule, State.UNDECIDED, (), None, None)
        return Reach(rule, State.FREE, (), own, own)


_NOBODY = among(())


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


def _needed(asked: Asked, proof: Proof) -> tuple[InputRule, ...]:
    """Of the claims that leave nothing of what is asked for, some that do, and of which none can be left out.

    Where that is not decided, one is not left out.
    """
    for one in proof.first or ():
        if _leave_nothing(asked, [one]):
            return (one.rule,)
    kept = [proof.used[index] for index in sorted(proof.used)]
    for one in reversed(kept):
        if one.rule.index not in proof.needed:
            fewer = [other for other in kept if other is not one]
            if _leave_nothing(asked, fewer):
                kept = fewer
    return tuple(one.rule for one in kept)


def _leave_nothing(asked: Asked, claims: Sequence[Claim]) -> bool:
    try:
        return find(asked, among(claims)) is None
    except TooComplexError:
        return False
