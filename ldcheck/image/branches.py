"""Where direct calls and jumps of machine code may lead, told by its bytes alone: all of them, and some that are none.

Decoding a million bytes of code takes a second, and a rule wants the few calls that lead to one place. Here are the
places that an instruction would lead to if one stood there; whether one does, a disassembler has to say. Encodings:
Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 (CALL, Jcc, JMP, LOOP); Arm Architecture
Reference Manual for A-profile, C4.1 (branches of A64), F4.1 (branches of A32).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from ldcheck.image.addends import EM_ARM, EM_X86_64

EM_AARCH64 = 183

# Opcodes of x86-64 that a displacement of four bytes follows, of which the two higher ones are to be filled in.
_X86 = b"[\xe8\xe9\x0f](?:(?<!\x0f)|[\x80-\x8f])(?s:(?=..%s%s))"
# Those with one byte reach so far from their own start, with all the prefixes that there may be.
_SHORT = 15 + 128
# The highest bytes of the words of A64: B and BL, CBZ and TBZ with their like, B.cond; of A32: B, BL and BLX.
_A64 = re.compile(rb"[\x14-\x17\x94-\x97\x34-\x37\xb4-\xb7\x54]")
_A32 = re.compile(b"[" + bytes(high << 4 | low for high in range(16) for low in (10, 11)) + b"]")

_DISPLACEMENT = Struct("<i").unpack_from
_WORD = Struct("<I").unpack_from


class Branches(NamedTuple):
    """Places that may be in an instruction, and the address that each leads to. Others lead less than `near` bytes."""

    places: array[int]
    targets: array[int]
    near: int


def branches(machine: int, thumb: bool, code: bytes, base: int, within: tuple[int, int]) -> Branches | None:
    """The branches of code at an address that lead to one of a range; None for instructions of several lengths."""
    if machine == EM_X86_64:
        return _of_x86(code, base, *within)
    if machine == EM_AARCH64:
        return _of_words(_A64, _a64_target, code, base, *within)
    if machine == EM_ARM and not thumb:
        return _of_words(_A32, _a32_target, code, base, *within)
    return None


def _of_x86(code: bytes, base: int, least: int, most: int) -> Branches:
    places, targets = array("Q"), array("Q")
    # An instruction ends at most six bytes behind its opcode, and its displacement counts from there.
    for match in _displaced(least - base - len(code) - 6 >> 16, most - base >> 16).finditer(code):
        end = match.end()
        target = base + end + 4 + _DISPLACEMENT(code, end)[0]
        if least <= target < most:
            places.append(base + match.start())
            targets.append(target)
    return Branches(places, targets, _SHORT)


@lru_cache(maxsize=8)
def _displaced(least: int, most: int) -> re.Pattern[bytes]:
    """Opcodes that a displacement follows of which the higher half, a signed number, is in a range."""
    halves = range(max(least, -1 << 15), min(most, (1 << 15) - 1) + 1)
    return re.compile(_X86 % (_one_of({half & 255 for half in halves}), _one_of({half >> 8 & 255 for half in halves})))


def _one_of(values: set[int]) -> bytes:
    return b"[%s]" % b"".join(b"\\x%02x" % value for value in sorted(values)) if values else b"(?!)"


def _of_words(
    highest: re.Pattern[bytes], leads: Callable[[int, int], int], code: bytes, base: int, least: int, most: int
) -> Branches:
    places, targets = array("Q"), array("Q")
    # Bytes of instructions that are cut off at the end are left out.
    for match in highest.finditer(code[3::4]):
        at = 4 * match.start()
        target = leads(_WORD(code, at)[0], base + at)
        if least <= target < most:
            places.append(base + at)
            targets.append(target)
    return Branches(places, targets, 0)


def _a64_target(word: int, at: int) -> int:
    if word & 0x7C000000 == 0x14000000:
        bits, number = 26, word
    elif word & 0x7E000000 == 0x36000000:
        bits, number = 14, word >> 5
    else:
        bits, number = 19, word >> 5
    return at + 4 * _signed(number, bits)


def _a32_target(word: int, at: int) -> int:
    half = word >> 23 & 2 if word >> 28 == 15 else 0
    return at + 8 + 4 * _signed(word, 24) + half


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (number >> bits - 1 << bits)
