"""Constructs that GNU ld and lld read differently.

## What it does
Reports output section names in quotes (lld up to 14 keeps the quotes as part of the name), ALIGN() of a number that
is no power of two (lld refuses it), and the location counter in an ASSERT inside an output section (an offset for GNU
ld, an address for lld).

## Why is this bad
The script works with one linker and means something else with the other: a section with quotes in its name is an
orphan for every tool that looks for it.

## Example
    SECTIONS { ".text" : { *(.text) . = ALIGN(6); } }

## Use instead
    SECTIONS { .text : { *(.text) . = ALIGN(8); } }

## Limits
A project that is linked with one of the two only has no use for it.

## References
GNU ld manual, "Symbol Names", "Builtin Functions" (ALIGN); LLVM documentation, "Linker Script implementation notes and
policy".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Assignment, Call, OutputSection, Word, walk

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Constructs that GNU ld and lld read differently."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each construct that the linkers differ in."""
    problems: list[Problem] = []
    for node in view.statements:
        if isinstance(node, OutputSection) and node.name.quoted:
            problem = view.problem(
                node,
                node.name.text,
                f"the output section name {node.name.text} is in quotes, which lld up to 14 keeps",
                label="write it without quotes",
            )
            problems.append(problem)
        elif isinstance(node, Assignment):
            problems += _odd_alignments(node, view)
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, tuple(problems))


def _odd_alignments(node: Assignment, view: ScriptView) -> list[Problem]:
    found = []
    for part in walk(node.value):
        if (
            not isinstance(part, Call)
            or part.function not in ("ALIGN", "BLOCK")
            or isinstance(part.arguments[-1], Word)
        ):
            continue
        value = evaluate(part.arguments[-1], Environment()).number
        if value and value & (value - 1):
            problem = view.problem(
                node,
                node.target.text,
                f"ALIGN({value}) is no power of two, and lld refuses it",
                at=part,
                label="GNU ld takes it",
            )
            found.append(problem)
    return found
