"""Architectures: the names that policies use, the families they belong to, and what else they are called.

One table. The names are Xen's (x86_64, arm64, arm32, ...); a family's name stands for all of its members. Aliases are
the names of the kernel, of GNU triplets, of OUTPUT_ARCH and of BFD targets in OUTPUT_FORMAT; ELF files tell their
machine (ELF gABI, e_machine) and their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Arch(NamedTuple):
    """An architecture. `machines` are e_machine values, `aliases` are in lower case.

    An alias with a trailing `*` stands for every name that begins so.
    """

    name: str
    family: str
    bits: int
    machines: tuple[int, ...]
    aliases: tuple[str, ...]
    formats: tuple[str, ...] = ()


# formats: BFD target names of OUTPUT_FORMAT without `elf32-`, `elf64-`, `pe-`, `pei-` and an endianness in front.
TABLE: tuple[Arch, ...] = (
    Arch("x86_64", "x86", 64, (62,), ("amd64", "x86-64", "i386:x86-64*", "x64"), ("x86-64*",)),
    Arch("x86_32", "x86", 32, (3, 6), ("i386", "i486", "i586", "i686", "ia32", "x86-32", "i8086"), ("i386*", "iamcu*")),
    Arch("arm64", "arm", 64, (183,), ("aarch64*", "armv8-a"), ("aarch64*", "littleaarch64", "bigaarch64")),
    Arch(
        "arm32",
        "arm",
        32,
        (40,),
        ("arm-*", "armhf", "armel", "armv*", "aarch32", "thumb"),
        ("arm*", "littlearm*", "bigarm*"),
    ),
    Arch("riscv64", "riscv", 64, (243,), ("riscv:rv64*", "rv64*"), ("riscv*", "littleriscv*", "bigriscv*")),
    Arch("riscv32", "riscv", 32, (243,), ("riscv:rv32*", "rv32*"), ("riscv*", "littleriscv*", "bigriscv*")),
    Arch("ppc64", "ppc", 64, (21,), ("powerpc64*", "ppc64*", "powerpc:common64"), ("powerpc*",)),
    Arch("ppc32", "ppc", 32, (20,), ("powerpc", "powerpc:*", "ppc32", "rs6000:*"), ("powerpc*",)),
    Arch("mips", "mips", 32, (8, 10), ("mips32*", "mipsel", "mips:isa32*", "mips:3000", "mips:4000"), ("*mips*",)),
    Arch("mips64", "mips", 64, (8,), ("mips64*", "mips:isa64*", "mips:octeon*"), ("*mips*",)),
    Arch("s390x", "s390", 64, (22,), ("s390:64-bit",), ("s390",)),
    Arch("s390", "s390", 31, (22,), ("s390-31", "s390:31-bit"), ("s390",)),
    Arch("sparc64", "sparc", 64, (43,), ("sparcv9", "sparc:v9*"), ("sparc*",)),
    Arch("sparc", "sparc", 32, (2, 18), ("sparc:*", "sparc32", "sparcv8", "leon3"), ("sparc*",)),
    Arch("loongarch64", "loongarch", 64, (258,), ("loong64", "loongarch64*"), ("loongarch*",)),
    Arch("loongarch32", "loongarch", 32, (258,), ("loongarch32*",), ("loongarch*",)),
    Arch("ia64", "ia64", 64, (50,), ("ia64-*",), ("ia64*",)),
    Arch("alpha", "alpha", 64, (0x9026, 41), ("alpha:*", "alpha-*"), ("alpha*",)),
    Arch("hppa64", "hppa", 64, (15,), ("parisc64", "hppa2.0w"), ("hppa*",)),
    Arch("hppa", "hppa", 32, (15,), ("parisc", "parisc32", "hppa1.1", "hppa2.0"), ("hppa*",)),
    Arch("m68k", "m68k", 32, (4,), ("m68k:*", "coldfire"), ("m68k*",)),
    Arch("sh", "sh", 32, (42,), ("sh4*", "sh2*", "sh3*", "superh"), ("sh*", "shbig*")),
    Arch("xtensa", "xtensa", 32, (94,), (), ("xtensa*",)),
    Arch("avr", "avr", 32, (83,), ("avr:*",), ("avr",)),
    Arch("msp430", "msp430", 32, (105,), ("msp430x", "msp:*"), ("msp430",)),
    Arch("arc", "arc", 32, (93, 195), ("arcv2", "archs", "arc700", "em", "hs"), ("arc", "littlearc", "bigarc")),
    Arch("arc64", "arc", 64, (253,), ("arcv3",), ("arc64", "littlearc64")),
    Arch("csky", "csky", 32, (252,), ("csky:*",), ("csky*",)),
    Arch("microblaze", "microblaze", 32, (189,), ("microblaze*",), ("microblaze*",)),
    Arch("nios2", "nios2", 32, (113,), ("nios2:*",), ("nios2", "littlenios2", "bignios2")),
    Arch("or1k", "or1k", 32, (92,), ("openrisc*", "or1knd"), ("or1k",)),
    Arch("hexagon", "hexagon", 32, (164,), (), ("hexagon",)),
    Arch("rx", "rx", 32, (173,), (), ("rx*",)),
    Arch("rl78", "rl78", 32, (197,), (), ("rl78",)),
    Arch("tricore", "tricore", 32, (44,), ("tricore:*",), ("tricore",)),
    Arch("bpf", "bpf", 64, (247,), ("ebpf",), ("bpfle", "bpfbe")),
)

_BY_NAME = {arch.name: arch for arch in TABLE}
FAMILIES: dict[str, tuple[str, ...]] = {}
for _arch in TABLE:
    FAMILIES[_arch.family] = (*FAMILIES.get(_arch.family, ()), _arch.name)

# What errors name as examples.
_OFTEN = ("x86_64", "x86_32", "arm64", "arm32", "riscv64", "riscv32", "ppc64", "x86", "arm", "riscv", "ppc")

# Families that are called otherwise in places; a family of one member is that member.
_FAMILY_ALIASES = {"powerpc": "ppc", "risc-v": "riscv"}


def names() -> tuple[str, ...]:
    """Every name that a policy may use first of all: architectures and families."""
    return tuple(dict.fromkeys((*_BY_NAME, *FAMILIES)))


def canonical(name: str) -> str:
    """The architecture that is called `name`, by policies, by the kernel, by GNU or by OUTPUT_ARCH; empty if none is.

    `arm` and other names of families of several members are no architecture.
    """
    low = name.strip().lower().replace(" ", "")
    if low in _BY_NAME:
        return low
    if len(members := FAMILIES.get(low, ())) == 1:
        return members[0]
    return next((arch.name for arch in TABLE if any(_called(low, alias) for alias in arch.aliases)), "")


def expand(name: str) -> tuple[str, ...]:
    """The architectures that a policy's word stands for: one, all of a family, or none if the word is unknown."""
    low = name.strip().lower()
    # `powerpc` is OUTPUT_ARCH's word for 32 bits, and everybody else's for the family.
    if members := FAMILIES.get(_FAMILY_ALIASES.get(low, low) if low in ("powerpc", "risc-v") else low):
        return members
    found = canonical(low)
    return (found,) if found else ()


def matches(arch: str, wanted: str) -> bool:
    """Whether `arch` is what the word of a policy stands for; `!word` is all that it does not stand for.

    A family is it if each of its members is.
    """
    members = FAMILIES.get(arch, ()) or (canonical(arch) or arch,)
    named = expand(wanted.removeprefix("!"))
    if wanted.startswith("!"):
        return not any(member in named for member in members)
    return all(member in named for member in members)


def allows(words: Sequence[str], arch: str) -> bool:
    """Whether the words of `when: {arch: [...]}` mean `arch`: one of those named, and none of those excluded."""
    named = [word for word in words if not word.startswith("!")]
    excluded = [word for word in words if word.startswith("!")]
    return (not named or any(matches(arch, word) for word in named)) and all(matches(arch, word) for word in excluded)


def some_allowed(words: Sequence[str]) -> str:
    """An architecture that the words of `when: {arch: [...]}` mean; empty for an empty list."""
    return next((arch.name for arch in TABLE if allows(words, arch.name)), "") if words else ""


# Processors of 8 and 16 bits, whose files are of the class of 32 bits, by what their C compilers align pointers to.
# Those that are not in the table go by the name that OUTPUT_ARCH has for them.
_NARROW = {"avr": 1, "m68hc11": 1, **dict.fromkeys(("msp430", "m68hc12", "h8300", "xstormy16", "rl78", "m32c"), 2)}


def word(name: str) -> int:
    """The bytes that a pointer of an architecture is aligned to; 0 if it is not known, or a family with several."""
    if name in _NARROW:
        return _NARROW[name]
    bits = {arch.bits for arch in TABLE if matches(arch.name, name)} if name else set()
    return (min(bits) + 7) // 8 if len(bits) == 1 else 0


def family_of(name: str) -> str:
    """The family of an architecture that is in the table."""
    return _BY_NAME[name].family


def file_format(output_format: str) -> str:
    """The word of `when: {format: ...}` for a BFD target as in OUTPUT_FORMAT; empty where there is no word."""
    low = output_format.strip().lower()
    for begin, word in (("elf", "elf"), ("pei-", "pe"), ("pe-", "pe"), ("efi-", "pe"), ("mach-o", "mach-o")):
        if low.startswith(begin):
            return word
    return low if low in ("binary", "srec", "ihex") else ""


def from_machine(machine: int, bits: int) -> str:
    """The architecture of an ELF file by e_machine and class; empty for one that is not in the table."""
    found = [arch for arch in TABLE if machine in arch.machines]
    exact = [arch for arch in found if min(arch.bits + 1, 32) <= bits and (arch.bits > 32) == (bits == 64)]
    return (exact or found)[0].name if found else ""


def from_script(output_arch: str = "", output_format: str = "") -> tuple[str, ...]:
    """The architectures that OUTPUT_ARCH or OUTPUT_FORMAT of a script allow; several where the word is a family's.

    `OUTPUT_ARCH(riscv)` and `OUTPUT_ARCH(arm)` do not tell 32 from 64 bits on their own; the format may.
    """
    by_format = _from_format(output_format)
    low = output_arch.strip().lower()
    by_arch = FAMILIES.get(low, ()) or expand(low)
    # BFD's `arm` has no 64-bit variant, whatever family it is counted with here.
    if low == "arm":
        by_arch = ("arm32",)
    elif low in ("i386", "powerpc", "sparc", "mips", "s390", "hppa") and by_format:
        by_arch = tuple(name for name in by_format if _BY_NAME[name].family == _family_of(low)) or by_arch
    both = tuple(name for name in by_arch if name in by_format)
    return both or by_arch or by_format


def check_name(name: str) -> str:
    """What is wrong with an architecture's name in a policy: a help text, or nothing for a known one."""
    from ldcheck.words import did_you_mean

    if expand(name.removeprefix("!")):
        return ""
    others = [alias for arch in TABLE for alias in arch.aliases if alias.isalnum()]
    known = ", ".join(name for name in names() if name in _OFTEN)
    return did_you_mean(name.removeprefix("!"), (*names(), "aarch64", *others), f"such as {known}")


def _family_of(name: str) -> str:
    return {"i386": "x86", "powerpc": "ppc"}.get(name, name)


def _from_format(output_format: str) -> tuple[str, ...]:
    low = output_format.strip().lower()
    kind, dash, rest = low.partition("-")
    if not dash:
        return ()
    bits = {"elf32": 32, "elf64": 64}.get(kind, 0)
    rest = rest.removeprefix("tradlittle").removeprefix("tradbig").removeprefix("ntrad")
    found = [arch for arch in TABLE if any(_called(rest, form) for form in arch.formats)]
    # x32 and the N32 ABI put a 64-bit machine into 32-bit files, so that the class decides only where it can.
    exact = [arch for arch in found if not bits or (arch.bits > 32) == (bits == 64)]
    return tuple(arch.name for arch in exact or found)


def _called(name: str, alias: str) -> bool:
    if alias.startswith("*"):
        return alias.strip("*") in name
    return name.startswith(alias[:-1]) if alias.endswith("*") else name == alias
