"""Tables that objects contribute to: what stands between two symbols, and what section names tell of it.

A loop runs over such a table from symbol to symbol, and nothing refers to its parts by name. What is copied, cleared or
left alone stands between symbols as well, but code names its parts. The script does not say which of the two it is:
the words of the names do, and whether the symbols enclose a whole output section (mostly memory of a kind, so that it
can be copied) or a part of one. Left out: what links really have in there, which a map tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ldcheck.record import dataclass
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Data,
    Fill,
    InputSectionDescription,
    Name,
    Node,
    OutputSection,
)
from ldcheck.script.uses import leaves
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.rules import flat


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words for what many objects register with: initcalls, drivers, commands, tests, embedded images.
_REGISTERED = _words(
    """
    app applet array callback cmd command constructor ctor desc descr descriptor descs dev device driver drv dtb
    entry handler hook image info init initcall ivt list menu mod module ops option param parameter plugin probe
    proc registry service set setup shell subsys svc sysinit task test
    """
)

# Words for memory of a kind, for code, and for what toolchains and linkers make: code names what is in there.
_NAMED = _words(
    """
    attributes backup bank bkup bkupram boot bss buffer cache cacheable ccm ccmram ccram code copy core data dma
    dram dtcm dyn dynamic eeprom eh except exception exidx extab fast fastram fixup flash frame func function
    got heap icache identity idmap iram itcm jcr lit lit4 lit8 literal mem memory mmu nocache noinit non
    noncacheable note page patch persist persistent plt privileged qspi ram ramfunc rel rela relocate rom
    scratch scratchpad sdram shared shm sram stab stabstr stack storage syscall syscalls tcm text tls trampoline
    uninit uninitialized vector vectors xlat zero
    """
)

# Words for what is read record by record, whatever it is of.
_ARRAYS = _words("array arrays list lists")

# Pointers that toolchains emit: a word each.
POINTERS = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors")
# What else they emit word by word.
_WORDWISE = (".ARM.exidx", ".ARM.extab", ".gnu.linkonce.armex", ".eh_frame", ".got")
# What they emit byte by byte, beside the families of code and data.
_BYTEWISE = (".dynstr", ".interp", ".strtab", ".gcc_except_table", ".hash", ".gnu.hash")

_RELOCATIONS = (".rel.", ".rela.", ".rel*", ".rela*")
_MADE = (".got", ".fixup", ".rofixup", ".plt", ".iplt", ".igot")
# What these words say are no records: memory, code, and what is read byte by byte.
_BYTES = re.compile(
    r"stack|stk|heap|bss|text|code|str|string|blob|image|dtb|font|ucode|firmware|cert|key", re.IGNORECASE
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*")


def is_registered(names: Sequence[str]) -> bool | None:
    """Whether sections of these names are parts of a table by their words; None if the words do not tell."""
    found = {word.lower().rstrip("0123456789") for name in names for word in _WORD.findall(name)}
    found |= {word.removesuffix("s") for word in found}
    if found & _NAMED:
        return False
    return True if found & _REGISTERED else None


def may_end_anywhere(names: Sequence[str]) -> bool:
    """Whether input sections of these names may end at any byte, as code, strings and data do; tables end at a word.

    Without names, it is whatever a file has.
    """
    return not names or any(
        not name.startswith(POINTERS + _WORDWISE)
        and is_registered([name]) is not True
        and (project_family_of(name) is not Family.OTHER or name.startswith(_BYTEWISE))
        for name in names
    )


def are_words(names: Sequence[str]) -> bool:
    """Whether input sections of these names are tables that surely end at a word."""
    return bool(names) and all(name.startswith(POINTERS + _WORDWISE) or is_registered([name]) is True for name in names)


def is_vectors(name: str) -> bool:
    """Whether a section is by its name a vector table: `.isr_vector`, `.vectors`, `.intvecs`, `.ivt`."""
    words = (word.lower() for word in _WORD.findall(name))
    return any(word == "ivt" or word.endswith(("vector", "vectors", "vec", "vecs")) for word in words)


def names_in(nodes: Sequence[Node]) -> list[str]:
    """The section patterns of the input statements among some nodes."""
    inputs = (node for node in nodes if isinstance(node, InputSectionDescription))
    return [pattern.pattern.text for node in inputs for pattern in node.patterns or ()]


def is_table(names: Sequence[str]) -> bool:
    """Whether input sections of these names are records: of the project's own, or pointers of the toolchain's."""
    return bool(names) and all(_is_record(name) for name in names)


def _is_record(name: str) -> bool:
    if name.startswith(POINTERS):
        return True
    if project_family_of(name) is not Family.OTHER or name.startswith((*_RELOCATIONS, *_MADE)) or name[0] in "*?[":
        return False
    return is_registered([name]) is not False and _BYTES.search(name) is None


def are_pointers(names: Sequence[str]) -> bool:
    """Whether input sections of these names are pointers of the toolchain's, and nothing else."""
    return bool(names) and all(name.startswith(POINTERS) for name in names)


def are_relocations(names: Sequence[str]) -> bool:
    """Whether input sections of these names are relocations, and nothing else."""
    return bool(names) and all(name.startswith(_RELOCATIONS) for name in names)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bracket:
    """Input statements of one output section between two assignments of the location counter to symbols.

    It is `whole` if they are all input statements that the output section has.
    """

    section: OutputSection
    start: Assignment
    statements: tuple[InputSectionDescription, ...]
    end: Assignment
    whole: bool

    @property
    def is_array(self) -> bool:
        """Whether both symbols say that records are in between: `__unit_array_start`, `__unit_array_end`."""
        return all(_ARRAYS & set(one.target.text.lower().split("_")) for one in (self.start, self.end))


def brackets(siblings: Sequence[Node]) -> Iterator[Bracket]:
    """The brackets in the output sections among `siblings`, also those whose symbols stand around the output section.

    Which symbol is a start and which an end is for the caller to judge: of three in a row, the middle one is both.
    """
    for at, node in enumerate(siblings):
        if not isinstance(node, OutputSection):
            continue
        body = list(flat(node.statements))
        inputs = [part for part in body if isinstance(part, InputSectionDescription)]
        before, after = _symbol(reversed(siblings[:at])), _symbol(siblings[at + 1 :])
        start: Assignment | None = before
        members: list[InputSectionDescription] = []
        for part in [*body, *((after,) if after is not None else ())]:
            if isinstance(part, InputSectionDescription):
                members.append(part)
            elif isinstance(part, Assignment) and _is_place(part):
                if start is not None and members:
                    yield Bracket(node, start, tuple(members), part, len(members) == len(inputs))
                start, members = part, []
            elif not isinstance(part, Assignment | Assertion | Data | Fill):
                start, members = None, []


def _symbol(nodes: Sequence[Node] | Iterator[Node]) -> Assignment | None:
    """The first of the nodes that sets a symbol to a place, if only moves of the location counter are ahead."""
    for node in nodes:
        if not isinstance(node, Assignment):
            return None
        if _is_place(node):
            return node
    return None


def _is_place(node: Assignment) -> bool:
    """Whether a symbol is set by the location counter; one that is set to a number bounds nothing."""
    return node.target.text != "." and any(isinstance(part, Name) and part.name == "." for part in leaves(node.value))
