"""Objects made by `as`, read back just as far as these tests need it, and what GNU ld made of them.

Every input section that takes room defines a symbol of its own, so the linked file tells where each one went: the
symbol's section index is the output section, the symbols' values are the order.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ldcheck.image.model import InputSection
from ldcheck.script.syntax import InputSectionDescription, OutputSection, Script, walk
from ldcheck.sections.assign import Placement
from tests.support.build import TARGETS
from tests.support.tools import tool

TYPES = {
    0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 7: "NOTE", 8: "NOBITS", 9: "REL", 14: "INIT_ARRAY",
    15: "FINI_ARRAY", 16: "PREINIT_ARRAY", 17: "GROUP",
}  # fmt: skip

# Where a symbol stands: section index, value.
Symbols = dict[str, tuple[int, int]]
# Marker symbols by file, member and section index.
Marks = Mapping[tuple[str, str, int], str]


@dataclass(frozen=True, slots=True)
class ElfFile:
    """Section headers as (name, type, flags, size, align), and symbols."""

    sections: tuple[tuple[str, str, int, int, int], ...]
    symbols: Symbols


NO_ELF = ElfFile((), {})
NO_MARKS: Marks = {}
# What ld for arm adds to a file of its own.
_VENEERS = (".glue_7", ".vfp11_veneer", ".v4_bx", ".stm32l4xx_veneer")


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
    folder: Path,
    script: str,
    files: list[str],
    *options: str,
    default: str = "",
    target: str = "x86_64",
    program: str = "",
) -> tuple[ElfFile | None, str]:
    """Link with GNU ld, whole archives included; None and the output if it failed.

    `program` is one of another year, which may not know of warnings that are left out.
    `default` takes the place of ld's own script, which an INSERT inserts into.
    """
    (folder / "t.lds").write_text(script, encoding="utf-8", errors="surrogateescape")
    if default:
        (folder / "default.lds").write_text(default)
        options = (*options, "-dT", "default.lds")
    out = folder / "t.elf"
    out.unlink(missing_ok=True)
    command = [program or tool(f"{TARGETS[target].prefix}ld"), "-nostdlib", "-T", "t.lds", "-Map=t.map", "-o", "t.elf"]
    command += ["-e0", "--build-id=none"]
    command += [] if program else ["--no-warn-rwx-segments"]
    command += ["--noinhibit-exec", "-zmax-page-size=4096", *options]
    command += ["--whole-archive", *files]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120
    )
    data = out.read_bytes() if out.exists() else b""
    # What newer versions leave behind where they give up is no ELF file.
    return read_elf(data) if data.startswith(b"\x7fELF") else None, done.stdout


@dataclass(frozen=True, slots=True)
class Placed:
    """An output section in a link map: its inputs as (statement, name, file), statements counted from 1, 0 for none."""

    name: str
    inputs: tuple[tuple[int, str, str], ...]


_INPUT = re.compile(r"^ (\S+)?\s+0x[0-9a-f]{8,16}\s+0x[0-9a-f]+ (\S.*)$")
_DATA = re.compile(r"(BYTE|SHORT|LONG|QUAD|SQUAD|load address) 0x")
_OUTPUT = re.compile(r"^([^\s(]+)(?:\s+0x[0-9a-f]{8,16}\s+0x[0-9a-f]+.*)?$")


def outputs_of_map(text: str) -> list[Placed]:
    """The output sections of a map of GNU ld that hold any input section, in the order of the map."""
    found: list[Placed] = []
    name, wrapped, statement = "", "", 0
    inputs: list[tuple[int, str, str]] = []
    for line in text[text.index("Linker script and memory map") :].splitlines()[1:]:
        if not line.startswith(" "):
            header = _OUTPUT.match(line)
            if header:
                if inputs:
                    found.append(Placed(name, tuple(inputs)))
                name, statement, inputs = header[1], 0, []
        elif match := _INPUT.match(line):
            if match[1] != "*fill*" and not _DATA.match(match[2]):
                inputs.append((statement, match[1] or wrapped, match[2]))
        elif line[1:2] not in (" ", ""):
            wrapped = line.strip()
            if "(" in line:
                statement += 1
    if inputs:
        found.append(Placed(name, tuple(inputs)))
    return found


def difference(
    tree: Script, placements: Sequence[Placement], map_file: Path, elf: ElfFile = NO_ELF, marks: Marks = NO_MARKS
) -> str:
    """What ld did otherwise than `placements` says; empty if nothing. `marks` are the marker symbols of the inputs."""
    want: list[Placed] = []
    seen: dict[int, list[tuple[int, str, str]]] = {}
    statements = {
        id(statement): number
        for node in walk(tree)
        if isinstance(node, OutputSection)
        for number, statement in enumerate(
            (child for child in node.statements if isinstance(child, InputSectionDescription)), 1
        )
    }
    indices: dict[int, int] = {}
    for placement in placements:
        section = placement.input
        symbol = marks.get((section.file, section.member, section.index), "")
        index = elf.symbols.get(symbol, (0, 0))[0] if symbol else 0
        if placement.output == "/DISCARD/":
            if index:
                return f"{section} is not discarded but in section {index}"
            continue
        if symbol and indices.setdefault(placement.position, index) != index:
            return f"{section} is in section {index} of the file, its neighbours in {indices[placement.position]}"
        if symbol and (index >= len(elf.sections) or elf.sections[index][0] != placement.output):
            return f"{section} is in section {index} of the file, and not in {placement.output} ({placement.rule})"
        if placement.position not in seen:
            seen[placement.position] = []
        statement = statements[id(placement.rule.statement)] if placement.rule else 0
        file = f"{section.file}({section.member})" if section.member else section.file
        seen[placement.position].append((statement, section.name, file))
    names = [next(p.output for p in placements if p.position == position) for position in seen]
    want = [Placed(name, tuple(inputs)) for name, inputs in zip(names, seen.values(), strict=True)]
    added = (".rela", ".rel.", ".got", ".iplt", ".igot.plt", ".note.gnu.build-id", *_VENEERS)
    got = [
        Placed(output.name, tuple(item for item in output.inputs if not item[1].startswith(added)))
        for output in outputs_of_map(map_file.read_text(errors="surrogateescape"))
    ]
    got = [output for output in got if output.inputs]
    for one, other in zip(want, got, strict=False):
        if one.name != other.name:
            return f"{one.name} comes where ld has {other.name}\n{[o.name for o in want]}\n{[o.name for o in got]}"
        # An orphan that joins an output section of the script stands behind its last statement.
        for ours, theirs in zip_longest(one.inputs, other.inputs):
            if ours is None or theirs is None or ours[1:] != theirs[1:] or ours[0] not in (0, theirs[0]):
                return f"{one.name} has {ours} where ld has {theirs}\n{one.inputs}\n{other.inputs}"
    return "" if len(want) == len(got) else f"{[o.name for o in want]}, and in ld {[o.name for o in got]}"
