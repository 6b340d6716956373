"""Where lld puts input sections that no statement takes.

That is LinkerScript.cpp: addOrphanSections, and Writer.cpp: findOrphanPos.

An orphan joins the first output section of its name, else it gets a new one. Every output section has a rank by flags,
type and name; a new one goes next to the output section whose rank has most of its leading bits in common with its own.

Left out: partitions, large sections, ranks of PowerPC and MIPS, --unique, and -z norelro.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ldcheck.image.model import InputSection
from ldcheck.linker import Linker
from ldcheck.script.syntax import OutputSection
from ldcheck.sections.outputs import SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_WRITE, is_common
from ldcheck.sections.rules import InputRule

# Writer.cpp: RankFlags. The bits of 18 and newer are in the same order, without those for .interp and notes.
_NOT_ALLOC = 1 << 26
_NOT_INTERP, _NOT_NOTE = 1 << 16, 1 << 15
_WRITE, _EXEC_WRITE, _EXEC, _RODATA = 1 << 14, 1 << 13, 1 << 12, 1 << 11
_NOT_RELRO, _NOT_TLS, _BSS = 1 << 9, 1 << 8, 1 << 7
_WIDTH = 32

_RELRO_NAMES = frozenset(
    (".data.rel.ro", ".bss.rel.ro", ".ctors", ".dtors", ".jcr", ".eh_frame", ".fini_array", ".init_array",
     ".preinit_array", ".toc", ".got", ".dynamic")
)  # fmt: skip
_RELRO_TYPES = frozenset(("INIT_ARRAY", "FINI_ARRAY", "PREINIT_ARRAY"))
_TYPES_WITHOUT_ADDRESS = frozenset(("COPY", "INFO", "OVERLAY"))
# From here on an orphan of a lower rank goes ahead of the section that it is most like, and notes are no kind of
# their own.
_CHANGED = (18,)
# From here on orphans that are not allocated go to the end.
_NOT_ALLOCATED_LAST = (19,)


class LldOutput:
    """One output section, with what is put into it and what that makes of its flags and type.

    `is_left_out` says that ONLY_IF_RO or ONLY_IF_RW does not let it be; an orphan of its name finds it all the same.
    `is_neighbour` that it is there when orphans are placed, though it may hold nothing that an object has.
    """

    __slots__ = ("flags", "is_left_out", "is_neighbour", "is_noload", "name", "node", "taken", "type", "unallocated")

    def __init__(self, name: str, node: OutputSection | None) -> None:
        self.name = name
        self.node = node
        keyword = node.type.keyword if node is not None and node.type is not None else ""
        self.is_noload = keyword == "NOLOAD"
        self.type = "NOBITS" if self.is_noload else ""
        self.unallocated = keyword in _TYPES_WITHOUT_ADDRESS
        self.is_left_out = False
        self.is_neighbour = False
        self.flags = 0
        self.taken: list[tuple[InputSection, InputRule | None]] = []

    def __repr__(self) -> str:
        return f"LldOutput({self.name!r})"

    def add(self, section: InputSection, rule: InputRule | None) -> None:
        """Put an input section at the end."""
        self.count(section)
        self.taken.append((section, rule))

    def count(self, section: InputSection) -> None:
        """Let flags and type be what an input section makes of them (OutputSections.cpp: commitSection)."""
        if not self.type:
            self.type = section.type
        elif self.type != section.type and not self.is_noload:
            self.type = "PROGBITS"
        self.flags |= section.flags & ~(SHF_ALLOC if self.unallocated else 0)


class Orphanage:
    """The placement of the orphans of a link; `bounded` says that the script has MEMORY or PHDRS."""

    def __init__(self, outputs: Sequence[LldOutput], linker: Linker, *, bounded: bool) -> None:
        self._outputs = list(outputs)
        self._is_old = linker.is_before(*_CHANGED)
        self._to_the_end = not linker.is_before(*_NOT_ALLOCATED_LAST)
        self._bounded = bounded

    def place(self, orphans: Sequence[InputSection]) -> list[LldOutput]:
        """All output sections that hold something, in the order of the file, the orphans among them."""
        by_name = {output.name: output for output in reversed(self._outputs)}
        new: list[LldOutput] = []
        for section in orphans:
            name = ".bss" if is_common(section) else section.name
            output = by_name.get(name)
            if output is None:
                output = by_name[name] = LldOutput(name, None)
                new.append(output)
            output.add(section, None)
        # What is empty is no neighbour.
        filled = [output for output in self._outputs if output.taken or output.is_neighbour]
        # All that stands behind one that was left out is taken for orphans.
        stand = next((at for at, output in enumerate(filled) if output.is_left_out), len(filled))
        behind = [output for output in filled[stand:] if output.taken]
        order, waiting = filled[:stand], sorted([*behind, *new], key=self._rank)
        find = self._old_place if self._is_old else self._place
        while waiting:
            rank = self._rank(waiting[0])
            alike = [output for output in waiting if self._rank(output) == rank]
            at = len(order) if rank == _NOT_ALLOC and self._to_the_end else find(rank, order)
            order[at:at] = alike
            waiting = waiting[len(alike) :]
        return order

    def _rank(self, output: LldOutput) -> int:
        flags = output.flags
        if not flags & SHF_ALLOC:
            return _NOT_ALLOC
        rank = 0
        if self._is_old:
            if output.name == ".interp":
                return 0
            rank |= _NOT_INTERP
            if output.type == "NOTE":
                return rank
            rank |= _NOT_NOTE
        writable, executable = bool(flags & SHF_WRITE), bool(flags & SHF_EXECINSTR)
        if executable:
            rank |= _EXEC_WRITE if writable else _EXEC
        elif writable:
            rank |= _WRITE
        elif output.type == "PROGBITS":
            rank |= _RODATA
        if self._is_old or (writable and not executable):
            rank |= 0 if _is_relro(output) else _NOT_RELRO
            rank |= 0 if flags & SHF_TLS else _NOT_TLS
        return rank | (_BSS if output.type == "NOBITS" else 0)

    def _place(self, rank: int, order: Sequence[LldOutput]) -> int:
        """Writer.cpp: findOrphanPos since 18: behind the last of the most similar, or ahead of the first."""
        best, at = 0, -1
        for number, output in enumerate(order):
            nearness = _nearness(rank, self._rank(output))
            if nearness > best or (nearness == best and self._rank(output) <= rank):
                best, at = nearness, number
        if at < 0:
            return len(order)
        if self._rank(order[at]) > rank and not self._bounded:
            return at
        at += 1
        while at < len(order) and _nearness(rank, self._rank(order[at])) == best:
            at += 1
        return at

    def _old_place(self, rank: int, order: Sequence[LldOutput]) -> int:
        """The same up to 17: behind those of the most similar which are not to come after it."""
        if not order:
            return 0
        near: Callable[[int], int] = lambda number: _nearness(rank, self._rank(order[number]))  # noqa: E731
        at = max(range(len(order)), key=lambda number: (near(number), -number))
        best = near(at)
        own = max(rank, self._rank(order[at])) if self._bounded else rank
        while at < len(order) and near(at) == best and self._rank(order[at]) <= own:
            at += 1
        return at


def _nearness(one: int, other: int) -> int:
    """How many leading bits two ranks share."""
    return _WIDTH - (one ^ other).bit_length()


def _is_relro(output: LldOutput) -> bool:
    """Writer.cpp: isRelroSection."""
    if not output.flags & SHF_WRITE:
        return False
    return bool(output.flags & SHF_TLS) or output.type in _RELRO_TYPES or output.name in _RELRO_NAMES
