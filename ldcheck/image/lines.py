"""The source line of a place in an object file, by its debugging information.

An object's sections all begin at 0, so a line program's addresses mean nothing until each is put to the section that
its relocation names.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError
from ldcheck.image.addends import EM_RISCV
from ldcheck.image.archive import is_archive, members
from ldcheck.image.debug_relocations import ADDRESSES, relocated
from ldcheck.image.elf_file import SHT_REL, SHT_RELA, SHT_SYMTAB, ElfFile
from ldcheck.image.files import OpenFile, Window
from ldcheck.image.relocations import relocation_columns

if TYPE_CHECKING:
    from elftools.dwarf.lineprogram import LineProgram

_EXECUTE = 4
# Bytes of objects whose debugging information is looked at, in all: its reader is slow, and lines are only a help.
_MOST_BYTES = 4 << 20
_MOST_ROWS = 2_000_000


class Lines:
    """The lines of objects, each file read once. What cannot be read has none."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], dict[int, list[tuple[int, str]]]] = {}
        self._room = _MOST_BYTES

    def at(self, path: str, member: str, section: int, offset: int) -> str:
        """`setup.c:12` for a place in a section; empty where nothing tells."""
        key = (path, member)
        if key not in self._files:
            self._files[key] = self._read(path, member)
        found = ""
        for start, line in self._files[key].get(section, ()):
            if start > offset:
                break
            found = line
        return found

    def _read(self, path: str, member: str) -> dict[int, list[tuple[int, str]]]:
        try:
            with OpenFile(path, "an object file") as window:
                if not member:
                    return self._within(window)
                if is_archive(window):
                    for one in members(window, []):
                        if one.name == member and one.window is not None:
                            return self._within(one.window)
        except CheckError:
            pass
        return {}

    def _within(self, window: Window) -> dict[int, list[tuple[int, str]]]:
        if window.size > self._room:
            return {}
        self._room -= window.size
        return _rows(window)


def _rows(window: Window) -> dict[int, list[tuple[int, str]]]:
    """Offset and line of each row, ascending, by the section that it is in."""
    file = ElfFile(window)
    if ".debug_line" not in file.names or SHT_SYMTAB not in [header.sh_type for header in file.sections]:
        return {}
    found: dict[int, list[tuple[int, str]]] = {}
    # The reader raises what it likes on damaged information, which is a hint and no evidence.
    try:
        starts = _starts(file)
        for program in _programs(file):
            _of_program(program, starts, found)
    except Exception:  # noqa: BLE001 - see above
        return {}
    for rows in found.values():
        rows.sort()
    return found


def _starts(file: ElfFile) -> dict[int, int]:
    """Which section of code is meant at an offset in .debug_line."""
    table = file.names.index(".debug_line")
    symbols = file.symbol_table([header.sh_type for header in file.sections].index(SHT_SYMTAB))
    found = {}
    for header in file.sections:
        if header.sh_type in (SHT_REL, SHT_RELA) and header.sh_info == table:
            offsets, indices, kinds, _ = relocation_columns(file, header, _MOST_ROWS)
            for offset, index, kind in zip(offsets, indices, kinds, strict=True):
                if file.header.e_machine == EM_RISCV and kind not in ADDRESSES:
                    continue
                section = symbols.at(index).section if index < symbols.count else None
                if section is not None and file.sections[section].sh_flags & _EXECUTE:
                    found[offset] = section
    return found


def _programs(file: ElfFile) -> list[LineProgram]:
    from elftools.elf.elffile import ELFFile

    by_hand = file.header.e_machine == EM_RISCV
    if by_hand:
        link = [header.sh_type for header in file.sections].index(SHT_SYMTAB)
        data = relocated(file, link, _MOST_ROWS)
    else:
        data = file.window.read(0, file.window.size)
    information = ELFFile(io.BytesIO(data)).get_dwarf_info(relocate_dwarf_sections=not by_hand, follow_links=False)
    found = []
    for unit in information.iter_CUs():
        program = information.line_program_for_CU(unit)
        if program is not None and program not in found:
            found.append(program)
    return found


def _of_program(program: LineProgram, starts: dict[int, int], found: dict[int, list[tuple[int, str]]]) -> None:
    # The sequences of a program begin in the order of the relocations of their addresses.
    end = program.program_end_offset
    sections = iter(
        [section for offset, section in sorted(starts.items()) if program.program_start_offset <= offset < end]
    )
    section = -1
    names = program.header.file_entry
    first = 0 if program.header.version >= 5 else 1
    for entry in program.get_entries():
        if entry.is_extended and entry.command == 2:
            section = next(sections, -1)
        state = entry.state
        if state is None or section < 0 or state.end_sequence:
            continue
        at = state.file - first
        name = names[at].name.decode("utf-8", "replace") if 0 <= at < len(names) else ""
        if name and state.line:
            found.setdefault(section, []).append((state.address, f"{name}:{state.line}"))
