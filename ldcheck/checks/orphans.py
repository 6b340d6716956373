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
count; a map without its ELF tells them by their names, so name others under `except`. A map of lld names no
statements: what took a section is worked out from the script. Where INPUT_SECTION_FLAGS or ONLY_IF_RO decides that,
only the objects tell it; a map of GNU ld does not print those flags, so that without the script it shows no such
orphan. An ELF shows no orphan of an output section's own name, which joins that: without a map or objects the rule is
not checked where there may be one. Where a policy has this rule as an error, `align`, `order` and the others take it
for granted: what they prove of addresses holds for links without orphans.

## References
GNU ld manual, "Orphan Sections"; option --orphan-handling.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.surroundings import homes
from ldcheck.judging.unplaced import ORPHANS, Orphan, expected_orphans, hidden, orphans_of, unplaced_problem
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule, names_of
from ldcheck.record import replace
from ldcheck.sections.globs import section_glob
from ldcheck.words import counted, first_of, listed

# So many names are told with their bytes and places.
_SHOWN = 3

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
    script = view.script
    named, likely = expected_orphans(script) if script is not None else (lambda _: False, False)
    # What the script makes no more than possible is no problem of the script here.
    expected = named if likely else lambda _: False
    groups: dict[object, list[Orphan]] = {}
    for orphan in found:
        if not _excepted(orphan.name, rule):
            home = homes(script).of(orphan.name) if script is not None else None
            # One statement that should have taken them all is one finding.
            group = (expected(orphan.name), id(home.node)) if home is not None else orphan.name
            groups.setdefault(group, []).append(orphan)
    problems = tuple(
        _problem(group, view, ORPHANS if expected(group[0].name) else group[0].name) for group in groups.values()
    )
    if not problems and (unknown := hidden(view, lambda name: _excepted(name, rule))) is not None:
        return unknown
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=evidence)


def _problem(orphans: Sequence[Orphan], view: ImageView, subject: str) -> Problem:
    """What is wrong with the orphans that one statement should have taken, or that have one name."""
    by_name: dict[str, list[Orphan]] = {}
    for orphan in orphans:
        by_name.setdefault(orphan.name, []).append(orphan)
    names = list(by_name)
    facts = [_fact(name, parts) for name, parts in list(by_name.items())[:_SHOWN]]
    if len(names) > 1:
        total = counted(sum(orphan.size for orphan in orphans), "byte")
        facts.append(f"in all {total} in {counted(len(orphans), 'section')}")
    one = len(names) == 1
    them = "it" if one else "them"
    problem = Problem(
        subject=subject,
        message=f"no statement takes {listed(names)}",
        facts=tuple(facts),
        witness=names[0],
        help=f"look at what {listed(names)} {'is' if one else 'are'} for: {'it wants' if one else 'they want'} a "
        f"statement, or a /DISCARD/ if nothing refers to {them}",
    )
    home = homes(view.script).of(names[0]) if view.script is not None else None
    if view.script is None or home is None:
        return problem
    location, route = view.script.locate(home.node), view.script.route(home.node)
    return replace(problem, location=location, route=route, label=f"does not take {them}")


def _fact(name: str, parts: Sequence[Orphan]) -> str:
    total = counted(sum(part.size for part in parts), "byte")
    # One name may be that of several output sections.
    first = min((part.address for part in parts if part.address is not None), default=0)
    place = f", placed at {first:#x}" if first else ""
    return f"in the image: {total} of {name}, from {first_of((part.file for part in parts), 'file')}{place}"
