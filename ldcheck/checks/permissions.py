"""Output sections and segments have exactly these permissions.

## What it does
In the image, the flags of output sections of these names (and of program headers, by their name in PHDRS) are
compared with `are`. From the script, the families of the input patterns are compared: code must not be collected into
what is not executable, writable data not into what is read-only.

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
Flags say what a loader is asked for. A hypervisor or kernel that is one RWX segment by design sets its own page
tables: judge its boundary symbols with `separate-pages` and `place`. With `ld -N` every section of the first segment
is writable.

## References
ELF gABI, "Sections" (sh_flags) and "Program Header" (p_flags); GNU ld manual, "PHDRS Command".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of
from ldcheck.image.model import Segment
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.segments import program_headers, shown_at
from ldcheck.judging.subjects import OUTPUT, absent
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.globs import section_glob
from ldcheck.sections.rules import InputRule

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
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _flags(pattern: str, view: ImageView) -> Iterator[tuple[str, str, Segment | None]]:
    """The sections of a name or pattern, or else the segment of that program header, each with its flags."""
    assert view.elf is not None
    glob = section_glob(pattern)
    for section in view.elf.sections:
        if section.allocated and section.size and glob.matches(section.name):
            yield section.name, _text(True, section.writable, section.executable), None
    headers = program_headers(view.script) if view.script is not None else ()
    for header, segment in zip(headers, view.elf.segments, strict=False):
        if header.name.text == pattern:
            yield pattern, _text(segment.readable, segment.writable, segment.executable), segment


def _text(readable: bool, writable: bool, executable: bool) -> str:
    return ("r" if readable else "-") + ("w" if writable else "-") + ("x" if executable else "-")
