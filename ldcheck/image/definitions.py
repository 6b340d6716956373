"""What the objects of a link define and refer to, as far as a layout hangs on it: symbols, and what ld makes of them.

Of common symbols a link keeps the largest of each name, in the file that has it (bfd/elflink.c). ld lays them out in
the order of a hash table, which is not known here: a file's are told where that order does not matter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ldcheck.image.archive import is_archive, members
from ldcheck.image.elf_file import SHT_NOBITS, SHT_REL, SHT_RELA, SHT_SYMTAB, ElfFile
from ldcheck.image.files import OpenFile, Window
from ldcheck.image.frames import Key, Symbols
from ldcheck.image.linker_work import LinkerWork, Obstacle
from ldcheck.image.merging import is_mergeable
from ldcheck.image.needs import Needs
from ldcheck.image.symbols import SHN_ABS, SHN_COMMON, SHN_UNDEF
from ldcheck.record import dataclass, field

# Bytes of mergeable sections that are kept; sections of a damaged file may lie on top of each other.
_MOST_BYTES = 1 << 28
_LOCAL, _WEAK = 0, 2
_SHT_ARM_EXIDX = 0x70000001
_FUNC, _IFUNC = 2, 10


class Definition(NamedTuple):
    """A symbol of an object: its value in a section of the object; without one, it is absolute."""

    value: int
    input: Key | None


class Common(NamedTuple):
    """The common symbols of a file: bytes and alignment; `bytes` is None where the order of ld's table decides."""

    size: int | None
    align: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """The global symbols of the objects of a link.

    `unknown` are those whose place in their section is not known. `wanted` are those that they refer to, `called` those
    that branches go to; `reach` is how far the shortest branch goes, 0 for none. `common` are what common symbols take,
    by file. `mergeable` is the content of sections that ld merges. `obstacles` are on what ld makes of the relocations
    by the addresses, `tables` on what it makes wherever things are. `asking` are the sections with relocations for
    which it adds sections, with the symbols that it hangs on, None for any. `needs` is what sections refer to,
    `indices` the words of arm's index tables.
    """

    defined: Mapping[str, Definition]
    unknown: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    common: Mapping[Key, Common] | None = None
    mergeable: Mapping[Key, bytes] = field(default_factory=dict)
    obstacles: tuple[Obstacle, ...] = ()
    tables: tuple[Obstacle, ...] = ()
    called: frozenset[str] = frozenset()
    reach: int = 0
    asking: Mapping[Key, frozenset[str] | None] = field(default_factory=dict)
    needs: Needs = Needs()
    indices: Mapping[Key, tuple[int, ...]] = field(default_factory=dict)


NOTHING = Definitions({})


def read_definitions(
    paths: Iterable[str],
    chosen: frozenset[tuple[str, str]] | None = None,
    called: Mapping[str, str] | None = None,
) -> Definitions:
    """The symbols of objects and archives; of those files and members alone that are `chosen`, if that is given.

    `called` are the names of files that are called otherwise than their paths. Raises CheckError for a path that cannot
    be read.
    """
    reading = _Reading()
    for path in paths:
        name = called.get(path, path) if called is not None else path
        with OpenFile(path, "an object file or archive") as window:
            if not is_archive(window):
                reading.add(name, "", window)
                continue
            for member in members(window, []):
                if member.window is None:
                    if chosen is None or (member.name, "") in chosen:
                        with OpenFile(member.name, "a member of a thin archive") as file:
                            reading.add(member.name, "", file)
                elif chosen is None or (name, member.name) in chosen:
                    reading.add(name, member.name, member.window)
    return reading.result()


class _Reading:
    def __init__(self) -> None:
        self._strong: dict[str, Definition] = {}
        self._weak: dict[str, Definition] = {}
        self._wanted: set[str] = set()
        # By name: size, alignment, file.
        self._common: dict[str, tuple[int, int, Key]] = {}
        self._mergeable: dict[Key, bytes] = {}
        self._indices: dict[Key, tuple[int, ...]] = {}
        self._left = _MOST_BYTES
        self._work = LinkerWork()

    def add(self, file: str, member: str, window: Window) -> None:
        """Take up the symbols of an object."""
        if window.read(0, 4) != b"\x7fELF":
            return
        elf = ElfFile(window)
        kinds = [header.sh_type for header in elf.sections]
        table = elf.symbol_table(kinds.index(SHT_SYMTAB)) if SHT_SYMTAB in kinds else None
        rows = [*table.rows()] if table is not None else []
        locals_ = elf.sections[kinds.index(SHT_SYMTAB)].sh_info if table is not None else 0
        self._work.add(file, member, elf, Symbols(rows, locals_, (file, member)))
        for name, binding, kind, place, value, size in rows:
            if kind in (_FUNC, _IFUNC):
                self._work.add_symbol(f"{file}({member})" if member else file, kind, value, defined=place != SHN_UNDEF)
            if binding != _LOCAL and name:
                self._enter(file, member, name, binding, place, value, size)
        relocated = {header.sh_info for header in elf.sections if header.sh_type in (SHT_REL, SHT_RELA)}
        for index, header in enumerate(elf.sections):
            if header.sh_type == _SHT_ARM_EXIDX and elf.arch == "arm32":
                self._left -= header.sh_size
                data = elf.content(header) if self._left >= 0 else b""
                words = struct.unpack(f"{elf.order}{len(data) // 4}I", data[: len(data) // 4 * 4])
                self._indices[file, member, index] = words
            measures = header.sh_flags, header.sh_size, header.sh_entsize, max(header.sh_addralign, 1)
            if not is_mergeable(*measures) or index in relocated or header.sh_type == SHT_NOBITS:
                continue
            self._left -= header.sh_size
            content = elf.content(header) if self._left >= 0 else b""
            self._mergeable[file, member, index] = content
            if len(content) != header.sh_size:
                self._work.obstacles[Obstacle(f"{file}: the strings of section {index} cannot be read")] = None

    def _enter(self, file: str, member: str, name: str, binding: int, place: int, value: int, size: int) -> None:
        if place == SHN_UNDEF:
            self._wanted.add(name)
        elif place == SHN_COMMON:
            known = self._common.get(name)
            align = max(value, known[1] if known else 1)
            home = known[2] if known and known[0] >= size else (file, member, 0)
            self._common[name] = max(size, known[0] if known else 0), align, home
        else:
            defined = self._weak if binding == _WEAK else self._strong
            defined.setdefault(name, Definition(value, None if place == SHN_ABS else (file, member, place)))

    def result(self) -> Definitions:
        """What the link has of all of them."""
        common: dict[Key, list[tuple[str, int, int]]] = {}
        for name, (size, align, home) in self._common.items():
            if name not in self._strong:
                common.setdefault(home, []).append((name, size, align))
        unknown = {name for found in common.values() if len(found) > 1 for name, _, _ in found}
        several = {name: Definition(0, home) for home, found in common.items() for name, _, _ in found}
        defined = {**self._weak, **several, **self._strong}
        sizes = {home: _laid_out([(size, align) for _, size, align in found]) for home, found in common.items()}
        return Definitions(
            defined,
            frozenset(unknown),
            frozenset(self._wanted),
            sizes,
            self._mergeable,
            tuple(self._work.obstacles),
            tuple(self._work.tables),
            frozenset(self._work.called),
            self._work.reach,
            self._work.asking(self._strong),
            self._work.needs(),
            self._indices,
        )


def _laid_out(found: list[tuple[int, int]]) -> Common:
    """The bytes that symbols of these sizes and alignments take, if that is the same in any order."""
    align = max(align for _, align in found)
    if len(found) == 1 or all(size % align == 0 for size, _ in found):
        return Common(sum(size for size, _ in found), align)
    return Common(None, align)
