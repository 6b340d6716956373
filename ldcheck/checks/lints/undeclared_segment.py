"""Program headers that are used and not declared.

## What it does
Reports each `:name` behind an output section for which PHDRS has no line. `:NONE` is always allowed.

## Why is this bad
GNU ld refuses the link if the section has content, so it shows up in that configuration only in which it has. It
happens where a header is declared under one `#if` and used under another.

## Example
    PHDRS { text PT_LOAD; }
    SECTIONS { .text : { *(.text) } :text .note : { *(.note.*) } :note }

## Use instead
    PHDRS { text PT_LOAD; note PT_NOTE; }
    SECTIONS { .text : { *(.text) } :text .note : { *(.note.*) } :note }

## Limits
A script that takes its PHDRS from an INCLUDE that was not found is not judged.

## References
GNU ld manual, "PHDRS Command".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Include, OutputSection, Overlay, ProgramHeaders

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Program headers that are used and not declared."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each use of an undeclared program header."""
    if any(isinstance(node, Include) and node.statements is None for node in view.statements):
        return Judgement(Standing.UNKNOWN, reason="an INCLUDE was not found, which may hold the PHDRS")
    declared = {"NONE"}
    for node in view.statements:
        if isinstance(node, ProgramHeaders):
            declared.update(header.name.text for header in node.headers)
    problems = tuple(
        view.problem(
            node,
            word.text,
            f"the program header {word.text} is not declared",
            at=word,
            label="in no line of PHDRS",
            help=f"add `{word.text} PT_LOAD;` (or its type) to PHDRS",
        )
        for node in view.statements
        if isinstance(node, OutputSection | Overlay)
        for word in node.phdrs
        if word.text not in declared
    )
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)
