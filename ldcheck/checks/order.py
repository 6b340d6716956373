"""Sections or symbols come in the order in which the policy lists them.

## What it does
Each name of the list must have an address that is not below the one before it. From the script it is proved by
following the location counter; in the image the addresses are compared.

## Why is this bad
Ranges are computed from pairs of boundary symbols. Where a symbol of a pair, or a section between two others, moves
to the other side, a length becomes negative (and wraps to a huge one), a loop runs over foreign data, or live data is
freed.

## Example
    rules:
      - id: init-order
        order: [__init_begin, __init_end, __bss_start]

with

    __init_end = .;
    .init : { *(.init) }
    __init_begin = .;
    __bss_start = .;

## Use instead
    __init_begin = .;
    .init : { *(.init) }
    __init_end = .;
    __bss_start = .;

## Limits
Sections at explicit addresses and in memory regions are compared only as far as their addresses are known. Equal
addresses are in order: an empty table has equal boundaries.

## References
GNU ld manual, "The Location Counter".
"""

from __future__ import annotations

from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Severity, Standing, all_of
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import because, compare, place_of
from ldcheck.judging.subjects import absent, address_of, may_be_there, missing, unread
from ldcheck.layout.facts import Order
from ldcheck.layout.facts import order as order_of
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("order", Kind.NAMES, "Output sections and symbols, the lowest address first.", fewest=2),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)


_IN_ORDER = (Order.LESS, Order.LESS_OR_EQUAL, Order.EQUAL)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS where the script puts each name at or behind the one before it, REFUTED where it puts it ahead."""
    judgements: list[Judgement] = []
    present: list[Named] = []
    for named in rule.names:
        if address_of(named.text, view) is None:
            judgements.append(absent(named, view))
        else:
            present.append(named)
    judgements += [_proved(first, second, view) for first, second in pairwise(present)]
    return all_of(judgements, optional=rule.optional)


def _proved(first: Named, second: Named, view: ScriptView) -> Judgement:
    one, two = address_of(first.text, view), address_of(second.text, view)
    assert one is not None
    assert two is not None
    order = view.layout.order(first.text, second.text, with_assertions=True) or order_of(one[1], two[1])
    if order in _IN_ORDER:
        return Judgement(Standing.HOLDS)
    decision = view.decided.condition(compare(place_of(first.text, view), "<=", place_of(second.text, view)))
    if decision is not None and decision.truth:
        return Judgement(Standing.HOLDS, reason=because(decision, view))
    reversed_order = order is Order.GREATER or decision is not None
    severity = None
    if reversed_order or order is Order.GREATER_OR_EQUAL:
        message = f"{second.text} comes ahead of {first.text}"
    elif _usually(first, second, view) in _IN_ORDER:
        message = f"{second.text} is behind {first.text} unless an orphan or an empty section comes in between"
        severity = Severity.NOTE
    elif view.unread:
        return unread(view)
    else:
        message = f"nothing in the script keeps {second.text} behind {first.text}"
    problem = view.problem(
        two[0],
        second.text,
        message,
        label=f"must not lie below {first.text}",
        related=(Related(view.locate(one[0]), f"{first.text} is here"),),
        help=f"look at where {second.text} stands: {first.text} has to come ahead of it"
        if severity is None
        else "refuse orphans (--orphan-handling=error)",
        severity=severity,
    )
    return Judgement(Standing.REFUTED if reversed_order else Standing.NOT_GUARANTEED, (problem,))


def _usually(first: Named, second: Named, view: ScriptView) -> Order | None:
    """The order of two names in usual links."""
    one, two = (address_of(named.text, view, view.usual_layout) for named in (first, second))
    return order_of(one[1], two[1]) if one is not None and two is not None else None


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where a name of the list has a lower address in the image than the one before it."""
    found = [(named.text, view.address(named.text)) for named in rule.names]
    present = [(name, address) for name, address in found if address is not None]
    absentees = [name for name, address in found if address is None]
    if len(present) < 2:
        return missing(absentees, view)
    problems = tuple(
        view.problem(
            name,
            name,
            f"{name} lies below {before}: {address:#x} < {lower:#x}",
            label=f"must not lie below {before}",
            facts=(f"in the image: {before} is at {lower:#x}, {name} at {address:#x}",),
            help=f"look at where {name} stands: {before} has to come ahead of it",
        )
        for (before, lower), (name, address) in pairwise(present)
        if address < lower
    )
    if problems:
        return Judgement(Standing.REFUTED, problems)
    if may_be_there(absentees, view):
        return missing(absentees, view)
    return Judgement(Standing.HOLDS)
