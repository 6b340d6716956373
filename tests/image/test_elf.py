"""ELF files as the model of them, against what readelf says of the same files."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from ldcheck.findings import CheckError
from ldcheck.image.arches import TABLE
from ldcheck.image.elf import read_elf
from ldcheck.image.model import Elf
from tests.image import corpus, readelf
from tests.support.build import TARGETS, assemble, link, target_params
from tests.support.tools import tool
from tests.support.xen import xen

_OBJDUMP = re.compile(r" *\d+ (\S+) +[0-9a-f]{8} +([0-9a-f]{8,16}) +([0-9a-f]{8,16}) ")


def same_as_readelf(path: Path) -> Elf:
    """Hold sections, segments and symbols of the model against readelf's."""
    elf = read_elf(str(path))
    assert elf.incomplete == ()
    wanted = readelf.sections(path)
    assert len(wanted) == len(elf.sections)
    assert readelf.model_sections(elf) == [
        (*row[:7], "".join(letter for letter in str(row[7]) if letter in "WAXMSILOGTC"), *row[8:]) for row in wanted
    ]
    assert readelf.model_segments(elf) == readelf.segments(path)
    tables = readelf.symbols(path)
    assert [table.name for table in elf.tables] == sorted(tables, key=[".symtab", ".dynsym"].index)
    for table in elf.tables:
        assert readelf.model_symbols(elf, table) == tables[table.name]
    assert elf.build_id == readelf.build_id(path)
    return elf


@pytest.mark.parametrize(("linker", "arch"), corpus.LINKS)
def test_small_images(linker, arch):
    elf = same_as_readelf(corpus.image(linker, arch).elf)
    assert elf.arch == (TARGETS[arch].arch or arch)
    assert elf.build_id


@pytest.mark.parametrize("arch", target_params())
def test_objects(arch):
    elf = same_as_readelf(corpus.objects(arch)[0])
    assert (elf.type, elf.arch) == ("REL", TARGETS[arch].arch or arch)


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "arm32"])
def test_xen(arch):
    elf = same_as_readelf(xen(arch).elf)
    assert elf.symbols["_start"].defined


def test_static_program():
    same_as_readelf(corpus.static_image("x86_64-linux-gnu-").elf)


def test_dynamic_program():
    elf = same_as_readelf(Path(tool("bash")))
    assert {"INTERP", "DYNAMIC", "GNU_RELRO"} <= {segment.type for segment in elf.segments}


@pytest.mark.parametrize("arch", TABLE, ids=[arch.name for arch in TABLE])
def test_architectures_have_the_names_of_policies(tmp_path, arch):
    """A file of each machine: header and one empty program header, of the byte order that it has most often."""
    bits = 64 if arch.bits == 64 else 32
    for machine in arch.machines:
        ident = b"\x7fELF" + bytes([bits // 32, 1, 1]).ljust(12, b"\0")
        layout, entry = ("<HHIQQQIHHHHHH", 56) if bits == 64 else ("<HHIIIIIHHHHHH", 32)
        size = 16 + struct.calcsize(layout)
        header = struct.pack(layout, 2, machine, 1, 0, size, 0, 0, size, entry, 1, 0, 0, 0)
        (tmp_path / "a.elf").write_bytes(ident + header + bytes(entry))
        elf = read_elf(str(tmp_path / "a.elf"))
        assert (elf.arch, elf.bits) == (arch.name, bits)
        assert elf.incomplete == ("there are no section headers",)


def test_names_that_are_no_text(tmp_path):
    """Bytes that are no UTF-8 survive as surrogates."""
    source = '.section ".text.\\377\\001", "ax"\n.globl "f\\351"\n"f\\351": ret\n'
    elf = read_elf(str(assemble(tmp_path, source)))
    name = next(section.name for section in elf.sections if section.name.startswith(".text."))
    assert name.encode("utf-8", "surrogateescape") == b".text.\xff\x01"
    assert next(name for name in elf.symbols if name[0] == "f").encode("utf-8", "surrogateescape") == b"f\xe9"


def test_what_a_name_stands_for(tmp_path):
    """The global definition, else the first local one, else a reference; never a source file."""
    first = assemble(tmp_path, '.file "x"\ny = 1\nz = 2\n.globl w\n', name="first.o")
    second = assemble(tmp_path, ".globl y\ny = 3\nz = 4\n.data\n.long missing\n", name="second.o")
    done = link(tmp_path, "SECTIONS { .data : { *(.data) } }", [first, second], options=["--defsym=missing=9"])
    symbols = read_elf(str(done.elf)).symbols
    assert (symbols["y"].value, symbols["y"].binding) == (3, "GLOBAL")
    assert (symbols["z"].value, symbols["z"].binding) == (2, "LOCAL")
    assert not read_elf(str(second)).symbols["missing"].defined
    assert "x" not in symbols
    assert symbols.get("nothing") is None


def test_notes():
    notes = {(note.owner, note.type): note for note in read_elf(str(xen("x86_64").elf)).notes}
    # XEN_ELFNOTE_... of Xen itself, and the build-id of GNU ld (type 3).
    assert len(notes["GNU", 3].data) == 20
    assert notes["GNU", 3].section == ".note.gnu.build-id"


@pytest.mark.parametrize(
    ("content", "says", "help_says"),
    [
        (b"", "this looks like an empty file", "xen-syms"),
        (b"#!/bin/sh\n", "this looks like a text file", "xen-syms"),
        (b"\x1f\x8b\x08\0", "this looks like gzip-compressed data", "unpack it first"),
        (b"!<arch>\n", "this looks like an archive", "--objects"),
        (b"\nLinker script and memory map\n", "this looks like a link map of GNU ld", "--map"),
        (b"\x7fELF", "neither 32 nor 64 bit", ""),
        (b"\x7fELF\x02\x01" + bytes(20), "cut off after 26 bytes", ""),
        (b"\x7fELF\x02\x01" + bytes(60), "neither section nor program headers", "cut off"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, content, says, help_says):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(CheckError, match=says) as raised:
        read_elf(str(path))
    assert raised.value.errors[0].location.file == str(path)
    assert help_says in raised.value.errors[0].help


@pytest.mark.parametrize(
    ("path", "says"), [(".", "directory"), ("/dev/null", "not a regular file"), ("no", "No such file")]
)
def test_what_is_no_file_is_refused(path, says):
    with pytest.raises(CheckError, match=says):
        read_elf(path)


def test_a_stripped_image():
    built = corpus.image("ld", "x86_64")
    stripped = built.elf.with_name("stripped.elf")
    subprocess.run([tool("strip"), "-o", stripped, built.elf], check=True)
    elf = same_as_readelf(stripped)
    assert (elf.tables, dict(elf.symbols), elf.incomplete) == ((), {}, ())


@pytest.mark.parametrize(("linker", "arch"), corpus.LINKS)
def test_load_addresses(linker, arch):
    """As objdump works them out, which has BFD's rule for it."""
    path = corpus.image(linker, arch).elf
    elf = read_elf(str(path))
    done = subprocess.run(
        [tool(f"{TARGETS[arch].prefix}objdump"), "-h", path], capture_output=True, text=True, check=True
    )
    rows = [match.groups() for line in done.stdout.splitlines() if (match := _OBJDUMP.match(line))]
    allocated = [section for section in elf.sections if section.allocated]
    names = {section.name for section in allocated}
    wanted = [(name, int(address, 16), int(load, 16)) for name, address, load in rows if name in names]
    assert len(wanted) > 5
    assert [(section.name, section.address, elf.load_address(section)) for section in allocated] == wanted
    moved = elf.section("an_output_section_with_a_long_name")
    assert moved is not None
    # Lld does not move a section within its segment.
    assert elf.load_address(moved) - moved.address == (0x100000 if linker == "ld" else 0)
