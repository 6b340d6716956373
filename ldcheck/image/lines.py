"""The source line of a place in an object file or a linked image, by its debugging information.

An object's sections all begin at 0, so a line program's addresses mean nothing until each is put to the section that
its relocation names. In an image they are final, and a table (.debug_aranges) tells which unit has an address.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ldcheck.findings import CheckError
from ldcheck.image.addends import EM_RISCV
from ldcheck.image.archive import is_archive, members
from ldcheck.image.debug_relocations import ADDRESSES, relocated
from ldcheck.image.elf_file import SHT_REL, SHT_RELA, SHT_SYMTAB, ElfFile
from ldcheck.image.files import OpenFile, Window
from ldcheck.image.relocations import relocation_columns

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.lineprogram import LineProgram, LineState

_EXECUTE = 4
# Bytes of objects whose debugging information is looked at, in all: its reader is slow, and lines are only a help.
_MOST_BYTES = 4 << 20
_MOST_ROWS = 2_000_000
# An image that is no larger is looked at, a unit at a time; without the table that tells which, all of a smaller one.
_MOST_OF_AN_IMAGE = 64 << 20


class Lines:
    """The lines of objects, each file read once. What cannot be read has none."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], dict[int, list[tuple[int, str]]]] = {}
        self._room = _MOST_BYTES
        self._images: dict[str, _ImageLines | None] = {}

    def at_address(self, path: str, address: int) -> str:
        """`setup.c:12` for an address in a linked image; empty where nothing tells."""
        if path not in self._images:
            self._images[path] = _image_lines(path)
        image = self._images[path]
        # See `_rows`: damaged information is no evidence.
        try:
            return image.at(address) if image is not None else ""
        except Exception:  # noqa: BLE001 - the reader raises what it likes
            self._images[path] = None
            return ""

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


class _ImageLines:
    """The lines of an image, unit by unit as they are asked for."""

    def __init__(self, window: Window) -> None:
        from elftools.elf.elffile import ELFFile

        file = ELFFile(io.BytesIO(window.read(0, window.size)))
        self._information = file.get_dwarf_info(relocate_dwarf_sections=False, follow_links=False)
        self._aranges = self._information.get_aranges()
        self._all = window.size <= _MOST_BYTES
        self._units: dict[int, list[tuple[int, str]]] = {}

    def at(self, address: int) -> str:
        """The line of the last row at or ahead of an address in its unit."""
        if self._aranges is None:
            if self._all and -1 not in self._units:
                self._units[-1] = _ascending(row for unit in self._information.iter_CUs() for row in self._rows(unit))
            offset = -1 if self._all else None
        else:
            offset = self._aranges.cu_offset_at_addr(address)
            if offset is not None and offset not in self._units:
                self._units[offset] = _ascending(self._rows(self._information.get_CU_at(offset)))
        rows = self._units[offset] if offset is not None else []
        at = bisect_right(rows, address, key=lambda row: row[0]) - 1
        return rows[at][1] if at >= 0 else ""

    def _rows(self, unit: CompileUnit) -> Iterator[tuple[int, str]]:
        program = self._information.line_program_for_CU(unit)
        if program is None:
            return
        for entry in program.get_entries():
            state = entry.state
            # Where a sequence ends, nothing is known of what lies behind; another one may begin there.
            if state is not None:
                yield state.address, "" if state.end_sequence else _line(program, state)


def _ascending(rows: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """By address, each end of a sequence ahead of what begins there."""
    return sorted(rows, key=lambda row: (row[0], bool(row[1])))


def _image_lines(path: str) -> _ImageLines | None:
    try:
        with OpenFile(path, "an ELF file") as window:
            return _ImageLines(window) if window.size <= _MOST_OF_AN_IMAGE else None
    except Exception:  # noqa: BLE001 - see `_rows`
        return None


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
    for entry in program.get_entries():
        if entry.is_extended and entry.command == 2:
            section = next(sections, -1)
        state = entry.state
        if state is None or section < 0 or state.end_sequence:
            continue
        if line := _line(program, state):
            found.setdefault(section, []).append((state.address, line))


def _line(program: LineProgram, state: LineState) -> str:
    """`setup.c:12` for a row; empty where it names no file."""
    names = program.header.file_entry
    at = state.file - (0 if program.header.version >= 5 else 1)
    name = names[at].name.decode("utf-8", "replace") if 0 <= at < len(names) else ""
    return f"{name}:{state.line}" if name and state.line else ""
