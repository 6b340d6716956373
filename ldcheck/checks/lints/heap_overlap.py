"""Heaps that begin below what is placed in their memory, or where there is none.

## What it does
Reports a symbol that by its name is the start of the heap (`__sheap`, `_heap_start`, `__HeapBase`) and has a place
ahead of variables in the same memory region; of a section such as .noinit, which only some programs have, it warns.
Warns of `end` and `__end__` in such a place, from which the heap of a C library begins, and notes it of `_end`; warns
of each in a region from which variables are only loaded, or at an address outside of all regions.

## Why is this bad
The first allocations are handed out of .bss or .data: variables change under the hands of whoever wrote them. In flash,
or where there is no memory, the first write to one is lost, or stops with a fault.

## Example
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .data : { *(.data) _edata = .; } > RAM .bss : { *(.bss) _ebss = .; } > RAM __sheap = _edata; }

## Use instead
    MEMORY { RAM : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .data : { *(.data) _edata = .; } > RAM .bss : { *(.bss) _ebss = .; } > RAM __sheap = _ebss; }

## Limits
Heaps of other names are not recognised, nor is code that leaves out the variables in between. A heap that is an output
section of its own, or for which room is reserved in one, and what follows it, is left alone. `_end` may be the end of
the file, and lie ahead of .bss on purpose: in a script without MEMORY that is not told at all.

## References
GNU ld manual, "Source Code Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import NamedTuple

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import input_names, region_at, regions_of
from ldcheck.judging.subjects import marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, InputSectionDescription, Name, Node, OutputSection, Word
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Heaps that begin below what is placed in their memory, or where there is none."),
    evidence=(EvidenceKind.SCRIPT,),
)

_HEAP = re.compile(
    r"_*s_?heap_*|_*heap_*(start|begin|base|low|bottom)_*|_*(start|begin|base)_*(of_)?heap_*", re.IGNORECASE
)


# Where the C library's sbrk() begins: newlib takes `end`, others `_end` or `__end__`.
_END = re.compile(r"_*end_*")

# As many names as one hands on to the next.
_FAR = 8


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each heap that begins below variables."""
    problems = tuple(
        problem
        for name, nodes in view.assignments.items()
        if len(nodes) == 1 and (_HEAP.fullmatch(name) or _END.fullmatch(name))
        for problem in _astray(nodes[0], view)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _astray(heap: Assignment, view: ScriptView) -> Iterator[Problem]:
    yield from _outside(heap, view)
    place = _place(heap, view)
    home = region_at(place, view) if place is not None else ""
    if place is None or not home:
        return
    variables = [
        node
        for node in view.statements
        if isinstance(node, OutputSection) and node.region is not None and _has_variables(node)
    ]
    if not _is_reserved(view.enclosing.get(id(heap))):
        yield from _in_flash(heap, home, variables, view)
    name = heap.target.text
    behind = list(_behind(place, home, view))
    if not behind:
        return
    sure = next((one for one in behind if _is_sure(one.names)), None)
    first = sure or behind[0]
    has = "" if sure else f"as soon as an object has {first.names[0].rstrip('*').rstrip('.')}"
    condition = _condition(name) + (f", {'and ' if _condition(name) else ''}{has}" if has else "")
    yield view.problem(
        heap,
        name,
        f"{name} is not behind {first.called}: the first allocations are out of it{condition}",
        at=heap.value,
        label="the start of the heap",
        related=(Related(view.locate(first.node), f"placed behind that in {home}"),),
        help=f"let the heap begin at the end of {behind[-1].section.name.text}",
        severity=_weight(name, certain=sure is not None),
    )


class _Variables(NamedTuple):
    """An output section that takes room, or a statement in one, with the names of its inputs."""

    node: Node
    section: OutputSection
    names: list[str]

    @property
    def called(self) -> str:
        """What it is called in a message."""
        return self.section.name.text if self.node is self.section else f"`*({' '.join(self.names)})`"


def _behind(place: Assignment, home: str, view: ScriptView) -> Iterator[_Variables]:
    """What takes room behind a place in its region, up to room that is reserved there; with the names of its inputs.

    In the output section around the place that are statements, and behind it whole output sections: in a region, they
    lie in the order of the script.
    """
    own = view.enclosing.get(id(place))
    if _is_reserved(own):
        return
    for node in dropwhile(lambda one: one is not place, flat(own.statements) if own is not None else ()):
        if isinstance(node, Assignment) and node.target.text == "." and not _is_align(node):
            return
        names = input_names(node)
        if any(_RESERVED.search(name) for name in names):
            return
        if names and own is not None:
            yield _Variables(node, own, names)
    at = view.positions[id(place)]
    for one in view.statements[at:]:
        if not isinstance(one, OutputSection) or one is own or one.address is not None or one.region is None:
            continue
        if regions_of(view).named(one.region) != home or _takes_no_room(one):
            continue
        if _is_reserved(one):
            return
        names = [name for node in flat(one.statements) for name in input_names(node)]
        if names:
            yield _Variables(one, one, names)


# What is by its name the heap itself, or the stack, which heaps grow up to.
_RESERVED = re.compile(r"heap|stack|stk(?![a-z])|sbrk", re.IGNORECASE)


def _is_reserved(section: OutputSection | None) -> bool:
    """Whether an output section is by its name, or by those of all that it takes, the heap itself or a stack."""
    if section is None:
        return False
    names = [name for node in flat(section.statements) for name in input_names(node)]
    if _RESERVED.search(section.name.text):
        return not _has_variables(section)
    return bool(names) and all(_RESERVED.search(name) for name in names)


def _takes_no_room(section: OutputSection) -> bool:
    return section.type is not None and section.type.keyword in ("COPY", "INFO", "DSECT", "OVERLAY")


def _is_sure(names: Sequence[str]) -> bool:
    """Whether any program has sections of such names. Compilers have not made common symbols for years."""
    return any(project_family_of(name) in (Family.DATA, Family.ZERO) and name != "COMMON" for name in names)


def _is_align(node: Assignment) -> bool:
    return isinstance(node.value, Call) and node.value.function in ("ALIGN", "BLOCK")


def _condition(name: str) -> str:
    """Under which condition a symbol is the start of a heap; empty for what is called so."""
    return "" if _HEAP.fullmatch(name) else f", if a C library takes its heap from `{name}` on"


def _weight(name: str, *, certain: bool) -> Severity:
    """How heavy a heap is below variables that are `certain` to be there, or may be.

    `_end` may be the end of the file as well, ahead of .bss on purpose.
    """
    if _HEAP.fullmatch(name):
        return Severity.ERROR if certain else Severity.WARNING
    return Severity.WARNING if certain and name != "_end" else Severity.NOTE


def _in_flash(heap: Assignment, home: str, variables: Sequence[OutputSection], view: ScriptView) -> Iterator[Problem]:
    """A heap behind what stands in a region that no variables run in, and some are loaded from."""
    loaded = next((one for one in variables if one.load_region is not None and one.load_region.text == home), None)
    if loaded is None or any(one.region is not None and one.region.text == home for one in variables):
        return
    name = heap.target.text
    yield view.problem(
        heap,
        name,
        f"{name} lies in {home}, from which {loaded.name.text} is only loaded: nothing that is allocated "
        f"there can be written{_condition(name)}",
        at=heap.value,
        label="the start of the heap",
        related=(Related(view.locate(loaded), f"loaded from {home}"),),
        help="let the heap begin behind the last variables",
        severity=Severity.WARNING,
    )


def _outside(heap: Assignment, view: ScriptView) -> Iterator[Problem]:
    """A heap at an address that is in no region, where variables are in regions."""
    value = view.layout.value(heap)
    if value is None or value.value is None or not view.regions or len(view.regions) < len(view.memory):
        return
    in_regions = [one for one in view.output_sections.values() if _has_variables(one[0])]
    if not in_regions or any(section.region is None for sections in in_regions for section in sections):
        return
    if any(origin <= value.value <= origin + length for origin, length in view.regions.values()):
        return
    name = heap.target.text
    yield view.problem(
        heap,
        name,
        f"{name} is {value.value:#x}, which is in no memory region{_condition(name)}",
        at=heap.value,
        label="the start of the heap",
        help="let the heap begin behind the last variables",
        severity=Severity.WARNING,
    )


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
