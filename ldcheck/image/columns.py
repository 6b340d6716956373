"""The input sections of a map by column, and its symbols: what the readers of both linkers' maps fill.

A map has hundreds of thousands of lines; what is done for each of them is done by `map` and `zip`, a column at a time.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain, compress, islice, repeat
from operator import add, gt, itemgetter, lt
from typing import overload

from ldcheck.image.model import MapInput


def split_member(name: str) -> tuple[str, str]:
    """`lib.a(x.o)` as the archive and its member; a plain file has the empty member."""
    if name.endswith(")"):
        archive, bracket, member = name[:-1].rpartition("(")
        if bracket and archive:
            return archive, member
    return name, ""


class Numbers(dict[str, int]):
    """Numbers by their digits. Sizes and alignments repeat in a map, and looking one up is faster than reading it."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self._base = base

    def __missing__(self, digits: str) -> int:
        value = self[digits] = int(digits, self._base)
        return value


def addresses(digits: Sequence[str]) -> Sequence[int]:
    """The values of hexadecimal numbers of at most 16 digits, which blanks may pad on the left.

    Where all are of 16 columns, as in the maps of 64-bit links, they are read in one go.
    """
    if set(map(len, digits)) != {16}:
        return list(map(int, digits, repeat(16)))
    values = array("Q", bytes.fromhex("".join(digits).replace(" ", "0")))
    if sys.byteorder == "little":
        values.byteswap()
    return values


class InputColumns(Sequence[MapInput]):
    """The input sections of one output section, a list for each column; each `MapInput` is made when it is asked for.

    Most checks look at a few of them, and hundreds of thousands of tuples keep the garbage collector busy.
    """

    __slots__ = ("addresses", "aligns", "files", "lines", "members", "names", "patterns", "sizes")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.files: list[str] = []
        self.members: list[str] = []
        self.addresses: array[int] = array("Q")
        self.sizes: list[int] = []
        # Empty where the map does not tell.
        self.aligns: list[int] = []
        self.lines: array[int] = array("Q")
        self.patterns: list[str] = []

    def add_files(self, files: Sequence[str], known: dict[str, tuple[str, str]]) -> None:
        """Add files as a map writes them; `known` keeps one object for the many places that name a file."""
        for file in set(files).difference(known):
            known[file] = split_member(file)
        pairs = list(map(known.__getitem__, files))
        self.files += map(itemgetter(0), pairs)
        self.members += map(itemgetter(1), pairs)

    def gaps(self, start: int, end: int, others: Sequence[tuple[int, int, int]]) -> tuple[list[tuple[int, ...]], int]:
        """What neither the inputs nor `others` (address, size and line) cover between two addresses.

        Returns address, size and the line of what stands behind for each gap (0 for the end), and where all that
        stands before `end` ends.
        """
        places: Sequence[int] = self.addresses
        sizes: Sequence[int] = self.sizes
        lines: Sequence[int] = self.lines
        if others or any(map(gt, places, islice(places, 1, None))):
            rows = sorted(chain(zip(places, sizes, lines, strict=True), others))
            places, sizes, lines = zip(*rows, strict=True)
        count = bisect_right(places, end)
        ends = list(accumulate(islice(map(add, places, sizes), count), max, initial=start))
        holes = compress(zip(ends, places, lines, strict=False), map(lt, ends, islice(places, count)))
        found: list[tuple[int, ...]] = [(at, place - at, line) for at, place, line in holes]
        if ends[-1] < end:
            found.append((ends[-1], end - ends[-1], 0))
        return found, ends[-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputColumns) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} input sections>"

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[MapInput]:
        rows = zip(
            self.names,
            self.files,
            self.members,
            self.addresses,
            self.sizes,
            self.aligns or repeat(0),
            self.lines,
            self.patterns,
            strict=False,
        )
        # What `MapInput._make` does, without a call of Python for each.
        return map(tuple.__new__, repeat(MapInput), rows)

    @overload
    def __getitem__(self, index: int) -> MapInput: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[MapInput]: ...

    def __getitem__(self, index: int | slice) -> MapInput | Sequence[MapInput]:
        if isinstance(index, slice):
            return tuple(self)[index]
        return MapInput(
            self.names[index],
            self.files[index],
            self.members[index],
            self.addresses[index],
            self.sizes[index],
            self.aligns[index] if self.aligns else 0,
            self.lines[index],
            self.patterns[index],
        )


def is_ambiguous(symbols: Mapping[str, int], name: str) -> bool:
    """Whether a map has several symbols of that name, of different values: lld's has local ones as well."""
    return isinstance(symbols, MapSymbols) and symbols.is_ambiguous(name)


class MapSymbols(Mapping[str, int]):
    """The symbols of a map by name. Their lines, half of a map, are read when somebody asks."""

    __slots__ = ("_address", "_ambiguous", "_assigned", "_lines", "_name", "_pattern", "_values")

    def __init__(
        self, pattern: re.Pattern[str], address: int, name: int, lines: list[str], assigned: dict[str, int]
    ) -> None:
        """`address` and `name` are the groups of `pattern`, which matches a line; `assigned` is known already."""
        self._pattern = pattern
        self._address = address
        self._name = name
        self._lines = lines
        self._assigned = assigned
        self._values: dict[str, int] | None = None
        self._ambiguous: set[str] = set()

    def is_ambiguous(self, name: str) -> bool:
        """Whether several symbols of that name have different values."""
        return name in self._all() and name in self._ambiguous

    def _all(self) -> dict[str, int]:
        if self._values is None:
            values: dict[str, int] = {}
            name, address = self._name - 1, self._address - 1
            # Later ones overwrite: of several definitions the first in the map counts, and an assignment most.
            for row in reversed(self._pattern.findall("".join(self._lines))):
                value = int(row[address], 16)
                if values.setdefault(row[name], value) != value:
                    self._ambiguous.add(row[name])
                    values[row[name]] = value
            values.update(self._assigned)
            self._values = values
            self._lines = []
        return self._values

    def __getitem__(self, name: str) -> int:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
