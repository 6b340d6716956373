"""Patterns of different output sections that overlap without one containing the other.

## What it does
Reports a pattern of which another one ahead of it takes some sections and leaves others, where neither is a catch-all
for the other, and where it matters: in another output section, or across a boundary symbol.

## Why is this bad
`*(.text.*init*)` ahead of `*(.text.pinit.*)` takes part of the latter's sections: run-time functions whose names
happen to match land in memory that is reclaimed after boot.

## Example
    .init.text : { *(.text.*init*) }
    .text : { *(.text.boot.*) }

## Use instead
    .init.text : { *(.init.text .init.text.*) }
    .text : { *(.text.boot.*) }

## Limits
A list of names followed by a catch-all is what catch-alls are for, and not reported;
nor is a later pattern that begins with a wildcard (`*(.*bss)`), which is for what is left.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, unless_undecided
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.globs import contains
from ldcheck.sections.reach import Reach, Relation, State, reaches, relation
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Patterns of different output sections that overlap."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each pair of competing patterns."""
    found = reaches(view.rules)
    problems = tuple(
        _problem(reach, earlier, view)
        for reach in found
        if reach.state is State.COMPETES and reach.rule.pattern is not None
        for earlier in reach.earlier
        if earlier.pattern is not None and _ambiguous(reach.rule, earlier)
    )
    judgement = Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
    undecided = sum(len(reach.undecided) or reach.state is State.UNDECIDED for reach in found)
    return unless_undecided(judgement, undecided)


def _ambiguous(rule: InputRule, earlier: InputRule) -> bool:
    """Whether the order of the two matters, and neither of them is there to take the rest of the other."""
    if relation(rule, earlier) in (Relation.SAME_STATEMENT, Relation.SAME_STRETCH):
        return False
    if rule.output == earlier.output:
        return False
    # `*(.*bss)` behind `*(.text*)` is for what is left; nobody means its .textbss.
    if not rule.names.prefix.strip("._"):
        return False
    return not contains(rule.names, earlier.names) and not contains(earlier.names, rule.names)


def _problem(reach: Reach, earlier: InputRule, view: ScriptView) -> Problem:
    rule = reach.rule
    example = reach.witness.section if reach.witness is not None else ""
    return view.problem(
        rule.node,
        rule.text,
        f"`{earlier.text}` and `{rule.text}` both match sections such as {example}",
        label=f"puts the rest into {rule.output}",
        related=(Related(view.locate(earlier.node), f"takes them into {earlier.output}"),),
        witness=example,
        help="narrow one of the two, so that it is plain which one is meant",
    )
