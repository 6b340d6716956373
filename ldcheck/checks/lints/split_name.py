"""Names that a quotation mark splits in two.

## What it does
Reports section patterns that touch each other, because a quotation mark stands in the middle of what looks like one
name.

## Why is this bad
A quoted text is a name of its own: `.noinit."pool.c".heap` is the three patterns `.noinit.`, `pool.c` and `.heap`. The
sections that were meant go elsewhere, and others may come in their place.

## Example
    .apart : { *(.noinit."pool.c".heap) }

## Use instead
    .apart : { *(.noinit.?pool.c?.heap) }

## Limits
Quotes around a whole name are fine. A section whose name has quotation marks in it (from `__FILE__` in an attribute) is
matched with `?` in their place.

## References
GNU ld manual, "Symbol Names"; ld/ldlex.l.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import InputSectionDescription, SectionPattern, Word
from ldcheck.words import listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Names that a quotation mark splits in two."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each name that is split."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, InputSectionDescription) and node.patterns:
            problems += [_problem(run, view) for run in _touching(node.patterns)]
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _touching(patterns: Sequence[SectionPattern]) -> list[list[SectionPattern]]:
    """The runs of patterns of which each begins where the one ahead of it ends, with a quotation mark in between."""
    runs: list[list[SectionPattern]] = [[patterns[0]]]
    for one, other in pairwise(patterns):
        if _touches(one.pattern, other.pattern):
            runs[-1].append(other)
        else:
            runs.append([other])
    return [run for run in runs if len(run) > 1]


def _touches(one: Word, other: Word) -> bool:
    # A comma without blanks is a pattern as well, which is said where the script is read.
    return one.end == other.start and (one.quoted or other.quoted) and "," not in (one.text, other.text)


def _problem(run: Sequence[SectionPattern], view: ScriptView) -> Problem:
    meant = "".join(_written(pattern.pattern) for pattern in run)
    return view.problem(
        run[0],
        meant,
        f"`{meant}` is not one name: the quotes make it the patterns "
        f"{listed([f'`{pattern.pattern.text}`' for pattern in run])}",
        label="ends at the quotation mark",
        help=f"put the quotes around the whole name, or, if they belong to it, write `{meant.replace(chr(34), '?')}`",
        severity=Severity.ERROR,
    )


def _written(word: Word) -> str:
    return f'"{word.text}"' if word.quoted else word.text
