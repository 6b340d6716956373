"""Output sections and segments have exactly these permissions.

## What it does
In the image, the flags of output sections of these names are compared with `are`, and those of program headers by their
name in PHDRS, where the image has all of them. From the script, the families of the input patterns are compared: code
must not be collected into what is not executable, writable data not into what is read-only.

## Why is this bad
A section that is writable and executable at once is what an attacker looks for. Constant tables that are collected into
.data can be overwritten; one patch section among `.init.data` makes all of it executable.

## Example
    rules:
      - id: no-writable-code
        permissions: .text
        are: r-x

with

    .text : { *(.text .text.*) *(.data.patch) }

## Use instead
    .text : { *(.text .text.*) }
    .data : { *(.data .data.*) }

## Limits
The flags of an output section say what its inputs ask for. A loader goes by those of the segment: where that gives
more (one RWX segment for all, as without PHDRS or by design), the rule is held with a note that says so. Who loads the
image by its program headers asks for those as well (`permissions` of their names, `every: segment`, the lint
`rwx-segment`); a hypervisor or kernel that sets its own page tables does not: judge its boundary symbols with
`separate-pages` and `place`. With `ld -N` every section of the first segment is writable.

## References
ELF gABI, "Sections" (sh_flags) and "Program Header" (p_flags); GNU ld manual, "PHDRS Command".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, all_of
from ldcheck.image.model import Segment
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.segments import program_headers, segments_by_header, shown_at
from ldcheck.judging.subjects import OUTPUT, absent
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.globs import section_glob
from ldcheck.sections.rules import InputRule
from ldcheck.words import counted, listed

_PERMISSIONS = ("r--", "r-x", "rw-", "rwx")

DECLARATION = Declaration(
    head=Key("permissions", Kind.NAMES, "Output sections (names or patterns), or program headers by name."),
    keys=(Key("are", Kind.CHOICE, "The permissions: r--, r-x, rw- or rwx.", required=True, choices=_PERMISSIONS),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

# The permission that the family of an input section asks for beyond reading.
_NEEDS = {Family.CODE: "x", Family.DATA: "w", Family.ZERO: "w"}


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """REFUTED where an input pattern's family needs a permission that the output section must not have."""
    return all_of([_judge(named, _wanted(rule), view) for named in rule.names], optional=rule.optional)


def _wanted(rule: Rule) -> str:
    value = rule.keys["are"]
    assert isinstance(value, Named)
    return value.text


def _judge(named: Named, wanted: str, view: ScriptView) -> Judgement:
    glob = section_glob(named.text)
    if any(header.name.text == named.text for header in program_headers(view)):
        return Judgement(Standing.UNKNOWN, reason=f"{named.text} is a program header: only the image shows its flags")
    if not any(glob.matches(name) for name in view.output_sections):
        return absent(named, view, OUTPUT)
    strangers = [
        (taker, need)
        for taker in view.rules
        if taker.section is not None and not taker.discards and glob.matches(taker.output)
        if (need := _needed(taker, view.arch)) and need not in wanted
    ]
    problems = tuple(_stranger(taker, need, wanted, view) for taker, need in strangers)
    if problems:
        return Judgement(Standing.REFUTED, problems)
    return Judgement(Standing.UNKNOWN, reason="what the inputs' flags are, only the image shows")


def _needed(taker: InputRule, arch: str) -> str:
    return _NEEDS.get(family_of(taker.pattern.pattern.text, arch), "") if taker.pattern is not None else ""


def _stranger(taker: InputRule, need: str, wanted: str, view: ScriptView) -> Problem:
    kind = {"x": "code", "w": "writable data"}[need]
    return view.problem(
        taker.node,
        taker.output,
        f"`{taker.text}` puts {kind} into {taker.output}, which must be {wanted}",
        label=f"brings {kind}",
        help=f"look at which output section is meant to hold {kind}",
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the flags of a section or segment are others."""
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    return all_of([_shown(named, _wanted(rule), view) for named in rule.names], optional=rule.optional)


def _shown(named: Named, wanted: str, view: ImageView) -> Judgement:
    found = list(_flags(named.text, view))
    if not found and view.script is not None:
        assert view.elf is not None
        headers = program_headers(view.script)
        if any(header.name.text == named.text for header in headers):
            shown = f"the image has {counted(len(view.elf.segments), 'program header')} and PHDRS has {len(headers)}"
            if len(view.elf.segments) == len(headers):
                shown = "the program headers of the image have other types than those of PHDRS"
            return Judgement(Standing.UNKNOWN, reason=f"{shown}: nothing tells which one is {named.text}")
    if not found:
        known = view.script is not None and named.text in view.script.output_sections
        standing = Standing.UNKNOWN if known else Standing.ABSENT
        return Judgement(standing, reason=f"the image has no section or segment {named.text}")
    problems = []
    for name, actual, segment in found:
        if actual == wanted:
            continue
        problem = view.problem(
            name,
            name,
            f"{name} is {actual}, and must be {wanted}",
            label=f"must be {wanted}",
            facts=(f"in the image: {name} has the permissions {actual}",),
        )
        problems.append(problem if segment is None else shown_at(problem, segment, view))
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    return _loaded_with(wanted, [name for name, _, segment in found if segment is None], view)


def _loaded_with(wanted: str, names: list[str], view: ImageView) -> Judgement:
    """HOLDS for sections with the flags that are wanted; with a remark where a segment gives a loader other rights."""
    assert view.elf is not None
    given: dict[Segment, list[str]] = {}
    for section in view.elf.sections:
        for segment in view.elf.segments if section.name in names and section.allocated and section.size else ():
            is_more = (segment.writable and "w" not in wanted) or (segment.executable and "x" not in wanted)
            if segment.type == "LOAD" and section.index in segment.sections and is_more:
                given.setdefault(segment, []).append(section.name)
    if not given:
        return Judgement(Standing.HOLDS)
    segment, inside = next(iter(given.items()))
    are, their = ("are", "their") if len(set(inside)) > 1 else ("is", "its")
    rights = _text(segment.readable, segment.writable, segment.executable)
    said = f"{listed(list(dict.fromkeys(inside)))} {are} {wanted} by {their} own flags"
    remark = view.problem(
        inside[0],
        inside[0],
        f"{said}, and the segment at {segment.address:#x} is {rights}",
        label=f"{wanted} by its own flags",
        help="look at PHDRS, if a loader goes by the program headers; it says nothing where the image maps itself",
        severity=Severity.NOTE,
    )
    return Judgement(Standing.HOLDS, (remark,), reason=f"by the flags of the section, in a segment that is {rights}")


def _flags(pattern: str, view: ImageView) -> Iterator[tuple[str, str, Segment | None]]:
    """The sections of a name or pattern, or else the segment of that program header, each with its flags."""
    assert view.elf is not None
    glob = section_glob(pattern)
    for section in view.elf.sections:
        if section.allocated and section.size and glob.matches(section.name):
            yield section.name, _text(True, section.writable, section.executable), None
    for header, segment in segments_by_header(view):
        if header.name.text == pattern:
            yield pattern, _text(segment.readable, segment.writable, segment.executable), segment


def _text(readable: bool, writable: bool, executable: bool) -> str:
    return ("r" if readable else "-") + ("w" if writable else "-") + ("x" if executable else "-")
