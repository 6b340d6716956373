"""What the sections of objects refer to by their relocations: the way of --gc-sections through a link.

Relocations of debugging information are looked at only in objects that have it in groups, linked to sections or in
fragments, or that refer to the bounds of sections: elsewhere ld keeps all of it, and nothing because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.image.elf_file import SHF_ALLOC, SHT_REL, SHT_RELA, ElfFile, SectionHeader
from ldcheck.image.frames import Frame, Key, Symbols, Target, read_frames
from ldcheck.image.groups import group_members
from ldcheck.image.relocations import relocation_columns
from ldcheck.image.symbols import SHN_UNDEF
from ldcheck.record import dataclass, field

_SHF_LINK_ORDER, _SHF_GROUP, _SHF_RETAIN = 0x80, 0x200, 0x200000
# Whose objects may ask for a section to be retained: GNU and FreeBSD (EI_OSABI).
_RETAINING = (b"\x03", b"\x09")
_OSABI = 7
# How the symbols begin that ld makes for the bounds of sections.
BOUNDS = ("__start_", "__stop_")
# How fragments of line tables begin, which go with their code.
FRAGMENT = ".debug_line."
_EH_FRAME = ".eh_frame"
# Bytes of relocations that are looked at; tables of a damaged file may lie on top of each other.
_MOST_BYTES = 1 << 30


def bounded(symbol: str) -> str | None:
    """The name of the section that a symbol is a bound of, if ld makes such symbols for it."""
    for prefix in BOUNDS:
        if symbol.startswith(prefix):
            name = symbol[len(prefix) :]
            return name if name.isascii() and name.replace("_", "a").isalnum() else None
    return None


@dataclass(frozen=True, slots=True)
class Needs:
    """What sections with relocations refer to.

    `frames` are the entries of .eh_frame sections, None for one that ld leaves alone. `mates` are the members of the
    group that a section is in, COMDAT or not; `retained` are the sections that their objects ask to be kept, `unread`
    those with relocations that were not looked at.
    """

    targets: Mapping[Key, frozenset[Target]] = field(default_factory=dict)
    frames: Mapping[Key, tuple[Frame, ...] | None] = field(default_factory=dict)
    mates: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    retained: frozenset[Key] = frozenset()
    unread: frozenset[Key] = frozenset()


class Related(NamedTuple):
    """The relocations of a section, as far as the linker's work hangs on them: pairs of type and symbol."""

    section: int
    pairs: frozenset[tuple[int, int]]


class NeedsReader:
    """Collects what objects refer to. `exhausted` tells of a file with more relocations than are looked at."""

    def __init__(self) -> None:
        self._targets: dict[Key, frozenset[Target]] = {}
        self._frames: dict[Key, tuple[Frame, ...] | None] = {}
        self._mates: dict[Key, tuple[Key, ...]] = {}
        self._retained: set[Key] = set()
        self._unread: set[Key] = set()
        self._left = _MOST_BYTES
        self.exhausted = False

    def add(self, file: tuple[str, str], elf: ElfFile, symbols: Symbols) -> Iterator[Related]:
        """Look at an object; the relocations of its sections that take memory."""
        special = _SHF_GROUP | _SHF_LINK_ORDER
        matters = any(one.sh_flags & special for one in elf.sections if not one.sh_flags & SHF_ALLOC)
        matters = matters or any(name.startswith(FRAGMENT) for name in elf.names)
        matters = matters or any(row[0].startswith(BOUNDS) and row[3] == SHN_UNDEF for row in symbols.rows)
        for _, _, indices in group_members(elf):
            members = tuple((*file, index) for index in indices if index < len(elf.sections))
            for member in members:
                self._mates.setdefault(member, members)
        retaining = elf.window.read(_OSABI, 1) in _RETAINING
        for index, header in enumerate(elf.sections):
            if retaining and header.sh_flags & _SHF_RETAIN:
                self._retained.add((*file, index))
            if elf.names[index] == _EH_FRAME and header.sh_flags & SHF_ALLOC:
                self._frames.setdefault((*file, index), self._read(elf, header, [], symbols))
            if header.sh_type not in (SHT_REL, SHT_RELA) or not 0 < header.sh_info < len(elf.sections):
                continue
            section = elf.sections[header.sh_info]
            key = *file, header.sh_info
            allocated = section.sh_flags & SHF_ALLOC
            if not allocated and not matters and elf.names[header.sh_info].startswith(".debug"):
                self._unread.add(key)
                continue
            self._left -= header.sh_size
            if self._left < 0:
                self.exhausted = True
                return
            offsets, numbers, kinds, _ = relocation_columns(elf, header, header.sh_size)
            pairs = frozenset(zip(kinds, numbers, strict=True))
            named = {symbols.target(symbol) for _, symbol in pairs}
            found = frozenset(one for one in named if one is not None)
            self._targets[key] = self._targets.get(key, frozenset()) | found
            if elf.names[header.sh_info] == _EH_FRAME and allocated:
                places = [(at, symbol or -bool(kind)) for at, symbol, kind in zip(offsets, numbers, kinds, strict=True)]
                self._frames[key] = self._read(elf, section, places, symbols)
            if allocated:
                yield Related(header.sh_info, pairs)

    def _read(
        self, elf: ElfFile, section: SectionHeader, places: Sequence[tuple[int, int]], symbols: Symbols
    ) -> tuple[Frame, ...] | None:
        self._left -= section.sh_size
        if self._left < 0:
            self.exhausted = True
            return None
        return read_frames(elf.content(section), places, elf.order, elf.bits // 8, symbols)

    def result(self) -> Needs:
        """What was collected."""
        return Needs(self._targets, self._frames, self._mates, frozenset(self._retained), frozenset(self._unread))
