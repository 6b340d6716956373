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
page is taken to be 4K; ask for others with `separate-pages`.

## References
GNU ld manual, "PHDRS Command"; ELF gABI, "Program Header".
"""

from __future__ import annotations

from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.edits import apart
from ldcheck.judging.evidence import ScriptView
from ldcheck.layout.pages import Separation, section_extent, separations
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
        lower, upper = (section_extent(view.layout, node.name.text) for node in (first, second))
        # Where both start on a page it does not matter which is lower: ld refuses sections that overlap.
        if lower and upper and not (lower.start.aligned_to(_PAGE) and upper.start.aligned_to(_PAGE)):
            found = separations(view.layout, [lower], [upper], _PAGE)[0]
            problems += [] if found.apart else [_problem(found, first, second, view)]
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _loads(header: ProgramHeader) -> bool:
    return isinstance(header.type, Name) and header.type.name == "PT_LOAD"


def _in_segments(view: ScriptView) -> list[OutputSection]:
    return [
        node
        for node in view.statements
        if isinstance(node, OutputSection) and node.phdrs and node.phdrs[0].text != "NONE"
    ]


def _problem(found: Separation, first: OutputSection, second: OutputSection, view: ScriptView) -> Problem:
    return view.problem(
        second,
        second.name.text,
        f"{second.name.text} may share a page with {first.name.text}, which has other permissions",
        label=f"starts at an address that is known as: {found.second.start}",
        related=(Related(view.locate(first), "the segment with other permissions"),),
        help=f"look at what stands between {first.name.text} and {second.name.text}: nothing there starts a new page",
        fix=apart(found, view),
    )
