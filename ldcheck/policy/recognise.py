"""Which stock policies a script calls for where none is named: by its path, by what it defines, by what it places.

One table of facts about projects. A row counts only if its policy exists; beside what is recognised, `generic` always
applies. The first row that fits by path decides, else the first that fits by content: a script is of one project.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ldcheck.policy.paths import path_matches

GENERIC = "generic"


class Facts(NamedTuple):
    """What a script or an image tells: symbols, names of output sections and input patterns, whether it has MEMORY."""

    symbols: Collection[str] = ()
    sections: Collection[str] = ()
    memory: bool = False


class Recognised(NamedTuple):
    """A policy that applies, and why, as a clause."""

    policy: str
    reason: str


class _Row(NamedTuple):
    """How scripts of one project look.

    `paths` are patterns of their paths, one of which will do. `symbols` must all be defined. `sections` are names of
    which one must be placed, in a script with MEMORY.
    """

    policy: str
    paths: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


# fmt: off
_TABLE = (
    _Row("xen/x86", ("**/arch/x86/xen.lds*", "**/arch/x86/efi.lds"), ("__2M_rwdata_start", "__init_begin")),
    _Row("xen/arm", ("**/arch/arm/xen.lds*",), ("_splatform", "_srodata", "__init_begin")),
    _Row("xen/riscv", ("**/arch/riscv/xen.lds*",), ("_ident_start", "_srodata", "__init_begin")),
    _Row("xen/ppc", ("**/arch/ppc/xen.lds*",), ("_stext_exceptions", "_srodata", "__init_begin")),
    _Row("linux", ("**/vmlinux.lds", "**/vmlinux.lds.S"), ("_sinittext", "__bss_stop", "__start___ex_table")),
    _Row("u-boot", ("**/u-boot*.lds", "**/u-boot*.lds.S"), ("__image_copy_start", "__bss_start")),
    _Row(
        "tf-a",
        ("**/bl1.ld.S", "**/bl2*.ld.S", "**/bl31.ld.S", "**/sp_min.ld.S", "**/tsp.ld.S"),
        ("__RO_START__", "__RW_START__"),
    ),
    _Row("optee", ("**/core/arch/*/kernel/kern.ld.S",), ("__vcore_unpg_rx_start",)),
    _Row("opensbi", ("**/firmware/fw_*.elf.ld*",), ("_fw_start", "_fw_end")),
    _Row("coreboot", ("**/memlayout.ld", "**/src/lib/program.ld", "**/arch/*/car.ld"), ("_program", "_eprogram")),
    _Row(
        "zephyr", ("**/zephyr/**/linker.ld", "**/include/zephyr/arch/**/*.ld"), ("z_mapped_start", "_image_ram_start")
    ),
    _Row("nuttx", ("**/nuttx/**/scripts/*.ld*", "**/boards/*/*/*/scripts/*.ld*"), ("_sbss", "_ebss", "_eronly")),
    _Row("riot", ("**/cpu/*/ldscripts/*.ld", "**/RIOT/**/*.ld"), ("_sfixed", "_efixed", "__relocate_start")),
    _Row("tock", ("**/tock_kernel_layout.ld", "**/kernel_layout.ld"), ("_sapps", "_eapps")),
    _Row(
        "esp-idf",
        ("**/esp_system/ld/**/*.ld*", "**/esp32*.project.ld*"),
        ("_iram_text_start", "_coredump_dram_start"),
    ),
    _Row("cortex-m", ("**/link.x", "**/link.x.in"), ("__svectors", "__reset_vector")),
    _Row("riscv-mcu", (), (), (".init.trap", ".trap.vector", ".mtvec")),
    _Row(
        "firmware",
        (),
        (),
        (
            ".isr_vector", ".isr_vectors", ".vectors", ".vector", ".vector_table", ".vectab", ".intvecs", ".intvec",
            ".interrupts", ".interrupt_vector", ".cs3.interrupt_vector", ".exc_vector", ".startup.vectors", ".vec",
        ),
    ),
)
# fmt: on


def recognise(path: str, facts: Facts, known: Collection[str]) -> Recognised | None:
    """The policy beside `generic` that a script or image calls for, of the `known` ones; None if it calls for none."""
    rows = [row for row in _TABLE if row.policy in known]
    name = path.replace("\\", "/")
    for row in rows:
        if any(path_matches(name, pattern) for pattern in row.paths):
            return Recognised(row.policy, f"by its path {path}")
    for row in rows:
        if row.symbols and all(symbol in facts.symbols for symbol in row.symbols):
            return Recognised(row.policy, f"by its symbols {' and '.join(row.symbols)}")
        if facts.memory and (found := next((name for name in row.sections if name in facts.sections), "")):
            return Recognised(row.policy, f"by MEMORY and {found}")
    return None
