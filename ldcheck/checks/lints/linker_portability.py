"""Constructs that GNU ld and lld read differently.

## What it does
Reports what lld refuses and GNU ld takes (NEXT(), BLOCK(), ALIGN() of a number that is no power of two, STARTUP,
SPECIAL, ALIGN_WITH_INPUT, (DSECT), (READONLY), SORT() around a file pattern ...), and names in quotes, which lld up to
14 takes with their quotes; each kind once, with all its places. Of a script for position-independent links, one that
takes `.dynamic`, it also reports where sections that are read-only after relocation do not lie next to each other.

## Why is this bad
The script works with one linker and not, or otherwise, with the other: a section with quotes in its name is an orphan
for every tool that looks for it.

## Example
    SECTIONS { ".text" : { *(.text) . = ALIGN(6); } }

## Use instead
    SECTIONS { .text : { *(.text) . = ALIGN(8); } }

## Limits
A project that is linked with one of the two only has no use for it: it is a note, unless a policy says more. That lld
refuses the link as a whole is a warning: without PHDRS it makes a segment of what is read-only after relocation, unless
it is given `-z norelro`. A script that has `.interp` too is taken for a copy of GNU ld's own, and left alone there.

## References
GNU ld manual, "Symbol Names", "Builtin Functions"; LLVM documentation, "Linker Script implementation notes and policy".
What lld refuses was tried with 14 and 19.
"""

from __future__ import annotations

from collections.abc import Iterator

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import (
    Call,
    Command,
    InputSectionDescription,
    Node,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Word,
    children,
    walk,
)
from ldcheck.sections.rules import flat
from ldcheck.source import Related

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Constructs that GNU ld and lld read differently."),
    evidence=(EvidenceKind.SCRIPT,),
)

_REFUSED_COMMANDS = frozenset(
    ("FORCE_COMMON_ALLOCATION", "HLL", "INHIBIT_COMMON_ALLOCATION", "LD_FEATURE", "STARTUP", "SYSLIB")
)
_REFUSED_FUNCTIONS = frozenset(("BLOCK", "NEXT"))
_REFUSED_TYPES = frozenset(("DSECT", "READONLY"))
_NAMING_FUNCTIONS = frozenset(("ADDR", "ALIGNOF", "LOADADDR", "SIZEOF"))

# Output sections that lld puts into PT_GNU_RELRO by their names; and that one, wherever it is, that takes .got.
_RELRO = frozenset(
    (".dynamic", ".data.rel.ro", ".bss.rel.ro", ".ctors", ".dtors", ".jcr", ".preinit_array", ".init_array",
     ".fini_array", ".toc", ".tdata", ".tbss")
)  # fmt: skip
# Every program has some of these.
_SURE = frozenset((".text", ".rodata", ".data", ".bss"))

_REFUSED = "lld refuses {}"
_QUOTED = "lld up to 14 takes the quotes around a name for a part of it"


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED with a problem for each kind of construct that the linkers differ in."""
    found: dict[str, list[tuple[Node, Node]]] = {}
    for statement in view.statements:
        for said, part in _differences(statement):
            found.setdefault(said, []).append((statement, part))
    problems = (*(_problem(said, places, view) for said, places in found.items()), *_apart(view))
    return Judgement(Standing.REFUTED if problems else Standing.HOLDS, problems)


def _problem(said: str, places: list[tuple[Node, Node]], view: ScriptView) -> Problem:
    (statement, part), *others = places
    refused = said != _QUOTED
    return view.problem(
        statement,
        said,
        f"{said}, and GNU ld takes it" if refused else said,
        at=part,
        label="" if refused else "in quotes",
        related=(Related(view.locate(other), "and here") for _, other in others),
        help="" if refused else "write names without quotes",
        severity=Severity.NOTE,
    )


def _differences(statement: Node) -> Iterator[tuple[str, Node]]:
    """What a statement has that the linkers differ in, as words and the part of it; not what stands in its body."""
    if isinstance(statement, OutputSection):
        if statement.name.quoted:
            yield _QUOTED, statement.name
        if statement.type is not None and statement.type.keyword in _REFUSED_TYPES:
            yield _REFUSED.format(f"({statement.type.keyword})"), statement.type
        if statement.align_with_input:
            yield _REFUSED.format("ALIGN_WITH_INPUT"), statement.name
        if statement.constraint == "SPECIAL":
            yield _REFUSED.format("SPECIAL"), statement.name
    elif isinstance(statement, Overlay):
        if statement.nocrossrefs:
            yield _REFUSED.format("NOCROSSREFS of an OVERLAY"), statement
    elif isinstance(statement, Command):
        if statement.keyword in _REFUSED_COMMANDS:
            yield _REFUSED.format(statement.keyword), statement
    elif isinstance(statement, InputSectionDescription) and statement.file is not None and statement.file.sorts:
        yield _REFUSED.format(f"{statement.file.sorts[0]}() around a file pattern"), statement.file
    inside = getattr(statement, "sections" if isinstance(statement, Overlay) else "statements", None) or ()
    body = {id(node) for node in inside}
    for child in children(statement):
        if id(child) not in body:
            yield from _in_expression(child)


def _in_expression(expression: Node) -> Iterator[tuple[str, Node]]:
    for part in walk(expression):
        if not isinstance(part, Call):
            continue
        first, last = (part.arguments[0], part.arguments[-1]) if part.arguments else (None, None)
        if part.function in _REFUSED_FUNCTIONS:
            yield _REFUSED.format(f"{part.function}()"), part
        elif part.function in _NAMING_FUNCTIONS and isinstance(first, Word) and first.quoted:
            yield _QUOTED, first
        elif part.function == "ALIGN" and last is not None and not isinstance(last, Word):
            value = evaluate(last, Environment()).number
            if value and value & (value - 1):
                yield _REFUSED.format(f"ALIGN({value}), which is no power of two"), part


# What is read-only after relocation -----------------------------------------------------------------------------------


def _apart(view: ScriptView) -> Iterator[Problem]:
    """The first section that is read-only after relocation and does not lie next to the others; see lld's Writer.cpp.

    What may well be empty keeps no two apart.
    """
    # What is for .interp as well is most likely a copy of GNU ld's own script, and nobody's choice of an order.
    if ".dynamic" not in view.output_sections or ".interp" in view.output_sections:
        return
    if any(isinstance(node, ProgramHeaders) for node in view.tree.statements):
        return
    last: OutputSection | None = None
    between: OutputSection | None = None
    for section in view.statements:
        if not isinstance(section, OutputSection) or section.name.text == "/DISCARD/":
            continue
        names = _taken(section)
        if section.name.text in _RELRO or ".got" in names:
            if last is not None and between is not None:
                yield _not_contiguous(section, last, between, view)
                return
            last = section
        elif last is not None and between is None and any(name.rstrip("*.") in _SURE for name in names):
            between = section


def _taken(section: OutputSection) -> list[str]:
    inputs = (node for node in flat(section.statements) if isinstance(node, InputSectionDescription))
    return [one.pattern.text for node in inputs for one in node.patterns or ()]


def _not_contiguous(section: OutputSection, last: OutputSection, between: OutputSection, view: ScriptView) -> Problem:
    name, other = section.name.text, last.name.text
    return view.problem(
        section,
        name,
        f"lld refuses a position-independent link of this script: {name} and {other} are read-only after relocation, "
        f"and {between.name.text} lies between them",
        label="not contiguous with the others",
        related=(Related(view.locate(between), "in between"), Related(view.locate(last), "the others end here")),
        help=f"look at the order of {between.name.text} and {name}, or link with `-z norelro`",
        severity=Severity.WARNING,
    )
