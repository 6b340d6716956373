"""Flat images that do not begin with a section of their own.

## What it does
In a script for a flat image (`OUTPUT_FORMAT(binary)`), reports a first output section whose first statement takes
more than one named section, such as `*(.text)` or `*(.text .text.*)`.

## Why is this bad
A flat image is entered at its first byte. Which object's `.text` comes first is a matter of the order of the link; a
note or an exception table that the toolchain adds can come first as well, and boot code executes it.

## Example
    OUTPUT_FORMAT(binary)
    SECTIONS { .text : { *(.text .text.*) } }

## Use instead
    OUTPUT_FORMAT(binary)
    SECTIONS { .text : { KEEP(*(.text.entry)) *(.text .text.*) } }

## Limits
An image that is made flat by objcopy later is not recognised: state it with `order`.

## References
GNU ld manual, "Setting the Entry Point", "Format Commands".
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Standing
from ldcheck.judging.evidence import ScriptView
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Command, Data, InputSectionDescription, OutputSection
from ldcheck.sections.globs import has_wildcard

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Flat images that do not begin with a section of their own."),
    evidence=(EvidenceKind.SCRIPT,),
)

_COMMON = frozenset({".text", ".data", ".rodata", ".init", ".bss"})


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """REFUTED where anything may come first in a flat image."""
    formats = [node for node in view.tree.statements if isinstance(node, Command) and node.keyword == "OUTPUT_FORMAT"]
    if not any(node.arguments and node.arguments[0].text == "binary" for node in formats):
        return Judgement(Standing.HOLDS, reason="the script does not make a flat image")
    first = next((node for node in view.statements if isinstance(node, OutputSection)), None)
    if first is None:
        return Judgement(Standing.HOLDS, reason="the script has no output section")
    if any(isinstance(node, Data) for node in first.statements[:1]):
        return Judgement(Standing.HOLDS, reason="the image begins with data of the script")
    statement = next((node for node in first.statements if isinstance(node, InputSectionDescription)), None)
    if statement is None or _is_own(statement):
        return Judgement(Standing.HOLDS)
    problem = view.problem(
        statement,
        first.name.text,
        f"the image begins with whatever comes first in {first.name.text}",
        label="takes sections of every object",
        help="put a statement for the entry section alone ahead of it, such as `KEEP(*(.text.entry))`",
    )
    return Judgement(Standing.REFUTED, (problem,))


def _is_own(statement: InputSectionDescription) -> bool:
    """Whether a statement is for one file, or for one section with a name of its own."""
    if statement.file is not None and not has_wildcard(statement.file.pattern.text):
        return True
    names = [pattern.pattern.text for pattern in statement.patterns or ()]
    return len(names) == 1 and names[0] not in _COMMON and not has_wildcard(names[0])
