"""What a link left behind, as plain data: the ELF file's side and the map's side.

Addresses and sizes are in bytes. pyelftools' headers and the formats of maps end here; everything behind this package
sees these classes only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.record import dataclass, field
from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.image.references import References
    from ldcheck.image.symbols import Symbol, SymbolTable


# The file that GNU ld says its stubs are in.
STUBS = "linker stubs"
_SHF_TLS = 0x400


@dataclass(frozen=True, slots=True)
class ImageSection:
    """A section of the linked file. Names are as in the section name string table, undecodable bytes as surrogates."""

    index: int
    name: str
    type: str
    address: int
    offset: int
    size: int
    align: int
    writable: bool
    allocated: bool
    executable: bool
    entry_size: int = 0
    flags: int = 0
    link: int = 0
    info: int = 0

    @property
    def occupies_file(self) -> bool:
        """False for zero-initialised sections (SHT_NOBITS)."""
        return self.type != "NOBITS"

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size

    @property
    def room(self) -> int:
        """The bytes of memory that it takes where it stands: none for zeros of threads, which each thread makes."""
        return 0 if self.flags & _SHF_TLS and not self.occupies_file else self.size


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header. `sections` are the indices of the sections that lie in it."""

    type: str
    offset: int
    address: int
    load_address: int
    file_size: int
    memory_size: int
    align: int
    readable: bool
    writable: bool
    executable: bool
    sections: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """An ELF note: its owner ("GNU", "Xen"), its type's number and its bytes; `section` is where it was found."""

    owner: str
    type: int
    data: bytes
    section: str


@dataclass(frozen=True, slots=True)
class Elf:
    """A linked ELF file.

    `arch` is the name used in policies (x86_64, arm64, ...). `symbols` maps a name to the first global definition, else
    the first local one. `tables` are all symbol tables (`SymbolTable`), the one behind `symbols` first. `stripped`:
    the symbol table was taken out, so that what `symbols` lacks may have been there. `incomplete` says what of the file
    could not be read; empty for a sound file.
    """

    path: str
    arch: str
    bits: int
    big_endian: bool
    type: str
    entry: int
    sections: tuple[ImageSection, ...]
    segments: tuple[Segment, ...]
    symbols: Mapping[str, Symbol]
    build_id: str = ""
    incomplete: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[SymbolTable, ...] = ()
    stripped: bool = False

    def section(self, name: str) -> ImageSection | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def defined(self) -> frozenset[str]:
        """The names that stand for defined symbols."""
        if self.tables and self.symbols is self.tables[0]:
            return self.tables[0].defined()
        return frozenset(name for name, symbol in self.symbols.items() if symbol.defined)

    def local_values(self, name: str) -> tuple[int, ...]:
        """The values of a name that stands for several local symbols of different values, and for no global one."""
        return self.tables[0].local_values(name) if self.tables and self.symbols is self.tables[0] else ()

    def load_address(self, section: ImageSection) -> int:
        """The load address (LMA) of an allocated section: by its segment, else its own address.

        What is in the file is loaded by its place there; where LMA and VMA drift apart within a segment only that tells
        (bfd/elf.c, _bfd_elf_make_section_from_shdr).
        """
        for segment in self.segments:
            if segment.type == "LOAD" and section.index in segment.sections:
                if section.occupies_file:
                    return segment.load_address + section.offset - segment.offset
                return segment.load_address + section.address - segment.address
        return section.address


class MapInput(NamedTuple):
    """An input section in a link map. `size` is what it occupies in the image (after merging and relaxation).

    `align` is 0 where the map does not tell. `member` is the archive member or empty. `line` is the line in the map.
    `pattern` is the statement that took it, as the map prints it; empty for an orphan. A large map has hundreds of
    thousands of these, hence a named tuple.
    """

    name: str
    file: str
    member: str
    address: int
    size: int
    align: int
    line: int
    pattern: str = ""


class Padding(NamedTuple):
    """Bytes that nothing asked for. `cause` is "input alignment", "assignment" or "section start".

    "unexplained" is a gap that the map shows without a word (GNU ld around erratum stubs).
    """

    address: int
    size: int
    cause: str
    line: int


class MapStatement(NamedTuple):
    """A statement as a map prints it: `kind` is "pattern", "assignment", "data" or "assert".

    `text` is normalised by the linker. `address` is the value: of dot behind it, of the symbol, or of the assertion's
    condition; None where the map gives none (patterns, PROVIDE of a symbol that nobody needs). `size` is that of data.
    `section` is the output section that the map shows it under, which is not always the one it stands in.
    """

    kind: str
    text: str
    address: int | None
    line: int
    section: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class MapSection:
    """An output section in a link map, the empty ones included.

    `present` is False for one that was named and not made.
    """

    name: str
    address: int
    size: int
    load_address: int
    inputs: Sequence[MapInput]
    paddings: tuple[Padding, ...]
    line: int
    data: int = 0
    align: int = 0
    present: bool = True
    statements: tuple[MapStatement, ...] = ()

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + self.size

    @property
    def room(self) -> int:
        """The bytes of memory that it takes where it stands, going by its name: none for zeros of threads."""
        return 0 if self.name.startswith(".tbss") else self.size


@dataclass(frozen=True, slots=True)
class LinkMap:
    """A link map of GNU ld or lld. `data` of a section counts bytes of BYTE, LONG ... commands.

    `statements` are all statements in the order of the map, those of /DISCARD/ included. `loaded` are the files that
    the map lists as read. `output_format` is what BFD calls the format of the output ("binary" for a flat image); empty
    where the map does not tell. `regions` are the memory regions of the script: name, origin and length in bytes.
    `assigned` are the symbols that the script assigns, with their values; None for one that it did not have to provide.
    A map of lld tells only those that are the location counter.
    """

    path: str
    linker: str
    sections: tuple[MapSection, ...]
    discarded: Sequence[MapInput] = ()
    symbols: Mapping[str, int] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    statements: tuple[MapStatement, ...] = ()
    loaded: tuple[str, ...] = ()
    output_format: str = ""
    regions: tuple[tuple[str, int, int], ...] = ()
    assigned: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputSection:
    """A section of an object file, before the link; `index` is its section header index.

    Common symbols of a file are one section "COMMON" of index 0. `group` is the signature of the section's group
    (COMDAT). `archive` is the thin archive that the file was found in; members of other archives have the archive as
    `file` and a `member`. `entry_size` is that of a table or of mergeable constants.
    """

    file: str
    member: str
    name: str
    index: int
    size: int
    align: int
    type: str
    flags: int
    group: str = ""
    archive: str = ""
    entry_size: int = 0
    link: int = 0

    @property
    def writable(self) -> bool:
        """Whether SHF_WRITE is set."""
        return bool(self.flags & 1)

    @property
    def allocated(self) -> bool:
        """Whether SHF_ALLOC is set: it takes memory in the image."""
        return bool(self.flags & 2)

    @property
    def executable(self) -> bool:
        """Whether SHF_EXECINSTR is set."""
        return bool(self.flags & 4)

    @property
    def mergeable(self) -> bool:
        """Whether SHF_MERGE is set: the linker keeps one copy of equal entries, so `size` is an upper bound."""
        return bool(self.flags & 0x10)


@dataclass(frozen=True, slots=True)
class Image:
    """All that is known of one link. Any part may be missing.

    `object_paths` are the files that `objects` come from; `references` are only given where they are known without.
    """

    elf: Elf | None = None
    map: LinkMap | None = None
    objects: tuple[InputSection, ...] | None = None
    notes: tuple[str, ...] = ()
    object_paths: tuple[str, ...] = ()
    references: References | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file is not what it was given as; `location` is the file, with a line for maps."""

    message: str
    location: Location
    help: str = ""
