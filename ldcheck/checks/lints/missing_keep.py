"""Tables, vectors and constructors that --gc-sections would drop.

## What it does
Reports constructors (`.init_array`, `.ctors` and their like), vector tables and what stands alone between two boundary
symbols, without KEEP(), in scripts that use KEEP() at all.

## Why is this bad
What is reached only through boundary symbols has no reference that the linker sees. With --gc-sections it is dropped
without a word.

## Example
    .text : { KEEP(*(.vectors)) *(.text) }
    .init_array : { __init_array_start = .; *(.init_array) __init_array_end = .; }

## Use instead
    .text : { KEEP(*(.vectors)) *(.text) }
    .init_array : { __init_array_start = .; KEEP(*(.init_array)) __init_array_end = .; }

## Limits
A script without any KEEP() is for links that do not collect sections, and is not judged. Code, data and bss between
symbols are never reported, nor destructors that go where exit code goes (`.exit.data`): nobody runs them.

## References
GNU ld manual, "Input Section and Garbage Collection".
"""

from __future__ import annotations

from itertools import pairwise

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.subjects import marks_a_place, names_a_start, names_an_end
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Assignment, InputSectionDescription, Node, OutputSection
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.globs import contains
from ldcheck.sections.rules import InputRule

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Tables that --gc-sections would drop."),
    evidence=(EvidenceKind.SCRIPT,),
)

_ALWAYS = (
    ".init_array",
    ".fini_array",
    ".preinit_array",
    ".ctors",
    ".dtors",
    ".vectors",
    ".isr_vector",
)

# The toolchain's own have no suffix: `.init.text` is a project's init code.
_EXACTLY = (".init", ".fini")

# What the linker makes itself, and memory without content: there is nothing in it that could be lost.
_NEVER = (
    ".rel",
    ".rofixup",
    ".got",
    ".MIPS.",
    ".gnu.",
    ".interp",
    ".dyn",
    ".hash",
    ".noinit",
    ".persistent",
    ".stack",
    ".heap",
)


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED with a problem for each statement that wants a KEEP()."""
    if not any(rule.keep for rule in view.rules):
        return Judgement(Standing.HOLDS, reason="the script keeps nothing: it is for links that collect nothing")
    bracketed = _bracketed(view)
    kept = [rule.names for rule in view.rules if rule.keep]
    problems = tuple(
        view.problem(
            rule.node,
            rule.text,
            f"`{rule.text}` {_reason(rule)}: --gc-sections drops it",
            label="no KEEP()",
            help=f"write `KEEP({rule.text})`",
        )
        for rule in view.rules
        if not rule.keep
        and not rule.discards
        and _wants_keep(rule, bracketed)
        # GNU ld looks for KEEP() in every statement that matches, not in the one that takes the section.
        and not any(contains(names, rule.names) for names in kept)
    )
    return Judgement(Standing.NOT_GUARANTEED if problems else Standing.HOLDS, problems)


def _reason(rule: InputRule) -> str:
    assert rule.pattern is not None
    if _is_always_wanted(rule.pattern.pattern.text):
        return "has parts that nothing refers to by name"
    return "is reached through boundary symbols only"


def _is_always_wanted(name: str) -> bool:
    return name.rstrip("*") in _EXACTLY or any(
        name == known or name.startswith((f"{known}.", f"{known}*")) for known in _ALWAYS
    )


def _wants_keep(rule: InputRule, bracketed: set[int]) -> bool:
    if rule.pattern is None:
        return False
    name = rule.pattern.pattern.text
    if _is_always_wanted(name):
        return not rule.output.startswith(".exit")
    if name.startswith(_NEVER) or not name.startswith((".", "_")):
        return False
    return id(rule.statement) in bracketed and project_family_of(name) is Family.OTHER


def _bracketed(view: ScriptView) -> set[int]:
    """The input statements (by `id`) that stand alone between two assignments of the location counter to a symbol."""
    found: set[int] = set()
    for node in view.statements:
        if not isinstance(node, OutputSection):
            continue
        body = [part for part in node.statements if not _moves_dot(part)]
        for (before, middle), (_, after) in pairwise(pairwise(body)):
            if isinstance(middle, InputSectionDescription) and _starts(before) and _ends(after):
                found.add(id(middle))
    return found


def _moves_dot(node: Node) -> bool:
    return isinstance(node, Assignment) and node.target.text == "."


def _starts(node: Node) -> bool:
    return isinstance(node, Assignment) and _marks(node) and not names_an_end(node.target.text)


def _ends(node: Node) -> bool:
    return isinstance(node, Assignment) and _marks(node) and not names_a_start(node.target.text)


def _marks(node: Assignment) -> bool:
    return node.target.text != "." and marks_a_place(node)
