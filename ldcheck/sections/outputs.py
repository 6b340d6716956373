"""Output sections as ld builds them up while it maps input sections: just what the placement of orphans looks at.

Flags are those of BFD, derived from ELF's (bfd/elf.c: _bfd_elf_make_section_from_shdr). An output section gets its
flags from what is put into it (ldlang.c: lang_add_section, map_input_to_output_sections), and its type from the
first input section that has the same flags (bfd/elf.c: _bfd_elf_init_private_section_data) or from its name.

Left out: types and flags that only some architectures know, such as small data of MIPS and PowerPC.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cache
from typing import Generic, TypeVar

from ldcheck.image.model import InputSection
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import Node, OutputSection

T = TypeVar("T", bound=Hashable)

ALLOC, LOAD, READONLY, CODE, DATA, HAS_CONTENTS, NEVER_LOAD, THREAD_LOCAL, DEBUGGING, SMALL_DATA, KEPT = (
    1 << bit for bit in range(11)
)

SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS = 0x1, 0x2, 0x4, 0x400

# Names that give an output section a type of its own (bfd/elf.c: special_sections). Content overrides PROGBITS, NOBITS
# and NOTE. The first kind also stands for longer names with a further component, the second for the very name.
_FAMILIES = {
    ".bss": "NOBITS",
    ".data": "PROGBITS",
    ".fini_array": "FINI_ARRAY",
    ".gnu.linkonce.b": "NOBITS",
    ".gnu.linkonce.n": "NOBITS",
    ".gnu.linkonce.p": "PROGBITS",
    ".init_array": "INIT_ARRAY",
    ".noinit": "NOBITS",
    ".persistent": "PROGBITS",
    ".preinit_array": "PREINIT_ARRAY",
    ".rodata": "PROGBITS",
    ".tbss": "NOBITS",
    ".tdata": "PROGBITS",
    ".text": "PROGBITS",
}
_NAMES = {
    ".comment": "PROGBITS",
    ".ctf": "PROGBITS",
    ".data1": "PROGBITS",
    ".debug": "PROGBITS",
    ".debug_abbrev": "PROGBITS",
    ".debug_aranges": "PROGBITS",
    ".debug_info": "PROGBITS",
    ".debug_line": "PROGBITS",
    ".dynamic": "DYNAMIC",
    ".dynstr": "STRTAB",
    ".dynsym": "DYNSYM",
    ".fini": "PROGBITS",
    ".gnu.hash": "GNU_HASH",
    ".gnu.version": "GNU_VERSYM",
    ".gnu.version_d": "GNU_VERDEF",
    ".gnu.version_r": "GNU_VERNEED",
    ".got": "PROGBITS",
    ".hash": "HASH",
    ".init": "PROGBITS",
    ".interp": "PROGBITS",
    ".line": "PROGBITS",
    ".note.GNU-stack": "PROGBITS",
    ".persistent.bss": "NOBITS",
    ".plt": "PROGBITS",
    ".relr.dyn": "RELR",
    ".rodata1": "PROGBITS",
    ".shstrtab": "STRTAB",
    ".strtab": "STRTAB",
    ".symtab": "SYMTAB",
}

_NOLOAD_TYPES = frozenset({"DSECT", "COPY", "INFO", "OVERLAY"})


def input_flags(section: InputSection) -> int:
    """The BFD flags of an input section."""
    if section.flags & SHF_ALLOC:
        flags = ALLOC if is_common(section) else _flags(section.flags, section.type != "NOBITS")
        # What the linker makes itself is not called data.
        return flags if section.index >= 0 else flags & ~DATA
    return _flags(section.flags, section.type != "NOBITS") | (DEBUGGING if is_debugging(section.name) else 0)


@cache
def _flags(elf: int, contents: bool) -> int:
    flags = HAS_CONTENTS if contents else 0
    if elf & SHF_ALLOC:
        flags |= ALLOC | (LOAD if contents else 0)
    if not elf & SHF_WRITE:
        flags |= READONLY
    if elf & SHF_EXECINSTR:
        flags |= CODE
    elif flags & LOAD:
        flags |= DATA
    if elf & SHF_TLS:
        flags |= THREAD_LOCAL
    return flags


def input_type(section: InputSection) -> str:
    """The ELF type of an input section; the one that BFD makes for common symbols has none."""
    return "" if is_common(section) else section.type


def power_of_two(value: int) -> int:
    """The least power of two that is not less than an alignment that a script asks for (ldexp.c: exp_get_power)."""
    return 1 << (value - 1).bit_length() if 1 < value <= 1 << 63 else 1


def is_common(section: InputSection) -> bool:
    """Whether it stands for the common symbols of a file, rather than being a section of that name."""
    return section.index == 0 and section.name == "COMMON"


def is_debugging(name: str) -> bool:
    """Whether BFD takes a section that is not allocated for debugging information, by its name."""
    prefixes = (".debug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".zdebug", ".line", ".stab")
    return name.startswith(prefixes) or name == ".gdb_index"


def named_type(name: str) -> str:
    """The type that an output section has by its name alone; empty if its content decides."""
    if name in _NAMES:
        return _NAMES[name]
    for family, kind in _FAMILIES.items():
        if name.startswith(family) and name[len(family) : len(family) + 1] in ("", "."):
            return kind
    if name.startswith((".note", ".gnu.lto_")):
        return "NOTE" if name.startswith(".note") else "PROGBITS"
    if name.startswith(".rela"):
        return "RELA"
    if name.startswith(".rel"):
        # Where relocations have addends, `.rel` counts only as a whole component of the name.
        return "REL" if name[4:5] in ("", ".") else ""
    return "STRTAB" if name.startswith(".stab") and name.endswith("str") else ""


class Output:
    """One output section statement. `created` says that there is an output section for it, perhaps an empty one.

    `constraint` is -1 for a statement that ONLY_IF_RO or ONLY_IF_RW left out. `flags` are those of the output section,
    `statement_flags` those which count while there is none. `statements` are those of its body that place no inputs,
    each with the number of `inputs` ahead of it. An orphan's takes its regions from the output section `beside` it.
    """

    __slots__ = (
        "alignment",
        "beside",
        "constraint",
        "created",
        "flags",
        "has_input",
        "inputs",
        "kind",
        "name",
        "node",
        "statement_flags",
        "statements",
        "type",
    )

    def __init__(self, name: str, node: OutputSection | None) -> None:
        self.name = name
        self.node = node
        self.constraint = 0
        self.kind = node.type.keyword if node is not None and node.type is not None else ""
        self.statement_flags = NEVER_LOAD if self.kind == "NOLOAD" else 0
        self.created = False
        self.flags = 0
        self.type = ""
        self.has_input = False
        self.alignment = 0
        self.inputs: list[InputSection] = []
        self.statements: list[tuple[int, Node]] = []
        self.beside: Output | None = None

    def __repr__(self) -> str:
        return f"Output({self.name!r})"

    @property
    def looks(self) -> int:
        """The flags that the search for an orphan's place sees."""
        return self.flags if self.created else self.statement_flags

    def create(self, flags: int = 0) -> None:
        """Make the output section, because an assignment or an expression needs it."""
        if not self.created:
            self.created = True
            self.flags = flags
            self.type = named_type(self.name)
            align = self.node.align if self.node is not None else None
            value = constant(align) if align is not None else None
            if value is not None:
                self.alignment = max(self.alignment, power_of_two(value))

    def put_data(self, *, writable: bool = False) -> None:
        """Count a BYTE, LONG ... statement, which makes a section that is `writable` (map_input_to_output_sections)."""
        flags = HAS_CONTENTS | ALLOC | LOAD
        if self.kind in _NOLOAD_TYPES:
            flags = HAS_CONTENTS
        elif self.kind == "NOLOAD":
            flags = NEVER_LOAD | ALLOC
        elif self.kind == "READONLY":
            flags |= READONLY
        if not self.created:
            self.create(flags if writable else flags | READONLY)
        else:
            self.flags |= flags

    def add(self, section: InputSection, keep: bool = False) -> None:
        """Count an input section (ldlang.c: lang_add_section); `keep` if KEEP() named it."""
        own = input_flags(section) | (KEPT if keep else 0)
        flags = own
        if self.kind in _NOLOAD_TYPES:
            flags &= ~ALLOC
        elif self.kind == "READONLY":
            flags |= READONLY
        elif self.kind == "NOLOAD":
            flags = (flags & ~(LOAD | HAS_CONTENTS)) | NEVER_LOAD
        if not self.created:
            self.create(flags)
        self.flags &= flags | ~READONLY
        if self.has_input:
            flags &= ~READONLY
        self.flags |= flags
        if not self.has_input:
            self.has_input = True
            if self.type in ("", "PROGBITS", "NOTE", "NOBITS"):
                self.type = input_type(section) if self.flags == own else ""
        self.alignment = max(self.alignment, section.align)
        self.inputs.append(section)

    def add_all(self, sections: Iterable[InputSection], keep: bool = False) -> None:
        """Count input sections one after the other."""
        last: InputSection | None = None
        inputs = self.inputs
        for section in sections:
            # One like the last, and allocated, changes nothing but the alignment.
            if (
                last is not None
                and section.flags == last.flags
                and section.type == last.type
                and section.flags & SHF_ALLOC
                and section.index
            ):
                if section.align > self.alignment:
                    self.alignment = section.align
                inputs.append(section)
            else:
                self.add(section, keep)
                last = section if section.index else None


class Chain(Generic[T]):
    """Things in an order that changes: the linked lists of ld. None stands for the place ahead of the first one."""

    def __init__(self) -> None:
        self.after: dict[T | None, T | None] = {None: None}
        self.before: dict[T | None, T | None] = {None: None}

    def __iter__(self) -> Iterator[T]:
        at = self.after[None]
        while at is not None:
            yield at
            at = self.after[at]

    def __contains__(self, member: T) -> bool:
        return member in self.after

    @property
    def last(self) -> T | None:
        """The last one; None if there is none."""
        return self.before[None]

    def insert(self, member: T, behind: T | None) -> None:
        """Put `member` directly behind another one."""
        following = self.after[behind]
        self.after[behind] = member
        self.before[member] = behind
        self.after[member] = following
        self.before[following] = member

    def append(self, member: T) -> None:
        """Put `member` at the end."""
        self.insert(member, self.last)

    def remove(self, member: T) -> None:
        """Take `member` out."""
        behind, following = self.before.pop(member), self.after.pop(member)
        self.after[behind] = following
        self.before[following] = behind
