"""Who calls whom in an image without relocations: the direct calls and jumps that a disassembler finds.

This is part of the truth: addresses in data and in registers are not seen. What is found is there; what is not found
may be there as well. capstone (the extra `ldcheck[calls]`) decodes; the two instructions of a far call on RISC-V are
put together here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.image.addends import EM_ARM, EM_RISCV, EM_X86_64
from ldcheck.image.files import OpenFile, collector_paused
from ldcheck.image.linked_references import ByAddress
from ldcheck.image.model import LinkMap
from ldcheck.image.references import At, Reference, Wanted, anywhere
from ldcheck.image.related import RelatedObject

if TYPE_CHECKING:
    from capstone import Cs

_EM_AARCH64 = 183
# Instructions by their names, of which the last operand is where they lead.
_LEADS = {
    EM_X86_64: re.compile(r"call|jmp|j[a-z]{1,3}|loop\w*"),
    _EM_AARCH64: re.compile(r"bl?|b\.\w+|cbn?z|tbn?z"),
    EM_ARM: re.compile(r"(b|bl|blx)(eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.w)?|cbn?z"),
    EM_RISCV: re.compile(r"(c\.)?(jal|j|beqz|bnez|beq|bne|blt|bge|bltu|bgeu|blez|bgez|bltz|bgtz)"),
}
# What GNU ld and lld call the code that leads on where an instruction reaches not far enough.
_STUB = re.compile(r"__(.+)_(?:veneer|from_arm|from_thumb)|__\w+?(?:Thunk|Veneer)_(.+)")
_NUMBER = re.compile(r"#?(-?(?:0x)?[0-9a-f]+)$")

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
        try:
            import capstone  # noqa: F401 - whether it is there
        except ModuleNotFoundError:
            return "direct calls are found by capstone, which is not installed: pip install 'ldcheck[calls]'"
        return ""

    def between(
        self, source: Wanted, target: Wanted, source_at: At = anywhere, target_at: At = anywhere
    ) -> list[Reference]:
        """Those from input sections whose names `source` takes to ones whose names `target` takes."""
        return [
            one
            for one in self._known
            if source(one.section)
            and target(one.target_section)
            and source_at(one.address)
            and target_at(one.target_address)
        ]

    @cached_property
    def _known(self) -> Sequence[Reference]:
        found: dict[tuple[object, ...], Reference] = {}
        if self.why_not:
            return []
        one = self._object
        with collector_paused():
            for section, code in one.code.items():
                base = one.base(section)
                for address, target in self._leads(section, base, code):
                    target, targets = self._meant(target)
                    sources = one.covering(section, address - base)
                    # Most jumps stay within their function.
                    if sources and targets and sources != targets:
                        self.collect(found, one.file, sources, address, targets, target)
        return list(found.values())

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

    def _leads(self, section: int, base: int, code: bytes) -> Iterator[tuple[int, int]]:
        """Each instruction that leads elsewhere, and where."""
        machine = self._object.machine
        matches, relative = _LEADS[machine].fullmatch, machine == EM_RISCV
        for start, end, thumb in self._object.stretches(section, len(code)):
            decode = _decoder(machine, self._object.bits, thumb)
            decode.skipdata = True
            for address, _, name, operands in decode.disasm_lite(code[start:end], base + start):
                if name == "auipc":
                    if (far := _far_call(code[address - base : address - base + 8])) is not None:
                        yield address, address + far & (1 << self._object.bits) - 1
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


def _decoder(machine: int, bits: int, thumb: bool) -> Cs:
    import capstone

    modes = {
        EM_X86_64: (capstone.CS_ARCH_X86, capstone.CS_MODE_64),
        _EM_AARCH64: (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        EM_ARM: (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB if thumb else capstone.CS_MODE_ARM),
        EM_RISCV: (
            capstone.CS_ARCH_RISCV,
            (capstone.CS_MODE_RISCV64 if bits == 64 else capstone.CS_MODE_RISCV32) | capstone.CS_MODE_RISCVC,
        ),
    }
    return capstone.Cs(*modes[machine])
