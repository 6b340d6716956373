"""Which sections of objects hold more than one function or datum, by the symbol tables.

What has no size is no function or datum (labels, mapping symbols); names at one place are one thing. An object whose
symbol table names no source of a compiled language was written in assembly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ldcheck.image.archive import is_archive, members
from ldcheck.image.elf_file import SHT_SYMTAB, ElfFile
from ldcheck.image.files import OpenFile, Window

_ALLOCATED = 2
_ASSEMBLY = (".s", ".S", ".asm", ".sx")


class Unit(NamedTuple):
    """One object: the names of what each of its allocated sections holds, by the section's name."""

    name: str
    sections: dict[str, tuple[str, ...]]
    is_assembly: bool


def read_units(paths: Sequence[str], notes: list[str]) -> Iterator[Unit]:
    """The objects and members of archives, one after the other. Raises CheckError for what cannot be read."""
    for path in paths:
        with OpenFile(path, "an object file or archive") as window:
            if not is_archive(window):
                yield _unit(os.path.basename(path), window)
                continue
            for member in members(window, notes):
                if member.window is not None and member.window.read(0, 4) == b"\x7fELF":
                    yield _unit(f"{os.path.basename(path)}({member.name})", member.window)


def _unit(name: str, window: Window) -> Unit:
    file = ElfFile(window)
    types = [header.sh_type for header in file.sections]
    places: dict[int, dict[int, str]] = {}
    sources: list[str] = []
    if SHT_SYMTAB in types:
        table = file.symbol_table(types.index(SHT_SYMTAB))
        for index in range(table.count):
            symbol = table.at(index)
            if symbol.kind == "FILE":
                sources.append(symbol.name)
            elif symbol.kind in ("FUNC", "OBJECT", "IFUNC", "TLS") and symbol.size and symbol.section is not None:
                places.setdefault(symbol.section, {}).setdefault(symbol.value, symbol.name)
    sections: dict[str, tuple[str, ...]] = {}
    for index, header in enumerate(file.sections):
        if header.sh_flags & _ALLOCATED and index < len(file.names):
            held = sections.get(file.names[index], ())
            # Sections of one name, as of several groups, are apart: the fullest one tells.
            sections[file.names[index]] = max(held, tuple(places.get(index, {}).values()), key=len)
    return Unit(name, sections, all(source.endswith(_ASSEMBLY) for source in sources))
