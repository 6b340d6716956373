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
Two equal assignments in members of an OVERLAY, or of one value to one name, are reported as well: one of them is
superfluous.

## References
GNU ld manual, "Simple Assignments".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, Name, walk
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
        for node in outright[1:]:
            first = outright[0]
            problem = view.problem(
                node,
                symbol,
                f"{symbol} is assigned again: the last assignment is its value everywhere",
                label="assigned again",
                related=(Related(view.locate(first), "assigned here first"),),
                help="give one of them another name, or take it out",
            )
            problems.append(problem)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _outright(node: Assignment) -> bool:
    """Whether the assignment sets a value without regard to an earlier one."""
    if node.operator != "=" or node.keyword.startswith("PROVIDE"):
        return False
    if isinstance(node.value, Call) and node.value.function == "ASSERT":
        # `_assert = ASSERT(...)` is how older scripts write an ASSERT; the name is of no account.
        return False
    return not any(isinstance(part, Name) and part.name == node.target.text for part in walk(node.value))
