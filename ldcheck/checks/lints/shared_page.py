"""Segments of different permissions whose sections may share a page.

## What it does
Reports neighbouring output sections that PHDRS puts into PT_LOAD segments with different FLAGS, where nothing in the
script keeps them on pages of their own.

## Why is this bad
A loader maps whole pages: the page gets the permissions of one of the two segments, or of both.

## Example
    PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }
    SECTIONS { .text : { *(.text) } :text .data : { *(.data) } :data }

## Use instead
    PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }
    SECTIONS { .text : { *(.text) } :text . = ALIGN(4096); .data : { *(.data) } :data }

## Limits
Images of a single segment, and scripts without PHDRS, are not judged: their own page tables or the linker decide. The
page is taken to be 4K; ask for others with `separate-pages`. What only an orphan, an empty section or debugging
information that a wildcard takes could bring together is a note.

## References
GNU ld manual, "PHDRS Command"; ELF gABI, "Program Header".
"""

from __future__ import annotations

from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.layout.pages import Separation, section_extent, separations
from ldcheck.layout.result import Layout
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Name, OutputSection, ProgramHeader, ProgramHeaders
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Segments of different permissions that may share a page."),
    evidence=(EvidenceKind.SCRIPT,),
)

_PAGE = 4096


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each pair of neighbours that may share a page."""
    flags = {
        header.name.text: evaluate(header.flags, Environment()).number
        for node in view.tree.statements
        if isinstance(node, ProgramHeaders)
        for header in node.headers
        if header.flags is not None and _loads(header)
    }
    problems: list[Problem] = []
    placed = [(node, flags.get(node.phdrs[0].text)) for node in _in_segments(view)]
    for (first, one), (second, other) in pairwise(placed):
        if one is None or other is None or one == other:
            continue
        found = _shared(first, second, view.layout)
        if found is not None:
            likely = _shared(first, second, view.usual_layout) is not None
            problems.append(_problem(found, first, second, Severity.WARNING if likely else Severity.NOTE, view))
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _shared(first: OutputSection, second: OutputSection, layout: Layout) -> Separation | None:
    """How two sections lie if they are not kept apart."""
    lower, upper = (section_extent(layout, node.name.text) for node in (first, second))
    # Where both start on a page it does not matter which is lower: ld refuses sections that overlap.
    if lower is None or upper is None or (lower.start.aligned_to(_PAGE) and upper.start.aligned_to(_PAGE)):
        return None
    found = separations(layout, [lower], [upper], _PAGE)[0]
    return None if found.apart else found


def _loads(header: ProgramHeader) -> bool:
    return isinstance(header.type, Name) and header.type.name == "PT_LOAD"


def _in_segments(view: ScriptView) -> list[OutputSection]:
    return [
        node
        for node in view.statements
        if isinstance(node, OutputSection) and node.phdrs and node.phdrs[0].text != "NONE"
    ]


def _problem(
    found: Separation, first: OutputSection, second: OutputSection, severity: Severity, view: ScriptView
) -> Problem:
    return view.problem(
        second,
        second.name.text,
        f"{second.name.text} may share a page with {first.name.text}, which has other permissions",
        label=f"starts at an address that is known as: {found.second.start}",
        related=(Related(view.locate(first), "the segment with other permissions"),),
        help=_help(first, second, severity),
        severity=severity,
    )


def _help(first: OutputSection, second: OutputSection, severity: Severity) -> str:
    if severity is Severity.NOTE:
        return f"see that nothing without an address gets into {first.name.text}, and no orphan in between"
    if second.region is not None or second.address is not None:
        return f"give it the attribute: `{second.name.text} : ALIGN({_PAGE}) {{`"
    return f"put `. = ALIGN({_PAGE});` in front of it"
