"""Values under globs, found by the literal characters that the globs begin or end with.

Thousands of patterns that differ in their first or last characters cost a look-up each, where comparing each with
each would grow with the square of their number.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ldcheck.sections.globs import Glob, may_overlap

T = TypeVar("T")

# Steps for each glob that another one is compared with.
_OVERLAP = 2


def _freely(_steps: int) -> None:
    pass


class Affixes(Generic[T]):
    """One value for each glob. `make` makes the value of a glob that is new, `spend` is told of the steps of a look-up.

    A step is some quarter of a microsecond.
    """

    __slots__ = ("beginning", "ending", "literal", "make", "spend")

    def __init__(self, make: Callable[[], T], spend: Callable[[int], None] = _freely) -> None:
        self.make = make
        self.spend = spend
        self.literal: _Table[T] = _Table()
        # By the literal beginning, or by the end, read backwards, of globs that begin with a wildcard.
        self.beginning: _Table[T] = _Table()
        self.ending: _Table[T] = _Table()

    @property
    def filled(self) -> bool:
        """Whether there is any glob."""
        return bool(self.literal.entries or self.beginning.entries or self.ending.entries)

    def at(self, glob: Glob) -> T:
        """The value of a glob."""
        if glob.literal is not None:
            return self.literal.value(glob.literal, glob, self.make)
        if glob.prefix:
            return self.beginning.value(glob.prefix, glob, self.make)
        return self.ending.value(glob.suffix[::-1], glob, self.make)

    def near(self, glob: Glob) -> Iterator[tuple[Glob, T]]:
        """The globs that may match a name which `glob` matches, and their values; those left out do not."""
        prefix, suffix = glob.prefix, glob.suffix
        if glob.literal is not None:
            yield from self.matching(glob.literal)
            return
        for key, entries in self.literal.behind(prefix):
            self.spend(glob.cost)
            if glob.matches(key):
                yield from entries
        for table, text in ((self.beginning, prefix), (self.ending, suffix[::-1])):
            for entries in table.ahead(text):
                self.spend(_OVERLAP * len(entries))
                yield from ((other, value) for other, value in entries if may_overlap(other, glob))
            for key, entries in table.behind(text):
                if len(key) > len(text):
                    self.spend(_OVERLAP * len(entries))
                    yield from ((other, value) for other, value in entries if may_overlap(other, glob))

    def matching(self, name: str) -> Iterator[tuple[Glob, T]]:
        """The globs that match a name, and their values."""
        yield from self.literal.entries.get(name, ())
        for entries in self.beginning.ahead(name):
            self.spend(entries.cost)
            yield from (entry for entry in entries if entry[0].open_end or entry[0].matches(name))
        if self.ending.entries:
            for entries in self.ending.ahead(name[::-1]):
                self.spend(entries.cost)
                yield from (entry for entry in entries if entry[0].matches(name))


class _Entries(list[tuple[Glob, T]]):
    """Globs and values; `cost` are the steps of comparing a name with each."""

    __slots__ = ("cost",)

    def __init__(self) -> None:
        self.cost = 0


class _Table(Generic[T]):
    """Globs and values by a text. `keys` are sorted, `lengths` are those that occur."""

    __slots__ = ("entries", "keys", "lengths")

    def __init__(self) -> None:
        self.entries: dict[str, _Entries[T]] = {}
        self.keys: list[str] = []
        self.lengths: list[int] = []

    def value(self, key: str, glob: Glob, make: Callable[[], T]) -> T:
        entries = self.entries.get(key)
        if entries is None:
            entries = self.entries[key] = _Entries()
            insort(self.keys, key)
            if len(key) not in self.lengths:
                insort(self.lengths, len(key))
        for other, value in entries:
            if other is glob:
                return value
        made = make()
        entries.append((glob, made))
        entries.cost += glob.cost
        return made

    def ahead(self, text: str) -> Iterator[_Entries[T]]:
        """The entries whose keys `text` begins with."""
        longest = len(text)
        for length in self.lengths:
            if length > longest:
                return
            entries = self.entries.get(text[:length])
            if entries is not None:
                yield entries

    def behind(self, text: str) -> Iterator[tuple[str, _Entries[T]]]:
        """The keys that begin with `text`, with their entries."""
        keys = self.keys
        at = bisect_left(keys, text)
        while at < len(keys) and keys[at].startswith(text):
            yield keys[at], self.entries[keys[at]]
            at += 1
