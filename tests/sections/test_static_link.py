"""Real links: the mini hypervisor, and everything in Debian's C and C++ libraries with a script that sorts a lot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ldcheck.image.objects import read_objects
from ldcheck.sections.assign import assign
from tests.sections.linked import difference, run_ld
from tests.sections.scripts import tree
from tests.support.debian import binary_package
from tests.support.images import ARCHITECTURES, mini_image

# What a start-up object and ld's own script would define.
DEFINED = (
    "_DYNAMIC __preinit_array_start __preinit_array_end __init_array_start __init_array_end __fini_array_start "
    "__fini_array_end __rela_iplt_start __rela_iplt_end __ehdr_start _start _fini _init _end"
)
SCRIPT = (
    " ".join(f"{name} = 0;" for name in DEFINED.split())
    + """
SECTIONS {
  . = 0x400000;
  .init : { KEEP(*(.init)) }
  .text.early : { *libc.a:mem*(.text .text.*) *(SORT(.text.startup*)) }
  .text : {
    *(.text.unlikely .text.*_unlikely .text.unlikely.*)
    start_hot = .;
    *(SORT_BY_ALIGNMENT(.text.hot*))
    *(EXCLUDE_FILE(*libstdc++.a) .text.[a-m]*)
    SORT(*libm*:*)(SORT(.text*))
    *(SORT_BY_ALIGNMENT(SORT_BY_NAME(.text._ZN*)) .text)
    *(.text.*)
  }
  .fini : { KEEP(*(.fini)) }
  .rodata : {
    *(SORT_BY_NAME(.rodata.cst*)) *(.rodata.str1.1 .rodata.str1.8) *(.rodata .rodata.* .gnu.linkonce.r.*)
  }
  .eh_frame : ONLY_IF_RO { KEEP(*(.eh_frame)) *(.eh_frame.*) }
  .gcc_except_table : ONLY_IF_RO { *(.gcc_except_table .gcc_except_table.*) }
  .tdata : { *(.tdata .tdata.*) }
  .tbss : { *(.tbss .tbss.*) *(.tcommon) }
  .init_array : {
    KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*)))
    KEEP(*(.init_array EXCLUDE_FILE(*crtbegin.o *crtend.o) .ctors))
  }
  .data.rel.ro : { *(.data.rel.ro.local* ) *(SORT_BY_ALIGNMENT(.data.rel.ro*)) }
  .data : {
    INPUT_SECTION_FLAGS(SHF_WRITE & !SHF_TLS) *(SORT_BY_NAME(SORT_BY_ALIGNMENT(.data*))) *(SORT(__libc_*))
  }
  .bss : { *(.dynbss) *(SORT_BY_ALIGNMENT(.bss*)) *(COMMON) }
  /DISCARD/ : { *(.note.gnu.property) *(.comment) *(.note.GNU-stack) *libc.a:(.gnu.glibc*) *libgcc.a:*(.debug*) }
}
"""
)
LIBRARIES = {
    "libc6-dev": ("libc.a", "libm-*.a", "libmvec.a"),
    "libstdc++-12-dev": ("libstdc++.a",),
    "libgcc-12-dev": ("libgcc.a", "libgcc_eh.a", "libquadmath.a", "libgomp.a"),
}


def compare(folder: Path, packages: tuple[str, ...]) -> int:
    """Link whole packages and compare; the number of input sections."""
    files = []
    for package in packages:
        unpacked = binary_package(package)
        for pattern in LIBRARIES[package]:
            for path in sorted(unpacked.rglob(pattern)):
                if not path.is_symlink():
                    os.symlink(path, folder / path.name)
                    files.append(path.name)
    elf, output = run_ld(folder, SCRIPT, files, "--allow-multiple-definition", "--unresolved-symbols=ignore-all")
    assert elf is not None, output[-2000:]
    parsed = tree(SCRIPT)
    inputs = read_objects(files)
    assert difference(parsed, assign(parsed, inputs, None, "x86_64"), folder / "t.map", elf) == ""
    return len(inputs)


def test_the_compilers_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compare(tmp_path, ("libgcc-12-dev",)) > 2000


@pytest.mark.parametrize("variant", ["good", "swallowed", "wildcard-first"])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_mini_hypervisor(arch, variant, monkeypatch):
    image = mini_image(arch, variant)
    monkeypatch.chdir(image.folder)
    parsed = tree(image.preprocessed.read_text())
    inputs = read_objects([path.name for path in image.objects])
    assert difference(parsed, assign(parsed, inputs, None, arch), image.map) == ""


@pytest.mark.sweep
def test_the_c_and_cpp_libraries(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compare(tmp_path, tuple(LIBRARIES)) > 20_000
