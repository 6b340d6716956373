"""Bytes that are lost to alignment stay within a bound.

## What it does
Adds up the padding that the map shows in each output section of these names: in front of inputs, and by `. = ALIGN(n)`.
Room that the script reserves (`. = . + 2K`) is none.

## Why is this bad
One object with a large alignment between small ones costs up to that alignment twice. With split sections the order of
the inputs decides over many kilobytes, and nobody sees it.

## Example
    rules:
      - id: text-is-dense
        padding: .text
        at-most: 1%

## Use instead
Look at `ldcheck padding --map MAP`, which tells what other orders would cost; list page-aligned sections first.

## Limits
The parts of an `ld -r` object have merged before the link: the padding inside them is not in the map. An lld map has no
fill lines; there it is computed from the gaps. Where the bound hangs on gaps that a map of GNU ld does not explain, as
in one that was cut off, the rule is not checked.

## References
GNU ld manual, "Input Section Wildcard Patterns" (SORT_BY_ALIGNMENT).
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing, all_of
from ldcheck.image.gnu_map import UNEXPLAINED
from ldcheck.image.model import MapSection, Padding
from ldcheck.image.padding import by_alignment
from ldcheck.judging.evidence import ImageView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Named, Rule
from ldcheck.policy.sizes import evaluate
from ldcheck.sections.globs import section_glob
from ldcheck.words import counted, listed, size

DECLARATION = Declaration(
    head=Key("padding", Kind.NAMES, "Output sections, by name or pattern."),
    keys=(Key("at-most", Kind.SIZE_OR_SHARE, "The most bytes, or the greatest share, of each.", required=True),),
    evidence=(EvidenceKind.MAP,),
)


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """By the map: REFUTED where an output section has more padding than allowed."""
    if view.map is None:
        return Judgement(Standing.UNKNOWN, reason="no map, give --map")
    return all_of([_judge(named, rule, view) for named in rule.names], optional=rule.optional)


def _judge(named: Named, rule: Rule, view: ImageView) -> Judgement:
    assert view.map is not None
    glob = section_glob(named.text)
    found = [section for section in view.map.sections if section.size and glob.matches(section.name)]
    if not found:
        return Judgement(Standing.ABSENT, reason=f"the map has no output section {named.text}")
    evidence = (EvidenceKind.MAP,)
    problems = []
    unexplained = ""
    for section in found:
        parts = by_alignment(section)
        gaps = sum(part.size for part in parts if part.cause == UNEXPLAINED)
        lost = sum(part.size for part in parts)
        if (excess := _over(lost - gaps, section, rule, view)) is not None:
            known = [part for part in parts if part.cause != UNEXPLAINED]
            problems.append(_problem(known, excess, section, view))
        elif gaps and _over(lost, section, rule, view) is not None:
            unexplained = f"the map does not tell what {counted(gaps, 'byte')} of {section.name} are"
    if problems:
        return Judgement(Standing.REFUTED, tuple(problems), evidence=evidence)
    if unexplained:
        return Judgement(Standing.UNKNOWN, reason=unexplained, evidence=evidence)
    return Judgement(Standing.HOLDS, evidence=evidence)


def _over(lost: int, section: MapSection, rule: Rule, view: ImageView) -> str | None:
    """What is allowed, where so many bytes are more; else None."""
    bound = rule.keys["at-most"]
    assert isinstance(bound, Named)
    if bound.text.rstrip().endswith("%"):
        within = 100 * lost / section.size <= float(bound.text.rstrip().rstrip("%"))
        return None if within else bound.text.strip()
    most = evaluate(bound.text, view.params, bound.location)
    return None if lost <= most else size(most)


def _problem(parts: Sequence[Padding], allowed: str, section: MapSection, view: ImageView) -> Problem:
    lost = sum(part.size for part in parts)
    share = 100 * lost / section.size
    causes: dict[str, int] = {}
    for part in parts:
        causes[part.cause] = causes.get(part.cause, 0) + part.size
    said = [
        f"{counted(amount, 'byte')} by {cause}" for cause, amount in sorted(causes.items(), key=lambda one: -one[1])
    ]
    return view.problem(
        section.name,
        section.name,
        f"{section.name} loses {counted(lost, 'byte')} ({share:.1f}%) to alignment, {allowed} at most",
        label=f"{share:.1f}% padding",
        facts=(f"in the map: {listed(said)}",),
        help="`ldcheck padding --map` shows where, and what another order would cost",
    )
