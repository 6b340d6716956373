"""For which machine a tree was configured: the symbols of Kconfig that tell."""

from __future__ import annotations

from collections.abc import Collection

# The symbol that says for which machine a configuration is, most telling first: Xen's and Linux' names.
_MACHINES = (
    ("CONFIG_X86_64", ("x86_64",)), ("CONFIG_X86_32", ("x86_32",)), ("CONFIG_X86", ("x86_64", "x86_32")),
    ("CONFIG_ARM_64", ("arm64",)), ("CONFIG_ARM64", ("arm64",)), ("CONFIG_ARM_32", ("arm32",)),
    ("CONFIG_ARM", ("arm32",)), ("CONFIG_RISCV_64", ("riscv64",)), ("CONFIG_RISCV_32", ("riscv32",)),
    ("CONFIG_RISCV", ("riscv64", "riscv32")), ("CONFIG_PPC64", ("ppc64",)), ("CONFIG_PPC", ("ppc64", "ppc32")),
    ("CONFIG_MIPS", ("mips", "mips64")), ("CONFIG_S390", ("s390x", "s390")), ("CONFIG_SPARC", ("sparc64", "sparc")),
    ("CONFIG_LOONGARCH", ("loongarch64", "loongarch32")), ("CONFIG_M68K", ("m68k",)), ("CONFIG_XTENSA", ("xtensa",)),
)  # fmt: skip


def machines(symbols: Collection[str]) -> tuple[str, ...]:
    """The architectures that a configuration may be for, by the symbols that it sets; empty if they do not tell."""
    return next((arches for name, arches in _MACHINES if name in symbols), ())
