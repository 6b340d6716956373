"""Sections of these names are under KEEP(), so that --gc-sections does not drop them.

## What it does
Every input section pattern that such a section can reach must stand in a KEEP() (or in /DISCARD/, where nothing is
kept anyway). With a map it looks whether such sections were dropped; a map of lld does not list those, and tells it
together with all objects of the link (`--objects`) only.

## Why is this bad
A table that is reached only through boundary symbols, a vector table or an image header has no reference that the
linker could see. With --gc-sections it is dropped in silence, and the loop between the symbols finds nothing.

## Example
    rules:
      - id: vectors-kept
        keep: .vectors

with

    .text : { *(.vectors) *(.text) }

## Use instead
    .text : { KEEP(*(.vectors)) *(.text) }

## Limits
Whether the link collects sections at all is not looked at: ask for it where it does. In an output section with a C name
GNU ld keeps sections for __start_ and __stop_ symbols by itself. What ENTRY() or EXTERN() names stays without a KEEP():
where the section is called after such a symbol, or takes the first place and may hold the entry, only a map tells.
A statement for some files that does not name the section (`*libx.a:call.o`) is not asked for a KEEP(). What no
statement takes is: other names of a pattern (`.t3*`), and sections of files that a KEEP() leaves out.

## References
GNU ld manual, "Input Section and Garbage Collection".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of, unless_undecided
from ldcheck.judging import edits
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import INPUT, absent, kept_by, naming
from ldcheck.policy.declare import Declaration, Key, Kind, Names
from ldcheck.policy.rule import Named, Rule
from ldcheck.sections.budget import TooComplexError
from ldcheck.sections.globs import section_glob
from ldcheck.sections.reach import Witness, left_over, names, reaching
from ldcheck.sections.rules import InputRule
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection, MapInput

DECLARATION = Declaration(
    head=Key("keep", Kind.NAMES, "Input sections that must be under KEEP().", names=Names.TAKEN),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP, EvidenceKind.OBJECTS),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where a statement that such sections reach has no KEEP(); UNKNOWN where a root may keep them."""
    return all_of([_judge(named, rule, view) for named in rule.names], optional=rule.optional)


def _judge(named: Named, rule: Rule, view: ScriptView) -> Judgement:
    wanted = section_glob(named.text)
    found = reaching(view.rules, named.text)
    takers = [
        (taker, witness) for taker, witness in found.takers if taker.files.everything or names(taker.names, wanted)
    ]
    if not takers or (rule.optional and not naming(named.text, view)):
        return unless_undecided(absent(named, view, INPUT), len(found.undecided))
    if all(taker.discards for taker, _ in takers):
        return _discarded(named.text, *takers[0], view)
    loose = [(taker, witness) for taker, witness in takers if not taker.keep and not taker.discards]
    rooted = {id(taker): root for taker, _ in loose if (root := kept_by(taker, named.text, view))}
    problems = [
        view.problem(
            taker.node,
            named.text,
            f"{witness.section} is not under KEEP(): --gc-sections may drop it",
            label=f"takes it into {taker.output} without KEEP",
            witness=witness.section,
            help=f"look at what of `{taker.text}` has to be under KEEP()",
            fix=edits.keep([taker], view),
        )
        for taker, witness in loose
        if id(taker) not in rooted
    ]
    undecided = len(found.undecided)
    try:
        left = left_over(view.rules, named.text)
    except TooComplexError:
        left = None
        undecided += 1
    if left is not None:
        problems.append(_left_over(named.text, left, takers[-1][0], view))
    if not problems and rooted:
        root = next(iter(rooted.values()))
        return Judgement(Standing.UNKNOWN, reason=f"{root} may keep {named.text} without KEEP(): only a map tells")
    judgement = Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, tuple(problems))
    return unless_undecided(judgement, undecided)


def _left_over(name: str, left: Witness, taker: InputRule, view: ScriptView) -> Problem:
    """What no pattern takes of the sections: other names than `taker`, or the like of it, has, or of other files."""
    of_files = "" if taker.files.everything else f" of {left.file}"
    every = f"{'is' if of_files else 'are'} to be listed under KEEP(){', from every file' if of_files else ''}"
    return view.problem(
        taker.node,
        name,
        f"no pattern takes {left.section}{of_files}: it would become an orphan section, which --gc-sections may drop",
        label="does not take it",
        witness=left.section,
        help=f"look at whether all of {name} {every}",
    )


def _discarded(name: str, taker: InputRule, witness: Witness, view: ScriptView) -> Judgement:
    problem = view.problem(
        taker.node,
        name,
        f"{witness.section} is discarded, and no KEEP() keeps it",
        label="the first pattern that matches takes the section",
        witness=witness.section,
        help=f"look at where the script keeps {name}: this statement is tried ahead of it",
    )
    return Judgement(Standing.REFUTED, (problem,))


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED where such a section was dropped."""
    if view.map is None:
        return Judgement(Standing.UNKNOWN, reason="only a map tells what was dropped, give --map")
    return all_of([_shown(named.text, view) for named in rule.names], optional=rule.optional)


def _shown(name: str, view: ImageView) -> Judgement:
    assert view.map is not None
    wanted = section_glob(name)
    evidence: tuple[EvidenceKind, ...] = (EvidenceKind.MAP,)
    dropped: Sequence[MapInput | InputSection] = view.inputs.dropped(wanted)
    doubt = ""
    if view.map.linker == "lld":
        evidence += (EvidenceKind.OBJECTS,)
        dropped, doubt = view.inputs.unlisted.dropped(wanted), view.inputs.unlisted.doubt(wanted)
    if not dropped:
        there = bool(view.inputs.named(wanted))
        reason = doubt or ("" if there else f"the map has no input section {name}")
        return Judgement(Standing.UNKNOWN if reason else Standing.HOLDS, reason=reason, evidence=evidence)
    total = sum(part.size for part in dropped)
    by_objects = view.map.linker == "lld"
    shown, where = ("objects", "not in the map") if by_objects else ("map", "among the discarded sections")
    problem = Problem(
        subject=name,
        message=f"{dropped[0].name} of {dropped[0].file} was dropped",
        facts=(f"in the {shown}: {counted(total, 'byte')} of {name} are {where}",),
        witness=dropped[0].name,
        help=f"look at the statement that takes {name}: it is to be under KEEP()",
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=evidence)
