"""Who calls whom in an image without relocations: the direct calls and jumps that a disassembler finds.

This is part of the truth: addresses in data and in registers are not seen. What is found is there; what is not found
may be there as well. capstone (the extra `ldcheck[calls]`) decodes; the two instructions of a far call on RISC-V are
put together here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING

from ldcheck.image.addends import EM_ARM, EM_RISCV, EM_X86_64
from ldcheck.image.branches import EM_AARCH64, branches
from ldcheck.image.files import OpenFile, collector_paused
from ldcheck.image.linked_references import ByAddress
from ldcheck.image.model import LinkMap
from ldcheck.image.references import At, Reference, Wanted, anywhere
from ldcheck.image.related import RelatedObject

if TYPE_CHECKING:
    from capstone import Cs

# Instructions by their names, of which the last operand is where they lead.
_LEADS = {
    EM_X86_64: re.compile(r"(bnd )?(call|jmp|j[a-z]{1,4}|loop\w*)"),
    EM_AARCH64: re.compile(r"bl?|b\.\w+|cbn?z|tbn?z"),
    EM_ARM: re.compile(r"(b|bl|blx)(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.w)?|cbn?z"),
    EM_RISCV: re.compile(r"(c\.)?(jal|j|beqz|bnez|beq|bne|blt|bge|bltu|bgeu|blez|bgez|bltz|bgtz)"),
}
# What GNU ld and lld call the code that leads on where an instruction reaches not far enough.
_STUB = re.compile(r"__(.+)_(?:veneer|from_arm|from_thumb)|__\w+?(?:Thunk|Veneer)_(.+)")
_NUMBER = re.compile(r"(?:^|[\s,])#?(-?(?:0x[0-9a-f]+|[0-9]+))$")

# Whether an address is wanted.
Wants = Callable[[int], bool]

# Half a million instructions take about a second; an image with more code is better linked with its relocations.
_MOST_BYTES = 2 << 20


class DirectCalls(ByAddress):
    """The direct calls of an image. `why_not` says why they are not looked for; empty where they are.

    Raises CheckError for what is no ELF file.
    """

    partial = True

    def __init__(self, path: str, link_map: LinkMap | None) -> None:
        super().__init__(link_map)
        with collector_paused(), OpenFile(path, "an ELF file") as window:
            self._object = RelatedObject(path, "", window, linked=True, code=_MOST_BYTES)
        self.why_not = self._reason()

    def _reason(self) -> str:
        one = self._object
        if one.machine not in _LEADS or one.order != "<":
            return "direct calls are looked for on x86-64, ARM and RISC-V only"
        if not one.names:
            return "the image has no symbols"
        if not one.code:
            return "the image has too much code to look for direct calls"
        if find_spec("capstone") is None:
            return "direct calls are found by capstone, which is not installed: pip install 'ldcheck[calls]'"
        return ""

    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from input sections whose names `source` takes to ones whose names `target` takes."""
        if self.why_not:
            return []
        sources, targets = self.wanted_parts(source), self.wanted_parts(target)

        @cache
        def leads_there(address: int) -> bool:
            place, _ = self._meant(address) if self._stubs else (address, ())
            return targets[self.part_at(place)] and target_at(place)

        def may_lead(address: int) -> bool:
            return sources[self.part_at(address)] and source_at(address)

        found: dict[tuple[object, ...], Reference] = {}
        one = self._object
        within = self._around(targets)
        with collector_paused():
            for stretch in self._stretches:
                for address, place in stretch.leads(leads_there, may_lead, within):
                    if not leads_there(place) or not may_lead(address):
                        continue
                    place, names = self._meant(place)
                    from_names = one.covering(stretch.section, address - stretch.base)
                    # Most jumps stay within their function.
                    if from_names and names and from_names != names:
                        self.collect(found, one.file, from_names, address, names, place)
        return list(found.values())

    @cached_property
    def _stubs(self) -> bool:
        """Whether the linker made any."""
        return any(map(_STUB.fullmatch, self._object.names))

    def _around(self, wanted: Sequence[bool]) -> tuple[int, int]:
        """The range of code that has all which is in a wanted input section, or that leads there."""
        one = self._object
        ends = [one.base(section) + len(code) for section, code in one.code.items()]
        start, end = min(map(one.base, one.code), default=0), max(ends, default=0)
        if self._stubs or wanted[-1]:
            return start, end
        parts = [part for part, is_wanted in zip(self._parts, wanted, strict=False) if is_wanted]
        first = min((part.address for part in parts), default=end)
        last = max((part.address + part.size for part in parts), default=start)
        return max(start, first), min(end, last)

    @cached_property
    def _stretches(self) -> Sequence[_Stretch]:
        one = self._object
        return [
            _Stretch(one, section, start, code[start:end], thumb, self._starts)
            for section, code in one.code.items()
            for start, end, thumb in one.stretches(section, len(code))
        ]

    def _meant(self, address: int) -> tuple[int, tuple[str, ...]]:
        """The place that an address leads to, through a stub of the linker, and its names."""
        one = self._object
        section = one.section_at(address)
        names = one.covering(section, address - one.base(section)) if section is not None else ()
        if names and (stub := _STUB.fullmatch(names[0])):
            place = one.named(stub[1] or stub[2])
            if place is not None:
                return one.base(place.section) + place.offset, one.aliases(place.section, place.offset)
        return address, names


class _Stretch:
    """Code of one instruction set, and what of it was decoded.

    It is decoded by pieces, which begin where a symbol or an input section does: only there it is sure that an
    instruction begins.
    """

    def __init__(
        self,
        one: RelatedObject,
        section: int,
        start: int,
        code: bytes,
        thumb: bool,
        parts: Sequence[int],
    ) -> None:
        self.section, self.base = section, one.base(section)
        self._machine, self._bits, self._thumb = one.machine, one.bits, thumb
        self._code, self._start, self._end = code, self.base + start, self.base + start + len(code)
        starts = [self.base + offset for offset in one.starts(section)]
        inner = {address for address in (*starts, *parts) if self._start < address < self._end}
        self._pieces = [self._start, *sorted(inner), self._end]
        self._decoded: dict[int, Sequence[tuple[int, int]]] = {}

    def leads(self, leads_there: Wants, may_lead: Wants, within: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Instructions that lead elsewhere, and where: at least those that lead from and to what is wanted.

        What is wanted lies in the range `within`.
        """
        for piece in sorted(self._wanted(leads_there, may_lead, within)):
            if piece not in self._decoded:
                self._decoded[piece] = list(self._decode(self._pieces[piece], self._pieces[piece + 1]))
            yield from self._decoded[piece]

    def _wanted(self, leads_there: Wants, may_lead: Wants, within: tuple[int, int]) -> Iterable[int]:
        """The pieces with an instruction that may lead from and to what is wanted, by number."""
        pieces, found = self._pieces, branches(self._machine, self._thumb, self._code, self._start, within)
        if found is None:
            return range(len(pieces) - 1)
        wanted = {
            bisect_right(pieces, place) - 1
            for place, target in zip(found.places, found.targets, strict=True)
            if leads_there(target) and may_lead(place)
        }
        if found.near:
            there = [leads_there(start) or leads_there(end - 1) for start, end in pairwise(pieces)]
            for piece in {
                piece for at, is_there in enumerate(there) if is_there for piece in self._around(at, found.near)
            }:
                if may_lead(pieces[piece]) or may_lead(pieces[piece + 1] - 1):
                    wanted.add(piece)
        return wanted

    def _around(self, at: int, near: int) -> Iterator[int]:
        """The other pieces that have something so near to a piece."""
        pieces = self._pieces
        first = bisect_right(pieces, pieces[at] - near) - 1
        last = bisect_left(pieces, pieces[at + 1] + near)
        yield from (piece for piece in range(max(first, 0), min(last, len(pieces) - 1)) if piece != at)

    def _decode(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        matches, relative = _LEADS[self._machine].fullmatch, self._machine == EM_RISCV
        decode = _decoder(self._machine, self._bits, self._thumb)
        code = self._code[start - self._start : end - self._start]
        for address, _, name, operands in decode.disasm_lite(code, start):
            if name == "auipc":
                if (far := _far_call(code[address - start : address - start + 8])) is not None:
                    yield address, address + far & (1 << self._bits) - 1
            elif matches(name) and (number := _NUMBER.search(operands)):
                yield address, int(number[1], 0) + (address if relative else 0)


def _far_call(code: bytes) -> int | None:
    """How far from the first of two instructions a call or jump leads: AUIPC, and JALR by the same register."""
    if len(code) < 8:
        return None
    first, second = int.from_bytes(code[:4], "little"), int.from_bytes(code[4:], "little")
    if second & 0x707F != 0x67 or second >> 15 & 31 != first >> 7 & 31:
        return None
    low = second >> 20
    return (first & 0xFFFFF000) - (first >> 31 << 32) + low - (low >> 11 << 12)


@cache
def _decoder(machine: int, bits: int, thumb: bool) -> Cs:
    import capstone

    modes = {
        EM_X86_64: (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        EM_AARCH64: (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        EM_ARM: (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB if thumb else capstone.CS_MODE_ARM),
        EM_RISCV: (
            capstone.CS_ARCH_RISCV,
            (capstone.CS_MODE_RISCV64 if bits == 64 else capstone.CS_MODE_RISCV32) | capstone.CS_MODE_RISCVC,
        ),
    }
    made = capstone.Cs(*modes[machine])
    made.skipdata = True
    return made
