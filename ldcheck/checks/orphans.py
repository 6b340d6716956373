"""No input section is left without a statement that takes it.

## What it does
With objects, every allocated input section is put to the statements of the script. With a map, the inputs that no
pattern took are listed; with an ELF, the allocated output sections that the script does not declare. From the script
alone, what toolchains emit must have a place where the script's own statements tell that it is to be expected, as the
lint `orphan-section` says it.

## Why is this bad
The linker places an orphan by its flags: behind `_etext`, behind `__bss_end` (never zeroed), behind `_edata` (never
copied), at address 0. The compiler emits new names with an option, a new version or another target, and nothing is
said.

## Example
    rules:
      - id: no-orphans
        orphans: none
        except: [.comment, .debug_*]

with

    .text : { *(.text .text.*) *(.rodata .rodata.*) }
    .bss : { __bss_start = .; *(.bss) __bss_end = .; }

## Use instead
    .text : { *(.text .text.*) *(.rodata .rodata.*) }
    .bss : { __bss_start = .; *(.bss .bss.*) *(COMMON) __bss_end = .; }

## Limits
A name that a target never emits is not reported from the script: only what compilers for its architecture emit, under
options that the script shows it is made for. Sections that are not loaded (debug information, symbol tables) do not
count; a map without its ELF tells them by their names, so name others under `except`. A map of lld names no statements:
what took a section is worked out from the script. Where a policy has this rule as an error, `align`, `order` and the
others take it for granted: what they prove of addresses holds for links without orphans.

## References
GNU ld manual, "Orphan Sections"; option --orphan-handling.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.unplaced import ORPHANS, expected_orphans, orphans_of, unplaced_problem
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule, names_of
from ldcheck.sections.globs import section_glob
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("orphans", Kind.CHOICE, "`none`: no section may be left without a statement.", choices=("none",)),
    keys=(Key("except", Kind.NAMES, "Sections (names or patterns) that may be orphans.", names=Names.FREE),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP, EvidenceKind.OBJECTS),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where what toolchains emit has no place; the objects decide about the rest."""
    problem = unplaced_problem(view, lambda name: _excepted(name, rule))
    if problem is not None and problem.severity is not Severity.NOTE:
        return Judgement(Standing.NOT_GUARANTEED, (problem,))
    return Judgement(Standing.UNKNOWN, reason="which sections are linked, only objects, a map or the image show")


def _excepted(name: str, rule: Rule) -> bool:
    return any(section_glob(named.text).matches(name) for named in names_of(rule.keys.get("except")))


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the objects, the map or the ELF have a section that no statement took."""
    found, evidence = orphans_of(view)
    if not evidence:
        what = "a map of lld" if view.map is not None else "an ELF"
        return Judgement(
            Standing.UNKNOWN, reason=f"{what} alone does not tell which sections were orphans, give the script"
        )
    orphans: dict[str, list[tuple[str, int]]] = {}
    for name, source, size in found:
        if not _excepted(name, rule):
            orphans.setdefault(name, []).append((source, size))
    expected = expected_orphans(view.script) if view.script is not None else lambda _: False
    problems = tuple(_orphan(name, parts, view, ORPHANS if expected(name) else name) for name, parts in orphans.items())
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=evidence)


def _orphan(name: str, parts: Sequence[tuple[str, int]], view: ImageView, subject: str) -> Problem:
    total = counted(sum(size for _, size in parts), "byte")
    section = view.sections.get(name)
    place = f", placed at {section[0]:#x}" if section is not None and section[1] else ""
    return Problem(
        subject=subject,
        message=f"no statement takes {name}",
        facts=(f"in the image: {total} of {name}, from {parts[0][0]}{place}",),
        witness=name,
        help=f"look at what {name} is for: it wants a statement, or a /DISCARD/ if nothing refers to it",
    )
