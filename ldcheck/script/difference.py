"""What a difference between linkers is: a construct, and what each version makes of it. The table is `differences`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ldcheck.linker import Linker

REFUSES = "refuses the script"
READS = "reads it"
GONE = "takes it for the name of a file, and goes on without it"
NO_FILE = "takes it for the name of a file, and finds none"
# Ways of not reading a construct.
LOSES = frozenset((REFUSES, GONE, NO_FILE))


class Way(NamedTuple):
    """What a linker does with a construct, from a version on (empty: as far back as anybody looked)."""

    since: tuple[int, ...]
    does: str


class Difference(NamedTuple):
    """A construct that linkers differ in; `gnu` and `lld` have their ways with it, the oldest one first.

    `noun` is what messages call it, where `construct` shows it by examples.
    """

    name: str
    construct: str
    gnu: tuple[Way, ...]
    lld: tuple[Way, ...]
    noun: str = ""

    def __str__(self) -> str:
        return self.noun or self.construct

    def ways(self, linker: Linker) -> frozenset[str]:
        """What a linker may do: one thing if its version is known, else what any version does."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if not linker.version:
            return frozenset(way.does for way in ways)
        return frozenset([way.does for way in ways if not way.since or way.since <= linker.version][-1:])

    def needs(self, linker: Linker) -> str:
        """From which version on a linker reads it at all, if this one does not; empty if it does, or none does."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if not self.ways(linker) <= LOSES:
            return ""
        later = [way for way in ways if way.does not in LOSES and way.since > linker.version]
        return ".".join(map(str, later[0].since)) if later else ""

    def describe(self, linker: Linker) -> str:
        """What a linker does with it, as a clause without a subject; by version where that is not known."""
        ways = self.gnu if linker.kind == "gnu" else self.lld
        if linker.version:
            return next(iter(self.ways(linker)))
        first, *later = ways
        return first.does + "".join(f" ({'.'.join(map(str, way.since))} and newer: {way.does})" for way in later)


def ways(*steps: str | tuple[str, str]) -> tuple[Way, ...]:
    """Ways from what is done at first, and from (version, what is done from then on)."""
    return tuple(
        Way((), step) if isinstance(step, str) else Way(tuple(map(int, step[0].split("."))), step[1]) for step in steps
    )


def certain(difference: Difference, linkers: Iterable[Linker]) -> bool:
    """Whether two of some linkers surely do different things with a construct."""
    ways = [difference.ways(linker) for linker in linkers]
    return any(not one & other for at, one in enumerate(ways) for other in ways[at + 1 :])


def possible(difference: Difference, linkers: Iterable[Linker]) -> bool:
    """Whether two of some linkers, the versions of which may not be known, may do different things."""
    ways = [difference.ways(linker) for linker in linkers]
    return any(one != other for at, one in enumerate(ways) for other in ways[at + 1 :])
