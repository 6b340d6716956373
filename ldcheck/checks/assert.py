"""A relation between symbols and sections, in the linker's own language.

## What it does
Evaluates the expression on the values of the image. The script alone decides it where its addresses, constants and
memory regions do, or where it follows from the script's own ASSERTs, since a link that fails one of these is no link.
With `evidence: script` the script has to see to it: what it leaves to the link is a violation. With `asserted: true`
it has to as well, and what it leaves to the link is a warning, or a note where it is true in the link. Zero is false,
everything else true, as in ASSERT().

## Why is this bad
An ASSERT in the script says only that it failed, without file and line, and there is none for what its authors did not
think of. A policy can state the relation for scripts that one does not own.

## Example
    rules:
      - id: starts-where-linked
        assert: _start == 0x200000

with

    SECTIONS { . = 0x400000; _start = .; .text : { *(.text) } }

## Use instead
    SECTIONS { . = 0x200000; _start = .; .text : { *(.text) } }

## Limits
The location counter has no value here. Names that neither the image nor the policy's params define make the expression
undecided. From ASSERTs inside of output sections nothing follows, and of several only what one of them alone implies.
The value of a function of Thumb code has the bit that says so where lld made the image, as in its expressions, and not
where GNU ld did; where nothing tells which, both have to agree.

## References
GNU ld manual, "Expressions in Linker Scripts", "Commands" (ASSERT).
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import (
    BY_LINKER,
    ScriptValues,
    asserting,
    because,
    expression_of,
    first_declared,
    image_values,
    linked_values,
    names_in,
    operands,
    undecided,
)
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule

DECLARATION = Declaration(
    head=Key("assert", Kind.EXPRESSION, "An expression in the linker's language that must not be 0."),
    keys=(Key("asserted", Kind.FLAG, "Whether the script itself has to see to it, by an ASSERT if by nothing else."),),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS or REFUTED where the script decides the expression: by its addresses, constants, regions or ASSERTs."""
    named = rule.names[0]
    expression = expression_of(named)
    decision = view.decided.condition(expression)
    if decision is None:
        return undecided(named, named.text, rule, view)
    if decision.truth:
        return Judgement(Standing.HOLDS, reason=because(decision, view))
    problem = view.problem(
        first_declared(named, view) or view.tree,
        named.text,
        f"`{named.text}` is false in every link of this script",
        label="decided here",
        related=asserting(decision, view),
        facts=operands(expression, ScriptValues(view), "in the script"),
    )
    return Judgement(Standing.REFUTED, (problem,))


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the expression is 0 on the image's values."""
    expression = expression_of(rule.names[0])
    environment = image_values(view)
    values = linked_values(expression, view)
    truths = {value.truth for value in values}
    if None in truths or len(truths) > 1:
        doubts = (view.doubt(used) for used in names_in(expression))
        return Judgement(Standing.UNKNOWN, reason=next(filter(None, doubts), values[0].reason or BY_LINKER))
    facts = operands(expression, environment, "in the image")
    if True in truths:
        return Judgement(Standing.HOLDS, evidence=view.available)
    name = next((name for name in names_in(expression) if view.declared_at(name) is not None), "")
    problem = view.problem(
        name,
        rule.names[0].text,
        f"`{rule.names[0].text}` is false",
        label="decided by what is here",
        facts=facts,
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=view.available)
