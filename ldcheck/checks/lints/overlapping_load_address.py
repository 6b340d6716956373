"""Sections that are loaded to the same addresses.

## What it does
Compares the load addresses of all sections of the image that have content, and reports those that overlap.

## Why is this bad
Of two sections at one load address a programmer or a boot loader writes one over the other; what start-up code copies
later is the other section's bytes. The linkers check it unless --no-check-sections is given, and not for what
objcopy --change-section-lma moved.

## Example
    MEMORY { F : ORIGIN = 0, LENGTH = 64K R : ORIGIN = 0x10000, LENGTH = 64K }
    SECTIONS { .text : { *(.text .text.*) } > F .data : AT(0) { *(.data .data.*) } > R }

linked with --no-check-sections.

## Use instead
    MEMORY { F : ORIGIN = 0, LENGTH = 64K R : ORIGIN = 0x10000, LENGTH = 64K }
    SECTIONS { .text : { *(.text .text.*) } > F .data : { *(.data .data.*) } > R AT> F }

## Limits
Sections without content in the file (zero-initialised, NOLOAD) are loaded from nowhere, whatever their load address.

## References
GNU ld manual, "Output Section LMA", option --no-check-sections.
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.loading import Loaded, loaded
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.source import Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sections that are loaded to the same addresses."),
    evidence=(EvidenceKind.IMAGE,),
)


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each section whose load addresses begin inside of another's."""
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    problems: list[Problem] = []
    furthest: Loaded | None = None
    for section in loaded(view):
        if furthest is not None and section.load < furthest.load_end:
            problems.append(_problem(section, furthest, view))
        if furthest is None or section.load_end > furthest.load_end:
            furthest = section
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _problem(section: Loaded, other: Loaded, view: ImageView) -> Problem:
    shared = min(section.load_end, other.load_end) - section.load
    at = view.declared_at(other.name)
    places = [f"{one.name} is loaded to {one.load:#x} .. {one.load_end:#x}" for one in (other, section)]
    return view.problem(
        section.name,
        section.name,
        f"{section.name} and {other.name} are loaded to the same {counted(shared, 'byte')}",
        label="loaded where another section is",
        related=(Related(at, "the other section"),) if at is not None else (),
        facts=(f"in the image: {listed(places)}",),
        help="see what the AT() of the two comes to; `AT>` takes the next free address of a region",
    )
