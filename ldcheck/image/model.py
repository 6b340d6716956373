"""What a link left behind, as plain data: the ELF file's side and the map's side.

Addresses and sizes are in bytes. pyelftools' headers and the formats of maps end here; everything behind this package
sees these classes only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldcheck.source import Location

if TYPE_CHECKING:
    from ldcheck.image.symbols import SymbolTable


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
class Symbol:
    """A symbol of the linked file; `section` is None for an absolute or undefined one.

    `common` marks a common symbol of an object, whose `value` is its alignment. `visibility` is STV_DEFAULT (0),
    INTERNAL, HIDDEN or PROTECTED (3).
    """

    name: str
    value: int
    size: int
    kind: str
    binding: str
    section: int | None
    defined: bool = True
    common: bool = False
    visibility: int = 0


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
    the first local one. `tables` are all symbol tables (`SymbolTable`), the one behind `symbols` first. `incomplete`
    says what of the file could not be read; empty for a sound file.
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

    def section(self, name: str) -> ImageSection | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def load_address(self, section: ImageSection) -> int:
        """The load address (LMA) of an allocated section: by its segment, else its own address."""
        for segment in self.segments:
            if segment.type == "LOAD" and section.index in segment.sections:
                return segment.load_address + section.address - segment.address
        return section.address


@dataclass(frozen=True, slots=True)
class MapInput:
    """An input section in a link map. `size` is what it occupies in the image (after merging and relaxation).

    `align` is 0 where the map does not tell. `member` is the archive member or empty. `line` is the line in the map.
    """

    name: str
    file: str
    member: str
    address: int
    size: int
    align: int
    line: int
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Padding:
    """Bytes that nothing asked for. `cause` is "input alignment", "assignment" or "section start"."""

    address: int
    size: int
    cause: str
    line: int


@dataclass(frozen=True, slots=True)
class MapSection:
    """An output section in a link map, the empty ones included."""

    name: str
    address: int
    size: int
    load_address: int
    inputs: tuple[MapInput, ...]
    paddings: tuple[Padding, ...]
    line: int
    data: int = 0


@dataclass(frozen=True, slots=True)
class LinkMap:
    """A link map of GNU ld or lld. `data` of a section counts bytes of BYTE, LONG ... commands."""

    path: str
    linker: str
    sections: tuple[MapSection, ...]
    discarded: tuple[MapInput, ...] = ()
    symbols: Mapping[str, int] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputSection:
    """A section of an object file, before the link; `index` is its section header index."""

    file: str
    member: str
    name: str
    index: int
    size: int
    align: int
    type: str
    flags: int


@dataclass(frozen=True, slots=True)
class Image:
    """All that is known of one link. Any part may be missing."""

    elf: Elf | None = None
    map: LinkMap | None = None
    objects: tuple[InputSection, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file is not what it was given as; `location` is the file, with a line for maps."""

    message: str
    location: Location
    help: str = ""
