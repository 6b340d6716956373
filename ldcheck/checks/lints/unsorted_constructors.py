"""Constructors with a priority that are not sorted.

## What it does
Reports `.init_array.*`, `.fini_array.*`, `.ctors.*` and `.dtors.*` without SORT or SORT_BY_INIT_PRIORITY, and where
they stand behind the unsorted rest.

## Why is this bad
`.init_array.00101` is the constructor of priority 101. Without sorting they run in link order: one that needs another
runs ahead of it.

## Example
    .init_array : { KEEP(*(.init_array)) KEEP(*(.init_array.*)) }

## Use instead
    .init_array : { KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*))) KEEP(*(.init_array)) }

## Limits
Whether priorities are used at all is not known from the script. A discarded pattern needs no order, nor do
destructors that go where exit code goes (`.exit.data`): nobody runs them.

## References
GNU ld manual, "Input Section Wildcard Patterns" (SORT_BY_INIT_PRIORITY); GCC manual, attribute `constructor`.
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.globs import has_wildcard

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Constructors with a priority that are not sorted."),
    evidence=(EvidenceKind.SCRIPT,),
)

_ARRAYS = (".init_array.", ".fini_array.", ".ctors.", ".dtors.")


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each unsorted pattern of constructors with a priority."""
    problems = tuple(
        view.problem(
            rule.node,
            rule.pattern.pattern.text,
            f"`{rule.pattern.pattern.text}` is not sorted: priorities of constructors have no effect",
            label="in link order",
            help=f"write `SORT_BY_INIT_PRIORITY({rule.pattern.pattern.text})`, ahead of the ones without priority",
        )
        for rule in view.rules
        if rule.pattern is not None and not rule.discards and not rule.output.startswith(".exit")
        # `.init_array` alone has no priority; a pattern that takes one with a number does.
        if has_wildcard(rule.pattern.pattern.text) and rule.pattern.pattern.text.startswith(_ARRAYS)
        if not rule.pattern.sorts
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
