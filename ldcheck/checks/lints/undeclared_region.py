"""Memory regions that are used and not declared.

## What it does
Reports each `>region` and `AT>region` for which the script has neither a line in MEMORY nor a REGION_ALIAS.

## Why is this bad
GNU ld only warns, and makes a region of the whole address space from 0: the section is placed there, and nothing checks
that it fits. It happens where a region is declared under one `#if` and used under another.

## Example
    MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K }
    SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } > RAM }

## Use instead
    MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K RAM (rw) : ORIGIN = 0x20000000, LENGTH = 16K }
    SECTIONS { .text : { *(.text) } > FLASH .data : { *(.data) } > RAM }

## Limits
A script without any MEMORY, which takes it from another `-T` script, is not judged, nor is one with an INCLUDE that
was not found, or an #include of statements, nor one whose MEMORY is made of symbols that it does not define itself:
what defines those, and includes the script, may have the region as well. (A name in capitals in a preprocessed script
counts as a macro of a header.) A region whose name a condition asks about (`#ifdef CORE_RAM`), or in capitals where a
header is missing, is a macro of which nobody knows what region it stands for.

## References
GNU ld manual, "MEMORY Command", "REGION_ALIAS".
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.unsettled import not_known
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.preprocess.undefined import looks_like_macro
from ldcheck.script.syntax import Command, MemoryRegion, Name, Node, OutputSection, Overlay, Word
from ldcheck.script.uses import leaves
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Memory regions that are used and not declared."),
    evidence=(EvidenceKind.SCRIPT,),
)

# GNU ld's region for everything that names none (ldlang.c: DEFAULT_MEMORY_REGION).
_DEFAULT = "*default*"


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each use of an undeclared region."""
    if view.unread:
        return Judgement(Standing.UNKNOWN, reason=f"{view.unread} was not found, which may hold the MEMORY")
    regions = {node.name.text for node in view.statements if isinstance(node, MemoryRegion)}
    aliases = {
        node.arguments[0].text
        for node in view.statements
        if isinstance(node, Command) and node.keyword == "REGION_ALIAS" and node.arguments
    }
    declared = {_DEFAULT} | regions | aliases
    if not regions and any(word.text != _DEFAULT for node in view.statements for word in _used(node)):
        return Judgement(Standing.UNKNOWN, reason="the script has no MEMORY: another one that it is linked with must")
    if foreign := _foreign(view):
        reason = f"{foreign} bounds a region here and is defined elsewhere, where more regions may be"
        return Judgement(Standing.UNKNOWN, reason=reason)
    used: dict[str, list[tuple[Node, Word]]] = {}
    for node in view.statements:
        for word in _used(node):
            if word.text not in declared:
                used.setdefault(word.text, []).append((node, word))
    unknown = {name: why for name in used if (why := not_known(name, view))}
    problems = tuple(
        view.problem(
            uses[0][0],
            name,
            f"the memory region {name} of {_named(uses[0][0])} is not declared",
            at=uses[0][1],
            label="GNU ld makes it up, from address 0 on",
            related=(Related(view.locate(word), "used here too") for _, word in uses[1:]),
            help=f"add `{name} : ORIGIN = ..., LENGTH = ...` to MEMORY",
        )
        for name, uses in used.items()
        if name not in unknown
    )
    if unknown and not problems:
        return Judgement(Standing.UNKNOWN, reason=next(iter(unknown.values())))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _foreign(view: ScriptView) -> str:
    """A symbol that bounds a region and that the script does not define; empty if there is none.

    What looks like a macro in a preprocessed script is one of a header that is missing, and headers have no regions.
    """
    for node in view.memory.values():
        preprocessed = view.sources.find(node.start)[2] is not None
        for leaf in (leaf for bound in (node.origin, node.length) for leaf in leaves(bound)):
            if (
                isinstance(leaf, Name)
                and leaf.name not in view.assignments
                and not (preprocessed and looks_like_macro(leaf.name))
            ):
                return leaf.name
    return ""


def _named(node: Node) -> str:
    return node.name.text if isinstance(node, OutputSection) else "the OVERLAY"


def _used(node: Node) -> Iterator[Word]:
    if isinstance(node, OutputSection | Overlay):
        for word in (node.region, node.load_region):
            if word is not None:
                yield word
