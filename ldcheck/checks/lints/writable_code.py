"""Output sections that collect code and writable data together.

## What it does
Reports a pattern of the `.data` or `.bss` family in an output section that also takes `.text`, and the reverse.

## Why is this bad
The section gets the permissions of both: memory that is writable and executable at once.

## Example
    .text : { *(.text .text.*) *(.data .data.*) }

## Use instead
    .text : { *(.text .text.*) }
    .data : { *(.data .data.*) }

## Limits
Functions that run from RAM under a name of their own (`.ramfunc`, `.data.ramfunc`) are not taken for code:
microcontrollers do that. Names are all that the script tells; the check `permissions` looks at the image.

## References
ELF gABI, "Special Sections".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.families import Family, family_of
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Output sections that collect code and writable data together."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each output section of both kinds."""
    code: dict[int, InputRule] = {}
    data: dict[int, InputRule] = {}
    for rule in view.rules:
        if rule.pattern is None or rule.section is None or rule.discards:
            continue
        family = family_of(rule.pattern.pattern.text)
        if family is Family.CODE:
            code.setdefault(id(rule.section), rule)
        elif family in (Family.DATA, Family.ZERO) and not rule.pattern.pattern.text.startswith(".got"):
            data.setdefault(id(rule.section), rule)
    problems = tuple(_problem(code[key], data[key], view) for key in code if key in data)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _problem(code: InputRule, data: InputRule, view: ScriptView) -> Problem:
    first, second = sorted((code, data), key=lambda rule: rule.index)
    kinds = {code.index: "code", data.index: "writable data"}
    return view.problem(
        second.node,
        first.output,
        f"{first.output} collects code and writable data",
        label=kinds[second.index],
        related=(Related(view.locate(first.node), kinds[first.index]),),
        help="give each an output section of its own",
    )
