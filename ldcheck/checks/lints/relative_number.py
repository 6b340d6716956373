"""Numbers that are computed inside an output section and move with the image.

## What it does
Reports a symbol that is assigned a difference (a size, an offset) inside an output section, without ABSOLUTE().

## Why is this bad
In GNU ld such a symbol is relative to the section: in a position independent image it is relocated, and a size of
0x1000 becomes 0x1000 plus the load address. lld makes it absolute.

## Example
    .text : { start = .; *(.text) text_size = . - start; }

## Use instead
    .text : { start = .; *(.text) text_size = ABSOLUTE(. - start); }

## Limits
In an image that is never relocated it makes no difference to the value.

## References
GNU ld manual, "Expression Section".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, Binary, Call, Expression, Name

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Numbers that move with the image."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each number that is section-relative."""
    problems = tuple(
        view.problem(
            node,
            node.target.text,
            f"{node.target.text} is a number, and GNU ld makes it an address in {section.name.text}",
            label="relocated with the section",
            help="wrap the value in ABSOLUTE(), or assign it outside of the output section",
        )
        for sections in view.output_sections.values()
        for section in sections
        for node in section.statements
        if isinstance(node, Assignment) and node.target.text != "." and _is_number(node.value, view)
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _is_number(value: Expression, view: ScriptView) -> bool:
    """Whether an expression is the difference of two places, or is made from sizes only."""
    if isinstance(value, Binary) and value.operator == "-":
        return _is_place(value.left, view) and _is_place(value.right, view)
    if isinstance(value, Binary) and value.operator in ("/", "*", ">>", "<<", "+"):
        return _is_number(value.left, view) or (value.operator == "+" and _is_number(value.right, view))
    return isinstance(value, Call) and value.function == "SIZEOF"


def _is_place(value: Expression, view: ScriptView) -> bool:
    if isinstance(value, Name):
        return value.name == "." or value.name in view.assignments
    return isinstance(value, Call) and value.function in ("ADDR", "ALIGN")
