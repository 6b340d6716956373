"""How much of a memory region a link uses, as `ld --print-memory-usage` counts it: to the end of what is last in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ldcheck.image.model import Elf, LinkMap
from ldcheck.image.padding import loaded_sections
from ldcheck.sections.families import Family, project_family_of

_THREAD_LOCAL = 0x400


class Occupied(NamedTuple):
    """An output section in memory. `resident` is False for zero-initialised thread data, which takes no place itself.

    `stored` is how many of its bytes are in the file; None where nothing tells.
    """

    address: int
    load_address: int
    size: int
    resident: bool
    stored: int | None


def occupied(elf: Elf | None, link_map: LinkMap | None) -> tuple[Occupied, ...]:
    """The output sections that take memory, in the order of the image, by the ELF file if there is one."""
    if elf is not None and any(section.allocated for section in elf.sections):
        return tuple(
            Occupied(
                one.address,
                elf.load_address(one),
                one.size,
                one.occupies_file or not one.flags & _THREAD_LOCAL,
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
            not one.name.startswith(".tbss"),
            # A map does not say what is zero-initialised; names mostly do.
            0 if project_family_of(one.name) is Family.ZERO else None,
        )
        for one in loaded_sections(link_map)
    )


def used(origin: int, length: int, sections: Iterable[Occupied]) -> int:
    """Bytes from a region's origin to the end of the last section that stands there, or is loaded from there."""
    end = origin
    for section in sections:
        if section.resident and origin <= section.address < origin + length:
            end = max(end, section.address + section.size)
        if section.stored != 0 and origin <= section.load_address < origin + length:
            end = max(end, section.load_address + section.size)
    return end - origin
