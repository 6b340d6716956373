"""Objects and archives, against what readelf says of them."""

from __future__ import annotations

import re
import subprocess

import pytest

from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.objects import read_objects
from ldcheck.image.relocations import read_relocations
from tests.image import corpus, readelf
from tests.support.build import assemble, compile_c, target_params
from tests.support.tools import tool

_PLACED = {"NULL", "SYMTAB", "STRTAB", "RELA", "REL", "GROUP", "SYMTAB SECTION INDICES"}
_RELOCATION = re.compile(
    r"([0-9a-f]{8,16})\s+([0-9a-f]{8,16}) (\S+)(?:\s+(?:[0-9a-f]{8,16}\s+(\S+)(?: ([+-]) ([0-9a-f]+))?|([0-9a-f]+)))?$"
)


def table(path):
    """Index, name, type, size and alignment of the sections that a linker places, as readelf says."""
    rows = (row for row in readelf.sections(path) if row[2] not in _PLACED)
    return [(*row[:3], row[5], row[10] or 1) for row in rows]


def of(sections):
    return [(s.index, s.name, s.type, s.size, s.align) for s in sections if s.name != "COMMON"]


@pytest.mark.parametrize("arch", target_params())
def test_objects(arch):
    path = corpus.objects(arch)[0]
    found = read_objects([str(path)])
    assert of(found) == table(path)
    assert {(s.file, s.member, s.archive) for s in found} == {(str(path), "", "")}
    # `int shared_counter; int common_table[40];`
    common = [s for s in found if s.name == "COMMON"]
    assert [(164 <= s.size <= 192, s.align >= (2 if arch == "m68k" else 4), s.type, s.writable) for s in common] == [
        (True, True, "NOBITS", True)
    ]


@pytest.mark.parametrize("arch", target_params())
def test_archives(arch):
    first, fat, thin = corpus.objects(arch)
    found = read_objects([str(fat), str(thin)])
    second, third = first.with_name("second_with_a_long_name.o"), first.with_name("third.o")
    assert of(s for s in found if s.member) == table(second)
    assert {(s.file, s.member) for s in found if s.member} == {(str(fat), second.name)}
    # GNU ld knows a member of a thin archive by its path.
    assert of(s for s in found if not s.member) == table(third)
    assert {(s.file, s.archive) for s in found if not s.member} == {(str(third), str(thin))}


def test_the_c_library():
    """Thousands of members, each against readelf."""
    archive = subprocess.run(
        [tool("x86_64-linux-gnu-gcc"), "-print-file-name=libc.a"], capture_output=True, text=True, check=True
    ).stdout.strip()
    wanted: dict[str, list[tuple[object, ...]]] = {}
    rows: list[tuple[object, ...]] = []
    for line in readelf.run(archive, "-S"):
        if line.startswith("File: "):
            rows = wanted[line.rpartition("(")[2].rstrip(")")] = []
        rows += [(row[1], row[5]) for row in readelf.section_rows([line]) if row[2] not in _PLACED]
    found: dict[str, list[tuple[object, ...]]] = {}
    for section in read_objects([archive]):
        found.setdefault(section.member, []).append((section.name, section.size))
    assert len(found) > 1000
    assert {name: [row for row in rows if row[0] != "COMMON"] for name, rows in found.items()} == {
        name: rows for name, rows in wanted.items() if rows
    }


def test_the_form_of_bsd(tmp_path):
    """`#1/N`: the name stands ahead of the content."""
    content = assemble(tmp_path, ".text\n.byte 1\n").read_bytes()
    name = b"a member with a long name.o\0"
    header = b"#1/%-13d%-12d%-6d%-6d%-8o%-10d`\n" % (len(name), 0, 0, 0, 0o644, len(name) + len(content))
    (tmp_path / "lib.a").write_bytes(b"!<arch>\n" + header + name + content)
    assert {s.member for s in read_objects([str(tmp_path / "lib.a")])} == {"a member with a long name.o"}


def test_groups(tmp_path):
    source = '.section .text.f,"axG",@progbits,signature,comdat\n.globl f\nf: ret\n.text\n ret\n'
    found = {s.name: s.group for s in read_objects([str(assemble(tmp_path, source))])}
    assert (found[".text.f"], found[".text"]) == ("signature", "")


def test_more_sections_than_a_header_can_count(tmp_path):
    """65,280 sections and more: the count and the index of the names move into the first header."""
    source = "".join(f'.section .s{number},"a"\n.globl x{number}\nx{number}: .byte 1\n' for number in range(66_000))
    path = assemble(tmp_path, source)
    found = read_objects([str(path)])
    assert [(s.name, s.size) for s in found if s.size] == [(f".s{number}", 1) for number in range(66_000)]
    elf = read_elf(str(path))
    assert elf.incomplete == ()
    places = [elf.symbols[f"x{number}"].section or 0 for number in (0, 65_999)]
    assert [elf.sections[place].name for place in places] == [".s0", ".s65999"]


@pytest.mark.parametrize("arch", target_params())
def test_relocations(tmp_path, arch):
    source = "extern int there; static int here[4]; int *a = &here[2]; int f(void) { return there + g(); }"
    path = compile_c(tmp_path, f"int g(void); {source}", arch)
    wanted = []
    for line in readelf.run(path, "-r"):
        if match := _RELOCATION.match(line.strip()):
            offset, info, _, name, sign, addend, lone = match.groups()
            number = int(f"{sign}{addend}", 16) if addend else int(lone, 16) if lone else None
            wanted.append((int(offset, 16), int(info, 16), name or "", number))
    shift = 8 if read_elf(str(path)).bits == 32 else 32
    found = [
        (r.offset, r.symbol << shift | r.type, r.name, r.addend if r.addend is not None else None)
        for r in read_relocations(str(path))
        # R_ALPHA_LITUSE has a word where others have a symbol.
        if (arch, r.type) != ("alpha", 5)
    ]
    assert found == wanted
    assert "there" in {r.name for r in read_relocations(str(path))}


def test_what_is_left_out_is_said(tmp_path):
    object_file = assemble(tmp_path, ".text\n.byte 1\n")
    text = tmp_path / "note.txt"
    text.write_text("no object")
    subprocess.run([tool("ar"), "rcs", "lib.a", object_file.name, text.name], cwd=tmp_path, check=True)
    notes: list[str] = []
    found = read_objects([str(tmp_path / "lib.a"), tool("bash")], notes)
    assert {s.member for s in found} == {"a.o"}
    assert notes == [
        f"{tmp_path}/lib.a(note.txt) is left out: it looks like a text file",
        f"{tool('bash')} is left out: it is a linked file (DYN), not an object",
    ]


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "an empty file"),
        (b"BC\xc0\xde0000", "LLVM bitcode"),
        (b"GROUP ( libm.so )\n", "a text file"),
        (b"MZ\x90\0", "a PE/COFF image"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path, content, looks_like):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CheckError, match=looks_like):
        read_objects([str(tmp_path / "x")])


def test_a_missing_member_of_a_thin_archive(tmp_path):
    object_file = assemble(tmp_path, ".text\n.byte 1\n")
    command = [tool("ar"), "rcsT", "lib.a", object_file.name]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    object_file.unlink()
    with pytest.raises(CheckError, match="cannot read a member of the thin archive"):
        read_objects([str(tmp_path / "lib.a")])
