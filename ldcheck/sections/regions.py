"""The language of a rule as a whole, names of sections, files and flags together, and what other rules leave of it.

A rule claims the product of its names, its files and its flags. To find what a list of claims leaves of another one,
the files and flags are cut along those of the claims until each piece lies inside or outside of every claim; then
names alone decide, and that is a question for `globs.witness`.

ONLY_IF_RO and ONLY_IF_RW depend on the whole link (ldlang.c: check_input_sections): a rule under them claims what it
may take, but only what it is sure to take counts against a later rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ldcheck.record import dataclass
from ldcheck.sections.automata import TooComplexError
from ldcheck.sections.files import EVERY_FILE, FileBox, Files
from ldcheck.sections.globs import Glob, witness
from ldcheck.sections.rules import SHF_WRITE, InputRule

# A set of files of one kind, with flags that must be set and flags that must not be set.
Region = tuple[FileBox, int, int]


@dataclass(frozen=True, slots=True)
class Witness:
    """An input section that shows something. `file` is a plain object, or `archive:member`.

    The ELF section flags `flags` must be set and those in `unset` must not be; the others do not matter.
    """

    file: str
    section: str
    flags: int = 0
    unset: int = 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Claim:
    """What a rule may take. It is `sure` if every link gives it all of that, but for what rules ahead of it take."""

    rule: InputRule
    names: Glob
    files: Files
    required: int
    forbidden: int
    sure: bool

    @property
    def plain(self) -> bool:
        """Whether it claims sections of every file and with any flags."""
        return self.files is EVERY_FILE and not self.required and not self.forbidden

    def regions(self) -> list[Region]:
        """The files and flags of the claim."""
        return [(box, self.required, self.forbidden) for box in self.files.boxes]

    def meet(self, other: Claim) -> list[Region]:
        """The files and flags of both claims."""
        required, forbidden = self.required | other.required, self.forbidden | other.forbidden
        if required & forbidden:
            return []
        if self.files is EVERY_FILE:
            return [(box, required, forbidden) for box in other.files.boxes]
        if other.files is EVERY_FILE:
            return [(box, required, forbidden) for box in self.files.boxes]
        meets = (one.meet(two) for one in self.files.boxes for two in other.files.boxes)
        return [(box, required, forbidden) for box in meets if box is not None]


def claim_of(rule: InputRule) -> Claim:
    """What a rule may take, whatever rules ahead of it take."""
    forbidden = rule.forbidden | (SHF_WRITE if rule.constraint == "ONLY_IF_RO" else 0)
    return Claim(rule, rule.names, rule.files, rule.required, forbidden, not rule.constraint)


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
            sure.append(Claim(rule, claim.names, claim.files, claim.required | SHF_WRITE, claim.forbidden, True))
    return sure


def settled_rules(rules: Sequence[InputRule]) -> dict[int, int]:
    """The rules under ONLY_IF_RO that together with an ONLY_IF_RW next to them take all they could.

    By index, with the index of the last rule of the two output sections. They are settled if the second takes what
    the first does: then one of the two is there for every section.
    """
    groups: list[list[InputRule]] = []
    for rule in rules:
        if groups and groups[-1][0].section is rule.section:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    settled: dict[int, int] = {}
    for one, other in pairwise(groups):
        kinds = {one[0].constraint, other[0].constraint}
        if kinds != {"ONLY_IF_RO", "ONLY_IF_RW"} or any(rule.required | rule.forbidden for rule in (*one, *other)):
            continue
        read_only, writable = (one, other) if one[0].constraint == "ONLY_IF_RO" else (other, one)
        ahead = sure_claims(map(claim_of, rules[: one[0].index]))
        taken = [Claim(rule, rule.names, rule.files, 0, 0, True) for rule in writable]
        asked = [((rule.names,), [(box, 0, 0) for box in rule.files.boxes]) for rule in read_only]
        if all(find(names, regions, ahead + taken) is None for names, regions in asked):
            last = max(one[-1].index, other[-1].index)
            settled.update((rule.index, last) for rule in read_only)
    return settled


def find(wanted: tuple[Glob, ...], regions: Iterable[Region], taken: Sequence[Claim]) -> Witness | None:
    """The shortest section that matches all of `wanted`, lies in one of the regions, and in none of the claims.

    Raises TooComplexError for questions that no sensible script asks.
    """
    plain = [claim.names for claim in taken if claim.plain]
    special = [claim for claim in taken if not claim.plain]
    best: Witness | None = None
    for box, required, forbidden in regions:
        if required & forbidden:
            continue
        if not special and box.everything:
            # Objects come first, and what is so for all of them is so for members of archives.
            name = witness(wanted, plain)
            return None if name is None else _better(_shown(name, box, required, forbidden), best)
        best = _better(_search(wanted, (box, required, forbidden), plain, special), best)
    return best


def _shown(name: str, box: FileBox, required: int, forbidden: int) -> Witness | None:
    example = box.example()
    if example is None:
        return None
    file, archive = example
    return Witness(file if archive is None else f"{archive}:{file}", name, required, forbidden)


def _better(one: Witness | None, other: Witness | None) -> Witness | None:
    """The one with the shorter name, and of two as short the more usual one."""
    if one is None or other is None:
        return one or other
    return one if _unusual(one) < _unusual(other) else other


def _unusual(shown: Witness) -> tuple[int, int, bool, bool, int]:
    return (
        len(shown.section),
        shown.flags.bit_count(),
        ":" in shown.file,
        shown.file != "x.o",
        shown.unset.bit_count(),
    )


def _search(
    wanted: tuple[Glob, ...], region: Region, unwanted: list[Glob], claims: Sequence[Claim], limit: int = 20_000
) -> Witness | None:
    """As `find` for one region: it is cut along the files and flags of the claims, until names alone decide."""
    best: Witness | None = None
    pending: list[tuple[Region, list[Glob], int]] = [(region, unwanted, 0)]
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
            if name is not None:
                best = _better(_shown(name, box, required, forbidden), best)
        else:
            pending.extend(_cut((box, required, forbidden), claims[at], refused, at + 1))
    return best


def _cut(region: Region, claim: Claim, refused: list[Glob], at: int) -> Iterable[tuple[Region, list[Glob], int]]:
    """The parts of a region outside the claim's files and flags, and the part inside, without the claim's names."""
    box, required, forbidden = region
    for bit in _bits(claim.required & ~required):
        yield (box, required, forbidden | bit), refused, at
        required |= bit
    for bit in _bits(claim.forbidden & ~forbidden):
        yield (box, required | bit, forbidden), refused, at
        forbidden |= bit
    if required & forbidden:
        return
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
