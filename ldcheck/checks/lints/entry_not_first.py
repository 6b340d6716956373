"""Flat images that do not begin with their entry.

## What it does
In a script for a flat image (`OUTPUT_FORMAT(binary)`), reports a first output section whose first statement takes
more than one named section, such as `*(.text)` or `*(.text .text.*)`. With a map of a flat image, the address of the
entry is compared with that of the first byte; with an ELF, it reports orphans that lie in front of the entry where the
script has it first.

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
Of an ELF file nobody knows whether objcopy makes it flat: there it is a warning, and only told of sections that the
script does not have in front of the entry. Files that carry their headers in the first segment are for loaders. A
script alone cannot tell either: state it with `order`.

## References
GNU ld manual, "Setting the Entry Point", "Format Commands".
"""

from __future__ import annotations

from itertools import takewhile

from ldcheck.findings import EvidenceKind, Judgement, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.loading import loaded as loaded_sections
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Command, Data, InputSectionDescription, OutputSection
from ldcheck.sections.globs import has_wildcard
from ldcheck.words import counted, listed

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Flat images that do not begin with a section of their own."),
    evidence=(EvidenceKind.SCRIPT, EvidenceKind.IMAGE, EvidenceKind.MAP),
)

_COMMON = frozenset({".text", ".data", ".rodata", ".init", ".bss"})


def on_script(_: Rule, view: ScriptView) -> Judgement:
    """NOT_GUARANTEED where anything may come first in a flat image."""
    if not _is_flat(view):
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
        severity=Severity.WARNING,
    )
    return Judgement(Standing.NOT_GUARANTEED, (problem,))


def _is_flat(view: ScriptView) -> bool:
    formats = _commands("OUTPUT_FORMAT", view)
    return any(node.arguments and node.arguments[0].text == "binary" for node in formats)


def _commands(keyword: str, view: ScriptView) -> list[Command]:
    return [node for node in view.tree.statements if isinstance(node, Command) and node.keyword == keyword]


def _is_own(statement: InputSectionDescription) -> bool:
    """Whether a statement is for one file, or for one section with a name of its own."""
    if statement.file is not None and not has_wildcard(statement.file.pattern.text):
        return True
    names = [pattern.pattern.text for pattern in statement.patterns or ()]
    return len(names) == 1 and names[0] not in _COMMON and not has_wildcard(names[0])


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where something else than the entry comes first in the image."""
    if view.script is None:
        return Judgement(Standing.UNKNOWN, reason="no script, which tells what is to be first")
    if view.map is not None and (view.map.output_format == "binary" or (view.elf is None and _is_flat(view.script))):
        return _in_flat_image(view, view.script)
    return _in_elf(view, view.script)


def _in_flat_image(view: ImageView, script: ScriptView) -> Judgement:
    assert view.map is not None
    named = [node.arguments[0].text for node in _commands("ENTRY", script) if node.arguments] or ["_start", "start"]
    entry = next((view.map.symbols[name] for name in named if name in view.map.symbols), None)
    loaded = sorted((part.address, part) for _, part in view.inputs.loaded())
    if entry is None or not loaded:
        return Judgement(Standing.UNKNOWN, reason=f"the map does not tell where {listed(named, joint='or')} is")
    address, first = loaded[0]
    if entry == address:
        return Judgement(Standing.HOLDS, evidence=(EvidenceKind.MAP,))
    distance = counted(entry - address, "byte")
    section = next((section.name for section, part in view.inputs.loaded() if part == first), first.name)
    problem = view.problem(
        section,
        section,
        f"the image begins with {first.name} of {first.file}, and the entry is {distance} behind",
        label="comes first",
        facts=(f"in the image: the first byte is at {address:#x}, {named[0]} is at {entry:#x}",),
        help="put a statement for the entry section alone ahead of everything else, such as `KEEP(*(.text.entry))`",
    )
    return Judgement(Standing.REFUTED, (problem,), evidence=(EvidenceKind.MAP,))


def _in_elf(view: ImageView, script: ScriptView) -> Judgement:
    if view.elf is None:
        return Judgement(Standing.UNKNOWN, reason="no ELF, give --elf")
    if any(one.type == "INTERP" or (one.type == "LOAD" and one.offset == 0) for one in view.elf.segments):
        return Judgement(Standing.HOLDS, reason="the image is for a loader")
    content = loaded_sections(view)
    ahead = list(takewhile(lambda one: one.name not in script.output_sections, content))
    entry = content[len(ahead)] if len(ahead) < len(content) else None
    if not ahead or entry is None or view.elf.entry & ~1 != entry.section.address:
        return Judgement(Standing.HOLDS)
    size = counted(entry.load - ahead[0].load, "byte")
    names = listed([one.name for one in ahead])
    problem = view.problem(
        entry.name,
        entry.name,
        f"{names} {'lies' if len(ahead) == 1 else 'lie'} in front of the entry: a flat image begins {size} early",
        label="meant to be first",
        facts=(f"in the image: {ahead[0].name} is loaded at {ahead[0].load:#x}, the entry at {entry.load:#x}",),
        help=f"place {names} behind the code, or /DISCARD/ it",
        severity=Severity.WARNING,
    )
    return Judgement(Standing.REFUTED, (problem,))
