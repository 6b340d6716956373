"""The families of input sections that toolchains emit, by name: what the bytes are for, and for which architectures.

Names are all that a script alone tells of its inputs. The table holds the names that compilers, assemblers and linkers
give by themselves (GCC's varasm.c and default_section_type_flags, the ELF gABI's special sections, the psABIs); a
project's own names (`.init.text`, `.altinstructions`) are not in it, but a project's prefix in front of a family's name
(`.init.` + `data`) is understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from ldcheck.script.syntax import OutputSection
from ldcheck.sections.rules import InputRule


class Family(Enum):
    """What a section's bytes are for, and with that the permissions they need."""

    CODE = "executable"
    CONSTANT = "read-only"
    RELRO = "read-only after relocation"
    DATA = "writable"
    ZERO = "zero-initialised"
    OTHER = "of no known kind"


# The longest prefix that fits decides. `.data.rel.ro` ahead of `.data`, and so on.
_PREFIXES = (
    (".data.rel.ro", Family.RELRO),
    (".init_array", Family.RELRO),
    (".fini_array", Family.RELRO),
    (".preinit_array", Family.RELRO),
    (".ctors", Family.RELRO),
    (".dtors", Family.RELRO),
    (".text", Family.CODE),
    (".plt", Family.CODE),
    (".iplt", Family.CODE),
    (".gnu.linkonce.t", Family.CODE),
    (".rodata", Family.CONSTANT),
    (".srodata", Family.CONSTANT),
    (".sdata2", Family.CONSTANT),
    (".gnu.linkonce.r", Family.CONSTANT),
    (".eh_frame", Family.CONSTANT),
    (".gcc_except_table", Family.CONSTANT),
    (".ARM.exidx", Family.CONSTANT),
    (".ARM.extab", Family.CONSTANT),
    (".note", Family.CONSTANT),
    (".data", Family.DATA),
    (".sdata", Family.DATA),
    (".tdata", Family.DATA),
    (".got", Family.DATA),
    (".igot", Family.DATA),
    (".gnu.linkonce.d", Family.DATA),
    (".bss", Family.ZERO),
    (".sbss", Family.ZERO),
    (".tbss", Family.ZERO),
    (".dynbss", Family.ZERO),
    (".gnu.linkonce.b", Family.ZERO),
    ("COMMON", Family.ZERO),
)


# Where the table that procedures are linked by holds addresses, and the code for it is elsewhere.
_TABLES = (".plt", ".iplt")
_OF_ADDRESSES = "ppc"


@lru_cache(maxsize=4096)
def family_of(name: str, arch: str = "") -> Family:
    """The family of a section name, or of the names of a pattern, by what stands in front of its first wildcard.

    `arch` counts where a name means something else on one architecture.
    """
    if arch.startswith(_OF_ADDRESSES) and name in _TABLES:
        return Family.DATA
    for prefix, family in _PREFIXES:
        if name == prefix or name.startswith((f"{prefix}.", f"{prefix}*", f"{prefix}$")):
            return family
    return Family.OTHER


def is_whole_family(name: str) -> bool:
    """Whether a pattern takes a family of toolchain sections as such, or everything: `.text`, `.rodata.*`, `*`."""
    plain = name.rstrip("*?").rstrip(".")
    return not plain or any(plain == prefix for prefix, _ in _PREFIXES)


# What takes no memory where it stands: each thread makes its own zeros.
THREAD_ZEROS = (".tbss", ".gnu.linkonce.tb.")


def takes_only(section: OutputSection, beginnings: tuple[str, ...], rules: Sequence[InputRule]) -> bool:
    """Whether all that an output section takes has names that begin so, by the rules of its script."""
    taken = [rule.names.text for rule in rules if rule.section is section]
    return bool(taken) and all(name.startswith(beginnings) for name in taken)


_PREFIXED = (Family.CODE, Family.CONSTANT, Family.DATA, Family.ZERO)


# What tells of another section, and is called after that: relocations, and what Xtensa keeps of code.
_ABOUT = (".rel", ".rela", ".xt.prop", ".xt.lit")


@lru_cache(maxsize=4096)
def project_family_of(name: str, arch: str = "") -> Family:
    """The family of a name, also where a project's own words stand in front of it: `.sched.text`, `.init.data.*`."""
    found = family_of(name, arch)
    if found is Family.OTHER and name.startswith(tuple(f"{about}." for about in _ABOUT)):
        return found
    at = 0
    while found is Family.OTHER and (at := name.find(".", at + 1)) > 0:
        behind = family_of(name[at:])
        if behind in _PREFIXED:
            found = behind
    return found


# What else toolchains give names to: the linker's own tables, what describes an object, and debugging information.
_OTHERS = (
    ".rel", ".rela", ".relr", ".igot", ".dyn", ".dynamic", ".dynsym", ".dynstr", ".hash", ".gnu", ".interp", ".comment",
    ".debug", ".zdebug", ".line", ".stab", ".stabstr", ".symtab", ".strtab", ".shstrtab", ".ARM", ".MIPS", ".riscv",
    ".reginfo", ".mdebug", ".pdr", ".opd", ".toc", ".glink", ".branch_lt", ".sframe", ".init", ".fini",
    ".jcr", ".tm_clone_table", ".llvm",
)  # fmt: skip


def is_emitted(name: str) -> bool:
    """Whether toolchains give this name by themselves, so that a script need not know it; a pattern by its start."""
    if project_family_of(name) is not Family.OTHER:
        return True
    return any(name == known or name.startswith((f"{known}.", f"{known}_", f"{known}*")) for known in _OTHERS)


# Names that are no longer ones of the same beginning: which family the sections belong to.
_SAME_USE = (
    (".sbss", ".bss"),
    (".sdata2", ".rodata"),
    (".srodata", ".rodata"),
    (".sdata", ".data"),
    (".lbss", ".bss"),
    (".lrodata", ".rodata"),
    (".ldata", ".data"),
    (".ltext", ".text"),
    (".dynbss", ".bss"),
    ("COMMON", ".bss"),
)


class Homes:
    """Where the families of toolchain sections have their place in a script."""

    def __init__(self, rules: Sequence[InputRule]) -> None:
        self._rules: dict[str, InputRule] = {}
        for rule in rules:
            if rule.pattern is not None and not rule.discards:
                self._rules.setdefault(rule.names.prefix.rstrip("."), rule)

    def of(self, name: str) -> InputRule | None:
        """The rule that places what is nearest to a section of that name; None if nothing of the kind is placed.

        That is the one whose pattern shares the most of the name, up to a dot; for names that stand for another
        family's (small data, common symbols) the rule of that one.
        """
        found = self._nearest(name)
        if found is None:
            for prefix, family in _SAME_USE:
                if name == prefix or name.startswith(f"{prefix}."):
                    return self._nearest(family)
        return found

    def _nearest(self, name: str) -> InputRule | None:
        while name:
            if name in self._rules:
                return self._rules[name]
            name = name[: max(name.rfind("."), 0)]
        return None
