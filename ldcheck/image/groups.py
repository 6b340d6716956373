"""Groups of sections, which the linker keeps or drops as wholes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ldcheck.image.elf_file import SHT_GROUP, ElfFile
from ldcheck.image.symbols import SymbolTable


class Group(NamedTuple):
    """A group of sections; of several with one signature the linker keeps one, if they are COMDAT."""

    signature: str
    comdat: bool


def section_groups(file: ElfFile, table: SymbolTable | None) -> dict[int, Group]:
    """The group that a section is in, by section index (ELF specification, "Section Groups")."""
    found: dict[int, Group] = {}
    for symbol, comdat, indices in group_members(file):
        group = Group(_signature(file, table, symbol), comdat)
        for index in indices:
            found.setdefault(index, group)
    return found


def group_members(file: ElfFile) -> Iterator[tuple[int, bool, list[int]]]:
    """For each group the index of the symbol that names it, whether it is COMDAT, and the indices of its sections."""
    # A section is in one group at most: what claims more members than there are sections is damaged.
    room = 4 * len(file.sections)
    for header in file.sections:
        if header.sh_type != SHT_GROUP:
            continue
        data = file.window.read(header.sh_offset, min(header.sh_size, room + 4))
        room -= max(len(data) - 4, 0)
        flags, *indices = [
            number for (number,) in struct.iter_unpack(file.order + "I", data[: len(data) // 4 * 4])
        ] or [0]
        yield header.sh_info, bool(flags & 1), indices


def _signature(file: ElfFile, table: SymbolTable | None, index: int) -> str:
    if table is None or index >= table.count:
        return ""
    symbol = table.at(index)
    # A group may be named by the section that its symbol stands for.
    if not symbol.name and symbol.kind == "SECTION" and symbol.section and symbol.section < len(file.names):
        return file.names[symbol.section]
    return symbol.name
