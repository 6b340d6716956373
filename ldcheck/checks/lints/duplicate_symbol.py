"""Symbols that the script assigns twice.

## What it does
Reports a symbol that two assignments (`=`) give a value outright. PROVIDE, and assignments that use the old value, are
left alone.

## Why is this bad
Objects see the last one, in silence: a boundary that was set ahead of a table and again behind another one encloses
both. An expression of the script sees the one ahead of it, and the last one where none is.

## Example
    SECTIONS { .data : { *(.data) } _end = .; .bss : { *(.bss) } _end = .; }

## Use instead
    SECTIONS { .data : { *(.data) } _edata = .; .bss : { *(.bss) } _end = .; }

## Limits
One value that is given twice (an equal expression without the location counter, or in the same place) is a note: one of
the two is superfluous. A symbol that the script itself uses between the two may be there for that; the use is shown.

## References
GNU ld manual, "Simple Assignments".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.reordering import expressions_in
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Call, Name, Node, same, walk
from ldcheck.script.uses import symbols_in
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Symbols that are assigned twice."),
    evidence=(EvidenceKind.SCRIPT,),
)


_WHO_SEES = (": objects see the last value", ": objects see the last value, and the script itself the one ahead of it")


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each symbol that is assigned again."""
    problems: list[Problem] = []
    for symbol, nodes in view.assignments.items():
        outright = [node for node in nodes if symbol != "." and _outright(node)]
        others = [node for node in outright[1:] if not _is_equal(outright[0], node, view)]
        if len(outright) < 2:
            continue
        last = (others or outright)[-1]
        used = _used_between(outright[0], last, view) if others else None
        problems.append(
            view.problem(
                last,
                symbol,
                f"{symbol} is assigned again" + (_WHO_SEES[used is not None] if others else ", to the same value"),
                label="assigned again",
                related=(
                    *(
                        Related(view.locate(node), "assigned here first" if node is outright[0] else "and here")
                        for node in outright
                        if node is not last
                    ),
                    *([Related(view.locate(used), "used in between")] if used is not None else ()),
                ),
                help="give one of them another name, or take it out" if others else "take one of them out",
                severity=Severity.WARNING if others else Severity.NOTE,
            )
        )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _used_between(first: Assignment, last: Assignment, view: ScriptView) -> Node | None:
    """The first statement between two assignments of a symbol that computes something of it."""
    begin, end = view.positions[id(first)], view.positions[id(last)]
    for node, value in expressions_in(view):
        if begin < view.positions[id(node)] < end and first.target.text in symbols_in(value):
            return node
    return None


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
