"""Makes the picture of an image: its sections by kind and lifetime, its padding, and the script's boundary symbols.

What a section's bytes are for is taken from its flags and its name together: with `ld -N`, and in hypervisors of one
segment, the flags alone say that everything is writable and executable.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

from ldcheck.image.model import Elf, Image, ImageSection, LinkMap
from ldcheck.layout.picture import Mark, Picture, Stretch
from ldcheck.script.syntax import Assignment, Script, statements
from ldcheck.sections.families import Family, family_of

_PAGE = 4096
# More than any picture can show; a file may claim millions.
_MOST = 2000
# Pairs of symbols that enclose what is freed after boot, and the prefix of the names of what belongs there.
_INIT_RANGES = (("__init_begin", "__init_end"),)
_INIT = ".init."

_KINDS = {
    Family.CODE: "code",
    Family.CONSTANT: "read-only",
    Family.RELRO: "read-only",
    Family.DATA: "data",
    Family.ZERO: "zero",
}


def draw(target: str, image: Image, tree: Script | None) -> Picture | None:
    """The picture of a linked image; None without an ELF file that has loaded sections."""
    elf = image.elf
    if elf is None:
        return None
    found = [section for section in elf.sections if section.allocated and section.size]
    if not found:
        return None
    sections = sorted(found, key=lambda one: one.address)[:_MOST]
    stretches = tuple(_stretch(section, elf) for section in sections)
    return Picture(
        target,
        elf.path,
        _PAGE,
        stretches,
        tuple(islice(_paddings(image.map, sections), 20 * _MOST)),
        tuple(_marks(elf, tree, [(stretch.start, stretch.end) for stretch in stretches])),
    )


def _stretch(section: ImageSection, elf: Elf) -> Stretch:
    permissions = "r" + ("w" if section.writable else "-") + ("x" if section.executable else "-")
    stored = section.size if section.occupies_file else 0
    init = section.name.startswith(_INIT) or _in_init(section, elf)
    return Stretch(section.name, section.address, section.end, _kind(section), permissions, init, stored)


def _kind(section: ImageSection) -> str:
    if not section.occupies_file:
        return "zero"
    name = section.name.removeprefix(".init") if section.name.startswith(_INIT) else section.name
    named = _KINDS.get(family_of(name))
    if named is not None:
        return named
    if section.executable:
        return "code"
    return "data" if section.writable else "read-only"


def _in_init(section: ImageSection, elf: Elf) -> bool:
    for start, end in _INIT_RANGES:
        if start in elf.symbols and end in elf.symbols:
            return elf.symbols[start].value <= section.address and section.end <= elf.symbols[end].value
    return False


def _paddings(link_map: LinkMap | None, sections: Iterable[ImageSection]) -> Iterable[Stretch]:
    loaded = {section.name for section in sections}
    for section in link_map.sections if link_map is not None else ():
        if section.name in loaded:
            for part in section.paddings:
                yield Stretch(f"{section.name}: {part.cause}", part.address, part.address + part.size, "padding")


def _marks(elf: Elf, tree: Script | None, ranges: Sequence[tuple[int, int]]) -> Iterable[Mark]:
    """The symbols that the script assigns, as far as the image has them, by address.

    One that lies at none of the `ranges` of sections, nor between two that are near each other, is a number.
    """
    if tree is None:
        return []
    places = _joined(ranges)
    starts = [start for start, _ in places]
    found = []
    for name in {node.target.text for node in statements(tree) if isinstance(node, Assignment)}:
        symbol = elf.symbols.get(name)
        if symbol is not None and symbol.defined:
            at = bisect_right(starts, symbol.value) - 1
            found.append(Mark(name, symbol.value, at < 0 or symbol.value > places[at][1]))
    return sorted(found, key=lambda mark: (mark.address, mark.name))


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that have less than a hundred pages between them made one, with a page behind each."""
    places: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if places and start - places[-1][1] < 100 * _PAGE:
            places[-1] = (places[-1][0], max(places[-1][1], end + _PAGE))
        else:
            places.append((start, end + _PAGE))
    return places
