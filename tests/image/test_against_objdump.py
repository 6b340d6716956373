"""Who refers to whom in real objects of every machine, relocation by relocation as `objdump -dr` shows them.

objdump is the judge of three things: which function a relocation is in, which symbol it names, and where one
instruction ends and the next begins, from which a number beside a section is counted on x86.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ldcheck.image.files import OpenFile
from ldcheck.image.references import Link
from ldcheck.image.related import RelatedObject
from tests.support.build import TARGETS, assemble, target_params
from tests.support.tools import tool, unavailable

_SECTION = re.compile(r"^Disassembly of section (\S+):$")
_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^ +([0-9a-f]+):\t(.*)$")
# Those of Alpha have no R_ ahead.
_RELOCATION = re.compile(r"^\t+([0-9a-f]+): ([A-Z]\w+)\t(\S+)$")
_NUMBER = re.compile(r"^(.+?)([+-]0x[0-9a-f]+)?$")
# Hints for the linker, and what names the other half of an address (RISC-V).
SILENT = re.compile(
    r"R_\w+_NONE$|R_ARM_V4BX|R_RISCV_(RELAX|ALIGN|SUB\d+|SET\d+|PCREL_LO12_[IS])|R_MIPS_JALR|R_PPC64_TOC$"
    r"|GPDISP$|LITUSE$"
)


class Shown(NamedTuple):
    """A relocation as objdump shows it: `name` with the number beside it, in the instruction from `start` to `end`."""

    section: str
    offset: int
    function: str
    kind: str
    name: str
    number: int
    start: int
    end: int


def shown(path: Path, prefix: str) -> Iterator[Shown]:
    """All relocations of code."""
    command = [tool(f"{prefix}objdump"), "-drz", "--no-show-raw-insn", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    section, function, start = "", "", 0
    waiting: list[tuple[int, str, str, int]] = []
    for line in [*text.splitlines(), "Disassembly of section end:"]:
        if match := _INSTRUCTION.match(line) or _SECTION.match(line) or _FUNCTION.match(line):
            for offset, kind, target, begin in waiting:
                end = -1 if match.re is _SECTION else int(match[1], 16)
                named = _NUMBER.match(target)
                assert named
                number = int(named[2] or "0", 16)
                yield Shown(section, offset, function, kind, named[1], number, begin, end)
            waiting = []
            if match.re is _SECTION:
                section, function = match[1], ""
            elif match.re is _FUNCTION:
                # Labels of the compiler stand within functions.
                function = function if match[2].startswith((".L", "$")) else match[2]
            else:
                start = int(match[1], 16)
        elif match := _RELOCATION.match(line):
            waiting.append((int(match[1], 16), match[2], match[3], start))


def members(prefix: str, most: int, folder: Path) -> list[Path]:
    """Objects of the libraries that come with a compiler: code of many kinds, none of it written for this."""
    found: list[Path] = []
    for library in ("libgomp.a", "libgcc.a"):
        said = subprocess.run(
            [tool(f"{prefix}gcc"), f"-print-file-name={library}"], capture_output=True, text=True, check=True
        )
        path = Path(said.stdout.strip())
        if not path.is_absolute():
            unavailable(f"{prefix}gcc comes without {library}")
        listed = subprocess.run([tool("ar"), "t", path], capture_output=True, text=True, check=True).stdout.split()
        names = list(dict.fromkeys(listed))[: most - len(found)]
        subprocess.run([tool("ar"), "x", path, *names], check=True, cwd=folder)
        found += [folder / name for name in names]
    return found


def differences(path: Path, prefix: str) -> tuple[int, list[str]]:
    """How many relocations objdump shows that lead to this object, and what is not the same of them."""
    with OpenFile(str(path), "an object file") as window:
        one = RelatedObject(str(path), "", window)
    link = Link([one])
    mine = {
        (one.sections[table.section], offset): (place, names, one.covering(table.section, offset))
        for table in one.tables
        for offset, place, names in link.of_table(one, table, lambda _: True)
    }
    defined = {one.names[at] for at in range(1, len(one.names)) if one.place(at) is not None}
    rows = list(shown(path, prefix))
    code = {one.sections[table.section] for table in one.tables if table.code is not None}
    known_places = {(row.section, row.offset) for row in rows}
    seen, found = 0, [f"not shown: {at}" for at in mine if at[0] in code and at not in known_places]
    for row in rows:
        is_section = row.name in one.sections
        if SILENT.search(row.kind) or not (is_section or row.name in defined):
            continue
        seen += 1
        known = mine.get((row.section, row.offset))
        if known is None:
            found.append(f"not seen: {row}")
            continue
        place, names, functions = known
        if row.function.removeprefix(".") not in functions:
            found.append(f"in {functions}: {row}")
        if is_section:
            # What stands in a table of descriptors or addresses is followed.
            if one.sections[place.section] != row.name and row.name not in (".opd", ".toc"):
                found.append(f"in {one.sections[place.section]}: {row}")
            if (
                prefix.startswith("x86_64")
                and "PC32" in row.kind
                and row.end >= 0
                and place.offset != row.number + row.end - row.offset
            ):
                found.append(f"at {place.offset}: {row}")
        elif not row.name.startswith((".L", "$")) and row.name not in names:
            found.append(f"to {names}: {row}")
    return seen, found


@pytest.mark.parametrize("most", [6, pytest.param(80, marks=pytest.mark.sweep)], ids=["some", "all"])
@pytest.mark.parametrize("arch", target_params(without="x86_32"))
def test_objects_of_a_compiler(tmp_path: Path, arch: str, most: int) -> None:
    """Those of 32-bit x86 come with a compiler of their own (i686)."""
    prefix = TARGETS[arch].prefix
    paths = members(prefix, most, tmp_path)
    assert len(paths) == most
    results = [differences(path, prefix) for path in paths]
    assert [line for _, lines in results for line in lines] == []
    assert sum(seen for seen, _ in results) > 5 * most


# Instructions of x86-64 with a constant behind the address, and ones that are like them.
INSTRUCTIONS = """
cmpb $1, {0}
cmpw $300, {0}
cmpl $100000, {0}
cmpq $1000, {0}
movb $1, {0}
movw $300, {0}
movl $100000, {0}
movq $5, {0}
movw $5, %ax
imul $3, {0}, %eax
imul $300, {0}, %eax
shll $3, {0}
testb $1, {0}
testl $5, {0}
notl {0}
btl $3, {0}
shld $3, %eax, {0}
mov {0}, %eax
lea {0}, %rdi
pshufd $1, {0}, %xmm0
cmpps $1, {0}, %xmm0
shufps $1, {0}, %xmm0
pinsrw $1, {0}, %xmm0
palignr $3, {0}, %xmm0
roundsd $1, {0}, %xmm0
pcmpistri $1, {0}, %xmm0
pshufb {0}, %xmm0
crc32l {0}, %eax
packssdw {0}, %xmm0
vpshufd $1, {0}, %xmm0
vpshufd $1, {0}, %ymm12
vpinsrw $1, {0}, %xmm1, %xmm0
vcmpps $1, {0}, %ymm1, %ymm0
vshufps $1, {0}, %ymm1, %ymm10
vpalignr $3, {0}, %ymm1, %ymm0
vroundsd $1, {0}, %xmm1, %xmm0
vperm2i128 $1, {0}, %ymm1, %ymm0
vpblendw $1, {0}, %xmm9, %xmm0
vinsertf128 $1, {0}, %ymm1, %ymm0
vextractf128 $1, %ymm1, {0}
vblendvps %ymm2, {0}, %ymm1, %ymm0
vpackssdw {0}, %xmm1, %xmm0
vpunpckhwd {0}, %ymm1, %ymm0
vpsadbw {0}, %ymm1, %ymm0
vpshufb {0}, %ymm1, %ymm0
vmovaps {0}, %ymm0
vpaddd {0}, %ymm1, %ymm0
vfmadd213ps {0}, %ymm1, %ymm0
mulx {0}, %rax, %rbx
shlx %rcx, {0}, %rax
rorx $3, {0}, %rax
vpternlogd $1, {0}, %zmm1, %zmm0
vpshufd $1, {0}, %zmm0
vpsrld $3, {0}, %zmm0
vpermq $1, {0}, %zmm0
vcmpps $1, {0}, %zmm1, %k1
vpaddd {0}, %zmm1, %zmm0
vpermd {0}, %zmm1, %zmm20
vgf2p8affineqb $3, {0}, %xmm1, %xmm0
sha1rnds4 $1, {0}, %xmm0
aeskeygenassist $1, {0}, %xmm0
"""


def test_constants_behind_an_address(tmp_path: Path) -> None:
    """A local name is its section and a number, which counts from the end of the instruction."""
    lines = [line.format("datum(%rip)") for line in INSTRUCTIONS.strip().splitlines()]
    # Registers whose encoding ends in what could be taken for a prefix.
    lines += [f"mov %eax, %ebp\n{line}\nmov %eax, %esp" for line in lines]
    source = ".text\n.type f, %function\nf:\n" + "\n".join(lines) + "\n.size f, .-f\n"
    source += '.section .init.data,"aw"\n.skip 32\n.type datum, %object\ndatum: .skip 64\n.size datum, .-datum\n'
    path = assemble(tmp_path, source)
    seen, found = differences(path, "x86_64-linux-gnu-")
    assert found == []
    # One of them has no memory operand.
    assert seen == len(lines) - 2
