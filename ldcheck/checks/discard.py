"""Sections of these names are discarded.

## What it does
Every input section pattern that such a section can reach must stand in `/DISCARD/`. With a map it looks whether
sections of the names went into an output section; of what lld merged, its map gives no names.

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
A section that no pattern takes becomes an orphan and is kept: that is reported, because nothing discards it. So are
some of the names, or of the files, that patterns leave. What GNU ld needs for .dynamic (.hash, .gnu.hash, .dynsym) it
refuses to discard in a link with -pie or -shared.

## References
GNU ld manual, "Output Section Discarding".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, unless_undecided
from ldcheck.judging.discarding import advice, discarder, statement
from ldcheck.judging.edits import put_first, put_last
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import merged_away, unread
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Rule
from ldcheck.sections.budget import TooComplexError
from ldcheck.sections.globs import section_glob
from ldcheck.sections.reach import Reaching, Witness, left_over, reaching
from ldcheck.sections.rules import InputRule
from ldcheck.words import counted, first_of, listed

DECLARATION = Declaration(
    head=Key("discard", Kind.NAMES, "Sections that must end in /DISCARD/.", names=Names.EMITTED),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP),
)

# So many names are told in a message.
_MOST = 5


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where a pattern keeps such sections, or where none takes them: those are one problem."""
    asked = [(named.text, reaching(view.rules, named.text)) for named in rule.names]
    judgements = [_judge(name, found, view) for name, found in asked if found.takers or found.undecided]
    untaken = [name for name, found in asked if not found.takers and not found.undecided]
    if untaken:
        problem = _orphan(untaken, view)
        judgements.append(unread(view) if view.unread else Judgement(Standing.NOT_GUARANTEED, (problem,)))
    return all_of(judgements)


def _judge(name: str, found: Reaching, view: ScriptView) -> Judgement:
    problems = [
        view.problem(
            taker.node,
            name,
            f"`{taker.text}` keeps {witness.section}, which must be discarded",
            label=f"puts it into {taker.output}",
            witness=witness.section,
            help="look at the order: the /DISCARD/ that names it has to come first, or this pattern has to be narrower",
        )
        for taker, witness in found.takers
        if not taker.discards
    ]
    undecided = len(found.undecided)
    try:
        left = left_over(view.rules, name)
    except TooComplexError:
        left = None
        undecided += 1
    if left is not None:
        problems.append(_left_over(name, left, found.takers[-1][0], view))
    judgement = Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))
    return unless_undecided(judgement, undecided)


def _left_over(name: str, left: Witness, taker: InputRule, view: ScriptView) -> Problem:
    """What no pattern takes of the sections: other names than `taker`, or the like of it, has, or of other files."""
    of_files = "" if taker.files.everything else f" of {left.file}"
    return view.problem(
        taker.node,
        name,
        f"no pattern takes {left.section}{of_files}: it would become an orphan section",
        label="does not take it",
        witness=left.section,
        help=f"look at whether all of {name} {'is' if of_files else 'are'} to be listed in /DISCARD/, from every file",
    )


def _orphan(names: list[str], view: ScriptView) -> Problem:
    they = "it would become an orphan section" if len(names) == 1 else "they would become orphan sections"
    message = f"nothing discards {listed(names, _MOST)}: {they}"
    discards = discarder(view)
    does, is_allowed = advice(names, view)
    if discards is None:
        whole = f"/DISCARD/ : {{ {statement(names)} }}"
        look = f"look at the end of SECTIONS: a /DISCARD/ for {listed(names, _MOST)} is to stand there"
        return Problem(
            subject=names[0],
            message=message,
            help=look if is_allowed else does,
            fix=put_last(whole, view, does) if is_allowed else None,
        )
    look = f"look at whether {listed(names, _MOST)} {'is' if len(names) == 1 else 'are'} to be listed here"
    return view.problem(
        discards,
        names[0],
        message,
        label=f"does not name {'it' if len(names) == 1 else 'them'}",
        help=look if is_allowed else does,
        fix=put_first(statement(names), discards, view, does) if is_allowed else None,
    )


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED where such a section lies in an output section."""
    if view.map is None:
        return Judgement(Standing.UNKNOWN, reason="only a map tells what became of an input section, give --map")
    return all_of([_shown(named.text, view) for named in rule.names])


def _shown(name: str, view: ImageView) -> Judgement:
    kept = view.inputs.named(section_glob(name))
    if not kept and view.inputs.merged(name):
        return Judgement(Standing.UNKNOWN, reason=merged_away(name, view), evidence=(EvidenceKind.MAP,))
    if not kept:
        return Judgement(Standing.HOLDS, evidence=(EvidenceKind.MAP,))
    section, part = kept[0]
    total = sum(one.size for _, one in kept)
    outputs = first_of((one.name for one, _ in kept), "output section")
    place = f"{', the first' if len(kept) > 1 else ''} at {part.address:#x}"
    problem = view.problem(
        section.name,
        name,
        f"{part.name} of {part.file} was not discarded",
        label="holds sections that must be discarded",
        facts=(f"in the image: {counted(total, 'byte')} of {name} are in {outputs}{place}",),
        witness=part.name,
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=(EvidenceKind.MAP,))
