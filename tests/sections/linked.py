"""Objects made by `as`, read back just as far as these tests need it, and what GNU ld made of them.

Every input section that takes room defines a symbol of its own, so the linked file tells where each one went: the
symbol's section index is the output section, the symbols' values are the order.
"""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ldcheck.image.model import InputSection
from tests.support.tools import tool

TYPES = {
    0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 7: "NOTE", 8: "NOBITS", 9: "REL", 14: "INIT_ARRAY",
    15: "FINI_ARRAY", 16: "PREINIT_ARRAY", 17: "GROUP",
}  # fmt: skip

# Where a symbol stands: section index, value.
Symbols = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ElfFile:
    """Section headers as (name, type, flags, size, align), and symbols."""

    sections: tuple[tuple[str, str, int, int, int], ...]
    symbols: Symbols


def read_elf(data: bytes) -> ElfFile:
    """A little-endian 64-bit ELF file."""
    assert data[:6] == b"\x7fELF\x02\x01"
    (at,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, at + size * index) for index in range(count)]
    strings = headers[names][4]
    sections = tuple(
        (text(data, strings + header[0]), TYPES.get(header[1], hex(header[1])), header[2], header[5], header[8])
        for header in headers
    )
    symbols: Symbols = {}
    for header in headers:
        if header[1] != 2:
            continue
        base = headers[header[6]][4]
        for offset in range(header[4], header[4] + header[5], 24):
            name, _, _, index, value, _ = struct.unpack_from("<IBBHQQ", data, offset)
            symbols[text(data, base + name)] = (index, value)
    return ElfFile(sections, symbols)


def text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode("utf-8", "surrogateescape")


def members(data: bytes) -> list[tuple[str, bytes]]:
    """The members of an archive in the GNU format, the symbol table and the long names left out."""
    assert data[:8] == b"!<arch>\n"
    found: list[tuple[str, bytes]] = []
    long_names = b""
    at = 8
    while at + 60 <= len(data):
        name, size = data[at : at + 16].rstrip(), int(data[at + 48 : at + 58])
        content = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
        if name == b"//":
            long_names = content
        elif name not in (b"/", b"/SYM64/"):
            if name.startswith(b"/"):
                start = int(name[1:])
                name = long_names[start : long_names.index(b"\n", start)]
            found.append((name.decode().rstrip("/"), content))
    return found


def input_sections(name: str, path: Path) -> list[InputSection]:
    """The sections of an object or of all members of an archive, which ld's command line calls `name`."""
    data = path.read_bytes()
    if data.startswith(b"!<arch>\n"):
        return [section for member, content in members(data) for section in _of_object(name, member, content)]
    return _of_object(name, "", data)


def _of_object(name: str, member: str, data: bytes) -> list[InputSection]:
    elf = read_elf(data)
    found = [
        InputSection(name, member, section, index, size, align, kind, flags)
        for index, (section, kind, flags, size, align) in enumerate(elf.sections)
        if index
    ]
    if any(index == 0xFFF2 for index, _ in elf.symbols.values()):
        found.append(InputSection(name, member, "COMMON", 0, 8, 8, "NOBITS", 3))
    return found


def markers(path: Path) -> dict[tuple[str, int], str]:
    """The symbol that marks each section, by member and section index; index 0 for the common symbol."""
    data = path.read_bytes()
    objects = members(data) if data.startswith(b"!<arch>\n") else [("", data)]
    found: dict[tuple[str, int], str] = {}
    for member, content in objects:
        for symbol, (index, _) in read_elf(content).symbols.items():
            if symbol.startswith("at_"):
                found[member, 0 if index == 0xFFF2 else index] = symbol
    return found


def run_ld(
    folder: Path, script: str, files: list[str], *options: str, default: str = ""
) -> tuple[ElfFile | None, str]:
    """Link with GNU ld, whole archives included; None and the output if it failed.

    `default` takes the place of ld's own script, which an INSERT inserts into.
    """
    (folder / "t.lds").write_text(script, encoding="utf-8", errors="surrogateescape")
    if default:
        (folder / "default.lds").write_text(default)
        options = (*options, "-dT", "default.lds")
    out = folder / "t.elf"
    out.unlink(missing_ok=True)
    command = [tool("ld"), "-nostdlib", "-T", "t.lds", "-Map=t.map", "-o", "t.elf", "-e0", "--build-id=none"]
    command += ["--no-warn-rwx-segments", "--noinhibit-exec", "-zmax-page-size=4096", *options]
    command += ["--whole-archive", *files]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120
    )
    if not out.exists():
        return None, done.stdout
    return read_elf(out.read_bytes()), done.stdout
