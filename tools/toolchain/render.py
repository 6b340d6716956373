"""From sightings to the text of the catalogue's module."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tools.toolchain.handwritten import ENTRIES
from tools.toolchain.observe import Sighting
from tools.toolchain.options import USUAL

# (maker, since, architectures, option): what a row says of those who emit the section.
Emission = tuple[str, str, str, str]
Row = tuple[str, str, tuple[Emission, ...], str]

HEAD = '''"""The sections that toolchains emit, as data: made by `python -m tools.toolchain`, not by hand.

A line is a pattern that some statement of a script must take, what the sections hold, who emits them, and, for what was
not observed, where it is from; tabs stand between. Those who emit are a list with semicolons: the maker, `>=` and a
version where an older one that was asked did not, `@` and the architectures where it is not for all that were asked,
and the options. No options mean by default, at -O0 or -O2; of options, none of those that are named can be left out.
ASKED has the architectures that each maker was asked for.

Observed with {tools}.
"""

from __future__ import annotations

ASKED = """
{asked}
"""

# One text, because a table of tuples costs ten milliseconds where Python keeps no bytecode.
TABLE = """
{table}
"""
'''


def rows(sightings: Iterable[Sighting]) -> list[Row]:
    """One row for each pattern, in the order of the patterns; the hand-written ones are among them."""
    seen = list(sightings)
    asked = asked_of(seen)
    by_pattern: dict[str, list[Sighting]] = defaultdict(list)
    for one in seen:
        by_pattern[one.pattern].append(one)
    found: list[Row] = []
    for pattern, group in by_pattern.items():
        kind = Counter(one.kind for one in group).most_common(1)[0][0]
        found.append((pattern, kind, tuple(_emissions(group, asked, seen)), ""))
    found += _handwritten({row[0] for row in found})
    return sorted(found)


def _handwritten(observed: set[str]) -> list[Row]:
    return [entry for entry in ENTRIES if entry[0] not in observed]


def asked_of(sightings: Iterable[Sighting]) -> dict[str, str]:
    """The architectures that each maker was asked for, as the module states them."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in sightings:
        found[one.maker].add(one.arch)
    return {maker: " ".join(sorted(arches)) for maker, arches in sorted(found.items())}


def _emissions(group: Sequence[Sighting], asked: dict[str, str], seen: Sequence[Sighting]) -> list[Emission]:
    """Who emits a pattern, under each choice of options of which nothing can be left out."""
    every: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in seen:
        every[one.maker, one.arch].add(one.version)
    by_asked: dict[tuple[str, str], dict[str, list[Sighting]]] = defaultdict(lambda: defaultdict(list))
    for one in group:
        by_asked[one.maker, one.arch][one.label].append(one)
    arches: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    ranks: dict[tuple[str, str, str], int] = {}
    for (maker, arch), labels in by_asked.items():
        for label in _telling(labels):
            own = labels[label]
            first = min({one.version for one in own}, key=numbers)
            since = first if any(numbers(other) < numbers(first) for other in every[maker, arch]) else ""
            triple = (maker, since, label)
            arches[triple].add(arch)
            ranks[triple] = min(ranks.get(triple, own[0].rank), *(one.rank for one in own))
    found = []
    for triple in sorted(arches, key=lambda one: (one[0], ranks[one], one)):
        maker, since, label = triple
        named = " ".join(sorted(arches[triple]))
        found.append((maker, since, "" if named == asked[maker] else named, label))
    return found


def least(labels: Iterable[str]) -> list[str]:
    """The labels that do not have all the words of another one."""
    words = {label: frozenset(label.split()) for label in labels}
    return [label for label, own in words.items() if not any(other < own for other in words.values())]


def _telling(labels: dict[str, list[Sighting]]) -> list[str]:
    """The labels that say when to expect a pattern: those of usual options, and the one that is nearest to the default.

    A sanitizer or a profile that brings functions and data of its own brings their sections too.
    """
    nearest = min(labels, key=lambda label: min(one.rank for one in labels[label]))
    return [label for label in least(labels) if label == nearest or USUAL.issuperset(label.split())]


def numbers(version: str) -> tuple[int, ...]:
    """A version for comparison."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def module(sightings: Sequence[Sighting]) -> str:
    """The text of the module."""
    versions: dict[str, set[str]] = defaultdict(set)
    for one in sightings:
        versions[one.maker].add(one.version)
    names = {"gcc": "GCC", "clang": "Clang", "rustc": "rustc", "ld": "GNU ld", "lld": "lld"}
    tools = ", ".join(
        f"{names[maker]} {' '.join(sorted(found, key=numbers))}" for maker, found in sorted(versions.items())
    )
    asked = "\n".join(f"{maker}\t{arches}" for maker, arches in asked_of(sightings).items())
    return HEAD.format(tools=tools, asked=asked, table="\n".join(map(_line, rows(sightings))))


def _line(row: Row) -> str:
    pattern, kind, emissions, source = row
    return "\t".join((pattern, kind, "; ".join(map(_emission, emissions)), source)).rstrip()


def _emission(emission: Emission) -> str:
    maker, since, arches, option = emission
    where = f"@{','.join(arches.split())}" if arches else ""
    return " ".join(word for word in (f"{maker}>={since}" if since else maker, where, option) if word)
