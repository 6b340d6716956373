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
from dataclasses import dataclass
from enum import Enum

from ldcheck.sections.automata import TooComplexError
from ldcheck.sections.files import EVERY_FILE, OBJECTS, FileBox, Files
from ldcheck.sections.globs import Glob, contains, may_overlap, overlaps, section_glob, witness
from ldcheck.sections.rules import SHF_WRITE, InputRule


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


@dataclass(frozen=True, slots=True)
class Witness:
    """An input section that shows something. `file` is a plain object, or `archive:member`.

    `flags` are ELF section flags that the section must have for that; a flag that is not named must not be set only
    where `unset` names it.
    """

    file: str
    section: str
    flags: int = 0
    unset: int = 0


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
    analysis = _Analysis()
    return tuple(analysis.add(rule) for rule in rules)


def shadowing(rules: Sequence[InputRule], name_pattern: str) -> tuple[Shadowing, ...]:
    """The rules that name the sections of a pattern, such as `.data.read_mostly`, and what keeps those from them.

    A rule names them if its pattern matches nothing else, or begins with all the literal characters that the given
    pattern begins with (`.data.read_mostly*` names `.data.read_mostly`). Empty if no rule names them.
    """
    wanted = section_glob(name_pattern)
    found: list[Shadowing] = []
    for rule in rules:
        if not names(rule.names, wanted):
            continue
        asked = (rule.names,) if contains(wanted, rule.names) else (rule.names, wanted)
        earlier = [_claim(other) for other in rules[: rule.index] if overlaps(other.names, wanted)]
        takings: list[Taking] = []
        for number, claim in enumerate(earlier):
            shown = _find((*asked, claim.names), claim.meet(rule), _sure(earlier[:number]))
            if shown is not None:
                takings.append(Taking(claim.rule, shown, relation(rule, claim.rule)))
        left = _find(asked, _claim(rule).regions(), _sure(earlier))
        state = State.DEAD if left is None else State.COMPETES if takings else State.FREE
        found.append(Shadowing(rule, state, tuple(takings), left))
    return tuple(found)


def reaching(rules: Sequence[InputRule], name_pattern: str) -> tuple[tuple[InputRule, Witness], ...]:
    """The rules that sections of a name or pattern really go to, each with one such section, in the order of the rules.

    Sections that no rule takes (orphans) are not told of.
    """
    wanted = section_glob(name_pattern)
    claims: list[_Claim] = []
    found: list[tuple[InputRule, Witness]] = []
    for rule in rules:
        if not overlaps(rule.names, wanted):
            continue
        claim = _claim(rule)
        shown = _find((rule.names, wanted), claim.regions(), _sure(claims))
        if shown is not None:
            found.append((rule, shown))
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


# Regions: a set of files of one kind with flags that must be set and must not be set.
_Region = tuple[FileBox, int, int]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Claim:
    """What a rule may take; `sure` if it takes all of that from every link, unless a rule ahead of it does."""

    rule: InputRule
    names: Glob
    files: Files
    required: int
    forbidden: int
    sure: bool

    def regions(self) -> list[_Region]:
        return [(box, self.required, self.forbidden) for box in self.files.boxes]

    def meet(self, rule: InputRule) -> list[_Region]:
        """Where the claim and the other rule's language meet."""
        other = _claim(rule)
        required, forbidden = self.required | other.required, self.forbidden | other.forbidden
        if required & forbidden:
            return []
        if self.files is EVERY_FILE:
            return [(box, required, forbidden) for box in other.files.boxes]
        meets = (one.meet(two) for one in self.files.boxes for two in other.files.boxes)
        return [(box, required, forbidden) for box in meets if box is not None]

    @property
    def plain(self) -> bool:
        """Whether it claims sections of every file and with any flags."""
        return self.files is EVERY_FILE and not self.required and not self.forbidden


def _claim(rule: InputRule) -> _Claim:
    forbidden = rule.forbidden | (SHF_WRITE if rule.constraint == "ONLY_IF_RO" else 0)
    return _Claim(rule, rule.names, rule.files, rule.required, forbidden, not rule.constraint)


def _sure(claims: Iterable[_Claim]) -> list[_Claim]:
    """What the claims take from every link. ONLY_IF_RW takes writable sections; for read-only ones see `_Analysis`."""
    sure: list[_Claim] = []
    for claim in claims:
        if claim.sure:
            sure.append(claim)
        elif claim.rule.constraint == "ONLY_IF_RW" and not claim.forbidden & SHF_WRITE:
            sure.append(_Claim(claim.rule, claim.names, claim.files, claim.required | SHF_WRITE, claim.forbidden, True))
    return sure


class _Analysis:
    """The rules seen so far, indexed by what their patterns begin with."""

    def __init__(self) -> None:
        self.literal: dict[str, list[_Claim]] = {}
        self.sorted_literals: list[str] = []
        self.wild: dict[str, list[_Claim]] = {}
        self.sorted_prefixes: list[str] = []

    def add(self, rule: InputRule) -> Reach:
        claim = _claim(rule)
        try:
            reach = self.judge(claim)
        except TooComplexError:
            reach = Reach(rule, State.COMPETES, tuple(other.rule for other in self.candidates(claim)), None, None)
        if reach.state is not State.DEAD:
            self.enter(claim)
        return reach

    def enter(self, claim: _Claim) -> None:
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

    def candidates(self, claim: _Claim) -> list[_Claim]:
        """The claims ahead whose names overlap, in the order of the rules."""
        glob = claim.names
        start = glob.prefix
        found: list[_Claim] = []
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

    def judge(self, claim: _Claim) -> Reach:
        rule = claim.rule
        own = _find((claim.names,), claim.regions(), ())
        if own is None:
            return Reach(rule, State.DEAD, (), None, None)
        found = self.candidates(claim)
        if not found:
            return Reach(rule, State.FREE, (), own, own)
        for other in found:
            if other.plain and other.sure and contains(other.names, claim.names):
                return Reach(rule, State.DEAD, (other.rule,), own, None)
        left = _find((claim.names,), claim.regions(), _sure(found))
        if left is None:
            return Reach(rule, State.DEAD, _needed(claim, _sure(found)), own, None)
        taking: list[InputRule] = []
        shown: Witness | None = None
        for number, other in enumerate(found):
            example = _find((claim.names, other.names), other.meet(rule), _sure(found[:number]))
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


def _needed(claim: _Claim, covering: Sequence[_Claim]) -> tuple[InputRule, ...]:
    """A part of `covering` that still takes all of the claim, and of which nothing can be left out."""
    for other in covering:
        if _find((claim.names,), claim.regions(), (other,)) is None:
            return (other.rule,)
    kept = list(covering)
    for other in reversed(covering):
        fewer = [one for one in kept if one is not other]
        if _find((claim.names,), claim.regions(), fewer) is None:
            kept = fewer
    rules = {one.rule.index: one.rule for one in kept}
    return tuple(rules.values())


def _find(wanted: tuple[Glob, ...], regions: Iterable[_Region], taken: Sequence[_Claim]) -> Witness | None:
    """The shortest section that matches all of `wanted`, lies in one of the regions, and in none of the claims."""
    plain = [claim.names for claim in taken if claim.plain]
    special = [claim for claim in taken if not claim.plain]
    best: Witness | None = None
    for box, required, forbidden in regions:
        if required & forbidden:
            continue
        if not special and box.everything:
            name = witness(wanted, plain)
            shown = None if name is None else _shown(name, box, required, forbidden)
            if shown is not None and (best is None or len(shown.section) < len(best.section)):
                best = shown
            if box is OBJECTS and name is None:
                return best
            continue
        shown = _search(wanted, (box, required, forbidden), plain, special)
        if shown is not None and (best is None or len(shown.section) < len(best.section)):
            best = shown
    return best


def _shown(name: str, box: FileBox, required: int, forbidden: int) -> Witness | None:
    example = box.example()
    if example is None:
        return None
    file, archive = example
    return Witness(file if archive is None else f"{archive}:{file}", name, required, forbidden)


def _search(
    wanted: tuple[Glob, ...], region: _Region, unwanted: list[Glob], claims: Sequence[_Claim], limit: int = 20_000
) -> Witness | None:
    """As `_find` for one region: it is cut along the files and flags of the claims, until names alone decide."""
    best: Witness | None = None
    pending: list[tuple[_Region, list[Glob], int]] = [(region, unwanted, 0)]
    steps = 0
    while pending:
        (box, required, forbidden), refused, at = pending.pop()
        steps += 1
        if steps > limit:
            raise TooComplexError
        if required & forbidden or (not box.everything and box.example() is None):
            continue
        if at == len(claims):
            name = witness(wanted, refused)
            shown = None if name is None else _shown(name, box, required, forbidden)
            if shown is not None and (best is None or len(shown.section) < len(best.section)):
                best = shown
            continue
        claim = claims[at]
        pending.extend(_cut((box, required, forbidden), claim, refused, at + 1))
    return best


def _cut(region: _Region, claim: _Claim, refused: list[Glob], at: int) -> Iterable[tuple[_Region, list[Glob], int]]:
    """The parts of a region outside the claim's files and flags, and the part inside, without the claim's names."""
    box, required, forbidden = region
    for bit in _bits(claim.required & ~required):
        yield (box, required, forbidden | bit), refused, at
        required |= bit
    for bit in _bits(claim.forbidden & ~forbidden):
        yield (box, required | bit, forbidden), refused, at
        forbidden |= bit
    if claim.files is EVERY_FILE:
        yield (box, required, forbidden), [*refused, claim.names], at
        return
    outside = [box]
    for taken in claim.files.boxes:
        inside = box.meet(taken)
        if inside is not None:
            yield (inside, required, forbidden), [*refused, claim.names], at
        outside = [piece for one in outside for piece in one.without(taken)]
    for piece in outside:
        yield (piece, required, forbidden), refused, at


def _bits(mask: int) -> Iterable[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
