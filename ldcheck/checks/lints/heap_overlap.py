"""Heaps that begin below what is placed in their memory.

## What it does
Reports a symbol that by its name is the start of the heap (`__sheap`, `_heap_start`, `__HeapBase`) and has a place
ahead of an output section of variables in the same memory region.

## Why is this bad
The first allocations are handed out of .bss or .data: variables change under the hands of whoever wrote them.

## Example
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .data : { *(.data) _edata = .; } > RAM .bss : { *(.bss) _ebss = .; } > RAM __sheap = _edata; }

## Use instead
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .data : { *(.data) _edata = .; } > RAM .bss : { *(.bss) _ebss = .; } > RAM __sheap = _ebss; }

## Limits
Heaps of other names are not recognised, nor is code that leaves out the variables in between. A heap that is an output
section of its own, and what follows it, is left alone.

## References
GNU ld manual, "Source Code Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, InputSectionDescription, Name, OutputSection, Word
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Heaps that begin below what is placed in their memory."),
    evidence=(EvidenceKind.SCRIPT,),
)

_HEAP = re.compile(
    r"_*s_?heap_*|_*heap_*(start|begin|base|low|bottom)_*|_*(start|begin|base)_*(of_)?heap_*", re.IGNORECASE
)


# As many names as one hands on to the next.
_FAR = 8


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each heap that begins below variables."""
    problems = tuple(
        problem
        for name, nodes in view.assignments.items()
        if len(nodes) == 1 and _HEAP.fullmatch(name)
        for problem in _overlaps(nodes[0], view)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _overlaps(heap: Assignment, view: ScriptView) -> Iterator[Problem]:
    place = _place(heap, view)
    home = _region_at(place, view) if place is not None else None
    own = view.enclosing.get(id(heap))
    if place is None or home is None or (own is not None and not _has_variables(own)):
        return
    # In a region, output sections lie in the order of the script.
    behind = view.statements[view.positions[id(place)] :]
    for section in behind:
        if not isinstance(section, OutputSection) or not _has_variables(section) or section.address is not None:
            continue
        if section.region is None or section.region.text != home:
            continue
        name = heap.target.text
        yield view.problem(
            heap,
            name,
            f"{name} is not behind {section.name.text}: the first allocations are out of it",
            at=heap.value,
            label="the start of the heap",
            related=(Related(view.locate(section), f"placed behind that in {home}"),),
            help=f"let the heap begin at the end of {section.name.text}",
            severity=Severity.ERROR,
        )
        return


def _has_variables(section: OutputSection) -> bool:
    names = [
        pattern.pattern.text
        for node in flat(section.statements)
        if isinstance(node, InputSectionDescription)
        for pattern in node.patterns or ()
    ]
    return any(project_family_of(name) in (Family.DATA, Family.ZERO) for name in names)


def _place(node: Assignment, view: ScriptView) -> Assignment | None:
    """The assignment of the location counter that a symbol's value comes from: its own, or that of another symbol."""
    for _ in range(_FAR):
        if marks_a_place(node):
            return node
        value = node.value
        while isinstance(value, Call) and value.function in ("ALIGN", "ABSOLUTE"):
            inner = value.arguments[0]
            if isinstance(inner, Word):
                return None
            value = inner
        others = view.assignments.get(value.name, ()) if isinstance(value, Name) else ()
        if len(others) != 1:
            return None
        node = others[0]
    return None


def _region_at(node: Assignment, view: ScriptView) -> str | None:
    """The region of the output section around a statement, or else in front of it."""
    own = view.enclosing.get(id(node))
    if own is None:
        ahead = view.statements[: view.positions[id(node)]]
        own = next((one for one in reversed(ahead) if isinstance(one, OutputSection)), None)
    return own.region.text if own is not None and own.region is not None else None
