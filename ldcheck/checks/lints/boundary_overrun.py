"""Pairs of boundary symbols whose end lies below their start.

## What it does
Finds pairs by their names (`__start_x` and `__stop_x`, `x_start` and `x_end`, `x_begin` and `x_end`, `_sx` and
`_ex`), and reports those whose end is proved to lie below the start: by the order of what is placed, by the values, or
by the ends of one memory region. A symbol that is an alias (`__data_end__ = __bss_start__`) is where the other one is.
In the image the addresses of the same pairs are compared.

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
Pairs of other names are not recognised: state them with `order` or `bracket`. A stack grows down, and its start may be
its upper end. Two symbols with nothing between them enclose nothing, in whatever order. Nor do two of a
list of numbers: the functions of a ROM may be called `..._start` and `..._end`, too.

## References
GNU ld manual, "Source Code Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.aliases import place_of, shown
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import may_be_there, missing
from ldcheck.layout.facts import Order, order
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.linear import linear
from ldcheck.script.syntax import Assignment, Data, InputSectionDescription, Node, Number, OutputSection
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Pairs of boundary symbols in the wrong order."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)

_PAIRS = (
    (re.compile(r"(.*)start(.*)"), ("stop", "end")),
    (re.compile(r"(.*)begin(.*)"), ("end",)),
    (re.compile(r"(.*)START(.*)"), ("STOP", "END")),
    (re.compile(r"(.*)BEGIN(.*)"), ("END",)),
    (re.compile(r"(_+)s([a-z_]+)"), ("e",)),
)
# What grows down starts at its upper end.
_GROWS_DOWN = re.compile(r"stack|stk", re.IGNORECASE)

# So many plain numbers are a list of what is elsewhere: the functions of a ROM, of which one may be called `..._end`.
_LIST = 30


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each pair in the wrong order."""
    judged = (_judge(start, end, view) for start, end in _named_pairs(view))
    problems = tuple(problem for problem in judged if problem is not None)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _named_pairs(view: ScriptView) -> Iterator[tuple[Assignment, Assignment]]:
    """Each start with its end, of symbols that are assigned once."""
    numbers = [nodes[0] for nodes in view.assignments.values() if _is_number(nodes[0])]
    for start, nodes in view.assignments.items():
        if len(nodes) != 1 or _GROWS_DOWN.search(start):
            continue
        for end in _ends(start):
            others = view.assignments.get(end, ())
            if len(others) != 1:
                continue
            if len(numbers) >= _LIST and _is_number(nodes[0]) and _is_number(others[0]):
                continue
            yield nodes[0], others[0]


def _is_number(symbol: Assignment) -> bool:
    return isinstance(symbol.value, Number)


def _judge(start: Assignment, end: Assignment, view: ScriptView) -> Problem | None:
    first, last = start.target.text, end.target.text
    low, high = view.layout.value(start), view.layout.value(end)
    if low is None or high is None:
        return None
    placed = order(high, low)
    begins, ends = place_of(start, view), place_of(end, view)
    advice = "exchange the two"
    if low.value is not None and high.value is not None and high.value < low.value:
        message = f"{last} is {high.value:#x}, below {first}, which is {low.value:#x}"
    elif placed is Order.LESS or (placed is Order.LESS_OR_EQUAL and _places_between(ends, begins, view)):
        message = f"{shown(end, ends)} is assigned ahead of {shown(start, begins).rstrip(',')}"
        if begins is not start or ends is not end:
            advice = "look at the order of the two places, and at which of them is meant"
    elif _upside_down(start, end):
        message = f"{first} is the upper end of the memory region, and {last} the lower one"
    else:
        return None
    return view.problem(
        start,
        first,
        message,
        label="the start",
        related=(Related(view.locate(end), "the end"),),
        help=advice,
        severity=Severity.ERROR,
    )


def _places_between(first: Node | None, second: Node | None, view: ScriptView) -> bool:
    """Whether anything is placed by the statements between two places, or begins there."""
    if first is None or second is None:
        return False
    between = view.statements[view.positions[id(first)] : view.positions[id(second)]]
    return any(isinstance(node, InputSectionDescription | Data | OutputSection) for node in between)


def _upside_down(start: Assignment, end: Assignment) -> bool:
    """Whether the start is a region's length above the end, whatever the region's origin and length are."""
    one, other = linear(start.value), linear(end.value)
    if one is None or other is None:
        return False
    left = one - other
    # Lengths are positive, and nothing else is known of what is not a number.
    return (
        left.number >= 0
        and bool(left.parts)
        and all(name.startswith("LENGTH(") and count > 0 for name, count in left.parts.items())
    )


def _ends(start: str) -> list[str]:
    """The names that the end of a pair may have, given the start."""
    found = []
    for pattern, words in _PAIRS:
        match = pattern.fullmatch(start)
        # A bare `_start` is the entry point, and no end belongs to it.
        if match is not None and "".join(match.groups()).strip("_"):
            found += [f"{match[1]}{word}{match[2]}" for word in words]
    return found


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each pair of the script whose end has the lower address in the image."""
    if view.script is None:
        return Judgement(Standing.UNKNOWN, reason="no script, whose pairs could be compared")
    problems: list[Problem] = []
    lacking: list[str] = []
    for start, end in _named_pairs(view.script):
        first, last = start.target.text, end.target.text
        low, high = view.symbol(first), view.symbol(last)
        if low is None or high is None:
            lacking += [name for name, address in ((first, low), (last, high)) if address is None]
        elif high < low:
            problems.append(_below(start, end, low, high, view, view.script))
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems))
    if may_be_there(lacking, view):
        return missing(lacking, view)
    return Judgement(Standing.HOLDS)


def _below(start: Assignment, end: Assignment, low: int, high: int, view: ImageView, script: ScriptView) -> Problem:
    first, last = start.target.text, end.target.text
    return view.problem(
        first,
        first,
        f"{last} lies below {first}: {high:#x} < {low:#x}",
        label="the start",
        related=(Related(script.locate(end), "the end"),),
        facts=(f"in the image: {first} is at {low:#x}, {last} at {high:#x}",),
        help="look at the order of the two places, and at which of them is meant",
        severity=Severity.ERROR,
    )
