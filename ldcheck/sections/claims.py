"""What a rule claims of the sections that there may be: the product of its names, its files and its flags.

ONLY_IF_RO and ONLY_IF_RW depend on the whole link (ldlang.c: check_input_sections): a rule under them claims what it
may take, but only what it is sure to take counts against a later rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ldcheck.sections.affixes import Affixes
from ldcheck.sections.budget import BUDGET, TooComplexError
from ldcheck.sections.claim import Asked, Claim
from ldcheck.sections.files import EVERY_FILE, Files
from ldcheck.sections.globs import Glob, fnmatch_glob, overlaps
from ldcheck.sections.rules import SHF_WRITE, InputRule
from ldcheck.sections.search import Takers, among, find

_EVERY_NAME = fnmatch_glob("*")


def claim_of(rule: InputRule) -> Claim:
    """What a rule may take, whatever rules ahead of it take."""
    forbidden = rule.forbidden | (SHF_WRITE if rule.constraint == "ONLY_IF_RO" else 0)
    plain = rule.files is EVERY_FILE and not rule.required and not forbidden
    return Claim(rule, rule.names, rule.files, rule.required, forbidden, not rule.constraint, plain)


class Surety:
    """What rules are sure to take, given all rules of the script."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self.every = not any(rule.constraint for rule in rules)
        self.settled = {} if self.every else settled_rules(rules)

    def of(self, claims: Sequence[Claim], asking: InputRule) -> Sequence[Claim]:
        """What of the claims counts against a rule behind them."""
        if self.every:
            return claims
        return sure_claims(claims, frozenset(index for index, last in self.settled.items() if last < asking.index))


def sure_claims(claims: Iterable[Claim], settled: frozenset[int] = frozenset()) -> list[Claim]:
    """The claims reduced to what they take from every link.

    ONLY_IF_RW is sure of writable sections. ONLY_IF_RO is sure of nothing, except for the rules whose indices are in
    `settled` (see `settled_rules`).
    """
    sure: list[Claim] = []
    for claim in claims:
        rule = claim.rule
        if claim.sure or rule.index in settled:
            sure.append(claim)
        elif rule.constraint == "ONLY_IF_RW" and not claim.forbidden & SHF_WRITE:
            required = claim.required | SHF_WRITE
            sure.append(Claim(rule, claim.names, claim.files, required, claim.forbidden, True, False))
    return sure


def settled_rules(rules: Sequence[InputRule]) -> dict[int, int]:
    """The rules under ONLY_IF_RO that together with an ONLY_IF_RW next to them take all they could.

    By index, with the index of the last rule of the two output sections. They are settled if the second takes what
    the first does: then one of the two is there for every section. Raises TooComplexError.
    """
    groups: list[list[InputRule]] = []
    for rule in rules:
        if groups and groups[-1][0].section is rule.section:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    settled: dict[int, int] = {}
    ahead = Claims()
    for one, other in pairwise(groups):
        kinds = {one[0].constraint, other[0].constraint}
        if kinds == {"ONLY_IF_RO", "ONLY_IF_RW"} and not any(rule.required | rule.forbidden for rule in (*one, *other)):
            read_only, writable = (one, other) if one[0].constraint == "ONLY_IF_RO" else (other, one)
            taking = [Claim(rule, rule.names, rule.files, 0, 0, True, rule.files is EVERY_FILE) for rule in writable]
            takers = _ahead_and(ahead, taking)
            asked = [Asked((rule.names,), (rule.files,), 0, 0) for rule in read_only]
            if all(find(question, takers) is None for question in asked):
                last = max(one[-1].index, other[-1].index)
                settled.update((rule.index, last) for rule in read_only)
        for rule in one:
            ahead.add(claim_of(rule))
    return settled


def _ahead_and(ahead: Claims, claims: Sequence[Claim]) -> Takers:
    others = among(claims)

    def takers(name: str, file: str, archive: str | None) -> list[Claim]:
        return [*others(name, file, archive), *sure_claims(ahead.takers(name, file, archive))]

    return takers


class Claims:
    """Claims, found by their names, or where they are on files of their own by the files first."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self.wide = _names()
        self.narrow = _names()
        self.objects = _files()
        self.members: Affixes[Affixes[Affixes[list[Claim]]]] = Affixes(_files, BUDGET.spend)
        for claim in claims:
            self.add(claim)

    def add(self, claim: Claim) -> None:
        """Add a claim."""
        if claim.files.wide:
            self.wide.at(claim.names).append(claim)
            return
        self.narrow.at(claim.names).append(claim)
        objects, members = claim.files.objects, claim.files.members
        if objects is not None:
            self.objects.at(objects.name or _EVERY_NAME).at(claim.names).append(claim)
        if members is not None:
            table = self.members.at(members.archive or _EVERY_NAME).at(members.name or _EVERY_NAME)
            table.at(claim.names).append(claim)

    def near(self, names: Glob, files: Files) -> list[Claim]:
        """The claims on such names that may also be on such files, in the order of the rules.

        Where it is too complex to tell whether the names meet, they may. Raises TooComplexError if that is so of all.
        """
        return [claim for claim in self.candidates(names, files) if may_meet(claim.names, names)]

    def candidates(self, names: Glob, files: Files) -> list[Claim]:
        """The claims that are on such names and files as far as literal beginnings and ends tell, in that order.

        Raises TooComplexError.
        """
        found = [claim for claims in self._tables(names, files) for claim in claims]
        found.sort(key=index_of)
        if files.wide:
            return found
        # A claim on objects and on members is found among both.
        return list(dict.fromkeys(found))

    def _tables(self, names: Glob, files: Files) -> Iterator[list[Claim]]:
        tables = [self.wide]
        if files.wide:
            tables.append(self.narrow)
        elif self.narrow.filled:
            objects, members = files.objects, files.members
            if objects is not None:
                tables += [table for _, table in self.objects.near(objects.name or _EVERY_NAME)]
            if members is not None:
                for _, archive in self.members.near(members.archive or _EVERY_NAME):
                    tables += [table for _, table in archive.near(members.name or _EVERY_NAME)]
        for table in tables:
            for _, claims in table.near(names):
                yield claims

    def takers(self, name: str, file: str, archive: str | None) -> list[Claim]:
        """The claims on a section of that name from that file, with whatever flags."""
        found = [
            claim
            for _, claims in self.wide.matching(name)
            for claim in claims
            if claim.files is EVERY_FILE or claim.files.takes(file, archive)
        ]
        if not self.narrow.filled:
            return found
        if archive is None:
            tables = [table for _, table in self.objects.matching(file)]
        else:
            tables = [table for _, one in self.members.matching(archive) for _, table in one.matching(file)]
        for table in tables:
            for _, claims in table.matching(name):
                found += [claim for claim in claims if claim.files.excluding(file, archive) is None]
        return found


def _names() -> Affixes[list[Claim]]:
    return Affixes(list, BUDGET.spend)


def _files() -> Affixes[Affixes[list[Claim]]]:
    return Affixes(_names, BUDGET.spend)


def index_of(claim: Claim) -> int:
    """The index of the rule, which is the order in which claims are tried."""
    return claim.rule.index


def may_meet(one: Glob, other: Glob) -> bool:
    """Whether some name is matched by both, or it is too complex to tell."""
    try:
        return overlaps(one, other)
    except TooComplexError:
        return True
