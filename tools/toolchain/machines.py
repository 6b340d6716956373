"""The compilers that are asked, and what they compile for."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator

from ldcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Compiler:
    """A program that makes objects for one architecture (as policies call it), with the options that choose it."""

    program: str
    maker: str
    arch: str
    options: tuple[str, ...] = ()
    language: str = "c"

    @property
    def name(self) -> str:
        """The program with its choice of a target."""
        return " ".join((self.program, *self.options))


# GCC: prefix, architecture, options.
_GCC = (
    ("x86_64-linux-gnu-", "x86_64", "-m64"),
    ("x86_64-linux-gnu-", "x86_32", "-m32"),
    ("aarch64-linux-gnu-", "arm64", ""),
    ("arm-linux-gnueabihf-", "arm32", ""),
    ("arm-none-eabi-", "arm32", ""),
    ("riscv64-linux-gnu-", "riscv64", ""),
    ("riscv64-unknown-elf-", "riscv64", ""),
    ("riscv64-unknown-elf-", "riscv32", "-march=rv32imac -mabi=ilp32"),
    ("powerpc64-linux-gnu-", "ppc64", ""),
    ("powerpc-linux-gnu-", "ppc32", ""),
    ("mips-linux-gnu-", "mips", ""),
    ("mips64el-linux-gnuabi64-", "mips64", ""),
    ("s390x-linux-gnu-", "s390x", ""),
    ("sparc64-linux-gnu-", "sparc64", ""),
    ("m68k-linux-gnu-", "m68k", ""),
    ("sh4-linux-gnu-", "sh", ""),
    ("alpha-linux-gnu-", "alpha", ""),
    ("hppa-linux-gnu-", "hppa", ""),
    ("arc-linux-gnu-", "arc", ""),
    ("xtensa-lx106-elf-", "xtensa", ""),
    ("avr-", "avr", "-mmcu=atmega328p"),
)
_CLANG = ("clang-14", "clang-16", "clang-19")
_TRIPLES = (
    ("x86_64-linux-gnu", "x86_64"),
    ("i686-linux-gnu", "x86_32"),
    ("aarch64-linux-gnu", "arm64"),
    ("armv7a-none-eabi", "arm32"),
    ("riscv64-unknown-elf", "riscv64"),
    ("riscv32-unknown-elf", "riscv32"),
    ("powerpc64le-linux-gnu", "ppc64"),
    ("powerpc-linux-gnu", "ppc32"),
    ("mips-linux-gnu", "mips"),
    ("mips64-linux-gnuabi64", "mips64"),
    ("s390x-linux-gnu", "s390x"),
    ("sparc64-linux-gnu", "sparc64"),
    ("loongarch64-linux-gnu", "loongarch64"),
    ("hexagon-unknown-elf", "hexagon"),
)
# A second version of GCC, where there is one.
_OTHER_GCC = ("gcc-11",)


def compilers() -> Iterator[Compiler]:
    """Those of the list that are on this machine, for C."""
    for prefix, arch, options in _GCC:
        if shutil.which(f"{prefix}gcc"):
            yield Compiler(f"{prefix}gcc", "gcc", arch, tuple(options.split()))
    for program in _OTHER_GCC:
        if shutil.which(program):
            yield Compiler(program, "gcc", "x86_64")
    for program in _CLANG:
        if shutil.which(program):
            for triple, arch in _TRIPLES:
                yield Compiler(program, "clang", arch, (f"--target={triple}",))
    if shutil.which("rustc"):
        yield Compiler("rustc", "rustc", "x86_64", (), "rust")


@functools.cache
def version(program: str) -> str:
    """The first two numbers of a program's version, of a compiler or a linker."""
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", text.splitlines()[0].rpartition(")")[2] or text) or re.search(
        r"(\d+)\.(\d+)", text
    )
    return f"{found[1]}.{found[2]}" if found else "?"
