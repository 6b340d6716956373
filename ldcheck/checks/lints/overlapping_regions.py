"""Memory regions that overlap.

## What it does
Compares the regions of MEMORY whose bounds are constants, and reports two that both have sections and share
addresses: different kinds of memory (by their attributes), or two of which each ends inside of the other.

## Why is this bad
One address is one memory. Sections of the two regions grow towards each other, and the length that each region's
overflow check allows is not there. GNU ld complains when they meet, old ones and those of some targets never.

## Example
    MEMORY { ROM (rx) : ORIGIN = 0, LENGTH = 32K  RAM (rwx) : ORIGIN = 0x100, LENGTH = 2K }
    SECTIONS { .text : { *(.text .text.*) } > ROM .data : { *(.data .data.*) } > RAM AT> ROM }

## Use instead
    MEMORY { ROM (rx) : ORIGIN = 0, LENGTH = 32K  RAM (rwx) : ORIGIN = 0x8000, LENGTH = 2K }
    SECTIONS { .text : { *(.text .text.*) } > ROM .data : { *(.data .data.*) } > RAM AT> ROM }

## Limits
Two names for the same range are an alias. A region inside of another one of the same kind is a part that somebody set
aside: it is noted. Regions that no section goes to only document what is there.

## References
GNU ld manual, "MEMORY Command".
"""

from __future__ import annotations

from itertools import combinations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import Regions, regions_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.source import Related
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Memory regions that overlap."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each pair of regions in use that share addresses."""
    regions = regions_of(view)
    used = {name for use in regions.uses for name in (use.region, use.load_region)}
    found = [name for name, (_, length) in view.regions.items() if name in used and length > 0]
    problems = tuple(
        _problem(one, other, regions, view)
        for one, other in combinations(found, 2)
        if _shared(view.regions[one], view.regions[other]) and view.regions[one] != view.regions[other]
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _shared(one: tuple[int, int], other: tuple[int, int]) -> int:
    """The bytes that two ranges (origin and length) have in common."""
    return max(0, min(sum(one), sum(other)) - max(one[0], other[0]))


def _bounds(view: ScriptView, *names: str) -> list[tuple[str, tuple[int, int]]]:
    return [(name, view.regions[name]) for name in names]


def _problem(one: str, other: str, regions: Regions, view: ScriptView) -> Problem:
    bounds = view.regions[one], view.regions[other]
    shared = _shared(*bounds)
    is_nested = shared in (bounds[0][1], bounds[1][1])
    is_one_kind = regions.is_writable(one) == regions.is_writable(other)
    said = [f"{name} is {origin:#x} .. {origin + length:#x}" for name, (origin, length) in _bounds(view, one, other)]
    return view.problem(
        view.memory[other],
        other,
        f"{other} and {one} overlap by {counted(shared, 'byte')}",
        label="another region has these addresses too",
        related=(Related(view.locate(view.memory[one]), "the other region"),),
        facts=(" and ".join(said),),
        help="correct the origin or the length of one of them",
        severity=Severity.NOTE if is_nested and is_one_kind else Severity.WARNING,
    )
