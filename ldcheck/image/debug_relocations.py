"""The debugging information of RISC-V objects with its relocations applied, which pyelftools cannot do.

The linker may shorten code there, so that even the differences between two places of one function are relocations: one
adds the one place, the next takes the other away (RISC-V ELF psABI, "Relocations").
"""

from __future__ import annotations

from ldcheck.image.elf_file import SHT_RELA, ElfFile
from ldcheck.image.relocations import relocation_columns

_SET, _ADD, _SUBTRACT = "set", "add", "subtract"
# What a type does to how many bytes; six bits are the low ones of a byte.
_TYPES = {
    1: (_SET, 4),
    2: (_SET, 8),
    33: (_ADD, 1),
    34: (_ADD, 2),
    35: (_ADD, 4),
    36: (_ADD, 8),
    37: (_SUBTRACT, 1),
    38: (_SUBTRACT, 2),
    39: (_SUBTRACT, 4),
    40: (_SUBTRACT, 8),
    54: (_SET, 1),
    55: (_SET, 2),
    56: (_SET, 4),
}
ADDRESSES = (1, 2)


def relocated(file: ElfFile, link: int, most: int) -> bytes:
    """The bytes of an object in which its debugging sections count from the starts of those that they speak of.

    `link` is the symbol table's section, `most` how many relocations are applied.
    """
    data = bytearray(file.window.read(0, file.window.size))
    values = [symbol.value for symbol in file.symbol_table(link).entries()]
    for header in file.sections:
        at = header.sh_info
        if header.sh_type != SHT_RELA or not 0 < at < len(file.names) or not file.names[at].startswith(".debug_"):
            continue
        start, size = file.sections[at].sh_offset, file.sections[at].sh_size
        offsets, symbols, kinds, addends = relocation_columns(file, header, most)
        most -= len(offsets)
        for offset, symbol, kind, addend in zip(offsets, symbols, kinds, addends, strict=True):
            action, width = _TYPES.get(kind, ("", 0))
            place = start + offset
            if not width or symbol >= len(values) or offset + width > size or place + width > len(data):
                continue
            value = values[symbol] + (addend or 0)
            if action != _SET:
                known = int.from_bytes(data[place : place + width], "little")
                value = known + value if action == _ADD else known - value
            data[place : place + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    return bytes(data)
