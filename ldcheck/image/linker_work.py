"""What the relocations of objects make a linker add to a link: entries of tables, stubs, shorter code.

Only so much is looked at as tells whether there is any such work: a layout that is predicted from section headers holds
where there is none.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence

from ldcheck.image.arm_attributes import SHT_ARM_ATTRIBUTES, arm_profile
from ldcheck.image.elf_file import SHT_REL, SHT_RELA, ElfFile, SectionHeader

_SHF_ALLOC = 0x2
# Bytes of relocations that are looked at; tables of a damaged file may lie on top of each other.
_MOST_BYTES = 1 << 30
_RISCV_RELAXED = {43: "R_RISCV_ALIGN", 51: "R_RISCV_RELAX"}
_IFUNC, _FUNC = 10, 2

# Relocations that ld computes in place, by architecture (the psABI of each). Others may want a table or a stub.
_PLAIN = {
    "x86_64": frozenset((0, 1, 2, 4, 10, 11, 12, 13, 14, 15, 17, 18, 21, 23, 24, 32, 33)),
    "arm64": frozenset((0, 256, *range(257, 294), 299, *range(544, 560))),
    "arm32": frozenset((0, 1, 2, 3, 4, 5, 6, 8, 10, 24, 27, 28, 29, 30, 38, 40, 41, 42, *range(43, 51), 51, 102, 103)),
    "riscv64": frozenset((0, 1, 2, 10, 11, 16, 17, 18, 19, *range(23, 32), *range(33, 42), 44, 45, *range(52, 58))),
}
# How far branches reach for certain, in bytes: 64-bit arm; arm code, Thumb code, and conditional branches of that.
_BRANCHES = {
    "arm64": {282: 0x7F00000, 283: 0x7F00000},
    "arm32": {1: 0x1F00000, 27: 0x1F00000, 28: 0x1F00000, 29: 0x1F00000, 10: 0xF00000, 30: 0xF00000, 51: 0xF0000},
}
# Relocations against a global symbol for which ld makes the (empty) tables of indirect functions.
_ASKING = {"arm64": frozenset((257, 275, 277, 282, 283, 309, 311, 312, 313))}


class LinkerWork:
    """What was found in the objects of a link.

    `obstacles` and `tables` are clauses: on work that hangs on addresses, and on tables that ld makes wherever things
    are. `called` are names that branches go to, `reach` is how far the shortest branch goes, 0 for none. `first` is the
    file and member with the first relocation for which ld makes tables of indirect functions.
    """

    def __init__(self) -> None:
        self.arch = ""
        self.obstacles: dict[str, None] = {}
        self.tables: dict[str, None] = {}
        self.called: set[str] = set()
        self.reach = 0
        # The profile of the architecture that the object at hand is for.
        self._profile = ""
        self._left = _MOST_BYTES
        self.first: tuple[str, str] | None = None

    def add(self, file: str, member: str, elf: ElfFile, names: Sequence[str], locals_: int) -> set[int]:
        """Look at an object; the indices of its sections that have relocations.

        `names` are those of its symbols, of which the first `locals_` are local.
        """
        self.arch = self.arch or elf.arch
        label = f"{file}({member})" if member else file
        plain = _PLAIN.get(elf.arch)
        self._profile = _profile(elf) if elf.arch == "arm32" else ""
        relocated: set[int] = set()
        for header in elf.sections:
            if header.sh_type not in (SHT_REL, SHT_RELA) or not 0 < header.sh_info < len(elf.sections):
                continue
            relocated.add(header.sh_info)
            if not elf.sections[header.sh_info].sh_flags & _SHF_ALLOC:
                continue
            self._left -= header.sh_size
            if self._left < 0:
                self.obstacles[f"{label} has more relocations than are looked at"] = None
                break
            kinds: set[int] = set()
            for kind, symbol in _relocations(elf, header):
                kinds.add(kind)
                if symbol >= locals_:
                    self._global(kind, symbol, (file, member), names)
            known = _BRANCHES.get(elf.arch, {})
            self.reach = min(
                [*(known[kind] for kind in kinds if kind in known), *([self.reach] if self.reach else [])], default=0
            )
            if elf.arch == "arm32" and self.first is None:
                self.first = file, member
            relaxed = [_RISCV_RELAXED[kind] for kind in sorted(kinds) if kind in _RISCV_RELAXED]
            if elf.arch == "riscv64" and relaxed:
                self.obstacles[f"{label} has {relaxed[0]}: ld makes its code shorter"] = None
            elif plain is not None and (odd := kinds - plain):
                self.tables[f"{label} has relocations of type {min(odd)}, for which ld may make tables"] = None
        return relocated

    def _global(self, kind: int, symbol: int, file: tuple[str, str], names: Sequence[str]) -> None:
        if kind in _BRANCHES.get(self.arch, ()) and symbol < len(names):
            self.called.add(names[symbol])
        if self.first is None and kind in _ASKING.get(self.arch, ()):
            self.first = file

    def add_symbol(self, label: str, kind: int, value: int, *, defined: bool) -> None:
        """Look at a symbol of the object."""
        if kind == _IFUNC:
            self.tables[f"{label} has an indirect function, for which ld makes tables"] = None
        elif self.arch == "arm32" and kind == _FUNC and defined and bool(value & 1) != (self._profile == "M"):
            # A Cortex-A8 has an erratum, and between arm and Thumb code not every branch is possible.
            self.obstacles[f"{label} has Thumb code, for which ld may make stubs"] = None


def _profile(elf: ElfFile) -> str:
    found = (header for header in elf.sections if header.sh_type == SHT_ARM_ATTRIBUTES)
    return next((arm_profile(elf.content(header), elf.order) for header in found), "")


def _relocations(elf: ElfFile, header: SectionHeader) -> Iterator[tuple[int, int]]:
    """Type and symbol of each relocation of a table."""
    wide = elf.bits == 64
    width = (3 if header.sh_type == SHT_RELA else 2) * (8 if wide else 4)
    data = elf.content(header)
    cells = array("Q" if wide else "I", data[: len(data) // width * width])
    if elf.big_endian != (sys.byteorder == "big"):
        cells.byteswap()
    infos = cells[1 :: width // cells.itemsize]
    if wide:
        return ((info & 0xFFFFFFFF, info >> 32) for info in infos)
    return ((info & 0xFF, info >> 8) for info in infos)
