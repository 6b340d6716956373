"""Sections that toolchains emit, and for which the script has no place beside their like.

## What it does
Puts the catalogue of the sections that compilers and linkers emit (by architecture and option, made by compiling with
them) to the script, together with what the script itself takes or discards. `*(.text .text.*)` tells that it is made
for -ffunction-sections, so `*(.bss)` without `.bss.*` is half of a family; OUTPUT_ARCH(riscv) and `*(.data)` mean that
GCC emits `.sdata`; `.ARM.exidx` does not come without `.ARM.extab`. One finding names all of them, who emits them, the
symbol that they would lie behind, and where to put them: beside the statement for their like, or in an output section
of their own where they must not share one, as indices of unwind tables and notes. A link without any of these takes
that back to a note; an ELF alone does not where orphans could be in an output section of their name.

## Why is this bad
The linker places what no statement takes by its flags, outside of the boundary symbols: never zeroed, never copied,
never mapped, or kept where its like is discarded. Nothing is said, and another compiler, another option or another
architecture is all it takes.

## Example
    .text : { *(.text .text.*) *(.rodata .rodata.*) }
    .bss : { __bss_start = .; *(.bss) *(COMMON) __bss_end = .; }

## Use instead
    .text : { *(.text .text.*) *(.rodata .rodata.*) }
    .bss : { __bss_start = .; *(.bss .bss.*) *(COMMON) __bss_end = .; }

## Limits
It is more than a note only where a usual compiler for the architecture emits such a section by default, or with options
that the script itself shows it is made for, and where the script has a symbol behind the sibling or discards it. A name
that is emitted otherwise is a note, and so is one whose place nothing in the script depends on. Sections that
take no memory are never more than a note. Fragments (no code, or no data), scripts that INSERT, scripts for `ld -r` and
statements for single files are left alone. Where the orphans of a link lie is the
business of `placed-orphan`, and that there are none that of the check `orphans`.

## References
GNU ld manual, "Orphan Sections"; GCC manual, -ffunction-sections and -fdata-sections; the psABIs, "Special Sections".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.unplaced import ORPHANS, expected_orphans, orphans_of, unplaced_problem
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Sections that toolchains emit and the script has no place for."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP, EvidenceKind.OBJECTS),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with one problem for all names that have no place."""
    problem = unplaced_problem(view)
    if problem is None:
        return Judgement(Standing.HOLDS, reason="what its own statements tell it expects has a place")
    return Judgement(Standing.NOT_GUARANTEED, (problem,))


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where the link has orphans that the script's problem names, likely or not, and as heavy as that is.

    Where those lie is `placed-orphan`'s business.
    """
    found, evidence = orphans_of(view)
    if not evidence or view.script is None:
        return Judgement(Standing.UNKNOWN, reason="what has no statement, the script and the link tell together")
    expected, likely = expected_orphans(view.script)
    orphans = [one for one in found if expected(one.name)]
    if not orphans and evidence == (EvidenceKind.IMAGE,) and any(map(expected, _joined(view.script))):
        reason = "an ELF alone does not tell which sections an output section took as orphans, give the map"
        return Judgement(Standing.UNKNOWN, reason=reason)
    if not orphans:
        return Judgement(Standing.HOLDS, evidence=evidence)
    names = listed([f"`{name}`" for name in dict.fromkeys(orphan.name for orphan in orphans)], 4)
    total = counted(sum(orphan.size for orphan in orphans), "byte")
    problem = Problem(
        subject=ORPHANS,
        message=f"no statement takes {names}",
        facts=(f"in the image: {total} of {names}, the first from {orphans[0].file}",),
        witness=orphans[0].name,
        severity=Severity.WARNING if likely else Severity.NOTE,
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=evidence)


def _joined(script: ScriptView) -> tuple[str, ...]:
    """The names of sections that leave no trace in an ELF as orphans: those go into an output section of the script."""
    return (*script.output_sections, *(("COMMON",) if ".bss" in script.output_sections else ()))
