"""Objects have a section of its own for each function or datum.

## What it does
Counts, by the symbol tables of the objects, what sections of these names hold, and reports those with more than one
function or datum: how many objects, which, and with what. Objects that were written in assembly are left out, and
counted.

## Why is this bad
Live patching replaces functions section by section: what shares a section is replaced together, with all that it
refers to. The linker's --gc-sections keeps a section as a whole as well. A file that is compiled without the option, or
an attribute that names one section for many functions, goes unnoticed.

## Example
    rules:
      - id: split-for-live-patching
        split: [.text, .data, .rodata, .bss]

with an object compiled without -ffunction-sections.

## Use instead
    CFLAGS += -ffunction-sections -fdata-sections

## Limits
What `ld -r` joined is one object, in which sections of one name are one: give the objects as they were compiled. Data
that the compiler made (jump tables, strings) has no symbols, and does not count.

## References
GCC manual, "Options That Control Optimization"; docs/misc/livepatch.pandoc in Xen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule, names_of
from ldcheck.sections.globs import fnmatch_glob, section_glob
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.image.shared_sections import Unit

DECLARATION = Declaration(
    head=Key("split", Kind.NAMES, "Sections of objects that hold one function or datum each.", names=Names.FREE),
    keys=(Key("except", Kind.NAMES, "Objects (names or patterns) that need not be split.", names=Names.FREE),),
    evidence=(EvidenceKind.OBJECTS,),
)

# Objects that are named, and what of each.
_OBJECTS = 5
_NAMES = 3


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the objects: REFUTED where a section of one holds several functions or data."""
    from ldcheck.image.shared_sections import read_units

    if not view.image.object_paths:
        return Judgement(Standing.UNKNOWN, reason="only objects tell what shares a section, give --objects")
    globs = [section_glob(named.text) for named in rule.names]
    left_out = [fnmatch_glob(named.text) for named in names_of(rule.keys.get("except"))]
    notes: list[str] = []
    seen = assembly = 0
    known: set[int] = set()
    found: dict[str, list[tuple[Unit, tuple[str, ...]]]] = {}
    for unit in read_units(view.image.object_paths, notes):
        for name, held in unit.sections.items():
            matching = [number for number, glob in enumerate(globs) if glob.matches(name)]
            known.update(matching)
            allowed = unit.is_assembly or any(glob.matches(unit.name) for glob in left_out)
            if matching and len(held) > 1 and not allowed:
                found.setdefault(name, []).append((unit, held))
        seen += 1
        assembly += unit.is_assembly
    unknown = [named.text for number, named in enumerate(rule.names) if number not in known]
    if unknown:
        return Judgement(Standing.UNKNOWN, reason=f"no object has a section {listed(unknown, joint='or')}")
    if notes and not found:
        return Judgement(Standing.UNKNOWN, reason=f"not all objects could be read: {notes[0]}")
    beside = f"{counted(seen, 'object')} in all, {assembly:,} of them in assembly and left out"
    problems = tuple(
        Problem(
            subject=name,
            message=f"{name} holds several functions or data in {counted(len(units), 'object')}",
            facts=(*map(_fact, units[:_OBJECTS]), *_more(len(units)), beside),
            witness=units[0][1][0],
            help="compile them with -ffunction-sections and -fdata-sections, or look at the attribute that names the "
            "section",
        )
        for name, units in found.items()
    )
    standing = Standing.REFUTED if problems else Standing.HOLDS
    return Judgement(standing, problems, evidence=(EvidenceKind.OBJECTS,))


def _fact(one: tuple[Unit, tuple[str, ...]]) -> str:
    unit, held = one
    return f"{unit.name}: {len(held):,}, {listed(list(held), _NAMES)}"


def _more(count: int) -> tuple[str, ...]:
    return (f"and {count - _OBJECTS:,} more objects",) if count > _OBJECTS else ()
