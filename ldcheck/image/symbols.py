"""Symbol tables: tens of thousands of entries, of which a check looks at a few.

The table is unpacked in bulk and a `Symbol` is made when somebody asks for it. The strings of a table may overlap
(linkers merge tails), so names are bounded in total: a damaged table must not multiply its strings.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, repeat
from operator import add

from ldcheck.record import dataclass
from ldcheck.source import decode

SHN_UNDEF = 0
SHN_LORESERVE = 0xFF00
SHN_ABS = 0xFFF1
SHN_COMMON = 0xFFF2
SHN_XINDEX = 0xFFFF

_SECTION, _FILE = 3, 4

KINDS = ("NOTYPE", "OBJECT", "FUNC", "SECTION", "FILE", "COMMON", "TLS", "NUM", "RELC", "SRELC", "IFUNC")
BINDINGS = {0: "LOCAL", 1: "GLOBAL", 2: "WEAK", 10: "UNIQUE"}

# What the names of one table may add up to, beyond a multiple of its size. C++ tables reach about three times.
_NAMES_FLOOR = 16 << 20


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


def strings(table: bytes, offsets: Sequence[int]) -> tuple[list[str], int]:
    """The strings at these offsets of an ELF string table, and how many could not be had.

    A string that lies outside, or is too much for the sum of all, is empty.
    """
    found: list[str | None] = [None] * len(offsets)
    if table.count(0) <= 8 * len(offsets) + 1024:
        pieces = table.split(b"\0")
        starts = accumulate(map(add, map(len, pieces), repeat(1)), initial=0)
        parts = decode(table).split("\0") if table.isascii() else list(map(decode, pieces))
        found = list(map(dict(zip(starts, parts, strict=False)).get, offsets))
    if None not in found:
        return [name for name in found if name is not None], 0
    # Linkers merge the tails of names: these begin within another string.
    budget = max(_NAMES_FLOOR, 16 * len(table))
    names, missing = [], 0
    for name, at in zip(found, offsets, strict=True):
        if name is None:
            end = table.find(b"\0", at, at + budget + 1) if at < len(table) else -1
            name = decode(table[at:end]) if end >= 0 else ""
            missing += end < 0
            budget -= len(name)
        names.append(name)
    return names, missing


class SymbolTable(Mapping[str, Symbol]):
    """One symbol table of an ELF file, in file order; as a mapping, the symbol that a name stands for.

    A name stands for its first global or weak definition, else for its first local one, else for its first reference.
    Names of source files and unnamed symbols are no keys.
    """

    __slots__ = ("_columns", "_index", "_names", "_sections", "_several", "name")

    def __init__(
        self,
        name: str,
        names: list[str],
        columns: tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int], Sequence[int]],
        extended: Sequence[int] = (),
    ) -> None:
        """`columns` are info, other, section index, value and size; `extended` is SHT_SYMTAB_SHNDX or empty."""
        self.name = name
        self._names = names
        self._columns = columns
        self._sections = extended
        self._index: dict[str, int] | None = None
        self._several: dict[str, tuple[int, ...]] | None = None

    def local_values(self, name: str) -> tuple[int, ...]:
        """The values of a name that stands for several local symbols of different values, and for no global one."""
        if self._several is None:
            infos, _, places, values, _ = self._columns
            found: dict[str, dict[int, None]] = {}
            others = set()
            for at, (info, place) in enumerate(zip(infos, places, strict=False)):
                if info >> 4:
                    others.add(self._names[at])
                elif place != SHN_UNDEF and info & 15 not in (_SECTION, _FILE):
                    found.setdefault(self._names[at], {})[values[at]] = None
            self._several = {
                name: tuple(known) for name, known in found.items() if len(known) > 1 and name not in others
            }
        return self._several.get(name, ())

    @property
    def _by_name(self) -> dict[str, int]:
        if self._index is None:
            infos, _, places, _, _ = self._columns
            names = self._names
            first: list[int] = []
            undefined, local, defined = [], [], first
            for at, (info, place) in enumerate(zip(infos, places, strict=False)):
                if place == SHN_UNDEF:
                    undefined.append(at)
                elif info >> 4:
                    defined.append(at)
                elif info & 15 != _FILE:
                    local.append(at)
            index: dict[str, int] = {}
            # Later entries overwrite: the weakest claim first, each group from its end to its beginning.
            for group in (undefined, local, defined):
                group.reverse()
                index.update(zip([names[at] for at in group], group, strict=True))
            index.pop("", None)
            self._index = index
        return self._index

    def __getitem__(self, name: str) -> Symbol:
        return self.at(self._by_name[name])

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def count(self) -> int:
        """How many entries the table has, the unnamed first one included."""
        return len(self._names)

    def at(self, index: int) -> Symbol:
        """The symbol with this index in the table."""
        infos, others, places, values, sizes = self._columns
        info, place = infos[index], places[index]
        if place == SHN_XINDEX and index < len(self._sections):
            section: int | None = self._sections[index]
        else:
            section = place if SHN_UNDEF < place < SHN_LORESERVE else None
        kind = info & 15
        return Symbol(
            name=self._names[index],
            value=values[index],
            size=sizes[index],
            kind=KINDS[kind] if kind < len(KINDS) else str(kind),
            binding=BINDINGS.get(info >> 4, str(info >> 4)),
            section=section,
            defined=place != SHN_UNDEF,
            common=place == SHN_COMMON,
            visibility=others[index] & 3,
        )

    def place(self, index: int) -> str:
        """Where the symbol with this index is, as readelf says it: a section's number, UND, ABS or COM."""
        place = self._columns[2][index]
        words = {SHN_UNDEF: "UND", SHN_ABS: "ABS", SHN_COMMON: "COM"}
        return words.get(place) or (str(place) if place < SHN_LORESERVE else f"{place:#x}")

    def entries(self) -> Iterator[Symbol]:
        """Every symbol in the order of the table."""
        return map(self.at, range(len(self._names)))

    def named(self) -> Iterator[tuple[str, int, int | None]]:
        """Name, value and section (None for none) of every defined symbol that has a name, cheaply."""
        _, _, places, values, _ = self._columns
        for name, place, value in zip(self._names, places, values, strict=False):
            if name and place != SHN_UNDEF:
                yield name, value, place if place < SHN_LORESERVE else None

    def rows(self) -> Iterator[tuple[str, int, int, int, int, int]]:
        """Name, binding, type, section index, value and size of every entry, as the table has them, cheaply.

        A section index beyond what the table can hold is the real one.
        """
        infos, _, places, values, sizes = self._columns
        if self._sections:
            places = [
                self._sections[at] if place == SHN_XINDEX and at < len(self._sections) else place
                for at, place in enumerate(places)
            ]
        for name, info, place, value, size in zip(self._names, infos, places, values, sizes, strict=False):
            yield name, info >> 4, info & 15, place, value, size

    def defined(self) -> frozenset[str]:
        """The names that stand for a defined symbol, cheaply."""
        places = self._columns[2]
        return frozenset(name for name, at in self._by_name.items() if places[at] != SHN_UNDEF)

    def common(self) -> list[tuple[int, int]]:
        """Size and alignment of each common symbol."""
        _, _, places, values, sizes = self._columns
        if SHN_COMMON not in places:
            return []
        return [(size, value) for place, value, size in zip(places, values, sizes, strict=True) if place == SHN_COMMON]


def unpack_symbols(data: bytes, bits: int, order: str) -> tuple[Sequence[int], tuple[Sequence[int], ...]]:
    """The columns of a symbol table section: name offsets, and info, other, section index, value, size.

    `order` is "<" or ">". A rest that is no whole entry is left out. ELF specification, "Symbol Table". Columns are cut
    out of the bytes as they lie, because a tuple for each of 100,000 symbols takes four times as long.
    """
    entry = 24 if bits == 64 else 16
    data = data[: len(data) // entry * entry]

    def column(code: str, first: int) -> Sequence[int]:
        cells = array(code, data)
        if order != ("<" if sys.byteorder == "little" else ">"):
            cells.byteswap()
        return cells[first :: entry // cells.itemsize]

    if bits == 64:
        return column("I", 0), (data[4::24], data[5::24], column("H", 3), column("Q", 1), column("Q", 2))
    return column("I", 0), (data[12::16], data[13::16], column("H", 7), column("I", 1), column("I", 2))
