"""Object files and archives as they go into a link: their section tables.

What GNU ld never places is left out: symbol and string tables, group headers, and relocations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ldcheck.findings import CheckError
from ldcheck.image.archive import is_archive, members
from ldcheck.image.elf_file import SHT_GROUP, SHT_REL, SHT_RELA, SHT_SYMTAB, SHT_SYMTAB_SHNDX, ElfFile
from ldcheck.image.files import OpenFile, Window, collector_paused, describe, refuse
from ldcheck.image.groups import section_groups
from ldcheck.image.model import InputSection
from ldcheck.image.symbols import SymbolTable

_SHT_NULL = 0
_SHT_STRTAB = 3
_SHT_LLVM_ADDRSIG = 0x6FFF4C03
_NEVER_PLACED = frozenset(
    (_SHT_NULL, SHT_SYMTAB, _SHT_STRTAB, SHT_RELA, SHT_REL, SHT_GROUP, SHT_SYMTAB_SHNDX, _SHT_LLVM_ADDRSIG)
)
_SHF_WRITE_ALLOC = 3
_WHAT = "an object file or archive"


def read_objects(paths: Iterable[str], notes: list[str] | None = None) -> tuple[InputSection, ...]:
    """The sections of all objects, in the order of the files, of the members, and of the section headers.

    `notes` receives a sentence for each member or table that could not be read. Raises CheckError for a path that is
    neither an object nor an archive, cannot be read, or is an object that is cut off.
    """
    remarks = [] if notes is None else notes
    sections: list[InputSection] = []
    with collector_paused():
        for path in paths:
            with OpenFile(path, _WHAT) as window:
                sections += _file_sections(path, window, remarks)
    return tuple(sections)


def arch_of(paths: Iterable[str]) -> str:
    """The architecture of the first object that tells it; empty if none does."""
    for path in paths:
        with OpenFile(path, "an object file or archive") as window:
            if not is_archive(window):
                return ElfFile(window).arch
            for member in members(window, []):
                if member.window is not None and member.window.read(0, 4) == b"\x7fELF":
                    return ElfFile(member.window).arch
    return ""


def _file_sections(path: str, window: Window, notes: list[str]) -> Iterator[InputSection]:
    if not is_archive(window):
        head = window.read(0, 4096)
        if head[:4] != b"\x7fELF":
            advice = "compile without LTO, or give the objects that the linker made" if head[:2] == b"BC" else ""
            raise refuse(path, f"expected {_WHAT}, this looks like {describe(head)}", advice)
        yield from _object_sections(path, "", "", window, notes)
        return
    for member in members(window, notes):
        if member.window is None:
            with OpenFile(member.name, f"a member of the thin archive {path}") as file:
                yield from _member_sections(member.name, "", path, file, notes)
        else:
            yield from _member_sections(path, member.name, "", member.window, notes)


def _member_sections(file: str, member: str, archive: str, window: Window, notes: list[str]) -> Iterator[InputSection]:
    head = window.read(0, 64)
    label = f"{file}({member})" if member else file
    if head[:4] != b"\x7fELF":
        notes.append(f"{label} is left out: it looks like {describe(head)}")
        return
    try:
        yield from _object_sections(file, member, archive, window, notes)
    except CheckError as error:
        notes.append(f"{label} is left out: {error}")


def _object_sections(path: str, member: str, archive: str, window: Window, notes: list[str]) -> Iterator[InputSection]:
    file = ElfFile(window)
    label = f"{path}({member})" if member else path
    if file.type != "REL":
        notes.append(f"{label} is left out: it is a linked file ({file.type}), not an object")
        return
    file.refuse_cut()
    kinds = [header.sh_type for header in file.sections]
    table = file.symbol_table(kinds.index(SHT_SYMTAB)) if SHT_SYMTAB in kinds else None
    groups = section_groups(file, table) if SHT_GROUP in kinds else {}
    for index, (name, header) in enumerate(zip(file.names, file.sections, strict=True)):
        if header.sh_type in _NEVER_PLACED:
            continue
        yield InputSection(
            file=path,
            member=member,
            name=name,
            index=index,
            size=header.sh_size,
            align=max(header.sh_addralign, 1),
            type=file.section_type(header.sh_type),
            flags=header.sh_flags,
            group=groups[index].signature if index in groups and groups[index].comdat else "",
            archive=archive,
            entry_size=header.sh_entsize,
            link=header.sh_link,
        )
    size, align = _common(table) if table is not None else (0, 1)
    if size:
        yield InputSection(path, member, "COMMON", 0, size, align, "NOBITS", _SHF_WRITE_ALLOC, archive=archive)
    notes += [f"{label}: {problem}" for problem in file.problems[:5]]


def _common(table: SymbolTable) -> tuple[int, int]:
    """Size and alignment of an object's common symbols, laid out in the order of the symbol table.

    An upper bound: of one symbol that several files have, the linker keeps the largest.
    """
    at, align = 0, 1
    for size, alignment in table.common():
        alignment = max(alignment, 1)
        at = -(-at // alignment) * alignment + size
        align = max(align, alignment)
    return at, align
