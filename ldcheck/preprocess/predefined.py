"""What a compiler defines by itself, by architecture: for when the target's own compiler is not at hand.

Only macros that assembler sources ask for: the architecture, its width and byte order, and that this is GNU C.
"""

from __future__ import annotations

_COMMON = """\
#define __ASSEMBLER__ 1
#define __GNUC__ 12
#define __GNUC_MINOR__ 2
#define __GNUC_PATCHLEVEL__ 0
#define __ELF__ 1
#define __CHAR_BIT__ 8
#define __ORDER_LITTLE_ENDIAN__ 1234
#define __ORDER_BIG_ENDIAN__ 4321
#define __ORDER_PDP_ENDIAN__ 3412
"""
_64 = "__LP64__=1 _LP64=1 __SIZEOF_POINTER__=8 __SIZEOF_LONG__=8"
_32 = "__SIZEOF_POINTER__=4 __SIZEOF_LONG__=4"
_LITTLE = "__BYTE_ORDER__=__ORDER_LITTLE_ENDIAN__"
_BIG = "__BYTE_ORDER__=__ORDER_BIG_ENDIAN__"
_MACROS = {
    "x86_64": f"__x86_64__=1 __x86_64=1 __amd64__=1 __amd64=1 {_64} {_LITTLE}",
    "x86_32": f"__i386__=1 __i386=1 i386=1 {_32} {_LITTLE}",
    "arm64": f"__aarch64__=1 __AARCH64EL__=1 __ARM_ARCH=8 {_64} {_LITTLE}",
    "arm32": f"__arm__=1 __ARMEL__=1 __ARM_ARCH=7 __ARM_EABI__=1 __ARM_32BIT_STATE=1 {_32} {_LITTLE}",
    "riscv64": f"__riscv=1 __riscv_xlen=64 {_64} {_LITTLE}",
    "riscv32": f"__riscv=1 __riscv_xlen=32 {_32} {_LITTLE}",
    "ppc64": f"__powerpc__=1 __powerpc64__=1 __PPC__=1 __PPC64__=1 _CALL_ELF=2 __LITTLE_ENDIAN__=1 {_64} {_LITTLE}",
    "ppc32": f"__powerpc__=1 __PPC__=1 __BIG_ENDIAN__=1 {_32} {_BIG}",
    "mips": f"__mips__=1 __mips=32 __MIPSEB__=1 {_32} {_BIG}",
    "s390x": f"__s390__=1 __s390x__=1 {_64} {_BIG}",
}
# A family's name stands for the member that people most often build.
_FAMILIES = {"x86": "x86_64", "arm": "arm64", "riscv": "riscv64", "ppc": "ppc64", "aarch64": "arm64", "amd64": "x86_64"}


def predefined(arch: str) -> str:
    """The #define lines for an architecture, as DESIGN names it; for an unknown one only what is common to all."""
    macros = _MACROS.get(_FAMILIES.get(arch, arch), "")
    return _COMMON + "".join(f"#define {macro.replace('=', ' ', 1)}\n" for macro in macros.split())


# What clang calls the machines (llvm/lib/TargetParser/Triple.cpp), where it is not the name of the architecture.
_CLANG = {
    "x86_64": "x86_64-linux-gnu", "x86_32": "i386-linux-gnu", "arm64": "aarch64-linux-gnu",
    "arm32": "armv7-linux-gnueabi", "riscv64": "riscv64-linux-gnu", "riscv32": "riscv32-linux-gnu",
    "ppc64": "powerpc64le-linux-gnu", "ppc32": "powerpc-linux-gnu", "mips": "mips-linux-gnu",
    "mips64": "mips64-linux-gnuabi64", "s390x": "s390x-linux-gnu", "loongarch64": "loongarch64-linux-gnu",
    "sparc64": "sparc64-linux-gnu", "sparc": "sparc-linux-gnu", "hexagon": "hexagon-unknown-elf",
    "m68k": "m68k-linux-gnu", "avr": "avr", "msp430": "msp430", "xtensa": "xtensa", "bpf": "bpf",
}  # fmt: skip


def clang_triplet(arch: str) -> str:
    """What `--target` of clang is for an architecture; empty for one that clang does not have."""
    return _CLANG.get(_FAMILIES.get(arch, arch), "")


def is_known(arch: str) -> bool:
    """Whether the macros of this architecture are known."""
    return _FAMILIES.get(arch, arch) in _MACROS
