"""What each rule of a script can still take, given the rules ahead of it.

A rule is dead if the rules ahead of it take every (file, section, flags) that it could take, competes if they take some
of them, and is free otherwise. The answers hold for all links; each comes with the rules that do it and with a witness.

ONLY_IF_RO and ONLY_IF_RW depend on the whole link (ldlang.c: check_input_sections): such a rule takes what it can where
it is asked what may happen, but only what it is sure to take counts against a later rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ldcheck.record import dataclass
from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.claim import Asked, Claim
from ldcheck.sections.claims import Surety, sure_claims
from ldcheck.sections.contents import Placed, contents_for
from ldcheck.sections.files import EVERY_FILE, Files, files
from ldcheck.sections.globs import Glob, contains, may_overlap, overlaps, section_glob, witness
from ldcheck.sections.left import Ahead, Left, State, left_of
from ldcheck.sections.rules import SHF_WRITE, InputRule
from ldcheck.sections.search import Takers, among, find
from ldcheck.sections.search import Witness as Witness  # noqa: PLC0414 - part of what this module gives its users

# So many claims are looked at one after the other; of more, those that matter are looked up.
_FEW = 32


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
    near = script.placed.near(wanted, files(None))
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


def asked_for(rules: Sequence[InputRule], name_pattern: str, asking: Files = EVERY_FILE) -> tuple[Asking, ...]:
    """Every rule that could take sections of such a name from some of such files, in the order of the rules.

    With each comes one that it does take; None if rules ahead of it take them all, so that it is only the next in turn.
    """
    wanted = section_glob(name_pattern)
    script = script_of(tuple(rules))
    near = script.placed.near(wanted, asking)
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


def left_over(rules: Sequence[InputRule], name_pattern: str) -> Witness | None:
    """A section of that name (or names) that no rule takes in some link; None if every one is taken in every link.

    Raises TooComplexError.
    """
    wanted = section_glob(name_pattern)
    script = script_of(tuple(rules))
    near = script.placed.near(wanted, EVERY_FILE)
    settled = frozenset(script.surety.settled)
    return find(Asked((wanted,), (EVERY_FILE,), 0, 0), among(sure_claims(near, settled)))


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
        self._surety: Surety | None = None
        self._placed: Placed | None = None
        self._reaches: tuple[Reach, ...] | None = None

    @property
    def surety(self) -> Surety:
        """What the rules are sure to take. Raises TooComplexError."""
        if self._surety is None:
            self._surety = Surety(self.rules)
        return self._surety

    @property
    def placed(self) -> Placed:
        """What every rule claims."""
        if self._placed is None:
            self._placed = Placed(self.rules, contents_for(len(self.rules)))
        return self._placed

    def reaches(self) -> tuple[Reach, ...]:
        """The state of every rule."""
        if self._reaches is None:
            self._reaches = _Judging(self).reaches()
        return self._reaches

    def ahead(self, near: Sequence[Claim], number: int, rule: InputRule, but: Collection[int] = ()) -> Takers:
        """What counts against `rule`: the first `number` claims of `near`, which are those that may and stand ahead.

        The rules `but` take nothing.
        """
        if number <= _FEW:
            return among(self.surety.of(near[:number], rule))
        placed = self.placed

        def takers(name: str, file: str, archive: str | None) -> Sequence[Claim]:
            found = placed.takers(name, file, archive, rule.index, but)
            BUDGET.spend(_FEW + len(found))
            return self.surety.of(found, rule)

        return takers


class _Judging:
    """The rules of one script, judged one after the other."""

    def __init__(self, script: Claimed) -> None:
        self.script = script
        self.kept: dict[int, Witness] = {}
        self.dead: set[int] = set()

    def reaches(self) -> tuple[Reach, ...]:
        return tuple([self._reach(rule) for rule in self.script.rules])

    def _reach(self, rule: InputRule) -> Reach:
        try:
            reach = self._judged(rule)
        except TooComplexError:
            BUDGET.undecided += 1
            return Reach(rule, State.UNDECIDED, (), None, None)
        if reach.state is State.DEAD:
            self.dead.add(rule.index)
        if reach.kept is not None:
            self.kept[rule.index] = reach.kept
        return reach

    def _judged(self, rule: InputRule) -> Reach:
        # Where nothing is left, not even the rules ahead are looked for.
        BUDGET.spend(1)
        placed = self.script.placed
        near = placed.ahead(rule.index, self.dead)
        left = self._left(rule, near)
        BUDGET.undecided += len(left.undecided)
        taking, undecided = (tuple([near[at].rule for at in numbers]) for numbers in (left.taking, left.undecided))
        if left.state is State.UNDECIDED:
            undecided = ()
        return Reach(rule, left.state, taking, left.witness, left.kept, undecided)

    def _left(self, rule: InputRule, near: Sequence[Claim]) -> Left:
        placed = self.script.placed
        numbers, contents = placed.numbers, placed.contents
        kept = tuple([self.kept.get(other.rule.index) for other in near])

        def first(number: int) -> Takers:
            return self.script.ahead(near, number, near[number].rule if number < len(near) else rule, self.dead)

        ahead = Ahead(near, kept, first)
        claim = placed.claims[rule.index]
        # What ONLY_IF_RO and ONLY_IF_RW are sure of depends on more than what is claimed.
        if not self.script.surety.every:
            return left_of(claim, ahead)
        key = (numbers[rule.index], tuple([numbers[other.rule.index] for other in near]), kept)
        left = contents.left(key)
        if left is None:
            left = left_of(claim, ahead)
            # What was not decided may be, where more of the budget is left.
            if not left.undecided:
                contents.keep(key, left, len(near))
        return left
