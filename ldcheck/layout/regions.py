"""How much of a memory region a link uses, as `ld --print-memory-usage` counts it: to the end of what is last in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ldcheck.image.model import Elf, LinkMap, MapSection
from ldcheck.image.padding import loaded_sections
from ldcheck.layout.traits import is_noload
from ldcheck.script.syntax import OutputSection, Script, statements
from ldcheck.sections.families import Family, project_family_of


class Occupied(NamedTuple):
    """An output section in memory. `resident` is False for zero-initialised thread data, which takes no place itself.

    `stored` is how many of its bytes are in the file; None where nothing tells.
    """

    address: int
    load_address: int
    size: int
    resident: bool
    stored: int | None


def without_content(tree: Script | None) -> frozenset[str]:
    """The names of the output sections that a script wants to have no content: (NOLOAD)."""
    if tree is None:
        return frozenset()
    named: dict[str, bool] = {}
    for node in statements(tree):
        if isinstance(node, OutputSection):
            named[node.name.text] = named.get(node.name.text, True) and is_noload(node)
    return frozenset(name for name, empty in named.items() if empty)


def occupied(elf: Elf | None, link_map: LinkMap | None, empty: Collection[str] = frozenset()) -> tuple[Occupied, ...]:
    """The output sections that take memory, in the order of the image, by the ELF file if there is one.

    `empty` are those that have no content as the script tells.
    """
    if elf is not None and any(section.allocated for section in elf.sections):
        return tuple(
            Occupied(
                one.address,
                elf.load_address(one),
                one.size,
                bool(one.room),
                one.size if one.occupies_file else 0,
            )
            for one in elf.sections
            if one.allocated and one.size
        )
    if link_map is None:
        return ()
    return tuple(
        Occupied(
            one.address,
            one.load_address,
            one.size,
            bool(one.room),
            0 if one.name in empty else _stored(one, link_map.linker),
        )
        for one in loaded_sections(link_map)
    )


def _stored(section: MapSection, linker: str) -> int | None:
    """How many bytes of an output section are in the file, as far as a map tells: by the names of what is in it."""
    if section.data:
        return section.size
    families = {project_family_of(one.name) for one in section.inputs if one.size}
    if families - {Family.ZERO, Family.OTHER}:
        return section.size
    if Family.OTHER in families:
        return None
    # GNU ld gives no content to what only moves the location counter, and lld does.
    return 0 if families or linker != "lld" else section.size


def used(origin: int, length: int, sections: Iterable[Occupied]) -> tuple[int, int]:
    """Bytes from a region's origin to the end of the last section that stands there, or is loaded from there.

    At least and at most: the two differ by what may be loaded from there, where nothing tells whether it has content.
    """
    least = most = origin
    for section in sections:
        if section.resident and origin <= section.address < origin + length:
            least = max(least, section.address + section.size)
        if section.stored != 0 and origin <= section.load_address < origin + length:
            most = max(most, section.load_address + section.size)
            if section.stored is not None:
                least = max(least, section.load_address + section.size)
    return least - origin, max(least, most) - origin
