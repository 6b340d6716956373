"""Whether there is a section that is asked for and that none of some claims is on: the search for one that shows it.

The search holds one candidate at a time: the shortest name, the most usual file and the fewest flags that the
constraints so far allow. A claim that is on the candidate gives new constraints, one for each way out of the claim
(another name, another file, a file that the claim excludes, other flags); where there is none, the search goes back.
Constraints only ever come from claims that are on some candidate, so thousands of claims on other files cost nothing.

Candidates are looked at in the order of what they would be as witnesses, so the first that holds is the shortest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from typing import NamedTuple

from ldcheck.sections.budget import BUDGET
from ldcheck.sections.claim import Asked, Claim
from ldcheck.sections.files import EVERY_FILE, FilePattern
from ldcheck.sections.globs import Glob, contains, fnmatch_glob, may_overlap, shortest

# What one candidate costs, in steps.
_CANDIDATE = 100
_SOME_NAME = fnmatch_glob("?*")

# The claims on a section of some name, from a file, or a member and its archive; whatever the flags.
Takers = Callable[[str, str, str | None], Iterable["Claim"]]


class Witness(NamedTuple):
    """An input section that shows something. `file` is a plain object, or `archive:member`.

    The ELF section flags `flags` must be set and those in `unset` must not be; the others do not matter.
    """

    file: str
    section: str
    flags: int = 0
    unset: int = 0


class Proof:
    """What a search without a result rests on, by the indices of the rules.

    `used` are the claims that closed a way, `needed` those that alone did somewhere. `first` are the claims on the
    first candidate: one that alone takes everything is among them.
    """

    __slots__ = ("first", "needed", "used")

    def __init__(self) -> None:
        self.first: list[Claim] | None = None
        self.used: dict[int, Claim] = {}
        self.needed: set[int] = set()


class _Part(NamedTuple):
    """A part of the sections asked for: the names that must match and must not, and so on."""

    archived: bool
    names: tuple[Glob, ...]
    not_names: tuple[Glob, ...]
    files: tuple[Glob, ...]
    not_files: tuple[Glob, ...]
    archives: tuple[Glob, ...]
    not_archives: tuple[Glob, ...]
    required: int
    forbidden: int


class _Candidate(NamedTuple):
    """The shortest name, and so on, of a part. The first members are the order in which candidates are preferred."""

    length: int
    flags: int
    archived: bool
    unusual: bool
    unset: int
    name: str
    file: str
    archive: str | None


def among(claims: Sequence[Claim]) -> Takers:
    """The claims on a section, of a few."""
    if not claims:
        return _nobody

    def takers(name: str, file: str, archive: str | None) -> list[Claim]:
        BUDGET.spend(len(claims))
        return [
            claim
            for claim in claims
            if claim.names.matches(name) and (claim.files is EVERY_FILE or claim.files.takes(file, archive))
        ]

    return takers


def _nobody(_name: str, _file: str, _archive: str | None) -> tuple[Claim, ...]:
    return ()


def find(asked: Asked, takers: Takers, proof: Proof | None = None) -> Witness | None:
    """The shortest section that is asked for, and that no claim is on; None if there is none.

    Raises TooComplexError where the budget does not allow to decide it.
    """
    if asked.required & asked.forbidden:
        return None
    if takers is _nobody and all(files.everything for files in asked.files):
        # Most questions are whether there is anything at all.
        found = _name(asked.names, ())
        return None if found is None else Witness("x.o", found, asked.required, asked.forbidden)
    pending: list[tuple[tuple[object, ...], int, _Part]] = []
    objects = _whole(asked, False)
    first = objects or _whole(asked, True)
    if first is not None:
        pending.append(((), 0, first))
    number = 0
    while pending:
        _, _, part = heappop(pending)
        candidate = _candidate(part)
        number -= 1
        if part is objects and (members := _whole(asked, True)) is not None:
            # No member of an archive has a shorter name.
            least = () if candidate is None else (candidate.length, candidate.flags, True, False, candidate.unset)
            heappush(pending, (least, number, members))
            number -= 1
            objects = None
        if candidate is None:
            continue
        cost = candidate[:5]
        if pending and cost > pending[0][0]:
            heappush(pending, (cost, number, part))
            continue
        ways = _conflict(part, candidate, asked, takers, proof)
        if ways is None:
            file = candidate.file if candidate.archive is None else f"{candidate.archive}:{candidate.file}"
            return Witness(file, candidate.name, part.required, part.forbidden)
        BUDGET.spend(_CANDIDATE * (1 + len(ways)))
        for way in reversed(ways):
            number -= 1
            heappush(pending, (cost, number, way))
    return None


def _whole(asked: Asked, archived: bool) -> _Part | None:
    """All of what is asked for of one kind of files, but for EXCLUDE_FILE."""
    names: dict[Glob, None] = {}
    archives: dict[Glob, None] = {}
    for one in asked.files:
        pattern = one.members if archived else one.objects
        if pattern is None:
            return None
        if pattern.name is not None:
            names[pattern.name] = None
        if pattern.archive is not None:
            archives[pattern.archive] = None
    wanted = tuple(dict.fromkeys(asked.names))
    return _Part(archived, wanted, (), tuple(names), (), tuple(archives), (), asked.required, asked.forbidden)


def _candidate(part: _Part) -> _Candidate | None:
    """What would be shown of a part if no claim were on it; None if there is nothing in it."""
    file = _example(part.files, part.not_files, "x.o")
    archive = _example(part.archives, part.not_archives, "x.a") if part.archived else None
    if file is None or (part.archived and archive is None):
        return None
    name = _name(part.names, part.not_names)
    if name is None:
        return None
    required, forbidden = part.required.bit_count(), part.forbidden.bit_count()
    return _Candidate(len(name), required, part.archived, file != "x.o", forbidden, name, file, archive)


def _name(names: tuple[Glob, ...], not_names: tuple[Glob, ...]) -> str | None:
    if len(names) == 1 and not not_names and names[0].literal is not None:
        return names[0].literal
    return shortest(names, not_names)


@lru_cache(maxsize=65536)
def _example(wanted: tuple[Glob, ...], unwanted: tuple[Glob, ...], usual: str) -> str | None:
    """`usual` if it will do, else a short name."""
    if not wanted and not unwanted:
        return usual
    samples = [glob.sample() for glob in wanted]
    for name in (usual, "".join(samples), "".join(reversed(samples))):
        if name and all(glob.matches(name) for glob in wanted) and not any(glob.matches(name) for glob in unwanted):
            return name
    return shortest(wanted or (_SOME_NAME,), unwanted) or None


def _conflict(
    part: _Part, candidate: _Candidate, asked: Asked, takers: Takers, proof: Proof | None
) -> list[_Part] | None:
    """The ways out of what is against a candidate, as parts without it; None if nothing is."""
    name, file, archive = candidate.name, candidate.file, candidate.archive
    for files in asked.files:
        BUDGET.spend(len(files.excluded))
        entry = files.excluding(file, archive)
        if entry is not None:
            return _outside(part, entry)[0]
    against = [
        claim
        for claim in takers(name, file, archive)
        if not (claim.required & part.forbidden or claim.forbidden & part.required)
    ]
    if proof is not None:
        if proof.first is None:
            proof.first = against
        if len(against) == 1:
            proof.needed.add(against[0].rule.index)
    if not against:
        return None
    best: list[_Part] = []
    closing = against[0]
    for number, claim in enumerate(against):
        ways = _ways_out(part, claim)
        if number == 0 or len(ways) < len(best):
            best, closing = ways, claim
        if not best:
            break
    if proof is not None:
        proof.used[closing.rule.index] = closing
    return best


def _ways_out(part: _Part, claim: Claim) -> list[_Part]:
    """The parts of a part that a claim is not on. Those of other files and flags are disjoint."""
    files = claim.files
    pattern = files.members if part.archived else files.objects
    assert pattern is not None
    ways, inside = _outside(part, pattern)
    for entry in files.exclusions(inside.files, inside.archives, part.archived) if files.excluded else ():
        excluded = _inside(inside, entry)
        if excluded is not None:
            ways.append(excluded)
    for bit in _bits(claim.required & ~inside.required):
        ways.append(inside._replace(forbidden=inside.forbidden | bit))
        inside = inside._replace(required=inside.required | bit)
    for bit in _bits(claim.forbidden & ~inside.forbidden):
        ways.append(inside._replace(required=inside.required | bit))
        inside = inside._replace(forbidden=inside.forbidden | bit)
    if not any(contains(claim.names, glob) for glob in part.names):
        ways.append(part._replace(not_names=(*part.not_names, claim.names)))
    return ways


def _outside(part: _Part, pattern: FilePattern) -> tuple[list[_Part], _Part]:
    """What of a part is not of such files, as disjoint parts, and what is."""
    ways: list[_Part] = []
    name, archive = pattern.name, pattern.archive
    if name is not None and name not in part.files:
        if not any(contains(name, glob) for glob in part.files):
            ways.append(part._replace(not_files=(*part.not_files, name)))
        part = part._replace(files=(*part.files, name))
    if archive is not None and archive not in part.archives:
        if not any(contains(archive, glob) for glob in part.archives):
            ways.append(part._replace(not_archives=(*part.not_archives, archive)))
        part = part._replace(archives=(*part.archives, archive))
    return ways, part


def _inside(part: _Part, pattern: FilePattern) -> _Part | None:
    """What of a part is of such files; None if obviously nothing is."""
    name, archive = pattern.name, pattern.archive
    if name is not None and name not in part.files:
        if not _compatible(name, part.files, part.not_files):
            return None
        part = part._replace(files=(*part.files, name))
    if archive is not None and archive not in part.archives:
        if not _compatible(archive, part.archives, part.not_archives):
            return None
        part = part._replace(archives=(*part.archives, archive))
    return part


def _compatible(glob: Glob, wanted: Sequence[Glob], unwanted: Sequence[Glob]) -> bool:
    return all(may_overlap(glob, other) for other in wanted) and not any(contains(other, glob) for other in unwanted)


def _bits(mask: int) -> Iterable[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
