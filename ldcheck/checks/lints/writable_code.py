"""Output sections that collect code and writable data together.

## What it does
Reports a pattern of the `.data` or `.bss` family in an output section that also takes `.text`, and the reverse; also
under a project's own prefix (`.init.text`, `.init.data`).

## Why is this bad
The section gets the permissions of both: memory that is writable and executable at once. GNU ld warns of such a segment
since 2.39.

## Example
    .text : { *(.text .text.*) *(.data .data.*) }

## Use instead
    .text : { *(.text .text.*) }
    .data : { *(.data .data.*) }

## Limits
It is a warning in scripts that otherwise keep the two apart. A script that keeps nothing apart means it so, as does a
section in a memory region, of chosen files, or with the code and data of one feature (`.text.x` and `.data.x`): a note.
Functions that run from RAM under a name of their own (`.ramfunc`, `.data.ramfunc`) are not taken for code:
microcontrollers do that. Names are all that the script tells; the check `permissions` looks at the image.

## References
ELF gABI, "Special Sections".
"""

from __future__ import annotations

from collections.abc import Sequence

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.sections.families import Family, family_of, project_family_of
from ldcheck.sections.rules import InputRule
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Output sections that collect code and writable data together."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each output section of both kinds."""
    code: dict[int, list[InputRule]] = {}
    data: dict[int, list[InputRule]] = {}
    for rule in view.rules:
        if rule.pattern is None or rule.section is None or rule.discards or _is_made(rule):
            continue
        family = project_family_of(rule.pattern.pattern.text, view.arch)
        if family is Family.CODE:
            code.setdefault(id(rule.section), []).append(rule)
        elif family in (Family.DATA, Family.ZERO):
            data.setdefault(id(rule.section), []).append(rule)
    # Elsewhere, the script keeps the two apart.
    apart = bool(code.keys() - data.keys()) and bool(data.keys() - code.keys())
    problems = tuple(_problem(code[key], data[key], apart, view) for key in code if key in data)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _is_made(rule: InputRule) -> bool:
    """Whether a rule is for the addresses that the linker collects, which lie wherever the script has room."""
    assert rule.pattern is not None
    return rule.pattern.pattern.text.startswith((".got", ".igot"))


def _problem(code: Sequence[InputRule], data: Sequence[InputRule], apart: bool, view: ScriptView) -> Problem:
    first, second = sorted((code[0], data[0]), key=lambda rule: rule.index)
    kinds = {code[0].index: "code", data[0].index: "writable data"}
    likely = apart and not _is_meant(code, data)
    return view.problem(
        second.node,
        first.output,
        f"{first.output} collects code and writable data: whatever segment it is in is writable and executable",
        label=kinds[second.index],
        related=(Related(view.locate(first.node), kinds[first.index]),),
        help="give each an output section of its own",
        severity=Severity.WARNING if likely else Severity.NOTE,
    )


def _is_meant(code: Sequence[InputRule], data: Sequence[InputRule]) -> bool:
    """Whether the two are in one section on purpose: a copy in RAM, chosen files, or one feature's code and data.

    A section in a memory region is one of a microcontroller, where addresses have no permissions of their own.
    """
    section = code[0].section
    assert section is not None
    if section.region is not None or not all(rule.files.everything for rule in (*code, *data)):
        return True
    return {_feature(rule) for rule in data} <= {_feature(rule) for rule in code} - {""}


def _feature(rule: InputRule) -> str:
    """What stands behind the family in a name: `efi_runtime` of `.data.efi_runtime*`."""
    assert rule.pattern is not None
    return rule.pattern.pattern.text.lstrip(".").partition(".")[2].rstrip("*") if _leads(rule) else ""


def _leads(rule: InputRule) -> bool:
    assert rule.pattern is not None
    return family_of(rule.pattern.pattern.text) is not Family.OTHER
