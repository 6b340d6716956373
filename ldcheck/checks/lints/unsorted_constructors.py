"""Constructors with a priority that are not sorted.

## What it does
Reports `.init_array.*` (or `.ctors.*`, where the script has nothing newer) without SORT or SORT_BY_INIT_PRIORITY, once
for a script. That destructors, or constructors for older compilers, are not sorted is a note.

## Why is this bad
`.init_array.00101` is the constructor of priority 101. Without sorting they run in link order: one that needs another
runs ahead of it.

## Example
    .init_array : { KEEP(*(.init_array)) KEEP(*(.init_array.*)) }

## Use instead
    .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array)) }

## Limits
Whether priorities are used at all is not known from the script. What a sorted statement ahead of it has taken needs no
order (`KEEP(*(.init_array.*))` that only keeps it), nor does a discarded pattern, nor do
destructors that go where exit code goes (`.exit.data`): nobody runs them.

## References
GNU ld manual, "Input Section Wildcard Patterns" (SORT_BY_INIT_PRIORITY); GCC manual, attribute `constructor`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.reach import first_taker
from ldcheck.sections.rules import InputRule
from ldcheck.sections.sorting import order_of
from ldcheck.source import Related
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Constructors with a priority that are not sorted."),
    evidence=(EvidenceKind.SCRIPT,),
)

_SORTED = "SORT_BY_INIT_PRIORITY({})"


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem where constructors with a priority are in link order, with one for all of a script."""
    every = [rule for rule in view.rules if rule.pattern is not None and not rule.output.startswith(".exit")]
    arrays = [rule for rule in every if _prioritised(rule, ".init_array")]
    constructors = arrays or [rule for rule in every if _prioritised(rule, ".ctors")]
    unsorted = _unsorted(constructors, view)
    weight = Severity.WARNING
    if not unsorted:
        # Destructors run in a hosted program alone.
        others = [rule for rule in every if any(_prioritised(rule, family) for family in _OTHERS)]
        unsorted, weight = _unsorted([rule for rule in others if rule not in constructors], view), Severity.NOTE
    if not unsorted:
        return Judgement(Standing.HOLDS)
    return Judgement(Standing.REFUTED, (_problem(unsorted, weight, view),))


_OTHERS = (".ctors", ".fini_array", ".dtors")


def _prioritised(rule: InputRule, family: str) -> bool:
    """Whether a rule is for the constructors of a family that have a priority, with or without the others."""
    name = rule.pattern.pattern.text if rule.pattern is not None else ""
    return name.startswith(family) and rule.names.matches(f"{family}.00101")


def _unsorted(rules: Sequence[InputRule], view: ScriptView) -> list[InputRule]:
    """Those that take any in link order: not what only keeps what a sorted statement ahead of it has taken."""
    return [
        rule
        for rule in rules
        if not rule.discards
        and rule.pattern is not None
        # ld builds one tree of all sections of a statement, in which those of unsorted patterns stand in the way.
        and not (rule.pattern.sorts and order_of(rule.statement).uniform is not None)
        and first_taker(view.rules, _example(rule)) is rule
    ]


def _example(rule: InputRule) -> str:
    family = next(name for name in (".init_array", *_OTHERS) if _prioritised(rule, name))
    return f"{family}.00101"


def _problem(unsorted: Sequence[InputRule], weight: Severity, view: ScriptView) -> Problem:
    first = unsorted[0]
    names = list(dict.fromkeys(rule.pattern.pattern.text for rule in unsorted if rule.pattern is not None))
    is_are = "is" if len(names) == 1 else "are"
    what = "constructors" if weight is Severity.WARNING else "constructors and destructors"
    mixed = first.pattern is not None and first.pattern.sorts
    how = "in one statement with patterns that are not sorted" if mixed else "not sorted"
    sorted_statement = f"*({_SORTED.format(_with_suffix(names[0]))})"
    shown = f"KEEP({sorted_statement})" if first.keep else sorted_statement
    return view.problem(
        first.node,
        names[0],
        f"{listed([f'`{name}`' for name in names])} {is_are} {how}: {what} with a priority run in link order",
        label="in link order",
        related=(Related(view.locate(rule.node), "in link order too") for rule in unsorted[1:]),
        help=f"put `{shown}`, a statement of its own, ahead of the one for those without a priority",
        severity=weight,
    )


def _with_suffix(name: str) -> str:
    """The pattern for those with a priority alone: `.init_array.*` for `.init_array*`."""
    return name if name.endswith(".*") else f"{name.removesuffix('*')}.*"
