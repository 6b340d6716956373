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
A script that takes its PHDRS from an INCLUDE that was not found, or may take it from an #include of statements, is not
judged, nor is a part of one that has neither PHDRS nor code nor an entry: it is for a link with another script. A name
that a condition asks about, or in capitals where a header is missing, is a macro that stands for nobody knows what.

## References
GNU ld manual, "PHDRS Command".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.unsettled import not_known
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Command, OutputSection, Overlay, ProgramHeaders, Word
from ldcheck.sections.reach import first_taker
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Program headers that are used and not declared."),
    evidence=(EvidenceKind.SCRIPT,),
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each use of an undeclared program header."""
    if view.unread:
        return Judgement(Standing.UNKNOWN, reason=f"{view.unread} was not found, which may hold the PHDRS")
    declared = {"NONE"}
    for node in view.statements:
        if isinstance(node, ProgramHeaders):
            declared.update(header.name.text for header in node.headers)
    used: dict[str, list[tuple[OutputSection | Overlay, Word]]] = {}
    for node in view.statements:
        if isinstance(node, OutputSection | Overlay):
            for word in node.phdrs:
                if word.text not in declared:
                    used.setdefault(word.text, []).append((node, word))
    if used and declared == {"NONE"} and not _is_whole(view):
        return Judgement(Standing.UNKNOWN, reason="the script has no PHDRS: another one that it is linked with must")
    unknown = {name: why for name in used if (why := not_known(name, view))}
    problems = tuple(
        view.problem(
            uses[0][0],
            name,
            f"the program header {name} of {_named(uses[0][0])} is not declared",
            at=uses[0][1],
            label="in no line of PHDRS",
            related=(Related(view.locate(word), "used here too") for _, word in uses[1:]),
            help=f"add `{name} PT_LOAD;` (or its type) to PHDRS",
        )
        for name, uses in used.items()
        if name not in unknown
    )
    if unknown and not problems:
        return Judgement(Standing.UNKNOWN, reason=next(iter(unknown.values())))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _named(node: OutputSection | Overlay) -> str:
    return node.name.text if isinstance(node, OutputSection) else "the OVERLAY"


def _is_whole(view: ScriptView) -> bool:
    """Whether a script is for a link of its own: one for a part of it leaves code and the entry to another."""
    commands = {node.keyword for node in view.tree.statements if isinstance(node, Command)}
    return bool(commands & {"ENTRY", "OUTPUT_FORMAT"}) or first_taker(view.rules, ".text") is not None
