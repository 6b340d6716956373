"""Input section patterns that nothing can ever reach.

## What it does
Reports each pattern whose every section is taken by patterns ahead of it. File patterns, EXCLUDE_FILE and section
flags count; the answer is a decision about all names that a section could have. With a map it also reports a pattern
that took nothing although sections of its names were linked, and tells the bytes.

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
A pattern that merely matches nothing in today's link is not reported: that is normal; nor is one for all files whose
sections went to a statement for some of them (`boot.o(.head)` ahead of `*(.head)`). The same pattern twice between
the same boundary symbols is harmless and not reported either, nor one under KEEP() whose sections go to the same
output section without: GNU ld looks for KEEP() in every statement that matches. Nor are `.ctors.*` and `.dtors.*`
behind `.init_array` and `.fini_array`, which GNU ld's own default scripts keep for toolchains without the latter.
Where a dead pattern is kept for other configurations, allow it under that condition.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, unless_undecided
from ldcheck.judging.edits import move_ahead
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import tried_ahead
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.globs import has_wildcard
from ldcheck.sections.reach import Reach, Relation, State, reaches, relation
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Patterns that nothing can ever reach."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.MAP),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each dead pattern."""
    found = reaches(view.rules)
    problems = tuple(
        _problem(reach, view)
        for reach in found
        if reach.state is State.DEAD
        and reach.earlier
        and any(relation(reach.rule, earlier) is not Relation.SAME_STATEMENT for earlier in reach.earlier)
        and not _moved_to_array(reach)
        and not _repeats(reach)
        and not any(_special(taker) for taker in (reach.rule, *reach.earlier))
    )
    judgement = Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
    return unless_undecided(judgement, sum(reach.state is State.UNDECIDED for reach in found))


def _special(rule: InputRule) -> bool:
    """SPECIAL sections take what the target's emulation says (ldlang.c leaves them out of the matching)."""
    return rule.section is not None and rule.section.constraint == "SPECIAL"


def _repeats(reach: Reach) -> bool:
    """Whether a pattern is there a second time, or only to keep what patterns of its output section have taken.

    Under --gc-sections GNU ld looks for KEEP() in every statement that matches, not in the one that takes the section.
    """
    rule = reach.rule
    relations = {relation(rule, earlier) for earlier in reach.earlier}
    near = relations <= {Relation.SAME_STATEMENT, Relation.SAME_STRETCH}
    if near and all(_named(earlier) == _named(rule) for earlier in reach.earlier):
        return True
    return rule.keep and Relation.OTHER_OUTPUT not in relations and not all(earlier.keep for earlier in reach.earlier)


def _moved_to_array(reach: Reach) -> bool:
    array = {".ctors": ".init_array", ".dtors": ".fini_array"}.get(reach.rule.output)
    return array is not None and all(earlier.output == array for earlier in reach.earlier)


def _problem(reach: Reach, view: ScriptView) -> Problem:
    rule = reach.rule
    pattern = _named(rule)
    takers = [earlier.pattern.pattern.text if earlier.pattern else earlier.text for earlier in reach.earlier]
    verb = "takes" if len(takers) == 1 else "take"
    lost = "discarded" if rule.discards else f"in {rule.output}"
    return view.problem(
        rule.node,
        pattern,
        f"nothing reaches `{pattern}`: {listed([f'`{taker}`' for taker in takers])} ahead of it {verb} it all",
        label=f"meant to be {lost}",
        related=(Related(view.locate(earlier.node), f"takes it into {earlier.output}") for earlier in reach.earlier),
        witness=reach.witness.section if reach.witness is not None else "",
        help=tried_ahead(rule, reach.earlier[0], view),
        fix=move_ahead(rule, reach.earlier[0], view),
    )


def _named(rule: InputRule) -> str:
    return rule.pattern.pattern.text if rule.pattern is not None else rule.text


def on_image(_: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED with a problem for each pattern that others left nothing of what it names."""
    if view.map is None or view.script is None:
        missing = "no map, give --map" if view.map is None else "no script, whose patterns could be compared"
        return Judgement(Standing.UNKNOWN, reason=missing)
    lost, taken = _tally(view)
    problems = tuple(
        _in_fact(rule, view.script, parts)
        for rule in view.script.rules
        if (parts := lost.get(rule.index)) and rule.index not in taken and not _special(rule)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems, evidence=(EvidenceKind.MAP,))


# What another rule took of the sections that a rule names: the rule that did, the input, and where it lies.
_Lost = tuple[InputRule, "MapInput", str]


def _tally(view: ImageView) -> tuple[dict[int, list[_Lost]], set[int]]:
    """By the index of each rule: the sections it names that went to rules ahead of it, and which rules took any."""
    lost: dict[int, list[_Lost]] = {}
    taken: set[int] = set()
    for section, part in view.inputs.loaded():
        if view.inputs.is_orphan(section, part):
            continue
        first, *others = view.inputs.rules(part) or (None,)
        if first is None:
            continue
        taken.add(first.index)
        for rule in others:
            if _is_loss(rule, first):
                lost.setdefault(rule.index, []).append((first, part, section.name))
    return lost, taken


def _is_loss(rule: InputRule, first: InputRule) -> bool:
    """Whether sections that a rule names belong to it rather than to the rule that took them."""
    # A statement for some files, ahead of one for all the others, is there to take them.
    if rule.files.everything and not first.files.everything:
        return False
    return relation(rule, first) in (Relation.OTHER_OUTPUT, Relation.SAME_OUTPUT) and not has_wildcard(_named(rule))


def _in_fact(rule: InputRule, script: ScriptView, parts: list[_Lost]) -> Problem:
    first, part, output = parts[0]
    size = counted(sum(one.size for _, one, _ in parts), "byte")
    inputs = counted(len(parts), "input section")
    return script.problem(
        rule.node,
        _named(rule),
        f"`{_named(rule)}` took nothing: {size} of that name went to `{_named(first)}`",
        label=f"meant to be in {rule.output}",
        related=(Related(script.locate(first.node), f"took them into {output}"),),
        facts=(f"in the image: {size} ({inputs}) are in {output} at {part.address:#x}, from {part.file}",),
        witness=part.name,
        help=tried_ahead(rule, first, script),
    )
