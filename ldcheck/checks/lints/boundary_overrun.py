"""Pairs of boundary symbols whose end is assigned ahead of their start.

## What it does
Finds pairs by their names (`__start_x` and `__stop_x`, `x_start` and `x_end`, `x_begin` and `x_end`, `_sx` and
`_ex`), both assigned from the location counter, and reports those in which the end comes first.

## Why is this bad
The length is negative: as an unsigned number it is nearly the whole address space, and a clearing loop runs over
everything.

## Example
    __bss_end = .;
    .bss : { *(.bss) }
    __bss_start = .;

## Use instead
    __bss_start = .;
    .bss : { *(.bss) }
    __bss_end = .;

## Limits
Pairs of other names are not recognised: state them with `order` or `bracket`.

## References
GNU ld manual, "Source Code Reference".
"""

from __future__ import annotations

import re

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Pairs of boundary symbols in the wrong order."),
    evidence=(EvidenceKind.SCRIPT,),
)

_PAIRS = (
    (re.compile(r"(.*)start(.*)"), ("stop", "end")),
    (re.compile(r"(.*)begin(.*)"), ("end",)),
    (re.compile(r"(_+)s([a-z_]+)"), ("e",)),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each pair in the wrong order."""
    problems = []
    for start, nodes in view.assignments.items():
        if len(nodes) != 1 or not marks_a_place(nodes[0]):
            continue
        for end in _ends(start):
            others = view.assignments.get(end, ())
            if len(others) != 1 or not marks_a_place(others[0]):
                continue
            if view.positions[id(others[0])] < view.positions[id(nodes[0])]:
                problem = view.problem(
                    nodes[0],
                    start,
                    f"{end} is assigned ahead of {start}",
                    label="the start",
                    related=(Related(view.locate(others[0]), "the end"),),
                    help="exchange the two",
                )
                problems.append(problem)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _ends(start: str) -> list[str]:
    """The names that the end of a pair may have, given the start."""
    found = []
    for pattern, words in _PAIRS:
        match = pattern.fullmatch(start)
        # A bare `_start` is the entry point, and no end belongs to it.
        if match is not None and "".join(match.groups()).strip("_"):
            found += [f"{match[1]}{word}{match[2]}" for word in words]
    return found
