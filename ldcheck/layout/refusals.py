"""What is not played through: what is not in section headers and symbol tables, or is another linker's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ldcheck.image.definitions import Definitions
from ldcheck.image.frames import Key
from ldcheck.image.link_inputs import AsLinked
from ldcheck.layout.knowledge import PAGES, NotPredicted, Options
from ldcheck.script.syntax import (
    Command,
    Include,
    Insert,
    ProgramHeaders,
    Script,
    SectionClass,
    SectionGroup,
    Sections,
    statements,
)
from ldcheck.sections.assign import named_files

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection

_SHF_ALLOC, _SHF_COMPRESSED = 0x2, 0x800
# Notes on the processor, which ld merges into one.
_ATTRIBUTES = ("ARM_ATTRIBUTES", "RISCV_ATTRIBUTES")
# What ld rewrites, by name; where it did before, it does the same again if nothing changes places.
REWRITTEN = {
    ".note.gnu.property": "ld merges the properties of all files",
    ".note.gnu.build-id": "ld takes it out",
    ".gnu.warning": "ld shows it and takes it out",
    ".sframe": "ld merges those of all files",
    ".ctf": "ld merges those of all files",
}


def is_unsized(section: InputSection) -> bool:
    """Whether only ld knows the size of a section that takes no memory."""
    named = section.name.startswith((".stab", ".zdebug", ".gnu.build.attributes"))
    odd = section.type in _ATTRIBUTES or bool(section.flags & _SHF_COMPRESSED) or named
    return odd and not section.flags & _SHF_ALLOC


def refuse_script(tree: Script, inputs: Iterable[InputSection]) -> None:
    """Raise NotPredicted for what is not GNU ld's or no ELF file, and for a script or a file that is not given."""
    files = {name for section in inputs for name in (section.file, section.archive)}
    missing = [name for name in named_files(tree) if name not in files]
    if missing:
        raise NotPredicted(f"GNU ld links {missing[0]} as the script names it, and it is not among the inputs")
    for node in statements(tree):
        if isinstance(node, Insert):
            raise NotPredicted("INSERT puts the script into ld's own, which is not given", node)
        if isinstance(node, Include) and node.statements is None:
            raise NotPredicted(f"{node.path.text} is not there to be read", node)
        formats = node.arguments if isinstance(node, Command) and node.keyword in ("OUTPUT_FORMAT", "TARGET") else ()
        if not all(word.text.startswith("elf") for word in formats):
            raise NotPredicted("the script asks for something else than an ELF file", node)
        if isinstance(node, ProgramHeaders) and any(header.at is not None for header in node.headers):
            raise NotPredicted("program headers give load addresses, which is not played through", node)
        if isinstance(node, SectionGroup):
            raise NotPredicted("GROUP of output sections is not played through", node)
        if isinstance(node, SectionClass) or (isinstance(node, Sections) and node.keyword != "SECTIONS"):
            raise NotPredicted("only lld knows it", node)


def refuse_arch(options: Options) -> None:
    """Raise NotPredicted for an architecture whose linker is not known."""
    if options.arch not in PAGES:
        known = ", ".join(PAGES)
        raise NotPredicted(
            f"links for {options.arch or 'an unknown architecture'} are not played through, only {known}"
        )


def refuse_link(symbols: Definitions, linked: AsLinked | None, gone: Collection[Key]) -> None:
    """Raise NotPredicted for what ld does besides placing inputs, unless a link tells what comes of it.

    `gone` are the sections whose relocations it does not come to look at.
    """
    obstacles = symbols.obstacles + (symbols.tables if linked is None else ())
    obstacles = tuple(one for one in obstacles if one.section not in gone)
    if obstacles:
        more = f" (and {len(obstacles) - 1:,} more reasons)" if len(obstacles) > 1 else ""
        raise NotPredicted(obstacles[0].text + more)


def refuse_inputs(inputs: Iterable[InputSection], linked: AsLinked | None) -> None:
    """Raise NotPredicted for inputs in the image that ld does more to than to place them; as for `refuse_link`."""
    for section in inputs:
        if not section.size or section.index < 0:
            continue
        where = f"{section.name} of {section.file}"
        if section.align & (section.align - 1):
            raise NotPredicted(f"{where}: its alignment of {section.align:,} is no power of two")
        if section.name in REWRITTEN and linked is None:
            raise NotPredicted(f"{where}: {REWRITTEN[section.name]}")
