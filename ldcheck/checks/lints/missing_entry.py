"""Images that lack the symbol which ENTRY() names.

## What it does
Reports ENTRY() of a symbol that the image does not have, where that is entered at the start of .text or at 0 instead.

## Why is this bad
GNU ld warns, and takes the start of .text, or 0 where there is none; lld warns and takes 0. Who loads the file by its
header then starts whatever happens to stand there: the first function of the first object.

## Example
    ENTRY(reset_handler)
    SECTIONS { .text : { *(.text) } }

linked with objects that call it `Reset_Handler`.

## Use instead
    ENTRY(Reset_Handler)
    SECTIONS { .text : { *(.text) } }

## Limits
That a script does not define its entry says nothing: objects do. So an ELF file is needed, with its symbols. With
`--entry` another symbol was meant, and an image that starts anywhere else is left alone, as are shared objects
and what is linked again (`-r`). Whoever starts an image by a vector table, or at its first byte, does not mind.

## References
GNU ld manual, "Setting the Entry Point" (ENTRY, --entry).
"""

from __future__ import annotations

from ldcheck.findings import EvidenceKind, Judgement, Problem, Severity, Standing
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.judging.subjects import STRIPPED
from ldcheck.policy.declare import Declaration, Key, Kind
from ldcheck.policy.rule import Rule
from ldcheck.script.syntax import Command, statements
from ldcheck.sections.roots import entry
from ldcheck.words import did_you_mean

DECLARATION = Declaration(
    head=Key("lint", Kind.NAME, "Images that lack the symbol which ENTRY() names."),
    evidence=(EvidenceKind.IMAGE,),
)


def on_image(_: Rule, view: ImageView) -> Judgement:
    """REFUTED where the linker took the start of .text in place of the symbol; needs the script and the ELF."""
    if view.elf is None or view.script is None:
        missing = "no ELF, give --elf" if view.elf is None else "no script, which says where the image is entered"
        return Judgement(Standing.UNKNOWN, reason=missing)
    name = entry(view.script.tree)
    if not name or _is_number(name):
        return Judgement(Standing.ABSENT, reason="the script has no ENTRY() of a symbol")
    if view.elf.type not in ("EXEC", "DYN"):
        return Judgement(Standing.ABSENT, reason="the file is no image that anybody enters")
    known = view.elf.symbols.get(name)
    if known is not None and known.defined:
        return Judgement(Standing.HOLDS)
    if view.stripped:
        return Judgement(Standing.UNKNOWN, reason=f"the image has no {name}: {STRIPPED}")
    text = view.elf.section(".text")
    instead = 0 if text is None else text.address
    # Nobody enters a shared object, nor is 0 a place in it.
    if view.elf.entry not in (instead, 0) or (view.elf.type == "DYN" and view.elf.entry == 0):
        return Judgement(
            Standing.HOLDS, reason=f"the image is entered elsewhere: --entry counts ahead of ENTRY({name})"
        )
    return Judgement(Standing.REFUTED, (_problem(name, view, view.script),))


def _is_number(name: str) -> bool:
    """Whether ld reads a name that no symbol has as an address."""
    return name[:1].isdigit()


def _problem(name: str, view: ImageView, script: ScriptView) -> Problem:
    assert view.elf is not None
    commands = [node for node in statements(script.tree) if isinstance(node, Command) and node.keyword == "ENTRY"]
    node = commands[-1]
    there = view.elf.entry
    place = f"{there:#x}, the start of .text" if there else "0"
    return script.problem(
        node,
        name,
        f"the image has no symbol {name}: it is entered at {place}",
        at=node.arguments[0],
        label="the linker does no more than warn",
        help=did_you_mean(name, view.symbols, "look at the names in the objects, and at what was linked"),
        severity=Severity.WARNING,
    )
