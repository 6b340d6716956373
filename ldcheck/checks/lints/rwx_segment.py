"""Segments of the image that are writable and executable.

## What it does
Reports each loaded segment of the ELF that is writable and executable at once, in images that have others with fewer
permissions; and tells which sections make it so.

## Why is this bad
A loader, or a kernel that maps itself by its program headers, gives those pages both permissions: whoever can write
there can run what was written.

## Example
    PHDRS { text PT_LOAD; data PT_LOAD; }
    SECTIONS { .text : { *(.text .text.*) } :text .data : { *(.data .data.*) *(.init.text) } :data }

linked with code in `.init.text`.

## Use instead
    PHDRS { text PT_LOAD; data PT_LOAD; }
    SECTIONS { .text : { *(.text .text.*) *(.init.text) } :text .data : { *(.data .data.*) } :data }

## Limits
An image with a single segment, or all of whose segments are like that, protects its pages by other means (its own page
tables, a memory protection unit) or not at all: it is noted. So is a segment to which the script gives both permissions
itself (`init PT_LOAD FLAGS(7);`), as kernels do for what they map anew.

## References
GNU ld manual, "PHDRS Command", option --warn-rwx-segments; ELF gABI, "Program Header".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.image.model import Segment
from ldcheck.judging.evidence import ImageView
from ldcheck.judging.segments import header_of, shown_at
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Segments of the image that are writable and executable."),
    evidence=(EvidenceKind.IMAGE,),
    headerless=True,
)

# PF_X and PF_W of the ELF specification.
_BOTH = 1 | 2


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each such segment."""
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    loaded = [one for one in view.elf.segments if one.type == "LOAD" and one.memory_size]
    both = [one for one in loaded if one.writable and one.executable]
    severity = Severity.NOTE if len(both) == len(loaded) else Severity.WARNING
    problems = tuple(_told(one, severity, view) for one in both)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _told(segment: Segment, severity: Severity, view: ImageView) -> Problem:
    """The problem, shown at the section that brings the permission in, or where the script makes the segment."""
    meant = _is_meant(segment, view)
    problem = _problem(segment, Severity.NOTE if meant else severity, view)
    return shown_at(problem, segment, view) if meant or problem.location is None else problem


def _is_meant(segment: Segment, view: ImageView) -> bool:
    """Whether the script gives the segment both permissions by its FLAGS."""
    header = header_of(segment, view)
    flags = evaluate(header.flags, Environment()).number if header is not None and header.flags is not None else None
    return flags is not None and flags & _BOTH == _BOTH


def _problem(segment: Segment, severity: Severity, view: ImageView) -> Problem:
    assert view.elf is not None
    inside = [one for one in view.elf.sections if one.index in segment.sections and one.allocated and one.size]
    code = [one.name for one in inside if one.executable]
    data = [one.name for one in inside if one.writable]
    mixed = [name for name in code if name in data]
    kinds = [f"{listed(names)} {kind}" for names, kind in ((code, "executable"), (data, "writable")) if names]
    said = f"{listed(mixed)} has both permissions" if mixed else f"in it {', '.join(kinds) or 'nothing'}"
    name = next(iter(mixed or data or code), "")
    place = f"at {segment.address:#x}"
    return view.problem(
        name,
        f"segment {place}",
        f"the segment {place} ({counted(segment.memory_size, 'byte')}) is writable and executable",
        label="in the segment of code and of data",
        facts=(f"in the image: {said}",),
        help="give code and data segments of their own, or see which section brings the other permission in",
        severity=severity,
    )
