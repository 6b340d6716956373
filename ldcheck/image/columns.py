"""The input sections of a map by column, and its symbols: what the readers of both linkers' maps fill.

A map has hundreds of thousands of lines; what is done for each of them is done by `map` and `zip`, a column at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from operator import itemgetter

from ldcheck.image.model import MapInput


def split_member(name: str) -> tuple[str, str]:
    """`lib.a(x.o)` as the archive and its member; a plain file has the empty member."""
    if name.endswith(")"):
        archive, bracket, member = name[:-1].rpartition("(")
        if bracket and archive:
            return archive, member
    return name, ""


class Columns:
    """The input sections of one output section, a list for each column."""

    __slots__ = ("addresses", "aligns", "files", "lines", "members", "names", "patterns", "sizes")

    def __init__(self) -> None:
        self.names: list[str] = []
        self.files: list[str] = []
        self.members: list[str] = []
        self.addresses: list[int] = []
        self.sizes: list[int] = []
        self.aligns: list[int] = []
        self.lines: list[int] = []
        self.patterns: list[str] = []

    def add_files(self, files: Sequence[str], known: dict[str, tuple[str, str]]) -> None:
        """Add files as a map writes them; `known` keeps one object for the many places that name a file."""
        for file in set(files).difference(known):
            known[file] = split_member(file)
        pairs = list(map(known.__getitem__, files))
        self.files += map(itemgetter(0), pairs)
        self.members += map(itemgetter(1), pairs)

    def inputs(self) -> tuple[MapInput, ...]:
        """The input sections; without a column of alignments they are unknown."""
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
        return tuple(map(tuple.__new__, repeat(MapInput), rows))


class MapSymbols(Mapping[str, int]):
    """The symbols of a map by name. Their lines, half of a map, are read when somebody asks."""

    __slots__ = ("_address", "_assigned", "_lines", "_name", "_pattern", "_values")

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

    def _all(self) -> dict[str, int]:
        if self._values is None:
            values: dict[str, int] = {}
            name, address = self._name - 1, self._address - 1
            # Later ones overwrite: of several definitions the first in the map counts, and an assignment most.
            for row in reversed(self._pattern.findall("".join(self._lines))):
                values[row[name]] = int(row[address], 16)
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
