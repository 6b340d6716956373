"""One side of a comparison of two builds: what its ELF file, its map and its script tell, in the same terms for both.

Either of ELF file and map will do. The ELF file knows permissions, segments and the sizes of symbols; the map knows
input sections, padding, and (GNU ld's) which statement took what. Only what takes memory in the image counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.image.columns import InputColumns
from ldcheck.image.model import Elf, Image, ImageSection, LinkMap, MapInput, MapSection
from ldcheck.image.padding import loaded_sections, section_paddings
from ldcheck.layout.regions import Occupied, occupied, used, without_content
from ldcheck.sections.matching import Matcher
from ldcheck.sections.rules import InputRule, input_rules

if TYPE_CHECKING:
    from ldcheck.script.result import Parse
    from ldcheck.source import Location

# Functions, data, thread-local data, indirect functions; and labels that have a size, as assembly may give them.
_SIZED = frozenset((0, 1, 2, 6, 10))
_FILE = 4
_RESERVED = 0xFF00


class Section(NamedTuple):
    """An output section that takes memory. `permissions` (`r-x`) and `align` are empty and 0 where nothing tells."""

    name: str
    place: Occupied
    permissions: str = ""
    align: int = 0

    @property
    def address(self) -> int:
        """Where it starts."""
        return self.place.address

    @property
    def load_address(self) -> int:
        """From where it is loaded."""
        return self.place.load_address

    @property
    def size(self) -> int:
        """Its bytes in memory."""
        return self.place.size

    @property
    def stored(self) -> int | None:
        """Its bytes in the file; None where nothing tells."""
        return self.place.stored


class Region(NamedTuple):
    """A memory region: bytes from its origin to the end of the last section in it, and all that it has.

    `at_least` is less than `used` where nothing tells whether a section has content that is loaded from there.
    """

    name: str
    used: int
    length: int
    at_least: int


class Piece(NamedTuple):
    """An input section of some content in the image. `pattern` is what took it, as the map prints it."""

    file: str
    member: str
    name: str
    output: str
    address: int
    size: int
    pattern: str


class Sized(NamedTuple):
    """A symbol with a size. `scope` is the source file of a local one."""

    scope: str
    name: str
    section: str
    address: int
    size: int


class Side:
    """One build. `parse` is the script that it was linked with, where that is given.

    What was not linked but played through is `predicted`.
    """

    predicted = False

    def __init__(self, name: str, image: Image, parse: Parse | None = None) -> None:
        self.name = name
        self.elf: Elf | None = image.elf
        self.map: LinkMap | None = image.map
        self.notes = image.notes
        self._parse = parse

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The output sections that take memory, in the order of the image."""
        tree = self._parse.tree if self._parse is not None else None
        places = occupied(self.elf, self.map, without_content(tree))
        if self._allocated is not None and self.elf is not None:
            listed = [one for one in self.elf.sections if one.allocated and one.size]
            return tuple(_of_elf(one, place) for one, place in zip(listed, places, strict=True))
        if self.map is None:
            return ()
        mapped = loaded_sections(self.map)
        return tuple(Section(one.name, place, align=one.align) for one, place in zip(mapped, places, strict=True))

    @cached_property
    def mapped(self) -> tuple[MapSection, ...]:
        """The output sections of the map that take memory."""
        if self.map is None:
            return ()
        return loaded_sections(self.map, self._allocated)

    @property
    def _allocated(self) -> frozenset[str] | None:
        if self.elf is None:
            return None
        found = frozenset(section.name for section in self.elf.sections if section.allocated)
        return found or None

    @cached_property
    def pieces(self) -> list[Piece]:
        """The input sections of the map in the order of the image."""
        found: list[Piece] = []
        for section in self.mapped:
            columns = section.inputs
            if not isinstance(columns, InputColumns):
                columns = [*columns]
                rows = [(one.file, one.member, one.name, section.name, *one[3:5], one.pattern) for one in columns]
            else:
                parts = columns.addresses, columns.sizes, columns.patterns
                rows = [*zip(columns.files, columns.members, columns.names, repeat(section.name), *parts, strict=False)]
            # What `Piece._make` does, without a call of Python for each of several hundred thousand.
            found += map(tuple.__new__, repeat(Piece), filter(itemgetter(5), rows))
        return found

    @cached_property
    def thrown(self) -> Mapping[tuple[str, str, str], MapInput]:
        """What the map lists as discarded, by file, member and name."""
        if self.map is None:
            return {}
        return {(part.file, part.member, part.name): part for part in self.map.discarded}

    @cached_property
    def symbols(self) -> list[Sized]:
        """Functions and data with their sizes, from the ELF file's symbol table."""
        return [] if self.elf is None else [*_sized(self.elf)]

    @cached_property
    def padding(self) -> dict[str, int] | None:
        """Bytes of padding by cause; None without a map."""
        if self.map is None:
            return None
        found = section_paddings(self.map, self._allocated)
        return {
            "input alignment": sum(one.input_alignment for one in found),
            "assignment": sum(one.assignment for one in found),
            "section start": sum(one.section_start for one in found),
        }

    @cached_property
    def memory(self) -> int:
        """The bytes of all output sections in memory."""
        return sum(section.size for section in self.sections if section.place.resident)

    @cached_property
    def stored(self) -> int | None:
        """The bytes of all output sections that the file holds; None where nothing tells."""
        found = [section.stored for section in self.sections]
        return None if self.elf is None else sum(size for size in found if size is not None)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The memory regions of the map, else of the script, and what of them is used, as ld counts it."""
        declared: Sequence[tuple[str, int, int]] = self.map.regions if self.map is not None else ()
        if not declared and self._parse is not None:
            from ldcheck.layout.image_values import regions_of

            declared = [(name, *extent) for name, extent in regions_of(self._parse.tree).items()]
        places = [section.place for section in self.sections]
        found = []
        for name, origin, length in declared:
            least, most = used(origin, length, places)
            found.append(Region(name, most, length, least))
        return tuple(found)

    # Causes -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _matcher(self) -> Matcher | None:
        return None if self._parse is None else Matcher(input_rules(self._parse.tree))

    def rule(self, piece: Piece) -> InputRule | None:
        """The rule of the script that took an input section, as far as names, files and the output section tell."""
        if self._matcher is None:
            return None
        file, archive = (piece.member, piece.file) if piece.member else (piece.file, None)
        for rule in self._matcher.named(piece.name):
            if rule.output == piece.output and rule.files.takes(file, archive):
                return rule
        return None

    def place(self, rule: InputRule) -> Location:
        """Where a rule stands in the source that people edit."""
        assert self._parse is not None
        return self._parse.sources.locate(rule.node.start, rule.node.end)

    def start_of(self, output: str) -> Location | None:
        """Where the script has an output section of this name."""
        if self._parse is None:
            return None
        from ldcheck.script.syntax import OutputSection, statements

        for node in statements(self._parse.tree):
            if isinstance(node, OutputSection) and node.name.text == output:
                return self._parse.sources.locate(node.name.start, node.name.end)
        return None

    @cached_property
    def _known(self) -> list[tuple[int, str]]:
        """Addresses of symbols, ascending: functions and data of the ELF file, else what the map lists."""
        if self.symbols:
            return sorted((one.address, one.name) for one in self.symbols)
        if self.map is None:
            return []
        return sorted((address, name) for name, address in self.map.symbols.items())

    def inside(self, piece: Piece, most: int = 4) -> list[str]:
        """The first symbols in an input section."""
        at = bisect_left(self._known, (piece.address, ""))
        found: list[str] = []
        while at < len(self._known) and self._known[at][0] < piece.address + piece.size and len(found) < most:
            found.append(self._known[at][1])
            at += 1
        return found


def _of_elf(section: ImageSection, place: Occupied) -> Section:
    permissions = f"r{'w' if section.writable else '-'}{'x' if section.executable else '-'}"
    return Section(section.name, place, permissions, section.align)


def _sized(elf: Elf) -> Iterator[Sized]:
    names = {section.index: section.name for section in elf.sections if section.allocated}
    table = next((one for one in elf.tables if one.name == ".symtab"), None) or next(iter(elf.tables), None)
    if table is None:
        return
    scope = ""
    for name, binding, kind, section, value, size in table.rows():
        if kind == _FILE:
            scope = name
        elif size and kind in _SIZED and 0 < section < _RESERVED and section in names:
            yield Sized("" if binding else scope, name, names[section], value, size)
