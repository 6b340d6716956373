"""The entries of an .eh_frame section, as the linker takes them apart to merge and to remove some of them.

Common information (CIE) that two objects share is kept once, and the entry of a function (FDE) goes with its function.
What ld does not understand it leaves alone; `read_frames` tells that by None (bfd/elf-eh-frame.c, DWARF 5, 6.4).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ldcheck.image.symbols import SHN_ABS, SHN_COMMON, SHN_UNDEF

# A section of an object: file, member, index.
Key = tuple[str, str, int]
# What something refers to: a global symbol by its name, or a section of its own object.
Target = str | Key
# A symbol: name, binding, type, section, value, size.
Row = tuple[str, int, int, int, int, int]

_LOCAL = 0
# Pointer encodings of the Linux Standard Base: absent, and aligned.
_OMIT, _ALIGNED = 0xFF, 0x50
_VERSIONS = (1, 3, 4)
_MOST_AUGMENTATION = 19
# CIEs with more instructions are never merged, in bytes.
_MOST_INSTRUCTIONS = 50
_TERMINATOR = 4
_WIDTHS = {2: 2, 3: 4, 4: 8}

# Operands of call frame instructions: how many LEB128, `b` for a block of bytes, or plain bytes as a negative number.
_NOP, _SET_LOC = 0x00, 0x01
_OPERANDS: dict[int, str | int] = {
    0x02: -1, 0x03: -2, 0x04: -4, 0x1D: -8,
    0x0A: 0, 0x0B: 0, 0x2D: 0,
    0x06: 1, 0x07: 1, 0x08: 1, 0x0D: 1, 0x0E: 1, 0x13: 1, 0x2E: 1,
    0x05: 2, 0x09: 2, 0x0C: 2, 0x11: 2, 0x12: 2, 0x14: 2, 0x15: 2, 0x2F: 2,
    0x0F: "b", 0x10: "lb", 0x16: "lb",
}  # fmt: skip
# In the two upper bits: advance and restore have no further operand, offset has one.
_ADVANCE, _OFFSET, _RESTORE = 0x40, 0x80, 0xC0


class Frame(NamedTuple):
    """An entry: its offset and its bytes without padding.

    `cie` is the offset of its common information, its own if it is that; None for the terminator, and for an entry that
    describes no code. `function` is where its function is, `needs` is all that it refers to. `identity` is what makes
    two CIEs the same, None where none is like it; `align` is that of its place.
    """

    offset: int
    size: int
    cie: int | None
    align: int
    function: Target | None = None
    needs: frozenset[Target] = frozenset()
    identity: tuple[object, ...] | None = None

    @property
    def is_common(self) -> bool:
        """Whether it is common information rather than an entry of a function."""
        return self.cie == self.offset

    @property
    def is_terminator(self) -> bool:
        """Whether it ends the table."""
        return self.size == _TERMINATOR


class Symbols:
    """The symbols of an object, by their indices in its table."""

    def __init__(self, rows: Sequence[Row], locals_: int, file: tuple[str, str]) -> None:
        self.rows = rows
        self._locals = locals_
        self._file = file

    def target(self, index: int) -> Target | None:
        """The name of a global symbol, or the section of a local one; None where it is in no section."""
        if not 0 < index < len(self.rows):
            return None
        name, _, _, place, _, _ = self.rows[index]
        if self.is_global(index):
            return name or None
        return None if place in (SHN_UNDEF, SHN_ABS, SHN_COMMON) else (*self._file, place)

    def is_global(self, index: int) -> bool:
        """Whether the symbol is one of the link, as ld tells it."""
        return index >= self._locals or (index < len(self.rows) and self.rows[index][1] != _LOCAL)

    def name(self, index: int) -> str:
        """The name of a global symbol, "" for another."""
        return self.rows[index][0] if index < len(self.rows) and self.is_global(index) else ""

    def identity(self, index: int) -> object:
        """What is the same for the same symbol of a link."""
        return self.rows[index][0] if self.is_global(index) and index < len(self.rows) else (*self._file, index)


class _OddError(Exception):
    """Something that ld would not take apart."""


class _Cursor:
    def __init__(self, data: bytes, at: int, end: int) -> None:
        if end > len(data):
            raise _OddError
        self.data, self.at, self.end = data, at, end

    def skip(self, count: int) -> None:
        if count > self.end - self.at:
            self.at = self.end
            raise _OddError
        self.at += count

    def byte(self) -> int:
        self.skip(1)
        return self.data[self.at - 1]

    def number(self) -> int:
        """An unsigned LEB128."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def instruction(self, width: int) -> None:
        """Step over a call frame instruction; `width` is that of a pointer, in bytes."""
        code = self.byte()
        if code & 0xC0:
            operands: str | int = 1 if code & 0xC0 == _OFFSET else 0
        elif code == _SET_LOC:
            operands = -width
        elif code == _NOP:
            operands = 0
        else:
            found = _OPERANDS.get(code)
            if found is None:
                raise _OddError
            operands = found
        if isinstance(operands, str):
            if operands == "lb":
                self.number()
            self.skip(self.number())
        elif operands < 0:
            self.skip(-operands)
        else:
            for _ in range(operands):
                self.number()


class _Cie(NamedTuple):
    augmentation: str
    per_encoding: int
    lsda_encoding: int
    fde_encoding: int


class _Reader:
    """Goes through a section together with its relocations: offsets and symbols, in the order of the table."""

    def __init__(
        self, data: bytes, relocations: Sequence[tuple[int, int]], order: str, pointer: int, symbols: Symbols
    ) -> None:
        self._symbols = symbols
        self._data = data
        self._relocations = relocations
        self._at = 0
        self._word = struct.Struct(f"{order}I")
        self._order = order
        self._pointer = pointer
        self._cies: dict[int, _Cie] = {}

    def run(self) -> list[Frame]:
        found: list[Frame] = []
        data = self._data
        at = 0
        while at < len(data):
            length = self._length(at)
            if not length:
                if any(data[at:]) or len(data) % 4:
                    raise _OddError
                self._without_relocations(len(data))
                found.append(Frame(at, _TERMINATOR, None, 4))
                break
            cursor = _Cursor(data, at + 4, at + 4 + length)
            first = self._at
            cursor.skip(4)
            (back,) = self._word.unpack_from(data, at + 4)
            frame = self._function(cursor, at, back) if back else self._common(cursor, at)
            encoding = self._cies[at + 4 - back if back else at].fde_encoding
            found.append(self._cut(frame, cursor, first, self._width(encoding)))
            at = cursor.end
        return found

    def _length(self, at: int) -> int:
        if at + 4 > len(self._data):
            raise _OddError
        length: int = self._word.unpack_from(self._data, at)[0]
        if length == 0xFFFFFFFF:
            raise _OddError
        return length

    def _without_relocations(self, end: int) -> None:
        while self._at < len(self._relocations) and self._relocations[self._at][0] < end:
            if self._relocations[self._at][1]:
                raise _OddError
            self._at += 1

    def _skip_relocations(self, end: int) -> None:
        while self._at < len(self._relocations) and self._relocations[self._at][0] < end:
            self._at += 1

    def _symbol(self, at: int) -> int | None:
        """The symbol of the relocation at an offset, if the next one is there."""
        if self._at < len(self._relocations) and self._relocations[self._at][0] == at:
            return self._relocations[self._at][1]
        return None

    def _width(self, encoding: int) -> int:
        if encoding & 0x60 == 0x60:
            return 0
        return _WIDTHS.get(encoding & 7, 0) if encoding & 7 else self._pointer

    def _common(self, cursor: _Cursor, at: int) -> Frame:
        version = cursor.byte()
        stop = self._data.find(b"\0", cursor.at, cursor.end)
        if version not in _VERSIONS or not 0 <= stop - cursor.at <= _MOST_AUGMENTATION:
            raise _OddError
        augmentation = self._data[cursor.at : stop].decode("latin-1")
        cursor.at = stop + 1
        self._without_relocations(cursor.at)
        old = augmentation.startswith("eh")
        if old:
            cursor.skip(self._pointer)
            self._skip_relocations(cursor.at)
        if version == 4 and (cursor.byte() != self._pointer or cursor.byte()):
            raise _OddError
        code, data = cursor.number(), cursor.number()
        column = cursor.byte() if version == 1 else cursor.number()
        self._without_relocations(cursor.at)
        size = 0
        found = {"L": _OMIT, "R": _OMIT, "P": _OMIT}
        personality: int | None = None
        align = 4
        letters = "" if old else augmentation
        if letters.startswith("z"):
            size = cursor.number()
            letters = letters[1:]
        for letter in letters:
            if letter in "BS":
                continue
            if letter not in found:
                raise _OddError
            encoding = found[letter] = cursor.byte()
            width = self._width(encoding)
            if not width:
                raise _OddError
            if letter == "P":
                if encoding & 0x70 == _ALIGNED:
                    cursor.skip(-cursor.at % width)
                    align = 8 if width == 8 else 4
                self._without_relocations(cursor.at)
                personality = self._symbol(cursor.at)
                if personality is None:
                    raise _OddError
                place = cursor.at
                while self._symbol(place) is not None:
                    self._at += 1
                cursor.skip(width)
        self._without_relocations(cursor.end)
        fde = 0 if found["R"] == _OMIT else found["R"]
        self._cies[at] = _Cie(augmentation, found["P"], found["L"], fde)
        routine = None if personality is None else self._symbols.identity(personality)
        identity = version, augmentation, code, data, column, size, routine, found["P"], found["L"], fde
        return Frame(at, cursor.end - at, at, align, identity=None if old else identity)

    def _function(self, cursor: _Cursor, at: int, back: int) -> Frame:
        place = at + 4 - back
        cie = self._cies.get(place)
        self._without_relocations(cursor.at)
        symbol = self._symbol(cursor.at)
        if cie is None or symbol is None:
            raise _OddError
        width = self._width(cie.fde_encoding)
        cursor.skip(2 * width)
        self._skip_relocations(cursor.at - width)
        span = self._data[cursor.at - width : cursor.at]
        empty = self._symbol(cursor.at - width) is None and not any(span)
        length = cursor.number() if cie.augmentation.startswith("z") else 0
        if cie.lsda_encoding != _OMIT and not cie.augmentation.startswith("z"):
            length = cursor.end - cursor.at
        cursor.skip(length)
        self._skip_relocations(cursor.end)
        return Frame(at, cursor.end - at, None if empty else place, max(width, 4), self._symbols.target(symbol))

    def _cut(self, frame: Frame, cursor: _Cursor, first: int, width: int) -> Frame:
        """The entry without the padding behind its instructions."""
        start = last = cursor.at
        while cursor.at < cursor.end:
            code = self._data[cursor.at]
            if code == _SET_LOC and frame.is_common:
                raise _OddError
            cursor.instruction(width)
            if code != _NOP:
                last = cursor.at
        size = last - frame.offset
        end = frame.offset + size
        named = {self._symbols.target(symbol) for place, symbol in self._relocations[first : self._at] if place < end}
        needs = frozenset(one for one in named if one is not None)
        identity = frame.identity
        if identity is not None:
            code_bytes = self._data[start:last]
            identity = (*identity, size, code_bytes) if len(code_bytes) <= _MOST_INSTRUCTIONS else None
        return frame._replace(size=size, needs=needs, identity=identity)


def read_frames(
    data: bytes, relocations: Sequence[tuple[int, int]], order: str, pointer: int, symbols: Symbols
) -> tuple[Frame, ...] | None:
    """The entries of a section; None for one that ld does not take apart.

    `relocations` are offsets and symbols in the order of the table, symbol 0 for one that is no more. `order` is "<" or
    ">", `pointer` the bytes of a pointer.
    """
    if any(one[0] > other[0] for one, other in pairwise(relocations)):
        return None
    try:
        return tuple(_Reader(data, relocations, order, pointer, symbols).run())
    except (_OddError, IndexError):
        return None
