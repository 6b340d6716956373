"""What a link has beside the objects at hand: where symbols are that none of them defines, and files that lack.

A symbol of the script that is assigned from another symbol is another name of what that one names. One that is assigned
from the location counter marks a place, and is no name of what happens to begin there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from functools import cached_property

from ldcheck.image.around import Elsewhere
from ldcheck.image.by_address import InputsByAddress, is_made
from ldcheck.image.columns import is_ambiguous
from ldcheck.image.link_files import LinkFiles
from ldcheck.image.model import Elf, LinkMap
from ldcheck.image.named import meaning

# Sections without content, from which nothing refers to anything.
_ZERO = (".bss", ".sbss", ".tbss", "COMMON")
# What the plug-in of a compiler, or lld, calls the objects that it makes in a link.
_OPTIMISED = re.compile(r"\.ltrans\d*\.|\.lto\.|\blto\.tmp\b")
_ASSIGNED = re.compile(r"(?:(?:PROVIDE|HIDDEN|PROVIDE_HIDDEN) ?\( ?)?(\S+?)(?:,| =) (.*)")
_NAME = re.compile(r"(?<![\w.$])[A-Za-z_.$][\w.$]*")
# An alias of an alias is followed so far.
_FURTHEST = 8


class LinkAround:
    """The link that some objects went into, by its map, its image, or both."""

    def __init__(self, link_map: LinkMap | None, elf: Elf | None) -> None:
        self._map, self._elf = link_map, elf
        self._files = LinkFiles(link_map) if link_map is not None else None

    @cached_property
    def _inputs(self) -> InputsByAddress:
        return InputsByAddress(self._map)

    @cached_property
    def _assigned(self) -> dict[str, str]:
        """What the script assigns to its symbols, as the map prints it."""
        statements = self._map.statements if self._map is not None else ()
        found = (_ASSIGNED.match(one.text) for one in statements if one.kind == "assignment")
        # What a map of GNU ld gives no value, the script did not have to provide.
        left = {name for name, value in self._map.assigned.items() if value is None} if self._map is not None else set()
        return {match[1]: match[2] for match in found if match is not None and match[1] not in (".", *left)}

    def find(self, name: str, known: Collection[str]) -> Elsewhere | None:
        """See `Around`."""
        if self._map is None:
            return self._by_image(name, known)
        meant = name
        if name in self._assigned:
            meant = self._meant_by(name, known, _FURTHEST)
            if meant in known:
                return Elsewhere(meant)
        elif name not in self._map.symbols:
            # A number, or what linkers make themselves to mark a place.
            return None
        if not meant:
            return None
        found = meaning(meant, self._elf, self._map)
        if found is None or found.address is None or (self._elf is None and is_ambiguous(self._map.symbols, meant)):
            return Elsewhere()
        part = self._inputs.at(found.address)
        return None if part is None else Elsewhere("", part.name, part.file, part.member)

    def _meant_by(self, name: str, known: Collection[str], further: int) -> str:
        """The symbol that one of the script is another name of, itself if that is computed; empty for a place."""
        assert self._map is not None
        text = self._assigned[name].rstrip(") ")
        names = [one for one in _NAME.findall(text) if one != "."]
        if names == [text] and text in self._assigned and text not in known and further:
            return self._meant_by(text, known, further - 1)
        others = [one for one in names if one in known or (one in self._map.symbols and one not in self._assigned)]
        if not others:
            return ""
        return others[0] if names == [text] else name

    def _by_image(self, name: str, known: Collection[str]) -> Elsewhere | None:
        """The same without a map. A name of code or data has its type; linkers give it to aliases as well."""
        symbol = self._elf.symbols.get(name) if self._elf is not None else None
        if symbol is None or not symbol.defined or symbol.kind not in ("FUNC", "OBJECT"):
            return None
        there = self._by_value.get(symbol.value, ())
        return Elsewhere(next((one for one in there if one in known), ""))

    @cached_property
    def _by_value(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for name, symbol in self._elf.symbols.items() if self._elf is not None else ():
            if symbol.defined and symbol.kind in ("FUNC", "OBJECT"):
                found.setdefault(symbol.value, []).append(name)
        return found

    def is_replaced(self, name: str, file: str, member: str, section: str) -> bool:
        """See `Around`."""
        if self._map is not None and self._files is not None:
            found = meaning(name, self._elf, self._map)
            part = self._inputs.at(found.address) if found is not None and found.address is not None else None
            here = self._files.named(file)
            return (
                part is not None and here is not None and (part.file, part.member, part.name) != (here, member, section)
            )
        symbol = self._elf.symbols.get(name) if self._elf is not None else None
        return symbol is not None and symbol.defined and symbol.binding == "GLOBAL" and section != "COMMON"

    def lacking(self, given: Iterable[str], source: Callable[[str], bool], at: Callable[[int | None], bool]) -> str:
        """See `Around`."""
        if self._files is None:
            return ""
        here = {self._files.named(path) for path in given}
        for part in self._inputs.parts:
            # What the linker makes refers to nothing that its callers do not name.
            if part.file in here or is_made(part.file, part.name) or part.name.startswith(_ZERO):
                continue
            if source(part.name) and (at(part.address) or at(part.address + part.size - 1)):
                name = os.path.basename(part.file) + (f"({part.member})" if part.member else "")
                if _OPTIMISED.search(part.file):
                    return f"link-time optimisation made {name}; an image linked with --emit-relocs tells what it has"
                return f"the map has {name}, which is not among the objects"
        return ""
