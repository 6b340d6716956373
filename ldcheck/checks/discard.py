"""Sections of these names are discarded.

## What it does
Every input section pattern that such a section can reach must stand in `/DISCARD/`. With a map it looks whether
sections of the names went into an output section.

## Why is this bad
Unwind tables, destructors and exit code that the image never uses cost memory and, in a flat image, may come first and
be executed. `/DISCARD/` is a statement like any other: a wildcard ahead of it keeps what it was meant to drop.

## Example
    rules:
      - id: no-unwind-tables
        discard: .eh_frame

with

    .rodata : { *(.rodata) *(.eh_frame) }
    /DISCARD/ : { *(.eh_frame) }

## Use instead
    .rodata : { *(.rodata) }
    /DISCARD/ : { *(.eh_frame) }

## Limits
A section that no pattern takes becomes an orphan and is kept: that is reported, because nothing discards it.

## References
GNU ld manual, "Output Section Discarding".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, unless_undecided
from ldcheck.judging.edits import put_first, put_last
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import unread
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule
from ldcheck.sections.globs import section_glob
from ldcheck.sections.reach import reaching
from ldcheck.words import counted

DECLARATION = Declaration(
    head=Key("discard", Kind.NAMES, "Sections that must end in /DISCARD/.", names=Names.EMITTED),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where a pattern keeps such sections, or where none takes them."""
    return all_of([_judge(named, view) for named in rule.names])


def _judge(named: Named, view: ScriptView) -> Judgement:
    found = reaching(view.rules, named.text)
    if not found.takers and view.unread:
        return unread(view)
    if not found.takers and not found.undecided:
        return Judgement(Standing.NOT_GUARANTEED, (_orphan(named.text, view),))
    problems = tuple(
        view.problem(
            taker.node,
            named.text,
            f"`{taker.text}` keeps {witness.section}, which must be discarded",
            label=f"puts it into {taker.output}",
            witness=witness.section,
            help="look at the order: the /DISCARD/ that names it has to come first, or this pattern has to be narrower",
        )
        for taker, witness in found.takers
        if not taker.discards
    )
    judgement = Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)
    return unless_undecided(judgement, len(found.undecided))


def _orphan(name: str, view: ScriptView) -> Problem:
    message = f"nothing discards {name}: it would become an orphan section"
    discards = view.output_sections.get("/DISCARD/", ())
    if not discards:
        return Problem(
            subject=name,
            message=message,
            help=f"look at the end of SECTIONS: a /DISCARD/ for {name} is to stand there",
            fix=put_last(f"/DISCARD/ : {{ *({name}) }}", view, f"add `/DISCARD/ : {{ *({name}) }}` to SECTIONS"),
        )
    return view.problem(
        discards[-1],
        name,
        message,
        label="does not name it",
        help=f"look at whether {name} is to be listed here",
        fix=put_first(f"*({name})", discards[-1], view, f"add `*({name})` to it"),
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED where such a section lies in an output section."""
    if view.map is None:
        return Judgement(Standing.UNKNOWN, reason="only a map tells what became of an input section, give --map")
    return all_of([_shown(named.text, view) for named in rule.names])


def _shown(name: str, view: ImageView) -> Judgement:
    kept = view.inputs.named(section_glob(name))
    if not kept:
        return Judgement(Standing.HOLDS, evidence=(EvidenceKind.MAP,))
    section, part = kept[0]
    total = sum(one.size for _, one in kept)
    problem = view.problem(
        section.name,
        name,
        f"{part.name} of {part.file} was not discarded",
        label="holds sections that must be discarded",
        facts=(f"in the image: {counted(total, 'byte')} of {name} are in {section.name} at {part.address:#x}",),
        witness=part.name,
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=(EvidenceKind.MAP,))
