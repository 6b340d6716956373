"""What the relocations of objects make a linker add to a link: entries of tables, stubs, shorter code.

Only so much is looked at as tells whether there is any such work: a layout that is predicted from section headers holds
where there is none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ldcheck.image.arm_attributes import SHT_ARM_ATTRIBUTES, arm_profile
from ldcheck.image.elf_file import ElfFile
from ldcheck.image.frames import Key, Symbols
from ldcheck.image.needs import Needs, NeedsReader

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
# Relocations against a global symbol for which ld makes (empty) tables of indirect functions; on riscv64 of dynamic
# relocations, against symbols that it has no strong definition of.
_ASKING = {
    "arm64": frozenset((257, 275, 277, 282, 283, 309, 311, 312, 313)),
    "riscv64": frozenset((1, 2, 16, 17, 23, 26, 29, 44, 45)),
}


class Obstacle(NamedTuple):
    """Work of the linker, as a clause, and the section that makes it, which may not be in the image; None for any."""

    text: str
    section: Key | None = None


class LinkerWork:
    """What was found in the objects of a link.

    `obstacles` and `tables` are clauses: on work that hangs on addresses, and on tables that ld makes wherever things
    are. `called` are names that branches go to, `reach` is how far the shortest branch goes, 0 for none.
    """

    def __init__(self) -> None:
        self.arch = ""
        self.obstacles: dict[Obstacle, None] = {}
        self.tables: dict[Obstacle, None] = {}
        self.called: set[str] = set()
        self.reach = 0
        # Sections with relocations that may make ld add sections, and the global symbols of those.
        self._asking: dict[Key, frozenset[str]] = {}
        # The profile of the architecture that the object at hand is for.
        self._profile = ""
        self._needs = NeedsReader()

    def add(self, file: str, member: str, elf: ElfFile, symbols: Symbols) -> None:
        """Look at an object."""
        self.arch = self.arch or elf.arch
        label = f"{file}({member})" if member else file
        if elf.arch != self.arch:
            self.obstacles[Obstacle(f"{label} is for {elf.arch}, and those ahead of it are for {self.arch}")] = None
        plain = _PLAIN.get(elf.arch)
        branches = _BRANCHES.get(elf.arch, {})
        asking = _ASKING.get(elf.arch, frozenset())
        self._profile = _profile(elf) if elf.arch == "arm32" else ""
        for section, pairs in self._needs.add((file, member), elf, symbols):
            key = file, member, section
            kinds = {kind for kind, _ in pairs}
            self.called.update({symbols.name(symbol) for kind, symbol in pairs if kind in branches} - {""})
            reaches = [branches[kind] for kind in kinds if kind in branches]
            self.reach = min([*reaches, *([self.reach] if self.reach else [])], default=0)
            asked = frozenset(symbols.name(symbol) for kind, symbol in pairs if kind in asking)
            if asked - {""} or elf.arch in ("arm32", "riscv64"):
                self._asking[key] = asked - {""}
            relaxed = [_RISCV_RELAXED[kind] for kind in sorted(kinds) if kind in _RISCV_RELAXED]
            if elf.arch == "riscv64" and relaxed:
                self.obstacles[Obstacle(f"{label} has {relaxed[0]}: ld makes its code shorter", key)] = None
            elif plain is not None and (odd := kinds - plain):
                clause = f"{label} has relocations of type {min(odd)}, for which ld may make tables"
                self.tables[Obstacle(clause, key)] = None
        if self._needs.exhausted:
            self.obstacles[Obstacle(f"{label} has more relocations than are looked at")] = None

    def asking(self, strong: Collection[str]) -> dict[Key, frozenset[str] | None]:
        """The sections with relocations for which ld adds sections, and the symbols that make it; None for any.

        `strong` are the names with a definition that nothing replaces.
        """
        if self.arch != "riscv64":
            return dict.fromkeys(self._asking)
        # Dynamic relocations, in case that the symbol turns out to be one of a shared library.
        return {key: names.difference(strong) for key, names in self._asking.items()}

    def needs(self) -> Needs:
        """What the sections refer to."""
        return self._needs.result()

    def add_symbol(self, label: str, kind: int, value: int, *, defined: bool) -> None:
        """Look at a symbol of the object."""
        if kind == _IFUNC:
            self.tables[Obstacle(f"{label} has an indirect function, for which ld makes tables")] = None
        elif self.arch == "arm32" and kind == _FUNC and defined and bool(value & 1) != (self._profile == "M"):
            # A Cortex-A8 has an erratum, and between arm and Thumb code not every branch is possible.
            self.obstacles[Obstacle(f"{label} has Thumb code, for which ld may make stubs")] = None


def _profile(elf: ElfFile) -> str:
    found = (header for header in elf.sections if header.sh_type == SHT_ARM_ATTRIBUTES)
    return next((arm_profile(elf.content(header), elf.order) for header in found), "")
