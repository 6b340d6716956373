"""What the text of an output section says about the section that a link makes of it.

Can it be empty, can it have no address, can it end behind its last statement?

Names decide where flags are not known: assemblers and compilers give `.debug_info` and `.comment` no address, `.tbss`
no room, and notes are called `.note.something`. An output section that none of its patterns lets input without an
address into is taken to be allocated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

from ldcheck.record import dataclass
from ldcheck.script.syntax import (
    Assignment,
    Binary,
    Data,
    Expression,
    Include,
    InputSectionDescription,
    Marker,
    Name,
    Node,
    Number,
    OutputSection,
)

# Input sections of these names have no address in the image (SHF_ALLOC is not set).
_UNALLOCATED = (
    ".annobin",
    ".ARM.attributes",
    ".comment",
    ".ctf",
    ".debug",
    ".GCC.command.line",
    ".gdb_index",
    ".gnu.attributes",
    ".gnu.build.attributes",
    ".gnu.debuglto_",
    ".gnu.linkonce.wi.",
    ".gnu.lto_",
    ".gnu_debug",
    ".line",
    ".llvm",
    ".mdebug",
    ".note.GNU-stack",
    ".pdr",
    ".riscv.attributes",
    ".shstrtab",
    ".stab",
    ".strtab",
    ".symtab",
    ".zdebug",
)
# Those of them that BFD takes for debugging information (elf.c, _bfd_elf_make_section_from_shdr).
_DEBUGGING = (".debug", ".gdb_index", ".gnu.debuglto_", ".gnu.linkonce.wi.", ".line", ".note.gnu", ".stab", ".zdebug")
# Those with a type of their own, unlike a `.comment`.
_TYPED = (
    ".ARM.attributes",
    ".gnu.attributes",
    ".gnu.build.attributes",
    ".llvm",
    ".riscv.attributes",
    ".shstrtab",
    ".strtab",
    ".symtab",
)
_THREAD_LOCAL = (".tbss", ".gnu.linkonce.tb.")
_THREAD_LOCAL_DATA = (".tdata", ".gnu.linkonce.td.")
_NOTES = (".note",)
_KINDS = {
    "unallocated": _UNALLOCATED,
    "comments": tuple(name for name in _UNALLOCATED if name not in _TYPED),
    "debugging": _DEBUGGING,
    "zeros of threads": _THREAD_LOCAL,
    "data of threads": _THREAD_LOCAL_DATA,
    "notes": _NOTES,
}
_TYPES_WITHOUT_ADDRESS = frozenset(("DSECT", "COPY", "INFO", "OVERLAY"))
_WILD = frozenset("*?[\\")

# Bytes that a data statement adds.
DATA_SIZES = {"BYTE": 1, "SHORT": 2, "LONG": 4, "QUAD": 8, "SQUAD": 8}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Traits:
    """What is known of an output section before any address.

    `present`: the location counter moves behind it in every link, as it is not dropped when it is empty (ldlang.c,
    strip_excluded_output_sections). `made`: ld makes it in its turn, whatever is in it. `unallocated`: it may have no
    address. `thread_local`: it may take no room. `debugging`: it may be taken for debugging information. `notes`: it
    may hold notes. `conditional`: ONLY_IF_RO and its like. `drawing`: ld may put orphans without address behind it, as
    it has content and no address when they are placed (inputs that have one leave it loaded).
    """

    present: bool
    made: bool
    unallocated: bool
    thread_local: bool
    debugging: bool
    notes: bool
    conditional: bool
    drawing: bool


def is_noload(section: OutputSection) -> bool:
    """Whether an output section is to have an address and no content."""
    return section.type is not None and section.type.keyword == "NOLOAD"


def is_unallocated(name: str) -> bool:
    """Whether input sections of that name take no memory: debug information, symbol tables, attributes."""
    return name.startswith(_UNALLOCATED)


@lru_cache(maxsize=4096)
def traits(section: OutputSection, usual: bool = False) -> Traits:
    """The traits of an output section; those of `usual` links, in which a bare wildcard takes what has an address."""
    names = [section.name.text]
    present = made = False
    inputs = data = unknown = False
    for statement in statements(section.statements):
        if isinstance(statement, Assignment):
            present = present or keeps(statement)
        elif isinstance(statement, Data):
            present = data = True
        elif isinstance(statement, Marker):
            present = present or statement.keyword == "CREATE_OBJECT_SYMBOLS"
        elif isinstance(statement, InputSectionDescription):
            names.extend(_names(statement))
            inputs = True
            continue
        elif isinstance(statement, Include):
            unknown = True
        made = True
    kind = section.type.keyword if section.type else ""
    if usual:
        names = [name for name in names if name[:1] not in _WILD]
    matched = frozenset[str]().union(*map(_matched, names))
    typed = kind in _TYPES_WITHOUT_ADDRESS
    return Traits(
        present and not section.constraint,
        made and not section.constraint,
        unknown or typed or "unallocated" in matched,
        unknown or "zeros of threads" in matched or (kind == "NOLOAD" and "data of threads" in matched),
        unknown or "debugging" in matched,
        unknown or "notes" in matched,
        bool(section.constraint),
        unknown or (inputs and "comments" in matched) or (data and typed),
    )


def statements(body: Iterable[Node]) -> Iterator[Node]:
    """Statements with those of included files in their place; an Include stands for a file that was not found."""
    pending = list(body)[::-1]
    while pending:
        statement = pending.pop()
        if isinstance(statement, Include) and statement.statements is not None:
            pending.extend(reversed(statement.statements))
        else:
            yield statement


def keeps(statement: Assignment) -> bool:
    """Whether an assignment in its body keeps an output section that is empty otherwise (ldexp.c, etree_assign)."""
    if statement.target.text != ".":
        return not statement.keyword.startswith("PROVIDE")
    value = statement.value
    if statement.operator != "=":
        return not _may_be_zero(value)
    if isinstance(value, Binary) and value.operator == "+" and isinstance(value.left, Name) and value.left.name == ".":
        return not _may_be_zero(value.right)
    return not _may_be_zero(value) and not _is_conditional_alignment(value)


def _may_be_zero(value: Expression) -> bool:
    return isinstance(value, Name) and value.name != "." if not isinstance(value, Number) else value.value == 0


def _is_conditional_alignment(value: Expression) -> bool:
    """`ALIGN(. != 0 ? n : 1)`, which GNU ld does not count."""
    from ldcheck.script.syntax import Call, Conditional

    return isinstance(value, Call) and any(isinstance(item, Conditional) for item in value.arguments)


def _names(statement: InputSectionDescription) -> list[str]:
    return ["*"] if statement.patterns is None else [pattern.pattern.text for pattern in statement.patterns]


@lru_cache(maxsize=4096)
def _matched(pattern: str) -> frozenset[str]:
    """The kinds of sections of which the pattern can take some."""
    end = next((at for at, character in enumerate(pattern) if character in _WILD), len(pattern))
    literal = pattern[:end]
    return frozenset(
        kind
        for kind, prefixes in _KINDS.items()
        if literal.startswith(prefixes)
        or (end < len(pattern) and any(prefix.startswith(literal) for prefix in prefixes))
    )


class Collected:
    """The input section names that the script places for certain, wherever they come from.

    An input section that no statement places joins an output section of its own name, behind the last statement
    (ldelf.c, ldelf_place_orphan); common symbols that none places join `.bss`.
    """

    __slots__ = ("_common", "_exact", "_known", "_wild")

    def __init__(self, sections: Iterable[OutputSection]) -> None:
        self._exact: set[str] = set()
        self._wild: list[str] = []
        self._known: dict[str, bool] = {}
        # The output section that collects what common symbols are left over.
        self._common = ""
        for section in sections:
            for statement in statements(section.statements):
                if isinstance(statement, InputSectionDescription) and statement.patterns is not None:
                    self._add(section, statement)

    def _add(self, section: OutputSection, statement: InputSectionDescription) -> None:
        assert statement.patterns is not None
        for pattern in statement.patterns:
            if pattern.pattern.text == "COMMON" and not self._common:
                self._common = section.name.text
        file = statement.file
        if section.constraint or statement.flags or file is None or file.exclude or file.pattern.text != "*":
            return
        for pattern in statement.patterns:
            if not pattern.exclude:
                if _WILD.isdisjoint(pattern.pattern.text):
                    self._exact.add(pattern.pattern.text)
                elif "\\" not in pattern.pattern.text:
                    self._wild.append(pattern.pattern.text)

    def takes(self, name: str) -> bool:
        """Whether every input section of this name is placed for certain."""
        found = self._known.get(name)
        if found is None:
            wild = (pattern.replace("[^", "[!") for pattern in self._wild)
            found = self._known[name] = name in self._exact or any(fnmatchcase(name, pattern) for pattern in wild)
        return found

    def takes_all(self, prefix: str) -> bool:
        """Whether every name that begins with `prefix` is placed for certain."""
        return any(pattern.endswith("*") and prefix.startswith(pattern.rstrip("*")) for pattern in self._wild)

    def may_grow(self, section: OutputSection) -> bool:
        """Whether inputs may join an output section behind its last statement."""
        name = section.name.text
        if name in (".rela.dyn", ".rel.dyn") or name.startswith(".mbind.") or not self.takes(name):
            return True
        return name == (self._common or ".bss") and not self.takes("COMMON")
