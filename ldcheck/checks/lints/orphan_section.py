"""Families of toolchain sections of which the script takes the one name only.

## What it does
Reports `*(.bss)` (and `.text`, `.data`, `.rodata` ...) where no statement takes `.bss.*`.

## Why is this bad
With -fdata-sections, link-time optimisation or another compiler the names get a suffix. The linker then places such a
section by its flags, outside of the boundary symbols: never zeroed, never copied, never mapped.

## Example
    .bss : { __bss_start = .; *(.bss) *(COMMON) __bss_end = .; }

## Use instead
    .bss : { __bss_start = .; *(.bss .bss.*) *(COMMON) __bss_end = .; }

## Limits
A family of which the script lists any part with a suffix is left alone. What is really linked is the business of the
check `orphans`.

## References
GNU ld manual, "Orphan Sections"; GCC manual, -ffunction-sections and -fdata-sections.
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import taken_by_half
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.families import half_taken

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Families of which the script takes the one name only."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each family that is taken by half."""
    problems = tuple(taken_by_half(name, taker, view) for name, taker in half_taken(view.rules, view.arch))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)
