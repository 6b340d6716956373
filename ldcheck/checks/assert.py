"""A relation between symbols and sections, in the linker's own language.

## What it does
Evaluates the expression on the values of the image, and on the script as far as that alone decides it (exact
addresses). Zero is false, everything else true, as in ASSERT().

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
undecided.

## References
GNU ld manual, "Expressions in Linker Scripts", "Commands" (ASSERT).
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.expressions import ScriptValues, expression_of, image_values, names_in, operands
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.expressions import evaluate

DECLARATION = Declaration(
    head=Key("assert", Kind.EXPRESSION, "An expression in the linker's language that must not be 0."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)


def on_script(rule: Rule, view: ScriptView) -> Judgement:
    """HOLDS or REFUTED where the script alone gives the expression a value, else UNKNOWN."""
    expression = expression_of(rule.names[0])
    environment = ScriptValues(view)
    value = evaluate(expression, environment)
    if value.truth is None:
        return Judgement(Standing.UNKNOWN, reason=f"the script alone does not decide it: {value.reason}")
    if value.truth:
        return Judgement(Standing.HOLDS)
    name = next((name for name in names_in(expression) if view.declared(name) is not None), "")
    node = view.declared(name)
    problem = Problem(
        subject=rule.names[0].text,
        message=f"`{rule.names[0].text}` is false in every link of this script",
        location=view.locate(node) if node is not None else None,
        label="decided here",
        facts=operands(expression, environment, "in the script"),
        route=view.route(node) if node is not None else "",
    )
    return Judgement(Standing.REFUTED, (problem,))


def on_image(rule: Rule, view: ImageView) -> Judgement:
    """REFUTED where the expression is 0 on the image's values."""
    expression = expression_of(rule.names[0])
    environment = image_values(view)
    value = evaluate(expression, environment)
    if value.truth is None:
        return Judgement(Standing.UNKNOWN, reason=value.reason)
    facts = operands(expression, environment, "in the image")
    if value.truth:
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
