"""Symbols that the script assigns twice.

## What it does
Reports a symbol that two assignments (`=`) give a value outright. PROVIDE, and assignments that use the old value, are
left alone.

## Why is this bad
The last one wins, in silence, for all uses of the symbol: a boundary that was set ahead of a table and again behind
another one encloses both.

## Example
    SECTIONS { .data : { *(.data) } _end = .; .bss : { *(.bss) } _end = .; }

## Use instead
    SECTIONS { .data : { *(.data) } _edata = .; .bss : { *(.bss) } _end = .; }

## Limits
One value that is given twice (an equal expression without the location counter, or in the same place) is a note: one of
the two is superfluous.

## References
GNU ld manual, "Simple Assignments".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, Name, same, walk
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols that are assigned twice."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each symbol that is assigned again."""
    problems: list[Problem] = []
    for symbol, nodes in view.assignments.items():
        outright = [node for node in nodes if symbol != "." and _outright(node)]
        others = [node for node in outright[1:] if not _is_equal(outright[0], node, view)]
        if len(outright) < 2:
            continue
        last = (others or outright)[-1]
        problems.append(
            view.problem(
                last,
                symbol,
                f"{symbol} is assigned again"
                + (": the last assignment is its value everywhere" if others else ", to the same value"),
                label="assigned again",
                related=(
                    Related(view.locate(node), "assigned here first" if node is outright[0] else "and here")
                    for node in outright
                    if node is not last
                ),
                help="give one of them another name, or take it out" if others else "take one of them out",
                severity=Severity.WARNING if others else Severity.NOTE,
            )
        )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _is_equal(first: Assignment, second: Assignment, view: ScriptView) -> bool:
    """Whether two assignments of one expression give one value: without the location counter, or in the same place."""
    if not same(first.value, second.value):
        return False
    if not any(isinstance(part, Name) and part.name == "." for part in walk(first.value)):
        return True
    between = view.statements[view.positions[id(first)] + 1 : view.positions[id(second)]]
    return all(isinstance(node, Assignment) and node.target.text != "." for node in between)


def _outright(node: Assignment) -> bool:
    """Whether the assignment sets a value without regard to an earlier one."""
    if node.operator != "=" or node.keyword.startswith("PROVIDE"):
        return False
    if isinstance(node.value, Call) and node.value.function == "ASSERT":
        # `_assert = ASSERT(...)` is how older scripts write an ASSERT; the name is of no account.
        return False
    return not any(isinstance(part, Name) and part.name == node.target.text for part in walk(node.value))
