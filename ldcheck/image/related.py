"""One object file as its references see it: symbols by section and place, and the tables of relocations.

Everything is kept as columns, because a kernel's object has half a million relocations and a check wants a few.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.image.addends import EM_ARM, EM_MIPS, EM_X86_64, EM_XTENSA, has_numbers_in_bytes, is_in_bytes
from ldcheck.image.elf_file import SHT_PROGBITS, SHT_REL, SHT_RELA, SHT_SYMTAB, ElfFile, SectionHeader
from ldcheck.image.files import Window
from ldcheck.image.groups import Group, section_groups
from ldcheck.image.relocations import relocation_columns
from ldcheck.image.symbols import SHN_COMMON, SHN_LORESERVE, SHN_UNDEF, SymbolTable
from ldcheck.source import decode

# SHF_MERGE, and with it SHF_STRINGS.
_MERGE, _STRINGS = 0x10, 0x30
_WRITE, _ALLOC, _EXECUTE = 1, 2, 4

_NOTYPE, _OBJECT, _FUNC, _SECTION, _FILE, _TLS, _IFUNC = 0, 1, 2, 3, 4, 6, 10
_LOCAL, _WEAK = 0, 2
# Machines of which the number of a type has more than the type in it, where it is 64 bits wide: MIPS and SPARC.
_SPLIT_TYPES = (EM_MIPS, 43)
_ON_THE_WAY = (".opd", ".toc")
# 64-bit PowerPC has functions by their descriptors.
_DESCRIPTORS = ".opd"

_MOST_RELOCATIONS = 4_000_000
_STRING, _STRING_SHOWN = 200, 32
# Symbols ahead of a place, one of which may cover it.
_AHEAD = 16


class Place(NamedTuple):
    """A place in a section of an object, `offset` bytes from its start."""

    object: RelatedObject
    section: int
    offset: int


class Table(NamedTuple):
    """The relocations of one section as columns, with the section's bytes where they are wanted.

    `code` is that of x86-64 instructions, empty where instructions of others stand; None: the section holds data.
    """

    section: int
    offsets: Sequence[int]
    symbols: Sequence[int]
    kinds: Sequence[int]
    addends: Sequence[int | None]
    content: bytes
    code: bytes | None


class RelatedObject:
    """One object file, with the relocations of all sections that take memory.

    `is_object` is False for a linked file. Of that nothing else is read, unless it is `linked` that is asked for: then
    places count from the starts of its sections as well. With `code`, its symbols are read in any case, and the bytes
    of its code if they are no more than that. Raises CheckError where there is no header.
    """

    def __init__(self, path: str, member: str, window: Window, linked: bool = False, code: int = 0) -> None:
        file = ElfFile(window)
        self.file, self.member = path, member
        self.is_object = file.type == "REL"
        self.machine = file.header.e_machine
        self.order, self.bits = file.order, file.bits
        # Common symbols, which the linker gives a place, are a section of their own.
        self.sections: Sequence[str] = [*file.names, "COMMON"]
        self.problems = file.problems
        self.tables: list[Table] = []
        self.groups: Mapping[int, Group] = {}
        self.names: list[str] = []
        self._symbols: list[tuple[str, int, int, int, int, int]] = []
        self.code: dict[int, bytes] = {}
        # The sections of code without any relocation.
        self.bare: list[int] = []
        self.linked = linked and not self.is_object
        self._bases = [*(header.sh_addr if self.linked else 0 for header in file.sections), 0]
        self._flags = [*(header.sh_flags for header in file.sections), _WRITE | _ALLOC]
        self._sizes = [*(header.sh_size for header in file.sections), 0]
        self._named: dict[tuple[int, int, str], tuple[str, ...]] = {}
        self._covered: dict[tuple[int, int], tuple[str, ...]] = {}
        self._strings: dict[int, bytes] = {}
        self._index: dict[int, tuple[list[int], list[int]]] | None = None
        self._entries: dict[int, dict[int, tuple[int, int]]] = {}
        kinds = [header.sh_type for header in file.sections]
        if not (self.is_object or linked) or SHT_SYMTAB not in kinds:
            return
        link = kinds.index(SHT_SYMTAB)
        # The symbols of a large image take a while, and most have no relocations.
        if self.linked and not code and not any(self._is_table(header, link) for header in file.sections):
            return
        table = file.symbol_table(link)
        self._read_symbols(table)
        if code:
            self._read_code(file, code)
            return
        self.groups = section_groups(file, table)
        self._read_tables(file, link)
        told = {table.section for table in self.tables}
        self.bare = [at for at, header in enumerate(file.sections) if _is_code(header) and at not in told]
        self._read_strings(file)

    def _read_symbols(self, table: SymbolTable) -> None:
        self._symbols = list(table.rows())
        if self.linked:
            self._symbols = [
                (name, binding, kind, section, value - self._bases[section], size)
                if self._is_section(section)
                else (name, binding, kind, section, value, size)
                for name, binding, kind, section, value, size in self._symbols
            ]
        if any(row[3] == SHN_COMMON for row in self._symbols):
            self._place_commons()
        self.names = [row[0] for row in self._symbols]

    def _place_commons(self) -> None:
        """Put common symbols one behind the other: what they have for a place is their alignment."""
        common = len(self.sections) - 1
        for at, (name, binding, kind, section, _, size) in enumerate(self._symbols):
            if section == SHN_COMMON:
                self._symbols[at] = (name, binding, kind, common, self._sizes[common], size)
                self._sizes[common] += max(size, 1)

    def _read_tables(self, file: ElfFile, link: int) -> None:
        # Sections of a damaged file may lie on top of each other.
        relocations, room = _MOST_RELOCATIONS, 2 * file.window.size
        for header in file.sections:
            if not self._is_table(header, link):
                continue
            at = header.sh_info
            columns = relocation_columns(file, header, relocations)
            if self.machine in _SPLIT_TYPES and file.bits == 64:
                offsets, symbols, types, addends = columns
                columns = offsets, symbols, [kind & 0xFF for kind in types], addends
            by_bytes = header.sh_type == SHT_REL or has_numbers_in_bytes(self.machine)
            if by_bytes:
                columns = *columns[:3], self._known_addends(columns[2], columns[3])
            relocations -= len(columns[0])
            if base := self._bases[at]:
                columns = [offset - base for offset in columns[0]], *columns[1:]
            content = b""
            executable = bool(self._flags[at] & _EXECUTE)
            if by_bytes or (executable and self.machine == EM_X86_64):
                size = min(file.sections[at].sh_size, room)
                content = file.window.read(file.sections[at].sh_offset, size)
                room -= len(content)
            self.tables.append(Table(at, *columns, content, content if executable else None))

    def _known_addends(self, kinds: Sequence[int], addends: Sequence[int | None]) -> Sequence[int | None]:
        return [
            None if addend is None or is_in_bytes(self.machine, kind, addend, self.linked) else addend
            for kind, addend in zip(kinds, addends, strict=True)
        ]

    def _read_code(self, file: ElfFile, most: int) -> None:
        wanted = [at for at, header in enumerate(file.sections) if _is_code(header)]
        if sum(file.sections[at].sh_size for at in wanted) <= most:
            self.code = {at: file.window.read(file.sections[at].sh_offset, file.sections[at].sh_size) for at in wanted}

    def stretches(self, section: int, size: int) -> Iterator[tuple[int, int, bool]]:
        """Start, end and whether it is Thumb of each stretch of code in so many bytes of a section.

        ELF for the Arm Architecture, "Mapping symbols"; elsewhere all of it is code.
        """
        marks = sorted(
            (value, name[:2]) for name, _, _, at, value, _ in self._symbols if at == section and name[:1] == "$"
        )
        marks = [(0, "$a"), *((value, name) for value, name in marks if 0 <= value < size)]
        for (start, name), (end, _) in zip(marks, [*marks[1:], (size, "")], strict=True):
            if start < end and name != "$d":
                yield start, end, name == "$t"

    def starts(self, section: int) -> Sequence[int]:
        """Where functions and data of a section begin, ascending."""
        return self._by_section.get(section, ((), ()))[0]

    def named(self, name: str) -> Place | None:
        """Where a symbol of that name is defined."""
        try:
            return self.place(self.names.index(name))
        except ValueError:
            return None

    def section_at(self, address: int) -> int | None:
        """The section that takes memory at an address."""
        for at, (base, size, flags) in enumerate(zip(self._bases, self._sizes, self._flags, strict=True)):
            if flags & _ALLOC and base <= address < base + size:
                return at
        return None

    def _is_table(self, header: SectionHeader, link: int) -> bool:
        """Whether a section has the relocations of one that takes memory."""
        at = header.sh_info
        # What is loaded itself is for who starts the image: IRELATIVE relocations of a static link.
        if header.sh_flags & _ALLOC:
            return False
        if header.sh_type not in (SHT_REL, SHT_RELA) or header.sh_link != link or not 0 < at < len(self._flags) - 1:
            return False
        return bool(self._flags[at] & _ALLOC)

    def _read_strings(self, file: ElfFile) -> None:
        room = 2 * file.window.size
        for index, header in enumerate(file.sections):
            if header.sh_flags & _STRINGS == _STRINGS and header.sh_entsize == 1:
                self._strings[index] = file.window.read(header.sh_offset, min(header.sh_size, room))
                room -= len(self._strings[index])

    @property
    def label(self) -> str:
        """The file, with its member in an archive."""
        return f"{self.file}({self.member})" if self.member else self.file

    def flags(self, section: int) -> int:
        """SHF_* of a section."""
        return self._flags[section]

    def is_merged(self, section: int) -> bool:
        """Whether the linker merges equal constants of a section with those of others."""
        return bool(self._flags[section] & _MERGE)

    def size(self, section: int) -> int:
        """The bytes of a section."""
        return self._sizes[section]

    def base(self, section: int) -> int:
        """The address of a section in a linked file; 0 in an object."""
        return self._bases[section]

    def allocated(self) -> Iterator[str]:
        """The names of the sections that take memory and have content."""
        for name, flags, size in zip(self.sections, self._flags, self._sizes, strict=False):
            if flags & _ALLOC and size:
                yield name

    def globals(self) -> Iterator[int]:
        """The symbols that other objects may refer to."""
        for at, (name, binding, _, place, _, _) in enumerate(self._symbols):
            if binding != _LOCAL and place != SHN_UNDEF and name:
                yield at

    def is_weak(self, symbol: int) -> bool:
        """Whether another definition may take the place of this one."""
        return self._symbols[symbol][1] == _WEAK

    def is_common(self, symbol: int) -> bool:
        """Whether a definition anywhere takes the place of this one."""
        return self._symbols[symbol][3] == len(self.sections) - 1

    def is_open(self, symbol: int) -> bool:
        """Whether other objects may define a symbol, or another definition may take the place of this one."""
        _, binding, _, place, _, _ = self._symbols[symbol]
        return place == SHN_UNDEF or (binding != _LOCAL and (self.is_weak(symbol) or self.is_common(symbol)))

    def is_label(self, symbol: int) -> bool:
        """Whether a symbol is a section, or a label that the compiler made up: what it stands for is by its place."""
        name, _, kind, _, _, _ = self._symbols[symbol]
        return kind == _SECTION or not _is_name(name)

    def place(self, symbol: int) -> Place | None:
        """Where a symbol is defined; None for one that is not, or is a number."""
        if not 0 < symbol < len(self._symbols):
            return None
        _, _, kind, section, value, _ = self._symbols[symbol]
        if not self._is_section(section):
            return None
        return Place(self, section, self._plain(kind, value))

    def _is_section(self, index: int) -> bool:
        return SHN_UNDEF < index < len(self.sections) and not SHN_LORESERVE <= index <= 0xFFFF

    def _plain(self, kind: int, value: int) -> int:
        """A function's address without the bit that says which instruction set it has."""
        return value & ~1 if self.machine == EM_ARM and kind == _FUNC else value

    def covering(self, section: int, offset: int) -> tuple[str, ...]:
        """The names of the function or datum at a place: the one that covers it, else the nearest ahead of it."""
        starts, symbols = self._by_section.get(section, ((), ()))
        last = bisect_right(starts, offset) - 1
        if last < 0:
            return ()
        for at in range(last, max(last - _AHEAD, -1), -1):
            if starts[at] <= offset < starts[at] + self._symbols[symbols[at]][5]:
                last = at
                break
        known = self._covered.get((section, starts[last]))
        if known is None:
            known = self._covered[section, starts[last]] = self.aliases(section, starts[last])
        return known

    def names_at(self, section: int, offset: int, name: str = "") -> tuple[str, ...]:
        """The names of what lies at a place, or begins there if one is given; a constant text in its quotes."""
        key = (section, offset, name)
        known = self._named.get(key)
        if known is None:
            known = self._named[key] = self.aliases(section, offset, name) if name else self._datum(section, offset)
        return known

    def _datum(self, section: int, offset: int) -> tuple[str, ...]:
        # A number that leads out of the section is no place in it: a constant was taken from the address.
        if not 0 <= offset <= self._sizes[section]:
            return ()
        if self._flags[section] & _STRINGS == _STRINGS:
            text = self._string(section, offset)
            shown = "".join(letter if letter.isprintable() else "." for letter in text[:_STRING_SHOWN])
            return (f'"{shown}{"..." if len(text) > _STRING_SHOWN else ""}"',) if text else ()
        return self.covering(section, offset)

    def aliases(self, section: int, offset: int, first: str = "") -> tuple[str, ...]:
        """All names of what begins at a place, the best ahead, or `first`."""
        starts, symbols = self._by_section.get(section, ((), ()))
        at = bisect_right(starts, offset) - 1
        found: list[int] = []
        while at >= 0 and starts[at] == offset and len(found) < _AHEAD:
            found.append(symbols[at])
            at -= 1
        # Functions and data ahead of labels, global names ahead of weak and local ones.
        found.sort(key=lambda one: (self._symbols[one][2] == _NOTYPE, (1, 0, 2)[min(self._symbols[one][1], 2)], one))
        names = [self._symbols[one][0] for one in found]
        return tuple(dict.fromkeys([first, *names] if first else names))

    @property
    def _by_section(self) -> Mapping[int, tuple[list[int], list[int]]]:
        """The starts of functions and data by section, ascending, and their symbols."""
        if self._index is None:
            found: dict[int, list[tuple[int, int]]] = {}
            for at, (name, _, kind, section, value, _) in enumerate(self._symbols):
                if not self._is_section(section) or kind in (_SECTION, _FILE) or not _is_name(name):
                    continue
                found.setdefault(section, []).append((self._plain(kind, value), at))
                if self.sections[section] == _DESCRIPTORS and (entry := self.entry(section, value)) is not None:
                    place = self.place(entry[0])
                    if place is not None:
                        found.setdefault(place.section, []).append((place.offset + entry[1], at))
            self._index = {}
            for section, pairs in found.items():
                pairs.sort()
                self._index[section] = ([start for start, _ in pairs], [at for _, at in pairs])
        return self._index

    def entry(self, section: int, offset: int) -> tuple[int, int] | None:
        """The symbol and the number that the relocation at this very place has."""
        if section not in self._entries:
            found = self._entries[section] = {}
            for table in self.tables:
                if table.section != section:
                    continue
                for at, symbol, kind, addend in zip(*table[1:5], strict=True):
                    # Code of Xtensa has relocations of instructions beside those of addresses.
                    if self.machine != EM_XTENSA or kind == 1:
                        found[at] = symbol, self._number(table, at, symbol) if addend is None else addend
        return self._entries[section].get(offset)

    def _number(self, table: Table, offset: int, symbol: int) -> int:
        number = int.from_bytes(table.content[offset : offset + 4], "little" if self.order == "<" else "big")
        place = self.place(symbol) if self.linked else None
        return number if place is None else number - self._bases[place.section] - place.offset

    def is_on_the_way(self, section: int) -> bool:
        """Whether an entry of a section stands for what it refers to.

        That are function descriptors, the table of addresses (PowerPC), and addresses beside code (Xtensa).
        """
        if self.machine == EM_XTENSA:
            return bool(self._flags[section] & _EXECUTE)
        return self.sections[section] in _ON_THE_WAY

    def _string(self, section: int, offset: int) -> str:
        data = self._strings.get(section, b"")[max(offset, 0) : max(offset, 0) + _STRING]
        return decode(data.partition(b"\0")[0])


def _is_code(header: SectionHeader) -> bool:
    """Whether a section has code in the file."""
    return bool(header.sh_flags & _EXECUTE and header.sh_type == SHT_PROGBITS and header.sh_size)


def _is_name(name: str) -> bool:
    """Whether people know a symbol by this name: no label of the compiler, no mark of an instruction set."""
    return bool(name) and not name.startswith((".L", "$", "L$"))
