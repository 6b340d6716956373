"""Input section patterns that nothing can ever reach.

## What it does
Reports each pattern whose every section is taken by patterns ahead of it. File patterns, EXCLUDE_FILE and section flags
count; the answer is a decision about all names that a section could have.

## Why is this bad
The first pattern that matches takes a section, and no linker says a word about the one behind it. A dead pattern
means that what its author wanted does not happen: destructors that were to be discarded are kept, init code is never
freed, the table between two boundary symbols stays empty.

## Example
    .text : { *(.text) *(.text.*) }
    .init.text : { *(.init.text) *(.text.startup) }

## Use instead
    .init.text : { *(.init.text) *(.text.startup) }
    .text : { *(.text) *(.text.*) }

## Limits
A pattern that merely matches nothing in today's link is not reported: that is normal. A duplicate inside one
statement is harmless and not reported either; nor are `.ctors.*` and `.dtors.*` behind `.init_array` and
`.fini_array`, which GNU ld's own default scripts keep for toolchains without the latter. Where a dead pattern is kept
for other configurations, allow it under that condition.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from ldcheck.evidence import ScriptView
from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.reach import Reach, Relation, State, reaches, relation
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.subjects import move_ahead
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Patterns that nothing can ever reach."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each dead pattern."""
    problems = tuple(
        _problem(reach, view)
        for reach in reaches(view.rules)
        if reach.state is State.DEAD
        and reach.earlier
        and any(relation(reach.rule, earlier) is not Relation.SAME_STATEMENT for earlier in reach.earlier)
        and not _moved_to_array(reach)
        and not any(_special(taker) for taker in (reach.rule, *reach.earlier))
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _special(rule: InputRule) -> bool:
    """SPECIAL sections take what the target's emulation says (ldlang.c leaves them out of the matching)."""
    return rule.section is not None and rule.section.constraint == "SPECIAL"


def _moved_to_array(reach: Reach) -> bool:
    array = {".ctors": ".init_array", ".dtors": ".fini_array"}.get(reach.rule.output)
    return array is not None and all(earlier.output == array for earlier in reach.earlier)


def _problem(reach: Reach, view: ScriptView) -> Problem:
    rule = reach.rule
    pattern = rule.pattern.pattern.text if rule.pattern is not None else rule.text
    takers = [earlier.pattern.pattern.text if earlier.pattern else earlier.text for earlier in reach.earlier]
    verb = "takes" if len(takers) == 1 else "take"
    lost = "discarded" if rule.discards else f"in {rule.output}"
    return Problem(
        subject=pattern,
        message=f"nothing reaches `{pattern}`: {listed([f'`{taker}`' for taker in takers])} ahead of it {verb} it all",
        location=view.locate(rule.node),
        label=f"meant to be {lost}",
        related=(
            *(Related(view.locate(earlier.node), f"takes it into {earlier.output}") for earlier in reach.earlier),
            *view.related(rule.node),
        ),
        witness=reach.witness.section if reach.witness is not None else "",
        help=move_ahead(rule, reach.earlier[0], view),
        route=view.route(rule.node),
    )
