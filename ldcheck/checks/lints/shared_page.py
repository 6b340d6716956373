"""Segments of different permissions whose sections may share a page.

## What it does
Reports neighbouring output sections that PHDRS puts into PT_LOAD segments with different permissions, where nothing in
the script keeps them on pages of their own. The permissions are those of FLAGS(), or what the names of the sections
ask for. With an image, the program headers are compared.

## Why is this bad
A loader maps whole pages: the page gets the permissions of one of the two segments, or of both.

## Example
    PHDRS { text PT_LOAD; data PT_LOAD; }
    SECTIONS { .text : { *(.text) } :text .data : { . = ALIGN(4096); *(.data) } :data }

## Use instead
    PHDRS { text PT_LOAD; data PT_LOAD; }
    SECTIONS { .text : { *(.text) } :text . = ALIGN(4096); .data : { *(.data) } :data }

## Limits
What runs at one address in an OVERLAY is left alone. Images of a single segment, and scripts without PHDRS, are not
judged on the script: their own page tables or the linker decide. Sections in different memory regions are taken to be
apart, and of neighbours in one region it is noted: where there are such regions, there mostly are no pages. So it is
where the upper one is put at an address that starts a page, and only the lower one may reach beyond it. In an image it
is an error where the script has PHDRS and one of the two is writable; it is noted of segments that only differ in being
executable. The page is taken to be 4K; ask for others with `separate-pages`.

## References
GNU ld manual, "PHDRS Command"; ELF gABI, "Program Header".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.image.model import ImageSection, Segment
from ldcheck.judging.aligning import apart
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import regions_of
from ldcheck.judging.overlays import overlay_named, overlay_of
from ldcheck.judging.starts import as_first, moved_in, starts_of, where_ahead
from ldcheck.judging.surroundings import shown_segment
from ldcheck.layout.interpret import interpret
from ldcheck.layout.pages import Separation, section_extents, separations
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Name, OutputSection, ProgramHeader, ProgramHeaders
from ldcheck.sections.families import Family, project_family_of
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Segments of different permissions that may share a page."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

_PAGE = 4096
_EXECUTE, _WRITE, _READ = 1, 2, 4
_NEEDS = {
    Family.CODE: _READ | _EXECUTE,
    Family.CONSTANT: _READ,
    Family.RELRO: _READ | _WRITE,
    Family.DATA: _READ | _WRITE,
    Family.ZERO: _READ | _WRITE,
}


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each pair of neighbours that may share a page."""
    placed = _in_segments(view)
    flags = _flags(view, placed)
    pairs = [
        (first, second)
        for (first, one), (second, other) in pairwise(placed)
        if one != other
        and not _of_one_overlay(first, second, view)
        and flags.get(one)
        and flags.get(other)
        and flags[one] != flags[other]
    ]
    if not pairs:
        return Judgement(Standing.HOLDS)
    regions = regions_of(view).by_section
    # An orphan in between is another fault, and no linker's page is smaller than this one.
    pages = dict.fromkeys(("MAXPAGESIZE", "COMMONPAGESIZE"), _PAGE)
    layout = interpret(view.tree, params={**pages, **view.params}, orphans=False, unallocated=False, linker=view.linker)
    problems: list[Problem] = []
    for first, second in pairs:
        below, above = (regions[node.name.text].region for node in (first, second))
        if below and above and below != above:
            continue
        lower, upper = (
            next((extent for extent in section_extents(layout, node.name.text) if extent.node is node), None)
            for node in (first, second)
        )
        # What comes next and starts on a page is apart: ld refuses sections that overlap. Where both start on one, it
        # does not matter which is lower.
        follows = second.address is None or (lower is not None and lower.start.aligned_to(_PAGE))
        if lower and upper and not (follows and upper.start.aligned_to(_PAGE)):
            found = separations(layout, [lower], [upper], _PAGE)[0]
            severity = Severity.NOTE if above or upper.start.aligned_to(_PAGE) else Severity.WARNING
            problems += [] if found.apart else [_problem(found, first, second, severity, view)]
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))


def _headers(view: ScriptView) -> dict[str, ProgramHeader]:
    """The headers of PT_LOAD segments by name."""
    return {
        header.name.text: header
        for node in view.tree.statements
        if isinstance(node, ProgramHeaders)
        for header in node.headers
        if isinstance(header.type, Name) and header.type.name == "PT_LOAD"
    }


def _in_segments(view: ScriptView) -> list[tuple[OutputSection, str]]:
    """The output sections with the PT_LOAD segment that they go to: their own, or that of the one in front."""
    headers = _headers(view)
    current = ""
    found = []
    for node in view.statements if headers else ():
        if not isinstance(node, OutputSection) or node.name.text == "/DISCARD/":
            continue
        if node.phdrs:
            current = next((word.text for word in node.phdrs if word.text in headers), "")
        if current:
            found.append((node, current))
    return found


def _flags(view: ScriptView, placed: list[tuple[OutputSection, str]]) -> Mapping[str, int | None]:
    """The permissions of each segment: as it says, or all that its sections need; 0 or None where nothing tells."""
    needed: dict[str, int] = {}
    segments = {id(node): name for node, name in placed}
    for rule in view.rules:
        name = segments.get(id(rule.section), "")
        if name and not rule.discards:
            needed[name] = needed.get(name, 0) | _NEEDS.get(project_family_of(rule.names.text, view.arch), 0)
    return {
        name: evaluate(header.flags, Environment()).number if header.flags is not None else needed.get(name)
        for name, header in _headers(view).items()
    }


def _problem(
    found: Separation, first: OutputSection, second: OutputSection, severity: Severity, view: ScriptView
) -> Problem:
    return view.problem(
        second,
        second.name.text,
        f"{second.name.text} may share a page with {first.name.text}, which has other permissions",
        label=f"starts at an address that is known as: {found.second.start}",
        related=(Related(view.locate(first), "the segment with other permissions"),),
        help=f"look at what stands between {first.name.text} and {second.name.text}: nothing there starts a new page",
        fix=apart(found, view),
        severity=severity,
    )


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each pair of segments that share a page."""
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    loaded = [one for one in view.elf.segments if one.type == "LOAD" and one.memory_size and one.align >= _PAGE]
    loaded.sort(key=lambda one: one.address)
    problems = tuple(
        _shared(one, other, view)
        for one, other in pairwise(loaded)
        if _permissions(one) != _permissions(other)
        and (one.address + one.memory_size - 1) // _PAGE >= other.address // _PAGE
        and not _swapped(_edge(one, view, last=True), _edge(other, view, last=False), view)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _of_one_overlay(first: OutputSection, second: OutputSection, view: ScriptView) -> bool:
    """Whether two sections run at one address on purpose, each at its time."""
    overlay = overlay_of(first, view)
    return overlay is not None and overlay is overlay_of(second, view)


def _swapped(first: str, second: str, view: ImageView) -> bool:
    overlay = overlay_named(first, view.script) if view.script is not None else None
    return overlay is not None and view.script is not None and overlay is overlay_named(second, view.script)


def _permissions(segment: Segment) -> tuple[bool, bool, bool]:
    return segment.readable, segment.writable, segment.executable


def _shared(one: Segment, other: Segment, view: ImageView) -> Problem:
    first, second = _edge(one, view, last=True), _edge(other, view, last=False)
    page = other.address // _PAGE * _PAGE
    if one.writable == other.writable:
        severity = Severity.NOTE
    else:
        severity = Severity.ERROR if view.script is not None and _headers(view.script) else Severity.WARNING
    at = view.declared_at(first)
    return view.problem(
        second,
        second,
        f"{second} shares the page {page:#x} with {first}, which has other permissions",
        label="in a segment of its own",
        related=(Related(at, "the segment with other permissions"),) if at is not None else (),
        facts=(f"in the image: a segment {shown_segment(one)} ends where one {shown_segment(other)} begins",),
        help=_advice(second, view),
        severity=severity,
    )


def _advice(name: str, view: ImageView) -> str:
    """What gives a section a page of its own, by what gives it its address."""
    nodes = view.script.output_sections.get(name, ()) if view.script is not None else ()
    if view.script is not None and overlay_named(name, view.script) is not None:
        return f"look at where the OVERLAY of {name} starts: that has to be a multiple of {_PAGE}"
    if any(node.address is not None for node in nodes):
        return f"look at the address that the script gives {name}: it has to be a multiple of {_PAGE}"
    if any(node.region is not None for node in nodes):
        inside = moved_in(nodes[0], view.script) if view.script is not None else ()
        return f"give it the attribute `ALIGN({_PAGE})`{as_first(inside)}"
    starts = starts_of(nodes[0], view.script) if nodes and view.script is not None else ()
    return f"put `. = ALIGN({_PAGE});` {where_ahead(starts, 'in front of it')}"


def _edge(segment: Segment, view: ImageView, *, last: bool) -> str:
    """The name of the last or the first section of a segment."""
    assert view.elf is not None
    inside = [one for one in view.elf.sections if one.index in segment.sections and one.size]
    chosen = max(inside, key=_end, default=None) if last else min(inside, key=_start, default=None)
    return chosen.name if chosen is not None else f"the segment at {segment.address:#x}"


def _end(section: ImageSection) -> int:
    return section.end


def _start(section: ImageSection) -> int:
    return section.address
