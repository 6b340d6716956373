"""Groups of output sections, or of ranges between symbols, never share a page.

## What it does
Each group is an output section, a range written as `start..end` with two symbols, or a list of such. From the script
it is proved that a multiple of the page size lies between any two members of different groups; in the image their
pages are compared.

## Why is this bad
Permissions and lifetimes are per page. Where read-only data and writable data share one, either constants can be
overwritten or a write faults; where init data shares one with data that stays, freeing init frees it too.

## Example
    rules:
      - id: text-rodata-data-apart
        separate-pages: [.text, .rodata, [.data, .bss]]
        page: 4K

with

    .text : { *(.text) }
    .rodata : { *(.rodata) }
    . = ALIGN(4K);
    .data : { *(.data) }
    .bss : { *(.bss) }

## Use instead
    .text : { *(.text) }
    . = ALIGN(4K);
    .rodata : { *(.rodata) }
    . = ALIGN(4K);
    .data : { *(.data) }
    .bss : { *(.bss) }

## Limits
Members of one group may share pages. Sections without content, and ranges within one, occupy no page, nor do the zeros
of threads (`.tbss`).

## References
GNU ld manual, "Builtin Functions" (ALIGN), "Forced Output Alignment".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, all_of
from ldcheck.judging.aligning import apart
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import absent, address_of, marks_a_place, may_be_there, missing
from ldcheck.layout.interpret import interpret
from ldcheck.layout.pages import (
    Extent,
    Range,
    Separation,
    section_extents,
    section_ranges,
    separations,
    shared_pages,
)
from ldcheck.layout.result import Layout
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.policy.sizes import size_of
from ldcheck.script.syntax import Call, OutputSection
from ldcheck.sections.families import THREAD_ZEROS, takes_only
from ldcheck.source import Related

# Functions of the location counter that go by the page sizes of the link.
_BY_PAGE_SIZES = ("DATA_SEGMENT_ALIGN", "DATA_SEGMENT_RELRO_END")

DECLARATION = Declaration(
    head=Key(
        "separate-pages", Kind.NAME_GROUPS, "The groups: output sections, ranges `start..end`, lists of them.", fewest=2
    ),
    keys=(Key("page", Kind.SIZE, "The page size.", required=True, minimum=1),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)


def _groups(rule: Rule) -> list[tuple[Named, ...]]:
    subject = rule.subject
    assert isinstance(subject, tuple)
    return [(group,) if isinstance(group, Named) else group for group in subject]


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where every link keeps the groups on pages of their own."""
    page = size_of(rule.keys["page"], view.params)
    judgements: list[Judgement] = []
    groups: list[list[Extent]] = []
    for group in _groups(rule):
        groups.append([])
        for named in group:
            extents = _extents(named.text, view, view.layout)
            if not extents:
                judgements.append(absent(named, view, "an output section or a range `start..end`"))
            groups[-1] += [one for one in extents if _takes_room(one, view)]
    occupied = [group for group in groups if group]
    if len(occupied) < 2 and not judgements:
        return Judgement(Standing.UNKNOWN, reason="fewer than two of the groups take memory where they stand")
    for first, second in combinations(occupied, 2):
        together = [one for one in separations(view.layout, first, second, page) if not one.apart]
        judgements.append(Judgement(Standing.HOLDS))
        judgements += [_not_apart(one, page, view) for one in together if not _apart_with_content(one, page, view)]
    return all_of(judgements, optional=rule.optional)


def _extents(name: str, view: ScriptView, layout: Layout) -> list[Extent]:
    """What a name of the rule stands for: from one symbol to another, or all output sections that have the name."""
    symbols = _symbols(name)
    if symbols and all(symbol in view.assignments for symbol in symbols):
        start, end = (address_of(symbol, view, layout) for symbol in symbols)
        return [] if start is None or end is None else [Extent(name, start[1], end[1], start[0])]
    return section_extents(layout, name)


def _takes_room(extent: Extent, view: ScriptView) -> bool:
    return extent.section is None or not takes_only(extent.section, THREAD_ZEROS, view.rules)


def _apart_with_content(found: Separation, page: int, view: ScriptView) -> bool:
    """Whether the two are apart in the links that have something in both: what is empty occupies no page.

    What follows an empty section need not lie behind its address: ld takes no room of a region for it.
    """
    holding = [section for one in (found.first, found.second) if (section := _held_by(one, view)) is not None]
    if not holding:
        return False
    layout = interpret(view.tree, params=view.params, orphans=view.orphans, content=holding, linker=view.linker)
    return _are_apart(found, page, view, layout)


def _are_apart(found: Separation, page: int, view: ScriptView, layout: Layout) -> bool:
    """Whether two extents are apart by another interpretation of the script."""
    first, second = (
        [one for one in _extents(known.name, view, layout) if one.node is known.node]
        for known in (found.first, found.second)
    )
    return bool(first and second) and all(one.apart for one in separations(layout, first, second, page))


def _held_by(extent: Extent, view: ScriptView) -> OutputSection | None:
    """The output section that is not empty unless an extent is: itself, or where both symbols mark places in it."""
    symbols = _symbols(extent.name)
    if extent.section is not None or symbols is None:
        return extent.section
    start, end = (view.assignments[symbol][-1] for symbol in symbols)
    inside = view.enclosing.get(id(start))
    is_one = inside is view.enclosing.get(id(end)) and marks_a_place(start) and marks_a_place(end)
    return inside if is_one else None


def _symbols(name: str) -> tuple[str, str] | None:
    """The two symbols of a range; None for the name of a section, which may begin with dots itself."""
    start, dots, end = name.partition("..")
    return (start, end) if dots and start else None


def _not_apart(found: Separation, page: int, view: ScriptView) -> Judgement:
    """What is to be said of two extents that are not proved to be apart."""
    if any(isinstance(reason.node, Call) and reason.node.function in _BY_PAGE_SIZES for reason in found.obstacles):
        return Judgement(Standing.UNKNOWN, reason="the page sizes of the link decide where segments begin, give --elf")
    if _are_apart(found, page, view, view.usual_layout):
        unless = "unless an orphan or an empty section comes between them"
        problem = _doubt(found, view, f"share no page {unless}", Severity.NOTE)
    else:
        problem = _doubt(found, view)
    return Judgement(Standing.NOT_GUARANTEED, (problem,))


def _doubt(found: Separation, view: ScriptView, but: str = "", severity: Severity | None = None) -> Problem:
    first, second, remedy = found.first, found.second, found.remedy
    node = remedy.node if remedy is not None else second.node
    kept = second if remedy is None or remedy.node is second.node else first
    other = first if kept is second else second
    return view.problem(
        node,
        kept.name,
        f"{kept.name} and {other.name} {but}"
        if but
        else f"nothing keeps {kept.name} and {other.name} from sharing a page",
        label=f"starts at an address that is known as: {kept.start}",
        related=(
            Related(view.locate(other.node), f"{other.name} is here"),
            *(Related(view.locate(reason.node), reason.text) for reason in found.obstacles[:2]),
        ),
        help=f"look at what stands between {other.name} and {kept.name}: nothing there starts a new page",
        fix=apart(found, view),
        severity=severity,
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where members of two groups lie on one page."""
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    page = size_of(rule.keys["page"], view.params)
    groups = [[found for named in group for found in _ranges(named.text, view)] for group in _groups(rule)]
    if sum(bool(group) for group in groups) < 2:
        return Judgement(Standing.UNKNOWN, reason="the image has content in fewer than two of the groups")
    problems = tuple(_shared(groups, page, view))
    if problems:
        return Judgement(Standing.REFUTED, problems)
    ends = [end for group in _groups(rule) for named in group for end in _symbols(named.text) or ()]
    lacking = [name for name in ends if view.address(name) is None]
    if may_be_there(lacking, view):
        return missing(lacking, view)
    return Judgement(Standing.HOLDS)


def _ranges(name: str, view: ImageView) -> list[Range]:
    assert view.elf is not None
    symbols = _symbols(name)
    if symbols and symbols[0] in view.elf.symbols:
        start, end = map(view.symbol, symbols)
        return [Range(name, start, end)] if start is not None and end is not None and start < end else []
    return section_ranges(view.elf, name)


def _shared(groups: list[list[Range]], page: int, view: ImageView) -> Iterator[Problem]:
    for first, second in combinations(groups, 2):
        told: set[tuple[str, str]] = set()
        for shared in shared_pages(first, second, page):
            low, high = sorted((shared.first, shared.second), key=lambda one: one.start)
            if (low.name, high.name) in told:
                continue
            told.add((low.name, high.name))
            start = high.name.partition("..")[0] if ".." in high.name.lstrip(".") else high.name
            yield view.problem(
                start,
                high.name,
                f"{high.name} and {low.name} share the page at {shared.page:#x}",
                label=f"must start on a page of its own, behind {low.name}",
                facts=(f"in the image: {low.name} ends at {low.end:#x}, {high.name} starts at {high.start:#x}",),
                help=f"look at what stands between {low.name} and {high.name}: nothing there starts a new page",
            )
