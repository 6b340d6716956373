"""What maps of GNU ld have that small images do not: stubs, odd names, other options, versions and languages."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.maps import read_map, read_symbols
from tests.image import corpus
from tests.image.test_maps import reproduces
from tests.support.build import LinkResult, assemble, link
from tests.support.tools import tool
from tests.support.xen import xen

_HEAD = """\
Memory Configuration

Name             Origin             Length             Attributes
ram              0x0000000000010000 0x0000000000100000 xrw
*default*        0x0000000000000000 0xffffffffffffffff

Linker script and memory map

"""


def read(tmp_path, text, head=_HEAD):
    path = tmp_path / "x.map"
    path.write_text(head + text)
    return read_map(str(path))


def linked(folder, script, source, arch="x86_64", options=(), linker="ld"):
    done = link(folder, script, [assemble(folder, source, arch)], arch, options, linker)
    return whole(done)


def whole(done: LinkResult) -> corpus.Built:
    """A link that went well."""
    assert done.elf is not None, done.output
    assert done.map is not None
    return corpus.Built(done.elf, done.map, ())


def test_stubs_of_an_erratum(tmp_path):
    """The stubs' room is not in the map: 4,064 bytes that no line accounts for."""
    source = """
    .text
    .balign 4096
    .skip 0xff8
    adrp x0, there
    ldr x1, [x1]
    ldr x2, [x0, :lo12:there]
    .data
    .balign 8
    there: .quad 1
    """
    script = "SECTIONS { . = 0x10000; .text : { *(.text) . = ALIGN(8); *(.text.*) } .data : { *(.data) } }"
    found = reproduces(linked(tmp_path, script, source, "arm64", ["--fix-cortex-a53-843419"]))
    text = found.sections[0]
    assert [(i.name, i.file, i.size) for i in text.inputs] == [
        (".text", "a.o", 0x1004),
        (".text.stub", "linker stubs", 0x10),
    ]
    assert [(p.size, p.cause) for p in text.paddings if p.cause != "input alignment"] == [
        (0x1000 - 0x10, "unexplained")
    ]


def test_veneers_between_instruction_sets(tmp_path):
    source = """
    .syntax unified
    .thumb
    .text
    .thumb_func
    bl arm_code
    bx lr
    .section .far, "ax"
    .arm
    .type arm_code, %function
    arm_code: bx lr
    """
    script = "SECTIONS { . = 0x10000; .text : { *(.text) . = ALIGN(8); } . = 0x20000000; .far : { *(.far) } }"
    found = reproduces(linked(tmp_path, script, source, "arm32"))
    assert [(p.size, p.cause) for p in found.sections[0].paddings] == [(2, "input alignment"), (4, "assignment")]


def test_names_and_files_with_blanks(tmp_path):
    home = tmp_path / "a folder"
    home.mkdir()
    source = '.section ".text.a b", "ax"\n.byte 1, 2\n.text\n.globl "odd=name"\n"odd=name": .byte 3\n'
    found = reproduces(linked(home, "SECTIONS { .text : { *(.text .text.*) } }", source))
    assert {i.file for s in found.sections for i in s.inputs} == {"a.o"}
    assert found.symbols["odd=name"] == found.sections[0].inputs[0].address


def test_causes_of_padding(tmp_path):
    source = """
    .section .a, "a"
    .byte 1
    .section .b, "a"
    .balign 16
    .byte 2
    .section .c, "a"
    .byte 3
    """
    script = "SECTIONS { .x : { *(.a) *(.b) . = ALIGN(8); *(.c) . += 3; BYTE(1) } }"
    found = reproduces(linked(tmp_path, script, source))
    section = next(section for section in found.sections if section.name == ".x")
    assert [(p.size, p.cause) for p in section.paddings] == [
        (15, "input alignment"),
        (7, "assignment"),
        (3, "assignment"),
    ]
    assert section.data == 1
    assert [i.pattern for i in section.inputs] == ["*(.a)", "*(.b)", "*(.c)"]


def test_discarded_and_orphaned_inputs(tmp_path):
    source = '.section .dropped, "a"\n.byte 1\n.section .orphan, "a"\n.byte 2\n.section .kept, "a"\n.byte 3\n'
    script = "SECTIONS { .x : { *(.kept) } .nothing : { *(.nothing) } /DISCARD/ : { *(.dropped) } }"
    found = reproduces(linked(tmp_path, script, source))
    assert [(i.name, i.size) for i in found.discarded if i.size] == [(".dropped", 1)]
    assert {s.name: [i.pattern for i in s.inputs if i.size] for s in found.sections if s.size} == {
        ".x": ["*(.kept)"],
        ".orphan": [""],
    }
    assert [s.name for s in found.sections if not s.present] == [".nothing"]
    assert ("pattern", "*(.dropped)", "/DISCARD/") in {(s.kind, s.text, s.section) for s in found.statements}


def test_link_time_optimisation(tmp_path):
    """The inputs are then objects that nobody gave, with names of temporary files."""
    (tmp_path / "a.c").write_text("int b(int); int _start(void) { return b(3); }")
    (tmp_path / "b.c").write_text("__attribute__((noinline)) int b(int x) { return x * 3; } int data[30] = {1};")
    gcc = tool("x86_64-linux-gnu-gcc")
    command = [gcc, "-O2", "-flto", "-nostdlib", "-static", "-no-pie", "a.c", "b.c", "-o", "a.elf", "-Wl,-Map=a.map"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = reproduces(corpus.Built(tmp_path / "a.elf", tmp_path / "a.map", ()))
    assert any("ltrans" in entry.file for section in found.sections for entry in section.inputs)


def test_merged_strings(tmp_path):
    """Of a merged section, what it kept counts; one that merged away has no bytes, whatever the map prints."""
    source = '.section .rodata.{0}, "aMS", @progbits, 1\n.string "{1}"\n'
    objects = [
        assemble(tmp_path, source.format("a", "a common text"), name="a.o"),
        assemble(tmp_path, source.format("b", "text"), name="b.o"),
        assemble(tmp_path, source.format("c", "another text"), name="c.o"),
    ]
    done = link(tmp_path, "SECTIONS { .rodata : { *(.rodata.*) } }", objects)
    found = reproduces(whole(done))
    rodata = next(section for section in found.sections if section.name == ".rodata")
    assert sum(entry.size for entry in rodata.inputs) == rodata.size == len("a common text\0another text\0")


def test_overlay(tmp_path):
    source = '.section .one, "a"\n.skip 100\n.section .two, "a"\n.skip 50\n.section .after, "a"\n.byte 1\n'
    script = """
    SECTIONS {
      OVERLAY 0x1000 : AT (0x4000) { .one { *(.one) } .two { *(.two) } }
      .after : { *(.after) }
    }
    """
    found = reproduces(linked(tmp_path, script, source))
    places = {s.name: (s.address, s.load_address) for s in found.sections}
    assert places[".one"] == (0x1000, 0x4000)
    assert places[".two"] == (0x1000, 0x4064)


@pytest.mark.parametrize(
    "options", [["--cref"], ["--no-print-map-discarded"], ["--reduce-memory-overheads"], ["-r"], ["-N"]]
)
def test_options_that_change_the_map(options):
    inputs = corpus.objects("x86_64")
    name = f"option{options[0]}.elf"
    done = link(inputs[0].parent, corpus.SCRIPT, inputs, "x86_64", ["--whole-archive", *options], name=name)
    assert reproduces(whole(done)).sections


def test_a_map_that_is_cut_off(tmp_path):
    """Anywhere: it is no map, or is said to be incomplete. Behind OUTPUT only orphans without an address follow."""
    text = corpus.image("ld", "x86_64").map.read_text()
    end = text.index("\nOUTPUT(")
    for at in range(0, end, 997):
        (tmp_path / "cut.map").write_text(text[:at])
        if at < text.index("Linker script and memory map\n\n") + 30:
            with pytest.raises(CheckError, match="this looks like"):
                read_map(str(tmp_path / "cut.map"))
        else:
            assert read_map(str(tmp_path / "cut.map")).incomplete


def test_translated_headings(tmp_path):
    """The headings are in the language of whoever linked."""
    text = corpus.image("ld", "x86_64").map.read_text()
    translated = text
    for heading, other in {
        "Linker script and memory map": "Linker-Skript und Speicherzuordnung",
        "Memory Configuration": "Speicherkonfiguration",
        "Discarded input sections": "Verworfene Eingabeabschnitte",
        "load address": "Ladeadresse",
        "size before relaxing": "Größe vor Entspannung",
    }.items():
        translated = translated.replace(heading, other)
    (tmp_path / "x.map").write_text(translated)
    mine, plain = read_map(str(tmp_path / "x.map")), read_map(str(corpus.image("ld", "x86_64").map))
    assert mine.sections == plain.sections
    assert mine.discarded == plain.discarded
    assert dict(mine.symbols) == dict(plain.symbols)


def test_older_and_newer_versions(tmp_path):
    """PROVIDE had a comma up to binutils 2.30; KEEP is printed by some."""
    found = read(
        tmp_path,
        ".text           0x0000000000010000        0x4\n"
        " *(.text)\n"
        " .text          0x0000000000010000        0x4 a.o\n"
        "                0x0000000000010000                first\n"
        "                0x0000000000010004                PROVIDE (etext, .)\n"
        "                [!provide]                        PROVIDE (unused, .)\n"
        "OUTPUT(a.out elf64-x86-64)\n",
    )
    assert found.incomplete == ()
    assert dict(found.symbols) == {"first": 0x10000, "etext": 0x10004}


def test_damaged_lines_are_left_out(tmp_path):
    found = read(
        tmp_path,
        ".text           0x0000000000010000        0x8\n"
        " .text          0xzzzz        0x4 a.o\n"
        " .text          0x0000000000010004        0x4 b.o\n"
        " .text          0xffffffffffffffff 0xffffffffffffffff c.o\n"
        " .text\n"
        "OUTPUT(a.out elf64-x86-64)\n",
    )
    assert [(i.file, i.size) for i in found.sections[0].inputs] == [("b.o", 4), ("c.o", 0)]
    assert [(p.size, p.cause) for p in found.sections[0].paddings] == [(4, "unexplained")]


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_the_symbol_list_of_xen_is_named(arch):
    elf = xen(arch).elf
    with pytest.raises(CheckError, match="list of symbols such as Xen's") as raised:
        read_map(f"{elf}.map")
    assert "-Map=" in raised.value.errors[0].help
    symbols = read_symbols(f"{elf}.map")
    # The list is made from the last but one link: its names are those of the image, and nearly all its addresses.
    known = read_elf(str(elf)).symbols
    assert symbols["_start"] == known["_start"].value
    assert len([name for name in symbols if "#" not in name and name not in known]) < len(symbols) // 100


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"", "an empty file"),
        (b"\x7fELF\x02\x01", "an ELF file"),
        (b"int main(void);\n", "a text file"),
        (b"SECTIONS { .text : { *(.text) } }\n", "a linker script"),
        (b"\x1f\x8b\x08\x00\x00", "gzip-compressed data"),
        (b"abc\0def", "binary data"),
    ],
)
def test_what_is_no_map_is_named(tmp_path, content, looks_like):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CheckError, match=re.escape(looks_like)):
        read_map(str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\nMemory map\n\n ** file header\n                0x0000000000400000       0x40\n", "of gold"),
        ("             VMA       Size Align Out     In      Symbol\n", "of mold"),
        ("Archive member included to satisfy reference by file (symbol)\n\na.o\n", "that is cut off"),
    ],
)
def test_maps_that_are_not_read_are_named(tmp_path, text, name):
    (tmp_path / "x.map").write_text(text)
    with pytest.raises(CheckError, match=f"this looks like a link map {name}"):
        read_map(str(tmp_path / "x.map"))


def test_a_map_from_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    text = corpus.image("ld", "x86_64").map
    with subprocess.Popen(["/bin/sh", "-c", 'cat "$0" > "$1"', text, path]):
        assert read_map(str(path)).sections == read_map(str(text)).sections


def test_a_device_is_refused():
    with pytest.raises(CheckError, match="this is a device"):
        read_map("/dev/zero")


def test_windows_line_ends(tmp_path):
    text = corpus.image("ld", "x86_64").map
    (tmp_path / "x.map").write_bytes(text.read_bytes().replace(b"\n", b"\r\n"))
    assert read_map(str(tmp_path / "x.map")).sections == read_map(str(text)).sections


@pytest.mark.parametrize("linker", ["ld", "ld.lld-16"])
def test_the_inputs_of_a_section_are_a_sequence(linker):
    """They are kept by column; what is made of them on the way out is the same for every way of asking."""
    map_file = str(corpus.image(linker, "x86_64").map)
    for section, again in zip(read_map(map_file).sections, read_map(map_file).sections, strict=True):
        every = list(section.inputs)
        assert [section.inputs[at] for at in range(len(every))] == every
        assert section.inputs[-1:] == tuple(every[-1:])
        assert section.inputs == again.inputs
        assert hash(section.inputs) == hash(again.inputs)
        assert {entry.align > 0 for entry in every} <= {linker != "ld"}
