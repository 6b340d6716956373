"""ASSERTs of the script that do not hold on the image, or in any.

## What it does
Evaluates each ASSERT of the script again, with the values of the linked image, and reports those that are false, with
file, line and the values of the operands. Without an image, those that are false in every link.

## Why is this bad
GNU ld prints the text of a failing ASSERT without file and line, and goes on under `--noinhibit-exec`. lld and GNU ld
read `.` in an output section differently. An image that was patched or re-linked since may no longer satisfy what its
script demands.

## Example
    MEMORY { flash : ORIGIN = 0x08000000, LENGTH = 512K }
    SECTIONS { .text : { *(.text) } > flash }
    ASSERT(LENGTH(flash) >= 1M, "the flash is too small for two slots")

## Use instead
    MEMORY { flash : ORIGIN = 0x08000000, LENGTH = 1M }
    SECTIONS { .text : { *(.text) } > flash }
    ASSERT(LENGTH(flash) >= 1M, "the flash is too small for two slots")

## Limits
Where the image does not tell an operand's value, and the script does not prove the ASSERT, it is not checked. Without
a symbol table little can be evaluated.

## References
GNU ld manual, "Commands" (ASSERT).
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import BY_LINKER, environments
from ldcheck.layout.concrete import AssertionValue, evaluate_on
from ldcheck.layout.result import Truth
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.record import replace
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "ASSERTs of the script that do not hold on the image."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each ASSERT that no link satisfies; ABSENT in a script without one."""
    facts = view.layout.assertions()
    if not facts:
        return Judgement(Standing.ABSENT, reason="the script has no ASSERT")
    problems = tuple(
        view.problem(
            fact.node,
            fact.node.message.text,
            f"this ASSERT fails in every link: {fact.node.message.text}",
            at=fact.node.condition,
            label="false, whatever is linked",
            help="correct the condition, or what it is about: no link of this script succeeds",
        )
        for fact in facts
        if fact.truth is Truth.FALSE
    )
    if problems:
        return Judgement(Standing.REFUTED, problems)
    proved = all(fact.truth is Truth.TRUE for fact in facts)
    return (
        Judgement(Standing.HOLDS) if proved else Judgement(Standing.UNKNOWN, reason="only a link decides its ASSERTs")
    )


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED with a problem for each ASSERT that is false; needs the script and the ELF."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, whose ASSERTs could be evaluated"
        return Judgement(Standing.UNKNOWN, reason=missing)
    script = view.script
    evidence = (script.tree, view.elf, view.map, view.params, script.linker)
    values = evaluate_on(*evidence).assertions
    if len(environments(view)) > 1:
        others = evaluate_on(*evidence, with_thumb_bit=True).assertions
        values = tuple(
            one if one.holds == other.holds else replace(one, holds=None, reason=BY_LINKER)
            for one, other in zip(values, others, strict=True)
        )
    problems = tuple(_problem(value, view) for value in values if value.holds is False)
    if not problems and (open_questions := _undecided(values, view.script)):
        reason = f"the image does not decide {counted(len(open_questions), 'ASSERT')}: {open_questions[0].reason}"
        return Judgement(Standing.UNKNOWN, reason=reason)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _undecided(values: Sequence[AssertionValue], view: ScriptView) -> list[AssertionValue]:
    """The ASSERTs that neither the image decides nor the script proves."""
    found = [value for value in values if value.holds is None]
    proved = {id(fact.node) for fact in view.layout.assertions() if fact.truth is Truth.TRUE} if found else set()
    return [value for value in found if id(value.node) not in proved]


def _problem(value: AssertionValue, view: ImageView) -> Problem:
    assert view.script is not None
    node = value.node
    said = [f"{one.text} is {one.value:#x}" for one in value.operands if one.value is not None]
    return view.script.problem(
        node,
        node.message.text,
        f"this ASSERT does not hold in the image: {node.message.text}",
        label="false",
        facts=(f"in the image: {listed(said, most=6)}",) if said else (),
    )
