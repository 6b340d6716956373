"""The relocations of an object file: which section refers to which symbol.

Archives and their members are not looked into here. Types are numbers, because what they compute is not needed to see
who refers to whom.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from ldcheck.image.elf_file import SHT_REL, SHT_RELA, SHT_SYMTAB, ElfFile, SectionHeader
from ldcheck.image.files import OpenFile, collector_paused, describe, refuse

_EM_MIPS = 8

# A damaged file may have many tables that lie on top of each other.
_MOST = 4_000_000


class Relocation(NamedTuple):
    """One relocation: `section` (a section header index) at `offset` refers to a symbol.

    `symbol` is its index in the symbol table and `name` its name, that of the section for a section symbol. `target` is
    the index of the section that it is defined in, or None. `addend` is None where it is in the bytes (SHT_REL).
    """

    section: int
    offset: int
    type: int
    symbol: int
    name: str
    target: int | None
    addend: int | None


def read_relocations(path: str, notes: list[str] | None = None) -> tuple[Relocation, ...]:
    """All relocations of an object, by table. `notes` receives what could not be read.

    Raises CheckError for what is no ELF file.
    """
    with OpenFile(path, "an object file") as window:
        head = window.read(0, 4096)
        if head[:4] != b"\x7fELF":
            raise refuse(path, f"expected an object file, this looks like {describe(head)}")
        file = ElfFile(window)
        found: list[Relocation] = []
        kinds = [header.sh_type for header in file.sections]
        # An object has one symbol table.
        link = kinds.index(SHT_SYMTAB) if SHT_SYMTAB in kinds else 0
        with collector_paused():
            symbols = file.symbol_table(link).entries() if link else iter(())
            targets = [(symbol.name, symbol.section) for symbol in symbols]
            for header in file.sections:
                if header.sh_type in (SHT_REL, SHT_RELA):
                    found += _table(file, header, targets if header.sh_link == link else [], _MOST - len(found))
        if notes is not None:
            notes += [f"{path}: {problem}" for problem in file.problems]
        return tuple(found)


def _table(
    file: ElfFile, header: SectionHeader, targets: Sequence[tuple[str, int | None]], most: int
) -> list[Relocation]:
    """One table; `targets` are name and section of each symbol."""
    found = []
    for offset, symbol, kind, addend in zip(*relocation_columns(file, header, most), strict=True):
        name, target = targets[symbol] if symbol < len(targets) else ("", None)
        if not name and target is not None and target < len(file.names):
            name = file.names[target]
        found.append(Relocation(header.sh_info, offset, kind, symbol, name, target, addend))
    return found


def relocation_columns(
    file: ElfFile, header: SectionHeader, most: int
) -> tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int | None]]:
    """Offsets, symbols, types and addends of one table, of `most` relocations at most.

    ELF specification, "Relocation". 64-bit MIPS with its low byte first has fields of its own.
    """
    wide = file.bits == 64
    cells = 2 if header.sh_type == SHT_REL else 3
    size = cells * (8 if wide else 4)
    data = file.window.read(header.sh_offset, min(header.sh_size, size * most))
    if len(data) < header.sh_size:
        file.problems.append(f"a table has {len(data) // size:,} of {header.sh_size // size:,} relocations")
    numbers = array("Q" if wide else "I", data[: len(data) // size * size])
    if file.big_endian != (sys.byteorder == "big"):
        numbers.byteswap()
    infos = numbers[1::cells]
    if not wide:
        symbols, kinds = [info >> 8 for info in infos], [info & 0xFF for info in infos]
    elif file.header.e_machine == _EM_MIPS and not file.big_endian:
        symbols, kinds = [info & 0xFFFFFFFF for info in infos], [info >> 56 for info in infos]
    else:
        symbols, kinds = [info >> 32 for info in infos], [info & 0xFFFFFFFF for info in infos]
    if cells == 2:
        return numbers[0::2], symbols, kinds, [None] * len(infos)
    return numbers[0::3], symbols, kinds, array("q" if wide else "i", numbers[2::3].tobytes())
