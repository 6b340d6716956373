"""EFI images, against what objdump says of them: Xen's, and one that GNU ld makes here."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from ldcheck.findings import CheckError
from ldcheck.image.elf import read_elf
from ldcheck.image.pe import read_pe
from tests.image import corpus
from tests.support.build import compile_c
from tests.support.cache import ROOT
from tests.support.debian import binary_package
from tests.support.tools import tool

pytest.importorskip("pefile")

_SECTION = re.compile(r" *\d+ (\S+) +([0-9a-f]{8}) +([0-9a-f]{16}) +[0-9a-f]{16} +([0-9a-f]{8})")
_RELOCATION = re.compile(r"\treloc +\d+ offset +[0-9a-f]+ \[([0-9a-f]+)\] (\w+)")
_TYPES = {"DIR64": 10, "HIGHLOW": 3}
_BASE = 0x140000000

_SCRIPT = """
SECTIONS {
  . = __image_base__ + 0x1000;
  .text : { *(.text .text.*) }
  . = ALIGN(4096);
  .rodata : { *(.rodata .rodata.*) }
  . = ALIGN(4096);
  .data_of_a_long_name : { *(.data .data.*) }
  .bss : { *(.bss .bss.*) *(COMMON) }
  /DISCARD/ : { *(.comment) *(.note.*) *(.eh_frame) }
}
"""


def objdump(path, option):
    done = subprocess.run([tool("objdump"), option, path], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def same_as_objdump(path):
    found = read_pe(str(path))
    sections = [match.groups() for line in objdump(path, "-h") if (match := _SECTION.match(line))]
    assert [(s.name, s.size, s.address, s.offset) for s in found.image.sections[1:]] == [
        (name, int(size, 16), int(address, 16), int(offset, 16)) for name, size, address, offset in sections
    ]
    relocations = [match.groups() for line in objdump(path, "-p") if (match := _RELOCATION.match(line))]
    assert [(address - found.base, kind) for address, kind in found.relocations] == [
        (int(address, 16), _TYPES[kind]) for address, kind in relocations if kind != "ABSOLUTE"
    ]
    return found


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_xen(arch):
    path = binary_package(f"xen-hypervisor-4.17-{arch}", arch) / "boot" / f"xen-4.17-{arch}.efi"
    if arch == "amd64":
        found = same_as_objdump(path)
        assert (found.image.arch, found.base, found.subsystem) == ("x86_64", 0xFFFF82D040000000, 10)
        assert len(found.relocations) > 1000
        text = found.image.section(".text")
        assert (text.executable, text.writable, found.image.segments[0].readable) == (True, True, True)
        assert found.image.section(".bss").type == "NOBITS"
    else:
        # Made by hand in its head.S: one section, no relocations.
        found = read_pe(str(path))
        assert (found.image.arch, found.relocations) == ("arm64", ())


def efi(folder):
    source = "int counter; int data = 5; const int limit = 7; int f(void) { return limit; }"
    source += "int main(void) { return f() + data + counter; }"
    path = compile_c(folder, source, options=["-O0"])
    (folder / "efi.lds").write_text(_SCRIPT)
    command = [tool("ld"), "-m", "i386pep", "--subsystem=10", f"--image-base={_BASE:#x}", "-e", "main"]
    command += ["--enable-long-section-names", "-T", "efi.lds"]
    done = subprocess.run([*command, path, "-o", "a.efi"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "a.efi"


def test_symbols_and_long_names(tmp_path):
    path = efi(tmp_path)
    found = same_as_objdump(path)
    names = subprocess.run([tool("nm"), path], capture_output=True, text=True, check=True).stdout
    wanted = {line.split()[2]: int(line.split()[0], 16) for line in names.splitlines()}
    for name in ("main", "f", "counter", "data", "limit"):
        assert found.image.symbols[name].value == wanted[name]
    assert found.image.entry == wanted["main"]
    assert found.image.section(".data_of_a_long_name").writable


def test_an_efi_image_is_an_image(tmp_path):
    """Whoever takes an ELF file takes it too."""
    path = efi(tmp_path)
    image = read_elf(str(path))
    assert image == read_pe(str(path)).image
    assert [(s.type, s.executable, s.sections) for s in image.segments[:2]] == [
        ("LOAD", True, (1,)),
        ("LOAD", False, (2,)),
    ]
    assert image.load_address(image.sections[1]) == image.sections[1].address


def test_damaged_headers_are_said(tmp_path):
    (tmp_path / "x").write_bytes(b"MZ" + bytes(100))
    with pytest.raises(CheckError, match="the PE headers are damaged"):
        read_elf(str(tmp_path / "x"))


def test_what_is_no_pe_is_refused():
    with pytest.raises(CheckError, match="this looks like an ELF file"):
        read_pe(str(corpus.image("ld", "x86_64").elf))


def test_without_pefile(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pefile", None)
    with pytest.raises(CheckError, match="pefile, which is not installed"):
        read_pe(str(tmp_path))


def test_damaged(tmp_path):
    path = efi(tmp_path)
    command = [sys.executable, "-m", "tests.image.damage", "0", "300", path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
