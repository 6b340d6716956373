"""Patterns of different output sections that overlap without one containing the other.

## What it does
Reports a pattern of which another one ahead of it takes some sections and leaves others, where neither is a catch-all
for the other, and where it matters: in another output section, or across a boundary symbol.

## Why is this bad
`*(.text.*init*)` ahead of `*(.text.pinit.*)` takes part of the latter's sections: run-time functions whose names
happen to match land in memory that is reclaimed after boot.

## Example
    .init.text : { *(.text.*init*) }
    .text : { *(.text.boot.*) }

## Use instead
    .init.text : { *(.init.text .init.text.*) }
    .text : { *(.text.boot.*) }

## Limits
It is a warning where compilers make such names of what a program calls its functions and data, and a part of the name
decides (`.text.*init*`, not `.*.memcpy`); it is a note elsewhere. A list of names followed by a catch-all is what
catch-alls are for, and not reported; nor is a later pattern that begins with a wildcard (`*(.*bss)`), which is for what
is left, nor a statement for some files ahead of one for all.

## References
GNU ld manual, "Input Section Basics".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing, unless_undecided
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.budget import TooComplexError
from ldcheck.sections.globs import contains, shortest
from ldcheck.sections.left import State
from ldcheck.sections.reach import Relation, reaches, relation
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Patterns of different output sections that overlap."),
    evidence=(EvidenceKind.SCRIPT,),
)

# So many patterns are named in a message.
_MOST = 5

# Behind these, -ffunction-sections and -fdata-sections put what a program calls its functions and data.
_SPLIT = (".text", ".rodata", ".data", ".bss")


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each pattern that has taken of others, whose author it is for to narrow it."""
    competing: dict[int, list[InputRule]] = {}
    rules = {rule.index: rule for rule in view.rules}
    found = reaches(view.rules)
    for reach in found:
        if reach.state is State.COMPETES and reach.rule.pattern is not None:
            for earlier in reach.earlier:
                if earlier.pattern is not None and _ambiguous(reach.rule, earlier):
                    competing.setdefault(earlier.index, []).append(reach.rule)
    causes: dict[tuple[object, ...], tuple[InputRule, dict[int, InputRule]]] = {}
    for index, losers in competing.items():
        taker = rules[index]
        # `*a*(*.text)` and `*b*(*.text)` are one pattern, as is `*(.x)` beside `*(.x.*)`, in one place.
        key = (id(taker.section), _named(taker).removesuffix("*").removesuffix("."))
        causes.setdefault(key, (taker, {}))[1].update((rule.index, rule) for rule in losers)
    problems = tuple(
        problem for taker, losers in causes.values() if (problem := _problem(taker, list(losers.values()), view))
    )
    judgement = Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
    undecided = sum(len(reach.undecided) or reach.state is State.UNDECIDED for reach in found)
    return unless_undecided(judgement, undecided)


def _named(rule: InputRule) -> str:
    assert rule.pattern is not None
    return rule.pattern.pattern.text


def _ambiguous(rule: InputRule, earlier: InputRule) -> bool:
    """Whether the order of the two matters, and neither of them is there to take the rest of the other."""
    if relation(rule, earlier) in (Relation.SAME_STATEMENT, Relation.SAME_STRETCH):
        return False
    if rule.output == earlier.output:
        return False
    # A statement for some files, or one for a configuration, is meant to have them ahead of one for all.
    if not earlier.files.everything and rule.files.everything:
        return False
    # `*(.*bss)` behind `*(.text*)` is for what is left; nobody means its .textbss.
    if not rule.names.prefix.strip("._") or ".gnu.linkonce." in rule.names.prefix:
        return False
    return not contains(rule.names, earlier.names) and not contains(earlier.names, rule.names)


def _problem(taker: InputRule, losers: list[InputRule], view: ScriptView) -> Problem | None:
    """What a pattern takes of later ones; None where the names that both match are no names that anybody gives."""
    shown = [(rule, example) for rule in losers if (example := _example(rule, taker))]
    if not shown:
        return None
    rule, example = shown[0]
    names = [f"`{_named(one)}`" for one, _ in shown[:_MOST]]
    if len(shown) > _MOST:
        names.append(counted(len(shown) - _MOST, "other"))
    return view.problem(
        rule.node,
        rule.text,
        f"`{_named(taker)}` takes sections such as {example}, which {listed(names)} behind it "
        f"{'matches' if len(shown) == 1 else 'match'} too",
        label=f"gets the rest, in {rule.output}",
        related=(Related(view.locate(taker.node), f"takes them into {taker.output}"),),
        witness=example,
        help="narrow one of the two, so that it is plain which one is meant",
        severity=Severity.WARNING if any(_is_likely(one, taker) for _, one in shown) else Severity.NOTE,
    )


def _example(rule: InputRule, taker: InputRule) -> str:
    """A section that both match; empty if there is none, or none that is found within reason."""
    try:
        return shortest((rule.names, taker.names)) or ""
    except TooComplexError:
        return ""


def _is_likely(example: str, taker: InputRule) -> bool:
    """Whether compilers make such names of whatever a program calls its functions and data (-ffunction-sections)."""
    return any(
        (taker.names.prefix.startswith(f"{family}.") or "." not in name) and not _is_meant(name, _named(taker))
        for family in _SPLIT
        if (name := example.removeprefix(f"{family}.")) != example
    )


def _is_meant(name: str, pattern: str) -> bool:
    """Whether a pattern has this very name in it (`.*.memcpy`), or one of the compiler's (`.data.rel.ro*`)."""
    return (pattern.rstrip("*") if "." in name else pattern).endswith(f".{name}")
