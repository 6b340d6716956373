"""The input sections of a link map by address."""

from __future__ import annotations

from bisect import bisect_right

from ldcheck.image.model import STUBS, LinkMap, MapInput
from ldcheck.image.padding import loaded_sections

# Code that linkers make themselves: procedure linkage tables, and what leads from one instruction set to another.
_CODE = (".plt", ".iplt", ".glink", ".glue_7", ".vfp11_veneer", ".v4_bx", ".MIPS.stubs")
# The files that they book on what they make.
_FILES = (STUBS, "<internal>", "")


def is_made(file: str, section: str) -> bool:
    """Whether linkers themselves make the section of that name, which a map has for a file."""
    return file in _FILES or section.startswith(_CODE)


class InputsByAddress:
    """The input sections that have content, ascending; none without a map."""

    def __init__(self, link_map: LinkMap | None) -> None:
        sections = loaded_sections(link_map) if link_map is not None else ()
        # What --emit-relocs left stands at address 0, as all that takes no memory does.
        kept = (section for section in sections if section.address or not section.name.startswith(".rel"))
        parts = [part for section in kept for part in section.inputs]
        self.parts = sorted((part for part in parts if part.size), key=lambda part: part.address)
        self.starts = [part.address for part in self.parts]

    def number(self, address: int) -> int:
        """Which input section is at an address; -1 for none."""
        at = bisect_right(self.starts, address) - 1
        return -1 if at < 0 or address >= self.parts[at].address + self.parts[at].size else at

    def at(self, address: int) -> MapInput | None:
        """The input section at an address; None for none."""
        number = self.number(address)
        return None if number < 0 else self.parts[number]
