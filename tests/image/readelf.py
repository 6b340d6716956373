"""What `readelf` says of a file, as tuples; and the same of ldcheck's model."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ldcheck.image.model import Elf
from ldcheck.image.symbols import SymbolTable
from tests.support.tools import tool

_SECTION = re.compile(
    r" *\[ *(\d+)\] (.*?) +([A-Z][\w ]*|[A-Z_]+\+0x[0-9a-f]+|[0-9a-f]+: <unknown>) +"
    r"([0-9a-f]{8,16}) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]{2,}) ([A-Za-z ]*) +(\d+) +(\d+) +(\d+)$"
)
_SEGMENT = re.compile(
    r"  ([A-Z]\w*(?:\+0x[0-9a-f]+)?) +(0x\w+) (0x\w+) (0x\w+) (0x\w+) (0x\w+) ([R ][W ][E ]) (0x\w+|0)$"
)
_MEMBERS = re.compile(r"   (\d\d+) +(.*)$")
_SYMBOL = re.compile(r" *(\d+): ([0-9a-f]+) +(0x[0-9a-f]+|\d+) (\S+) +(\S+) +(\S+) +(?:\[.*\] +)?(\w+)(?: (.*))?$")


# Types of program headers that readelf shortens.
_SHORT = {
    "ABIFLAGS": "MIPS_ABIFLAGS",
    "REGINFO": "MIPS_REGINFO",
    "RISCV_ATTRIBUT": "RISCV_ATTRIBUTES",
    "EXIDX": "ARM_EXIDX",
}


def run(path: Path | str, *options: str) -> list[str]:
    """The lines that `readelf` prints."""
    done = subprocess.run(
        [tool("readelf"), "-W", *options, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").splitlines()


def sections(path: Path) -> list[tuple[object, ...]]:
    """Index, name, type, address, offset, size, entry size, flags, link, info, alignment."""
    return section_rows(run(path, "-S"))


def section_rows(lines: list[str]) -> list[tuple[object, ...]]:
    """The section headers among these lines."""
    found: list[tuple[object, ...]] = []
    for line in lines:
        if match := _SECTION.match(line.rstrip()):
            number, name, kind, address, offset, size, entry, flags, link, info, align = match.groups()
            numbers = int(address, 16), int(offset, 16), int(size, 16), int(entry, 16)
            found.append((int(number), name, kind.rstrip(), *numbers, flags.strip(), int(link), int(info), int(align)))
    return found


def segments(path: Path) -> list[tuple[object, ...]]:
    """Type, offset, addresses, sizes, permissions, alignment, and the names of the sections in it."""
    rows, members = [], {}
    for line in run(path, "-l"):
        if match := _SEGMENT.match(line.rstrip()):
            kind, *numbers, flags, align = match.groups()
            rows.append((_SHORT.get(kind, kind), *(int(number, 16) for number in numbers), flags, int(align, 16)))
        elif match := _MEMBERS.match(line.rstrip()):
            members[int(match[1])] = match[2].split()
    return [(*row, members.get(at, [])) for at, row in enumerate(rows)]


def symbols(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Of each table, by the name of its section: value, size, type, binding, visibility, section, name."""
    tables: dict[str, list[tuple[object, ...]]] = {}
    rows: list[tuple[object, ...]] = []
    for line in run(path, "-s"):
        if line.startswith("Symbol table '"):
            rows = tables[line.split("'")[1]] = []
        elif match := _SYMBOL.match(line):
            _, value, size, kind, binding, visibility, place, name = match.groups()
            rows.append((int(value, 16), int(size, 0), kind, binding, visibility, place, (name or "").split("@")[0]))
    assert all(rows[0][6] == "" for rows in tables.values())
    return tables


_FLAGS = "WAX MSILOGTC"
_VISIBILITY = ("DEFAULT", "INTERNAL", "HIDDEN", "PROTECTED")


def flags(value: int) -> str:
    """Section flags as letters, those that readelf has for every machine."""
    return "".join(letter for bit, letter in enumerate(_FLAGS) if value >> bit & 1)


def model_sections(elf: Elf) -> list[tuple[object, ...]]:
    """The model's sections as `sections` gives them; of the flags, those that every machine has."""
    return [
        (s.index, s.name, s.type, s.address, s.offset, s.size, s.entry_size, flags(s.flags), s.link, s.info, s.align)
        for s in elf.sections
    ]


def model_segments(elf: Elf) -> list[tuple[object, ...]]:
    """The model's segments as `segments` gives them."""
    return [
        (
            *(s.type, s.offset, s.address, s.load_address, s.file_size, s.memory_size),
            "".join(
                letter if given else " "
                for letter, given in (("R", s.readable), ("W", s.writable), ("E", s.executable))
            ),
            s.align,
            [elf.sections[index].name for index in s.sections],
        )
        for s in elf.segments
    ]


def model_symbols(elf: Elf, table: SymbolTable) -> list[tuple[object, ...]]:
    """One table of the model as `symbols` gives it."""
    rows: list[tuple[object, ...]] = []
    for at, symbol in enumerate(table.entries()):
        place = str(symbol.section) if symbol.section is not None else table.place(at)
        name = symbol.name.split("@")[0]
        if not name and symbol.kind == "SECTION" and symbol.section is not None:
            name = elf.sections[symbol.section].name
        visibility = _VISIBILITY[symbol.visibility]
        rows.append((symbol.value, symbol.size, symbol.kind, symbol.binding, visibility, place, name))
    return rows


def build_id(path: Path) -> str:
    """The build-id in hexadecimal, or empty."""
    return next((line.split()[-1] for line in run(path, "-n") if "Build ID:" in line), "")
