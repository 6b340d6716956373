"""Where a relocation really points: what an instruction adds to a symbol, by machine.

The number beside a symbol is more than an offset into its section: x86 counts from behind the instruction, ARM from
eight bytes ahead, s390x from its beginning. Where a table has no such number (SHT_REL) it is in the bytes. Types that
are not listed here point at the symbol plus the number, or cannot be told. The numbers are those of the psABIs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

EM_386 = 3
EM_MIPS = 8
EM_S390 = 22
EM_ARM = 40
EM_SH = 42
EM_X86_64 = 62
EM_XTENSA = 94
EM_RISCV = 243
EM_ALPHA = 0x9026
# Those of ARCompact and of ARCv2.
EM_ARC = (93, 195)

# Types that refer to nothing: hints for the linker, and the half of a difference that is taken away.
_NO_REFERENCE = {
    EM_386: frozenset((250, 251)),
    EM_ARM: frozenset((40, 100, 101)),
    EM_ALPHA: frozenset((5, 6)),
    EM_X86_64: frozenset((24, 250, 251)),
    # PCREL_LO12 names the instruction that has the other half.
    EM_RISCV: frozenset((24, 25, 37, 38, 39, 40, 43, 51, 52, 61)),
}

_X86_RELATIVE = {EM_386: frozenset((2, 4)), EM_X86_64: frozenset((2, 4, 9, 41, 42))}
_S390_RELATIVE = frozenset((16, 17, 19, 20, 26, 62, 63, 64, 65))

_HI16, _LO16 = 5, 6
# Branches of MIPS by how many bits their distance has, in instructions from the next one.
_MIPS_BRANCHES = {10: 16, 60: 21, 61: 26}

# Jumps and branches of Xtensa by the low bits of their opcodes: how many bits their distance has.
_XTENSA_JUMPS = {0x06: 18, 0x16: 12, 0x26: 8, 0x36: 8}

# Registers point at these, and other data is reached from there: who names them refers to nothing yet.
BASES = frozenset(
    [
        ".TOC.",
        "_gp",
        "_gp_disp",
        "__gnu_local_gp",
        "__global_pointer$",
        "_GLOBAL_OFFSET_TABLE_",
        "$global$",
        "_SDA_BASE_",
        "_SDA2_BASE_",
    ]
)

# Machines of which GNU ld leaves the number beside a section as it was in the object, where it keeps relocations.
_NOT_RENEWED = (EM_SH, EM_XTENSA, EM_ALPHA, *EM_ARC)
# Types of addresses that add the number in the table to the one in the bytes; one of them is 0.
_IN_BYTES = {EM_SH: (1, 2), EM_XTENSA: (1,)}


def refers(machine: int, kind: int) -> bool:
    """Whether a relocation of this type refers to its symbol."""
    return kind != 0 and kind not in _NO_REFERENCE.get(machine, ())


def is_in_bytes(machine: int, kind: int, addend: int, linked: bool) -> bool:
    """Whether the number is that in the bytes, though the table has a column for it."""
    return (linked and machine in _NOT_RENEWED) or (not addend and kind in _IN_BYTES.get(machine, ()))


def has_numbers_in_bytes(machine: int) -> bool:
    """Whether there are types of which the number is in the bytes, though the table has a column for it."""
    return machine in _NOT_RENEWED


def correction(machine: int, kind: int, code: Callable[[int], bytes] | None) -> int:
    """What to add to the number in the table to have the place that is meant.

    `code` reads so many bytes ahead of the relocated field of an instruction; None where the field is data.
    """
    if code is None:
        return 0
    if kind in _X86_RELATIVE.get(machine, ()):
        return 4 + (_immediate(code(_AHEAD)) if machine == EM_X86_64 else 0)
    if machine == EM_S390 and kind in _S390_RELATIVE:
        return -2
    return 4 if machine == EM_MIPS and kind == 10 else 0


# The longest prefix and opcode of an x86-64 instruction, with what says where its operand is.
_AHEAD = 6
# Opcodes with one byte behind the displacement, by what stands ahead of them: nothing, 0F, and the prefixes of AVX with
# the map that is that of 0F.
_BYTE = frozenset((0x6B, 0x80, 0x83, 0xC0, 0xC1, 0xC6))
_BYTE_OF_0F = frozenset((0x70, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC6))
_BYTE_OF_AVX = frozenset((0x70, 0x71, 0x72, 0x73, 0xC2, 0xC4, 0xC6))


def _immediate(ahead: bytes) -> int:
    """How many bytes of an x86-64 instruction stand behind a displacement from the instruction pointer.

    Intel's manual, volume 2, appendix A: the opcodes that have both. What stands ahead is read backwards, so that the
    end of another instruction may be taken for a prefix; that is rare, and then the neighbouring byte is meant.
    """
    if len(ahead) < 2 or ahead[-1] & 0xC7 != 5:
        return 0
    opcode, operation, wide = ahead[-2], ahead[-1] >> 3 & 7, 2 if ahead[-3:-2] == b"\x66" else 4
    opcodes = _opcodes_of_avx(ahead)
    if ahead[-4:-3] == b"\x0f" and ahead[-3] in (0x38, 0x3A):
        return 1 if ahead[-3] == 0x3A else 0
    if opcodes is not None:
        return 1 if opcodes in (3, 8) or (opcodes == 1 and opcode in _BYTE_OF_AVX) else 0
    if ahead[-3:-2] == b"\x0f":
        return 1 if opcode in _BYTE_OF_0F else 0
    if opcode in _BYTE or (opcode == 0xF6 and operation < 2):
        return 1
    return wide if opcode in (0x69, 0x81, 0xC7) or (opcode == 0xF7 and operation < 2) else 0


def _opcodes_of_avx(ahead: bytes) -> int | None:
    """Which map of opcodes the prefix (VEX, EVEX, XOP) of an instruction names; None where there is no such prefix.

    1 is that of 0F, 2 that of 0F 38, 3 that of 0F 3A. A move of a constant, or a comparison with one, is taken for what
    it is: these are what compilers write most.
    """
    if len(ahead) >= _AHEAD and ahead[-6] == 0x62 and ahead[-5] & 8 == 0 and ahead[-4] & 4:
        return ahead[-5] & 7
    if len(ahead) >= 5 and ahead[-5] == 0xC4 and ahead[-4] & 0x1F in (1, 2, 3):
        return ahead[-4] & 0x1F
    if len(ahead) >= 5 and ahead[-5] == 0x8F and ahead[-4] & 0x1F in (8, 9, 10):
        return ahead[-4] & 0x1F
    if len(ahead) >= 4 and ahead[-4] == 0xC5 and ahead[-3] != 0x0F and ahead[-3] & 0xF0 != 0x40:
        return None if ahead[-2] in (0x80, 0x81, 0x83, 0xC7) else 1
    return None


def implicit(machine: int, kind: int, order: str, field: bytes, executable: bool) -> int | None:
    """The number in the bytes of a field (SHT_REL), as far from the symbol as the place that is meant; None: unknown.

    `field` are the eight bytes at the relocation, or what there is of them; `executable`, whether they are code.
    """
    if len(field) < 4:
        return None
    endian: Literal["little", "big"] = "little" if order == "<" else "big"
    word = int.from_bytes(field[:4], endian)
    if machine == EM_386:
        relative = kind in _X86_RELATIVE[EM_386]
        return _signed(word, 32) + (4 if relative and executable else 0) if relative or kind in (1, 9) else None
    if machine == EM_ARM:
        return _arm(kind, word, order)
    if machine == EM_MIPS:
        if kind in (2, 12):
            return _signed(word, 32)
        if kind == 4:
            return (word & 0x3FFFFFF) << 2
        bits = _MIPS_BRANCHES.get(kind)
        return None if bits is None else 4 * _signed(word, bits) + 4
    if machine in _IN_BYTES:
        return _signed(word, 32) if kind in _IN_BYTES[machine] else None
    if machine == EM_ALPHA:
        return int.from_bytes(field, endian) if kind == 2 and len(field) == 8 else word if kind == 1 else None
    if machine in EM_ARC:
        # The halves of a constant in an instruction stand the other way round.
        return word if kind == 4 else (word << 16 | word >> 16) & 0xFFFFFFFF if kind == 27 else None
    return None


def _arm(kind: int, word: int, order: str) -> int | None:
    """ELF for the Arm Architecture, "Relocation"."""
    # The halves of a Thumb instruction.
    upper, lower = (word & 0xFFFF, word >> 16) if order == "<" else (word >> 16, word & 0xFFFF)
    if kind in (2, 3, 24, 38, 41):
        return _signed(word, 32)
    if kind == 42:
        return _signed(word & 0x7FFFFFFF, 31)
    if kind in (1, 27, 28, 29):
        return _signed((word & 0xFFFFFF) << 2, 26) + 8
    if kind in (10, 30):
        sign = upper >> 10 & 1
        first, second = (lower >> 13 ^ sign ^ 1) & 1, (lower >> 11 ^ sign ^ 1) & 1
        return _signed(sign << 24 | first << 23 | second << 22 | (upper & 0x3FF) << 12 | (lower & 0x7FF) << 1, 25) + 4
    if kind in (43, 44):
        return _signed((word >> 4 & 0xF000) | (word & 0xFFF), 16)
    if kind in (47, 48):
        return _signed((upper & 0xF) << 12 | (upper & 0x400) << 1 | (lower >> 4 & 0x700) | (lower & 0xFF), 16)
    return None


def leads_by_itself(machine: int, kind: int, field: bytes, start: int) -> int | None:
    """The address that an instruction at `start` leads to or reads another one from, by its bits alone; None: unknown.

    Xtensa Instruction Set Architecture, L32R, CALL0 to CALL12, J and the branches, with the low byte first.
    """
    if machine != EM_XTENSA or kind != 20 or len(field) < 3:
        return None
    word = int.from_bytes(field[:3], "little")
    if word & 0xF == 1:
        return (start + 3 & ~3) + 4 * ((word >> 8) - 0x10000)
    if word & 0xF == 5:
        return (start & ~3) + 4 * _signed(word >> 6, 18) + 4
    if word & 0x8F == 0x8C:
        return start + (word & 0x30 | word >> 12 & 0xF) + 4
    bits = 8 if word & 0xF == 7 else _XTENSA_JUMPS.get(word & 0x3F)
    return None if bits is None else start + _signed(word >> 24 - bits, bits) + 4


def is_relative(machine: int, kind: int) -> bool:
    """Whether the number of a type without an addend in its table counts from the relocation."""
    if machine == EM_ARM:
        return kind in (1, 3, 10, 27, 28, 29, 30, 42)
    if machine == EM_MIPS:
        return kind in _MIPS_BRANCHES
    return kind in _X86_RELATIVE.get(machine, ()) or (machine == EM_SH and kind == 2)


def is_part(machine: int, kind: int) -> bool:
    """Whether an instruction has half of an address only."""
    return (machine == EM_ARM and kind in (43, 44, 47, 48)) or (machine == EM_MIPS and kind in (_HI16, _LO16))


def is_within(machine: int, kind: int) -> bool:
    """Whether an instruction has the low 28 bits of an address, and its own address the others (MIPS)."""
    return machine == EM_MIPS and kind == 4


def is_high_half(machine: int, kind: int, linked: bool = False) -> bool:
    """Whether the number is spread over this instruction and the next one that has the low half.

    In an object that is so on MIPS; on ARM each half has the number for itself until it is `linked`.
    """
    return (machine == EM_MIPS and kind == _HI16) or (linked and machine == EM_ARM and kind in (44, 48))


def is_low_half(machine: int, kind: int, linked: bool = False) -> bool:
    """Whether the instruction has the low half of a number."""
    return (machine == EM_MIPS and kind == _LO16) or (linked and machine == EM_ARM and kind in (43, 47))


def joined(machine: int, order: str, kind: int, high: bytes, low: bytes) -> int | None:
    """The number that two instructions have together."""
    if len(high) < 4 or len(low) < 4:
        return None
    upper, lower = (int.from_bytes(field, "little" if order == "<" else "big") for field in (high, low))
    if machine == EM_ARM:
        return ((_arm(kind, upper, order) or 0) & 0xFFFF) << 16 | ((_arm(kind, lower, order) or 0) & 0xFFFF)
    return _signed(((upper & 0xFFFF) << 16) + _signed(lower, 16), 32)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
