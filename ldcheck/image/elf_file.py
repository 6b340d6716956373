"""The headers and tables of an ELF file as numbers: what executables, shared objects and object files have in common.

Tables are unpacked with `struct`, because the models of large objects have a hundred thousand sections; the names of
their values are pyelftools'. Only its tables of names are imported: `ELFFile` itself pulls in the DWARF reader, which
takes three times as long as everything that is done here. Nothing here raises on a damaged file once the first header
could be read: what cannot be had is left out and said in `problems`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ldcheck.image.arches import from_machine
from ldcheck.image.files import Window, refuse
from ldcheck.image.symbols import SymbolTable, strings, unpack_symbols

SHT_PROGBITS = 1
SHT_SYMTAB = 2
SHT_RELA = 4
SHT_NOTE = 7
SHT_NOBITS = 8
SHT_REL = 9
SHT_DYNSYM = 11
SHT_GROUP = 17
SHT_SYMTAB_SHNDX = 18
SHF_ALLOC = 2

_SHN_XINDEX = 0xFFFF
_PN_XNUM = 0xFFFF

# A table of more bytes than this is a damaged header: the largest programs have symbol tables of 40 MB.
_LARGEST_TABLE = 64 << 20

# Loaders take no more than a page or two of program headers.
_MOST_SEGMENTS = 512

_HEADER = {32: "HHIIIIIHHHHHH", 64: "HHIQQQIHHHHHH"}
_SECTION = {32: "IIIIIIIIII", 64: "IIQQQQIIQQ"}
_PROGRAM = {32: "IIIIIIII", 64: "IIQQQQQQ"}

# Where readelf, which people compare with, has another word than pyelftools.
_READELF_WORDS = {
    "GNU_verdef": "VERDEF",
    "GNU_verneed": "VERNEED",
    "GNU_versym": "VERSYM",
    "AMD64_UNWIND": "X86_64_UNWIND",
    "SYMTAB_SHNDX": "SYMTAB SECTION INDICES",
}
# Types that the tables of pyelftools lack, by prefix and machine.
_MORE_TYPES = {
    ("P", "EM_MIPS"): {0x70000000: "MIPS_REGINFO", 0x70000001: "MIPS_RTPROC", 0x70000002: "MIPS_OPTIONS"},
    ("SH", "EM_ARC_COMPACT2"): {0x70000001: "ARC_ATTRIBUTES"},
}


class Header(NamedTuple):
    """The ELF header behind its identification, as in the specification."""

    e_type: int
    e_machine: int
    e_version: int
    e_entry: int
    e_phoff: int
    e_shoff: int
    e_flags: int
    e_ehsize: int
    e_phentsize: int
    e_phnum: int
    e_shentsize: int
    e_shnum: int
    e_shstrndx: int


class SectionHeader(NamedTuple):
    """A section header as in the specification; `sh_name` is still an offset."""

    sh_name: int
    sh_type: int
    sh_flags: int
    sh_addr: int
    sh_offset: int
    sh_size: int
    sh_link: int
    sh_info: int
    sh_addralign: int
    sh_entsize: int


class ProgramHeader(NamedTuple):
    """A program header in the order of the 64-bit layout."""

    p_type: int
    p_flags: int
    p_offset: int
    p_vaddr: int
    p_paddr: int
    p_filesz: int
    p_memsz: int
    p_align: int


class ElfFile:
    """The tables of one ELF file or archive member. Raises CheckError where there is not even a first header.

    `problems` collects whole clauses about what is damaged; they grow as tables are asked for.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.problems: list[str] = []
        self._behind: list[str] = []
        ident = window.read(0, 64)
        if ident[:4] != b"\x7fELF":
            raise refuse(window.path, "not an ELF file")
        self.bits = {1: 32, 2: 64}.get(ident[4] if len(ident) > 4 else 0, 0)
        order = {1: "<", 2: ">"}.get(ident[5] if len(ident) > 5 else 0, "")
        if not self.bits or not order:
            raise refuse(window.path, "the ELF header is damaged: neither 32 nor 64 bit, or of an unknown byte order")
        self.order = order
        layout = self.order + _HEADER[self.bits]
        if len(ident) < 16 + struct.calcsize(layout):
            raise refuse(window.path, f"the ELF header is cut off after {len(ident)} bytes")
        self.header = Header(*struct.unpack_from(layout, ident, 16))
        self.sections = self._section_headers()
        self.programs = self._program_headers()
        self.names = self._section_names()

    @property
    def big_endian(self) -> bool:
        """Whether numbers in the file have their highest byte first."""
        return self.order == ">"

    @property
    def arch(self) -> str:
        """The architecture as policies name it; `machine-N` for one that has no name."""
        number = self.header.e_machine
        if known := from_machine(number, self.bits):
            return known
        name = _machines().get(number, "")
        return name.removeprefix("EM_").lower() if name else f"machine-{number}"

    @property
    def type(self) -> str:
        """EXEC, DYN, REL or CORE, else the number in hexadecimal."""
        types = {1: "REL", 2: "EXEC", 3: "DYN", 4: "CORE"}
        return types.get(self.header.e_type, hex(self.header.e_type))

    def section_type(self, number: int) -> str:
        """The name of a section type without its `SHT_`, as readelf writes it; hexadecimal if it has none."""
        return _type_names("SH", self.header.e_machine).get(number) or hex(number)

    def program_type(self, number: int) -> str:
        """The name of a program header's type without its `PT_`, as readelf writes it; hexadecimal if it has none."""
        return _type_names("P", self.header.e_machine).get(number) or hex(number)

    def refuse_cut(self) -> None:
        """Raise CheckError where headers or contents of sections or segments would lie behind the end of the file.

        What is left of such a file tells nothing of the rest. A file of debugging information alone has the program
        headers of the program that it belongs to, and none of its contents: its segments are no fault.
        """
        size = self.window.size
        found = list(self._behind)
        is_debug = bool(self.sections) and not any(
            section.sh_type == SHT_PROGBITS and section.sh_flags & SHF_ALLOC for section in self.sections
        )
        for index, (name, section) in enumerate(zip(self.names, self.sections, strict=True)):
            end = section.sh_offset + section.sh_size
            if index and section.sh_type not in (0, SHT_NOBITS) and section.sh_size and end > size:
                found.append(_lying(f"section {name or index} lies", section.sh_offset, end))
        for index, program in enumerate(self.programs):
            end = program.p_offset + program.p_filesz
            if program.p_filesz and end > size and not is_debug:
                kind = self.program_type(program.p_type)
                found.append(_lying(f"segment {index} ({kind}) lies", program.p_offset, end))
        if found:
            more = f" ({len(found) - 1:,} more parts likewise)" if len(found) > 1 else ""
            message = f"the file ends at byte {size:,}, but {found[0]}{more}"
            raise refuse(self.window.path, message, "copy or link it anew: it is cut off or damaged")

    def content(self, section: SectionHeader) -> bytes:
        """What of a section is in the file; nothing for NOBITS."""
        return b"" if section.sh_type == SHT_NOBITS else self.window.read(section.sh_offset, section.sh_size)

    def symbol_table(self, index: int) -> SymbolTable:
        """The symbol table in the section with this index."""
        section = self.sections[index]
        label = self.names[index] or f"section {index}"
        if section.sh_size > _LARGEST_TABLE:
            self.problems.append(f"{label} claims {section.sh_size:,} bytes of symbols")
            return SymbolTable(label, [], ((), (), (), (), ()))
        data = self.content(section)
        entry = 24 if self.bits == 64 else 16
        if len(data) < section.sh_size or len(data) % entry:
            self.problems.append(f"{label} has {len(data) // entry:,} of {section.sh_size // entry:,} symbols")
        offsets, columns = unpack_symbols(data, self.bits, self.order)
        names, missing = strings(self._linked(section, label), offsets)
        if missing:
            self.problems.append(f"{missing:,} symbols in {label} have no readable name")
        info, other, place, value, size = columns
        extended: tuple[int, ...] = ()
        if _SHN_XINDEX in place:
            extended = self._extended_indices(index)
        return SymbolTable(label, names, (info, other, place, value, size), extended)

    def _extended_indices(self, table: int) -> tuple[int, ...]:
        for section in self.sections:
            if section.sh_type == SHT_SYMTAB_SHNDX and section.sh_link == table:
                data = self.window.read(section.sh_offset, min(section.sh_size, _LARGEST_TABLE))
                return struct.unpack(f"{self.order}{len(data) // 4}I", data[: len(data) // 4 * 4])
        return ()

    def _linked(self, section: SectionHeader, label: str) -> bytes:
        if not 0 < section.sh_link < len(self.sections):
            self.problems.append(f"{label} names no string table")
            return b""
        table = self.sections[section.sh_link]
        if table.sh_size > _LARGEST_TABLE:
            self.problems.append(f"the string table of {label} claims {table.sh_size:,} bytes")
            return b""
        return self.content(table)

    def _table(self, what: str, offset: int, entry: int, layout: str, count: int) -> list[tuple[int, ...]]:
        """Unpack a table of headers; says what of it is missing."""
        layout = self.order + layout
        size = struct.calcsize(layout)
        if not count:
            return []
        if entry != size:
            self.problems.append(f"{what} headers of {entry} bytes, where {size} are due")
            return []
        data = self.window.read(offset, count * size)
        have = len(data) // size
        if have < count:
            self._behind.append(_lying(f"its {count:,} {what} headers lie", offset, offset + count * size))
            self.problems.append(f"of {count:,} {what} headers, {have:,} lie in the file")
        return list(struct.iter_unpack(layout, data[: have * size]))

    def _section_headers(self) -> list[SectionHeader]:
        header = self.header
        if not header.e_shoff:
            return []
        layout, count = _SECTION[self.bits], header.e_shnum
        if not count:
            # 65,280 or more sections: their number is in the first header (ELF specification, "Sections").
            first = self._table("section", header.e_shoff, header.e_shentsize, layout, 1)
            count = SectionHeader(*first[0]).sh_size if first else 0
        rows = self._table("section", header.e_shoff, header.e_shentsize, layout, count)
        return list(map(SectionHeader._make, rows))

    def _program_headers(self) -> list[ProgramHeader]:
        header = self.header
        count = header.e_phnum
        if not header.e_phoff or not count:
            return []
        if count == _PN_XNUM and self.sections:
            count = self.sections[0].sh_info
        if count > _MOST_SEGMENTS:
            self.problems.append(f"of {count:,} program headers, {_MOST_SEGMENTS:,} are looked at")
            count = _MOST_SEGMENTS
        rows = self._table("program", header.e_phoff, header.e_phentsize, _PROGRAM[self.bits], count)
        if self.bits == 64:
            return list(map(ProgramHeader._make, rows))
        return [
            ProgramHeader(kind, flags, offset, vaddr, paddr, filesz, memsz, align)
            for kind, offset, vaddr, paddr, filesz, memsz, flags, align in rows
        ]

    def _section_names(self) -> list[str]:
        if not self.sections:
            return []
        index = self.header.e_shstrndx
        if index == _SHN_XINDEX:
            index = self.sections[0].sh_link
        if not 0 < index < len(self.sections) or self.sections[index].sh_size > _LARGEST_TABLE:
            self.problems.append("the section names cannot be found")
            return [""] * len(self.sections)
        names, missing = strings(self.content(self.sections[index]), [section.sh_name for section in self.sections])
        if missing:
            self.problems.append(f"{missing:,} sections have no readable name")
        return names


def _lying(what: str, start: int, end: int) -> str:
    return f"{what} at bytes {start:,} to {end:,}"


@cache
def _machines() -> Mapping[int, str]:
    from elftools.elf.enums import ENUM_E_MACHINE

    return {number: name for name, number in ENUM_E_MACHINE.items() if isinstance(number, int)}


@cache
def _type_names(prefix: str, machine: int) -> Mapping[int, str]:
    """The names of section ("SH") or program header ("P") types for a machine, without the bounds of ranges."""
    from elftools.elf import enums

    suffix = {"EM_386": "AMD64", "EM_X86_64": "AMD64", "EM_ARM": "ARM", "EM_AARCH64": "AARCH64", "EM_MIPS": "MIPS"}
    suffix["EM_RISCV"] = "RISCV"
    machine_name = _machines().get(machine, "")
    wanted = suffix.get(machine_name, "BASE")
    base = getattr(enums, f"ENUM_{prefix}_TYPE_BASE")
    names = dict(_MORE_TYPES.get((prefix, machine_name), {}))
    for name, number in getattr(enums, f"ENUM_{prefix}_TYPE_{wanted}", base).items():
        word = name.partition("T_")[2]
        if isinstance(number, int) and word not in ("LOOS", "HIOS", "LOUSER", "HIUSER", "NUM"):
            names[number] = _READELF_WORDS.get(word, word)
    return names
