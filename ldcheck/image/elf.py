"""The linked ELF file as the model of it: sections, segments, symbols, notes.

A file that is cut off, or whose headers cannot be read, is refused; another that is damaged gives a partial model whose
`incomplete` says what is missing. Contents of sections are not looked at, notes excepted.
"""

from __future__ import annotations

import struct

from ldcheck.image.elf_file import (
    SHF_ALLOC,
    SHT_DYNSYM,
    SHT_NOTE,
    SHT_SYMTAB,
    ElfFile,
    ProgramHeader,
)
from ldcheck.image.files import OpenFile, Window, describe, refuse
from ldcheck.image.model import Elf, ImageSection, Note, Segment
from ldcheck.image.symbols import SymbolTable

_SHF_WRITE = 1
_SHF_EXECINSTR = 4
_SHF_TLS = 0x400

_PF_X = 1
_PF_W = 2
_PF_R = 4

_NT_GNU_BUILD_ID = 3

# Notes are short; what is more than this in all is damaged or not worth its memory.
_LARGEST_NOTES = 1 << 20
# Each section is tried against each segment; a real link has a dozen segments.
_MOST_PAIRS = 2_000_000
# Clauses that one damaged file may have about its sections.
_MOST_PROBLEMS = 20


def read_elf(path: str) -> Elf:
    """Read a linked ELF file (or a relocatable one, type REL); an EFI image gives the same model, of type PE.

    Raises CheckError where the file cannot be read, is something else, lacks a part of what its headers speak of, or is
    damaged so far that neither its sections nor its segments can be read.
    """
    with OpenFile(path, "an ELF file") as window:
        head = window.read(0, 4096)
        if head[:4] == b"\x7fELF":
            return _model(ElfFile(window), window)
    if head[:2] == b"MZ":
        from ldcheck.image.pe import read_pe

        return read_pe(path).image
    raise refuse(path, f"expected an ELF file, this looks like {describe(head)}", _advice(head))


def _advice(head: bytes) -> str:
    if head[:2] == b"\x1f\x8b":
        return "unpack it first, and give the file with symbols (xen-syms, vmlinux) rather than the boot image"
    if head[:7] == b"!<arch>" or head[:7] == b"!<thin>":
        return "archives are read with --objects"
    if describe(head).startswith("a link map"):
        return "link maps are read with --map"
    return "give the linked image with its section headers, such as xen-syms or vmlinux"


def _model(file: ElfFile, window: Window) -> Elf:
    file.refuse_cut()
    sections = _sections(file)
    if not sections and not file.programs:
        wanted = "; ".join(file.problems) or "it has neither section nor program headers"
        raise refuse(window.path, f"the ELF file is unusable: {wanted}", "is it cut off?")
    tables = _symbol_tables(file)
    notes = _notes(file)
    if not sections:
        file.problems.append("there are no section headers")
    return Elf(
        path=window.path,
        arch=file.arch,
        bits=file.bits,
        big_endian=file.big_endian,
        type=file.type,
        entry=file.header.e_entry,
        sections=sections,
        segments=_segments(file, sections),
        symbols=tables[0] if tables else {},
        build_id=next((n.data.hex() for n in notes if (n.owner, n.type) == ("GNU", _NT_GNU_BUILD_ID)), ""),
        incomplete=_summary(file.problems),
        notes=notes,
        tables=tables,
        stripped=not any(table.name == ".symtab" for table in tables),
    )


def _sections(file: ElfFile) -> tuple[ImageSection, ...]:
    sections = []
    for index, (name, header) in enumerate(zip(file.names, file.sections, strict=True)):
        flags = header.sh_flags
        section = ImageSection(
            index=index,
            name=name,
            type=file.section_type(header.sh_type),
            address=header.sh_addr,
            offset=header.sh_offset,
            size=header.sh_size,
            align=header.sh_addralign,
            writable=bool(flags & _SHF_WRITE),
            allocated=bool(flags & SHF_ALLOC),
            executable=bool(flags & _SHF_EXECINSTR),
            entry_size=header.sh_entsize,
            flags=flags,
            link=header.sh_link,
            info=header.sh_info,
        )
        sections.append(section)
        if header.sh_addr + header.sh_size > 1 << file.bits:
            file.problems.append(f"section {name or index} reaches beyond the end of the address space")
    return tuple(sections)


def _symbol_tables(file: ElfFile) -> tuple[SymbolTable, ...]:
    """The static symbol table first; a file has one of each kind."""
    found = {}
    for index, header in enumerate(file.sections):
        if header.sh_type in (SHT_SYMTAB, SHT_DYNSYM) and header.sh_type not in found:
            found[header.sh_type] = file.symbol_table(index)
    return tuple(found[kind] for kind in (SHT_SYMTAB, SHT_DYNSYM) if kind in found)


def _notes(file: ElfFile) -> tuple[Note, ...]:
    notes: list[Note] = []
    room = _LARGEST_NOTES
    for name, header in zip(file.names, file.sections, strict=True):
        if header.sh_type == SHT_NOTE and header.sh_size <= room:
            room -= header.sh_size
            _split_notes(file.content(header), name, 8 if header.sh_addralign == 8 else 4, file.order, notes)
    return tuple(notes)


def _split_notes(data: bytes, section: str, align: int, order: str, notes: list[Note]) -> None:
    """Notes of one section (ELF specification, "Note Section"; an alignment of 8 is GNU's for properties)."""
    at, size = 0, len(data)
    while at + 12 <= size and len(notes) < 4096:
        name_size, content_size, kind = struct.unpack_from(order + "III", data, at)
        content = at + 12 + -(-name_size // 4) * 4
        content = -(-content // align) * align
        if content + content_size > size:
            return
        owner = data[at + 12 : at + 12 + name_size].split(b"\0")[0].decode("latin-1")
        notes.append(Note(owner, kind, data[content : content + content_size], section))
        at = -(-(content + content_size) // align) * align


def _segments(file: ElfFile, sections: tuple[ImageSection, ...]) -> tuple[Segment, ...]:
    countable = len(sections) * len(file.programs) <= _MOST_PAIRS
    if not countable:
        file.problems.append(f"{len(file.programs):,} segments are not told apart by their sections")
    segments = []
    for header in file.programs:
        kind = file.program_type(header.p_type)
        members = [s.index for s in sections if s.index and _lies_in(s, header, kind)] if countable else []
        segments.append(
            Segment(
                type=kind,
                offset=header.p_offset,
                address=header.p_vaddr,
                load_address=header.p_paddr,
                file_size=header.p_filesz,
                memory_size=header.p_memsz,
                align=header.p_align,
                readable=bool(header.p_flags & _PF_R),
                writable=bool(header.p_flags & _PF_W),
                executable=bool(header.p_flags & _PF_X),
                sections=tuple(members),
            )
        )
    return tuple(segments)


def _lies_in(section: ImageSection, segment: ProgramHeader, kind: str) -> bool:
    """Whether a section is part of a segment: as readelf judges, by binutils' include/elf/internal.h.

    That is ELF_SECTION_IN_SEGMENT_STRICT, and zero-initialised thread data, which takes no memory of its own, lies in
    its template alone (ELF_TBSS_SPECIAL).
    """
    thread_local = bool(section.flags & _SHF_TLS)
    if thread_local and kind not in ("TLS", "GNU_RELRO", "LOAD"):
        return False
    if not thread_local and kind in ("TLS", "PHDR"):
        return False
    if not section.allocated and (kind in ("LOAD", "DYNAMIC", "TLS") or kind.startswith("GNU_")):
        return False
    if thread_local and section.type == "NOBITS" and kind != "TLS":
        return False
    size = section.size
    if section.type != "NOBITS" and not _inside(section.offset, size, segment.p_offset, segment.p_filesz):
        return False
    if section.allocated and not _inside(section.address, size, segment.p_vaddr, segment.p_memsz):
        return False
    if kind not in ("DYNAMIC", "NOTE") or section.size or not segment.p_memsz:
        return True
    # No empty section at either end of these two.
    inner = section.type == "NOBITS" or 0 < section.offset - segment.p_offset < segment.p_filesz
    return inner and (not section.allocated or 0 < section.address - segment.p_vaddr < segment.p_memsz)


def _inside(start: int, size: int, segment_start: int, segment_size: int) -> bool:
    at = start - segment_start
    # "Strict": an empty section at the end of a segment that is not empty is not in it.
    return at >= 0 and (at <= segment_size - 1 or not segment_size) and at + size <= segment_size


def _summary(problems: list[str]) -> tuple[str, ...]:
    if len(problems) <= _MOST_PROBLEMS:
        return tuple(problems)
    return (*problems[:_MOST_PROBLEMS], f"and {len(problems) - _MOST_PROBLEMS:,} more faults of this kind")
