"""The inputs of a link: objects that are named, or those that a map says were linked.

A map says which members of archives a link pulled in and in which order, and what it made of those whose size only the
linker knows. The objects have to be there still: a map does not tell alignments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ldcheck.findings import CheckError, InputError
from ldcheck.image.definitions import Definitions, read_definitions
from ldcheck.image.frames import Key
from ldcheck.image.model import STUBS, InputSection, LinkMap
from ldcheck.image.objects import arch_of, read_objects
from ldcheck.record import dataclass, replace
from ldcheck.source import Location

# `lib.a(x.o)` and, behind it or on the next line, who wanted it.
_PULLED = re.compile(r"^(\S.*)\(([^()]+)\)(?:\s+\S.*)?$")
# What ld makes and puts into a file, with its type, its flags and its alignment (bfd/elflink.c, ld/ldelf.c).
_MADE = {
    ".note.gnu.build-id": (4, "NOTE", 0x2),
    ".eh_frame_hdr": (4, "PROGBITS", 0x2),
}
# Tables, which ld makes whether it needs them or not.
_TABLES = (".got", ".iplt", ".igot", ".rel", ".glue_7", ".vfp11", ".v4_bx")
# No path is longer than that.
_LONGEST = 1 << 14
_PROPERTIES = ".note.gnu.property"
# Indices of what ld made; the smaller ones are those of sections that it always makes.
_FIRST_MADE = 200


class AsLinked(NamedTuple):
    """What a link made of its inputs: the sizes of those that it changed, and of what it made itself, by its name."""

    sizes: Mapping[Key, int | None]
    made: Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class LinkInputs:
    """The input sections in the order of the link, and the symbols of their objects.

    `known` is what a map tells of what the linker changes and makes; None without a map. `map` is that map.
    """

    sections: tuple[InputSection, ...]
    symbols: Definitions
    arch: str
    known: AsLinked | None = None
    map: LinkMap | None = None
    notes: tuple[str, ...] = ()


def from_objects(paths: Sequence[str]) -> LinkInputs:
    """The inputs that objects and archives are, with all members. Raises CheckError for what cannot be read."""
    notes: list[str] = []
    sections = read_objects(paths, notes)
    if not sections:
        message = notes[0] if notes else f"{paths[0]} has no section that a link would take"
        raise CheckError(InputError(message, Location(paths[0]), help="name objects and archives as they are linked"))
    return LinkInputs(sections, read_definitions(paths), arch_of(paths), notes=tuple(notes))


def from_map(link_map: LinkMap) -> LinkInputs:
    """The inputs of the link that a GNU ld map is of. Raises CheckError if its objects are not there."""
    if link_map.linker == "lld":
        raise _refused(link_map, "a map of lld does not tell which sections it threw away")
    placed, thrown = _entries(link_map)
    chosen = frozenset((file, member) for file, member, _ in (*placed, *thrown))
    paths = _paths(link_map, chosen)
    called = {path: name for name, path in paths.items()}
    sections = [
        section if called[path] == path else _renamed(section, path, called[path])
        for path in paths.values()
        for section in read_objects([path])
    ]
    ranks = {pulled: at for at, pulled in enumerate(_pulled(link_map.path))}
    sections = _in_order(sections, [*paths], ranks, chosen)
    kept, known = _sized(sections, placed, link_map)
    symbols = read_definitions([*paths.values()], chosen, called)
    return LinkInputs(tuple(kept), symbols, arch_of(paths.values()), known, link_map)


_Name = tuple[str, str, str]


def _entries(link_map: LinkMap) -> tuple[dict[_Name, list[int]], set[_Name]]:
    """The sizes of what a map shows in the image by file, member and name, and what it lists as discarded."""
    placed: dict[_Name, list[int]] = {}
    for section in link_map.sections:
        for entry in section.inputs:
            placed.setdefault((entry.file, entry.member, entry.name), []).append(entry.size)
    return placed, {(entry.file, entry.member, entry.name) for entry in link_map.discarded}


def _paths(link_map: LinkMap, chosen: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The files of the link, as the map names them and as they are found: from here, or from where the map is."""
    folder = os.path.dirname(link_map.path)
    files = {file for file, _ in chosen} - {STUBS}
    names = [name for name in link_map.loaded if name in files]
    found: dict[str, str] = {}
    missing = []
    for name in names:
        near = os.path.join(folder, name)
        path = next((one for one in (name, near) if os.path.isfile(one)), None)
        if path is None:
            missing.append(name)
        else:
            found[name] = path
    if missing or not found:
        what = missing[0] if missing else "any object"
        raise _refused(link_map, f"{what}, which it names, is not here", "run it where the build was made")
    return found


def _refused(link_map: LinkMap, message: str, advice: str = "name the objects with --objects") -> CheckError:
    return CheckError(InputError(f"not predicted: {message}", Location(link_map.path), help=advice))


def _renamed(section: InputSection, path: str, name: str) -> InputSection:
    return replace(section, file=name if section.file == path else section.file)


def _pulled(path: str) -> list[tuple[str, str]]:
    """The members of archives in the order in which the link took them, from the head of its map."""
    found: list[tuple[str, str]] = []
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            # The list ends with the next heading that is followed by other lines; members alone look like this.
            if line.startswith(("Discarded input sections", "Memory Configuration", "Linker script and memory map")):
                break
            if len(line) < _LONGEST and (match := _PULLED.match(line.rstrip("\n"))):
                found.append((match[1], match[2]))
    return found


def _in_order(
    sections: Iterable[InputSection],
    files: Sequence[str],
    ranks: Mapping[tuple[str, str], int],
    chosen: frozenset[tuple[str, str]],
) -> list[InputSection]:
    """The sections of the objects that were linked, in the order of the link.

    Members of archives that follow each other on the command line come in the order in which they were taken: archives
    of a group are searched in turn.
    """
    runs: dict[str, int] = {}
    archives = {file for file, _ in ranks}
    run = 0
    for at, name in enumerate(files):
        grouped = at > 0 and name in archives and files[at - 1] in archives
        run += not grouped
        runs[name] = run

    def key(section: InputSection) -> tuple[int, int]:
        file = section.archive or section.file
        return runs.get(file, len(files) + 1), ranks.get((section.file, section.member), 0)

    linked = [section for section in sections if (section.file, section.member) in chosen]
    return sorted(linked, key=key)


def _sized(
    sections: Sequence[InputSection], placed: dict[_Name, list[int]], link_map: LinkMap
) -> tuple[list[InputSection], AsLinked]:
    """The sections of the link's files, and what it made of those that are in the image."""
    kept: list[InputSection] = []
    sizes: dict[Key, int | None] = {}
    left = {name: list(found) for name, found in placed.items()}
    for section in sections:
        name = section.file, section.member, section.name
        found = left.get(name)
        if found:
            size = found.pop(0)
            if size != section.size and section.index:
                sizes[section.file, section.member, section.index] = size
        elif section.size and section.name == _PROPERTIES:
            # No property is left that all files have.
            continue
        kept.append(section)
    made: dict[_Name, int] = {}
    for (file, member, title), rest in left.items():
        for size in filter(None, rest):
            if title in _MADE:
                _insert(kept, InputSection(file, member, title, -_FIRST_MADE - len(made), size, *_MADE[title]))
            elif not title.startswith(_TABLES):
                raise _refused(link_map, f"{title} of {file} is in no object: the linker made it")
            made[file, member, title] = size
    return kept, AsLinked(sizes, made)


def _insert(sections: list[InputSection], made: InputSection) -> None:
    """Put what the linker made behind the sections of its file."""
    file = made.file, made.member
    places = [at for at, section in enumerate(sections) if (section.file, section.member) == file]
    sections.insert(places[-1] + 1 if places else 0, made)
