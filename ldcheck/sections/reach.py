"""What each rule of a script can still take, given the rules ahead of it.

A rule is dead if the rules ahead of it take every (file, section, flags) that it could take, competes if they take some
of them, and is free otherwise. The answers are decisions about languages and hold for all links; each comes with the
rules that do it and with a witness.

ONLY_IF_RO and ONLY_IF_RW depend on the whole link (ldlang.c: check_input_sections): such a rule takes what it can where
it is asked what may happen, but only what it is sure to take counts against a later rule.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from enum import Enum

from ldcheck.record import dataclass
from ldcheck.sections.automata import Meter, TooComplexError
from ldcheck.sections.files import files
from ldcheck.sections.globs import Glob, contains, may_overlap, overlaps, section_glob, witness
from ldcheck.sections.regions import Claim, Region, claim_of, find, settled_rules, sure_claims
from ldcheck.sections.regions import Witness as Witness  # noqa: PLC0414 - part of what this module gives its users
from ldcheck.sections.rules import SHF_WRITE, InputRule

# A script for which more sets of automata's positions have to be looked at is no sensible one; what is left is guessed.
_PATIENCE = 100_000


class State(Enum):
    """What is left for a rule."""

    DEAD = "dead"
    COMPETES = "competes"
    FREE = "free"


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
    """

    rule: InputRule
    state: State
    earlier: tuple[InputRule, ...]
    witness: Witness | None
    kept: Witness | None

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
    dead.
    """

    rule: InputRule
    state: State
    takings: tuple[Taking, ...]
    witness: Witness | None


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
    analysis = _Analysis(_Surety(rules))
    return tuple(analysis.add(rule) for rule in rules)


def shadowing(rules: Sequence[InputRule], name_pattern: str) -> tuple[Shadowing, ...]:
    """The rules that name the sections of a pattern, such as `.data.read_mostly`, and what keeps those from them.

    A rule names them if its pattern matches nothing else, or begins with all the literal characters that the given
    pattern begins with (`.data.read_mostly*` names `.data.read_mostly`). Empty if no rule names them.
    """
    wanted = section_glob(name_pattern)
    surety = _Surety(rules)
    claims: list[Claim] = []
    found: list[Shadowing] = []
    for rule in rules:
        if not overlaps(rule.names, wanted):
            continue
        claim = claim_of(rule)
        if names(rule.names, wanted):
            asked = (rule.names,) if contains(wanted, rule.names) else (rule.names, wanted)
            takings = tuple(
                Taking(other.rule, shown, relation(rule, other.rule))
                for number, other in enumerate(claims)
                if (shown := _left((*asked, other.names), other.meet(claim), surety.of(claims[:number], other.rule)))
            )
            left = _left(asked, claim.regions(), surety.of(claims, rule))
            state = State.DEAD if left is None else State.COMPETES if takings else State.FREE
            found.append(Shadowing(rule, state, takings, left))
        claims.append(claim)
    return tuple(found)


def reaching(rules: Sequence[InputRule], name_pattern: str) -> tuple[tuple[InputRule, Witness], ...]:
    """The rules that sections of a name or pattern really go to, each with one such section, in the order of the rules.

    Sections that no rule takes (orphans) are not told of.
    """
    wanted = ((rule, shown) for rule, shown in asked_for(rules, name_pattern) if shown is not None)
    return tuple(wanted)


def asked_for(
    rules: Sequence[InputRule], name_pattern: str, file_pattern: str | None = None
) -> tuple[tuple[InputRule, Witness | None], ...]:
    """The rules that match sections of a name or pattern, from files of a pattern, in the order of the rules.

    Each comes with such a section that it takes; None if rules ahead of it take all of them, so that it would only be
    the next in turn.
    """
    wanted = section_glob(name_pattern)
    asking = files(file_pattern)
    surety = _Surety(rules)
    claims: list[Claim] = []
    found: list[tuple[InputRule, Witness | None]] = []
    for rule in rules:
        if not overlaps(rule.names, wanted):
            continue
        claim = claim_of(rule)
        asked = Claim(rule, rule.names, asking, 0, 0, True).meet(claim)
        if find((rule.names, wanted), asked, ()) is not None:
            found.append((rule, _left((rule.names, wanted), asked, surety.of(claims, rule))))
            claims.append(claim)
    return tuple(found)


def names(pattern: Glob, wanted: Glob) -> bool:
    """Whether a rule's pattern names the sections of `wanted`, rather than taking them along with others."""
    if not may_overlap(pattern, wanted):
        return False
    if contains(wanted, pattern):
        return True
    if wanted.prefix and pattern.prefix.startswith(wanted.prefix):
        return overlaps(pattern, wanted)
    return wanted.literal is None and pattern.literal is None and witness((pattern,), (wanted,)) is None


class _Surety:
    """What rules are sure to take, given all rules of the script."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self.settled = settled_rules(rules) if any(rule.constraint for rule in rules) else {}

    def of(self, claims: Sequence[Claim], asking: InputRule) -> Sequence[Claim]:
        """What of the claims counts against a rule behind them."""
        settled = frozenset(index for index, last in self.settled.items() if last < asking.index)
        return sure_claims(claims, settled)


class _Analysis:
    """The rules seen so far, indexed by what their patterns begin with."""

    def __init__(self, surety: _Surety) -> None:
        self.surety = surety
        self.kept: dict[int, Witness] = {}
        self.limit = Meter.spent + _PATIENCE
        self.literal: dict[str, list[Claim]] = {}
        self.sorted_literals: list[str] = []
        self.wild: dict[str, list[Claim]] = {}
        self.sorted_prefixes: list[str] = []

    def add(self, rule: InputRule) -> Reach:
        claim = claim_of(rule)
        try:
            reach = self.judge(claim) if Meter.spent < self.limit else self.guess(claim)
        except TooComplexError:
            reach = self.guess(claim)
        if reach.state is not State.DEAD:
            self.enter(claim)
        if reach.kept is not None:
            self.kept[rule.index] = reach.kept
        return reach

    def enter(self, claim: Claim) -> None:
        name = claim.names
        key, table, order = (
            (name.prefix, self.wild, self.sorted_prefixes)
            if name.literal is None
            else (name.literal, self.literal, self.sorted_literals)
        )
        if key in table:
            table[key].append(claim)
        else:
            table[key] = [claim]
            insort(order, key)

    def candidates(self, claim: Claim) -> list[Claim]:
        """The claims ahead whose names overlap, in the order of the rules."""
        glob = claim.names
        start = glob.prefix
        found: list[Claim] = []
        for length in range(len(start)):
            found.extend(self.wild.get(start[:length], ()))
        if glob.literal is not None:
            found.extend(self.wild.get(start, ()))
            found = [other for other in found if other.names.matches(start)]
            found.extend(self.literal.get(start, ()))
        else:
            for key in _starting(self.sorted_prefixes, start):
                found.extend(self.wild[key])
            found = [other for other in found if overlaps(other.names, glob)]
            for key in _starting(self.sorted_literals, start):
                if glob.matches(key):
                    found.extend(self.literal[key])
        found.sort(key=lambda other: other.rule.index)
        return found

    def guess(self, claim: Claim) -> Reach:
        """What can be said without looking for witnesses: the rules ahead that may take something."""
        glob = claim.names
        every = [other for table in (self.literal, self.wild) for group in table.values() for other in group]
        near = sorted(other.rule.index for other in every if may_overlap(other.names, glob))
        rules = {other.rule.index: other.rule for other in every}
        state = State.COMPETES if near else State.FREE
        return Reach(claim.rule, state, tuple(rules[index] for index in near), None, None)

    def judge(self, claim: Claim) -> Reach:
        rule = claim.rule
        own = find((claim.names,), claim.regions(), ())
        if own is None:
            return Reach(rule, State.DEAD, (), None, None)
        found = self.candidates(claim)
        if not found:
            return Reach(rule, State.FREE, (), own, own)
        for other in found:
            if other.plain and other.sure and contains(other.names, claim.names):
                return Reach(rule, State.DEAD, (other.rule,), own, None)
        ahead = self.surety.of(found, rule)
        left = find((claim.names,), claim.regions(), ahead)
        if left is None:
            return Reach(rule, State.DEAD, _needed(claim, ahead), own, None)
        taking: list[InputRule] = []
        shown: Witness | None = None
        for number, other in enumerate(found):
            # What the other rule keeps for itself is taken ahead of this one, if this one could take it at all.
            example = self.kept.get(other.rule.index)
            if example is None or not claim.plain or not claim.names.matches(example.section):
                ahead = self.surety.of(found[:number], other.rule)
                example = find((claim.names, other.names), other.meet(claim), ahead)
            if example is not None:
                taking.append(other.rule)
                if shown is None or len(example.section) < len(shown.section):
                    shown = example
        if not taking:
            return Reach(rule, State.FREE, (), own, own)
        return Reach(rule, State.COMPETES, tuple(taking), shown, left)


def _starting(keys: Sequence[str], prefix: str) -> Iterable[str]:
    """Those of sorted keys that begin with `prefix`."""
    at = bisect_left(keys, prefix)
    while at < len(keys) and keys[at].startswith(prefix):
        yield keys[at]
        at += 1


def _needed(claim: Claim, covering: Sequence[Claim]) -> tuple[InputRule, ...]:
    """A part of `covering` that still takes all of the claim, and of which nothing can be left out."""
    for other in covering:
        if find((claim.names,), claim.regions(), (other,)) is None:
            return (other.rule,)
    kept = list(covering)
    for other in reversed(covering):
        fewer = [one for one in kept if one is not other]
        if find((claim.names,), claim.regions(), fewer) is None:
            kept = fewer
    rules = {one.rule.index: one.rule for one in kept}
    return tuple(rules.values())


def _left(wanted: tuple[Glob, ...], regions: Sequence[Region], taken: Sequence[Claim]) -> Witness | None:
    """As `find`; where that is too complex, what there is without taking anything away."""
    try:
        return find(wanted, regions, taken)
    except TooComplexError:
        return find(wanted, regions, ())
