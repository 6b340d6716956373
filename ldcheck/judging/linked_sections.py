"""The output sections of a link by name, of which a name may have several, by the ELF file and by the map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.judging.inputs import is_called_loaded
from ldcheck.words import counted, listed

if TYPE_CHECKING:
    from ldcheck.image.model import Elf, LinkMap


class LinkedSection(NamedTuple):
    """An output section; `room` is how many of its bytes take memory where it stands: thread-local zeros do not.

    `is_loaded` says whether it takes memory in the image at all.
    """

    name: str
    address: int
    load_address: int
    size: int
    room: int
    is_loaded: bool

    @property
    def end(self) -> int:
        """The address behind the last byte of memory."""
        return self.address + self.room


Named = Mapping[str, tuple[LinkedSection, ...]]


def linked_sections(elf: Elf | None, link_map: LinkMap | None) -> Named:
    """Those of each name, in the order of the image; what the ELF has counts, and what only the map has beside it."""
    found = _by_name(_in_elf(elf)) if elf is not None else {}
    mapped = _by_name(_in_map(link_map, elf)) if link_map is not None else {}
    return {**mapped, **found}


def _by_name(sections: Iterable[LinkedSection]) -> dict[str, tuple[LinkedSection, ...]]:
    found: dict[str, tuple[LinkedSection, ...]] = {}
    for section in sections:
        if section.name:
            found[section.name] = (*found.get(section.name, ()), section)
    return found


def _in_elf(elf: Elf) -> Iterator[LinkedSection]:
    for one in elf.sections:
        yield LinkedSection(one.name, one.address, elf.load_address(one), one.size, one.room, one.allocated)


def _in_map(link_map: LinkMap, elf: Elf | None) -> Iterator[LinkedSection]:
    told = elf is not None and bool(elf.sections)
    for one in link_map.sections:
        is_loaded = not told and is_called_loaded(one)
        yield LinkedSection(one.name, one.address, one.load_address, one.size, one.room, is_loaded)


def several(name: str, sections: Named) -> str:
    """That the image has several output sections of a name with content, where one address is asked for; or empty."""
    found = [one for one in sections.get(name, ()) if one.size and one.is_loaded]
    if len(found) < 2:
        return ""
    places = listed([f"{one.address:#x}" for one in found])
    return f"the image has {counted(len(found), 'output section')} {name}, at {places}: nothing tells which is meant"
