"""Linked images for the tests: small ones with what real scripts do, for every architecture and linker, and large ones.

Each is built once in a test process.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.build import TARGETS, compile_c, link, target_params
from tests.support.tools import tool

# lld reads neither big-endian powerpc64 of the old ABI nor, before 19, s390x.
LLD = {
    "ld.lld-14": ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "mips"),
    "ld.lld-16": ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "mips"),
    "ld.lld-19": ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "mips", "s390x"),
}
USUAL = tuple(name for name, target in TARGETS.items() if not target.rare)
LINKS = [
    *target_params("ld"),
    *(pytest.param(linker, arch, id=f"{linker}-{arch}") for linker, arches in LLD.items() for arch in arches),
]

_FIRST = """
int shared_counter;
int common_table[40];
static const char *message = "hello";
__attribute__((section(".init.text"))) int start_up(void) { return shared_counter + message[0]; }
int _start(void) { return start_up() + common_table[3]; }
__attribute__((aligned(64))) int cache_line = 5;
const short odd_table[3] = {1, 2, 3};
__thread int per_thread = 7;
__thread int per_thread_zero;
"""
_SECOND = """
const char *second_message = "hello, world";
const char *third_message = "world";
const double number = 3.25;
static char mutable_bytes[3] = "abc";
char *bytes(void) { return mutable_bytes; }
int a_function_with_a_rather_long_name(int x) { return x * 3; }
int __attribute__((weak)) weak_one;
__attribute__((section(".table"), used)) static const long entry[2] = {1, 2};
"""
_THIRD = """
extern int a_function_with_a_rather_long_name(int);
int member(int x) { return a_function_with_a_rather_long_name(x) + 1; }
__attribute__((section(".table"), used)) static const long entry = 3;
char buffer[4096] __attribute__((aligned(4096)));
"""

SCRIPT = """
ENTRY(_start)
PHDRS { text PT_LOAD; data PT_LOAD; tls PT_TLS; note PT_NOTE; }
SECTIONS {
  . = 0x10000;
  first = .;
  PROVIDE(nobody_wants_this = .);
  .text : {
    KEEP(*(.text.head))
    *(.init.text)
    . = ALIGN(64);
    in_text = .;
    *(.text .text.*)
    BYTE(1) LONG(in_text)
    . += 12;
    ASSERT(. > 0, "never = empty");
  } :text
  . = ALIGN(4096);
  .rodata : {
    *(.rodata .rodata.*)
    . = ALIGN(8);
    table_start = .; KEEP(*(.table)) table_end = .;
    FILL(0x90909090) . = ALIGN(32); QUAD(first)
  } :text
  .note : { *(.note.gnu.build-id) } :text :note
  .tdata : { *(.tdata .tdata.*) } :data :tls
  .tbss : { *(.tbss .tbss.*) } :data :tls
  an_output_section_with_a_long_name : AT(ADDR(an_output_section_with_a_long_name) + 0x100000) {
    *(.data .data.* .sdata .sdata.*) *(.got .got.* .toc .toc.* .opd) } :data
  .bss (NOLOAD) : { *(.sbss .sbss.* .scommon) *(.bss .bss.*) *(COMMON) . = ALIGN(8); } :data
  _end = .;
  ASSERT(_end > first, "too small")
  .nothing : { *(.nothing) }
  .debug_stuff 0 : { *(.debug_stuff) }
  /DISCARD/ : { *(.comment .note.GNU-stack) *(.eh_frame .eh_frame.*) *(.ARM.exidx .ARM.exidx.*) }
}
"""


@dataclass(frozen=True, slots=True)
class Built:
    """One link: the image, its map, and what went in."""

    elf: Path
    map: Path
    inputs: tuple[Path, ...]


@cache
def folder() -> Path:
    """A folder of this process, removed at its end."""
    path = Path(tempfile.mkdtemp(prefix="ldcheck-image-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def objects(arch: str) -> tuple[Path, ...]:
    """An object, an archive with a long member name, and a thin archive."""
    home = folder() / arch
    home.mkdir(exist_ok=True)
    options = ["-fcommon", "-ffunction-sections", "-fdata-sections", "-fno-stack-protector"]
    first = compile_c(home, _FIRST, arch, "first.o", options)
    second = compile_c(home, _SECOND, arch, "second_with_a_long_name.o", options)
    third = compile_c(home, _THIRD, arch, "third.o", options)
    ar = tool(f"{TARGETS[arch].prefix}ar")
    subprocess.run([ar, "rcsD", "libfat.a", second.name], cwd=home, check=True)
    subprocess.run([ar, "rcsDT", "libthin.a", third.name], cwd=home, check=True, stderr=subprocess.DEVNULL)
    return first, home / "libfat.a", home / "libthin.a"


@cache
def image(linker: str, arch: str) -> Built:
    """The small image for one linker and architecture."""
    inputs = objects(arch)
    options = ["--whole-archive", "--build-id=sha1"]
    if linker == "ld":
        options += ["--cref", "--no-warn-rwx-segments"]
    done = link(inputs[0].parent, SCRIPT, inputs, arch, options, linker, f"{linker}.elf")
    assert done.ok, done.output
    assert done.elf is not None
    assert done.map is not None
    return Built(done.elf, done.map, inputs)


@cache
def static_image(prefix: str, *options: str) -> Built:
    """A program with the C library of the machine, linked statically by the default script of GNU ld."""
    home = folder() / "-".join(["static", prefix.strip("-"), *options]).replace("/", "_").replace(",", "_")
    home.mkdir()
    (home / "main.c").write_text('#include <stdio.h>\nint main(void) { return printf("%s\\n", "hello"); }\n')
    command = [tool(f"{prefix}gcc"), "-static", "-O2", "-c", "main.c"]
    subprocess.run(command, cwd=home, check=True)
    command = [tool(f"{prefix}gcc"), "-static", "main.o", "-o", "main", "-Wl,-Map=main.map", *options]
    subprocess.run(command, cwd=home, check=True)
    return Built(home / "main", home / "main.map", (home / "main.o",))
