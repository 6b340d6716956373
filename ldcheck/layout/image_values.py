"""The names of an expression, looked up in what was linked: symbols, SIZEOF, ADDR, LOADADDR, ALIGNOF, regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ldcheck.image.named import meaning
from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import MemoryRegion, Script
from ldcheck.script.uses import statements_of

if TYPE_CHECKING:
    from ldcheck.image.model import Elf, ImageSection, LinkMap, MapSection

    _Section = TypeVar("_Section", ImageSection, MapSection)


class ImageValues(Environment):
    """An environment for `evaluate` that knows the image's values; either of ELF and map may be missing.

    `params` are names that neither defines, `regions` the MEMORY of the script (origin and length) as far as it is
    made of constants. Addresses are absolute: an expression in a policy stands in no output section.
    """

    by_address = True

    # Whether the value of a function of Thumb code has the bit that says so: in expressions of lld, not of GNU ld.
    with_thumb_bit = False

    def __init__(
        self,
        elf: Elf | None,
        link_map: LinkMap | None = None,
        params: Mapping[str, int] | None = None,
        regions: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.elf = elf
        self.map = link_map
        self.params = params or {}
        self.regions = regions or {}

    def symbol(self, name: str) -> Value | None:
        """The address of a symbol, or the value of a param."""
        found = meaning(name, self.elf, self.map)
        if found is not None and found.address is None:
            return Value(None, ABSOLUTE, found.doubt)
        if found is not None and found.address is not None:
            return Value(found.address | (found.thumb and self.with_thumb_bit), ABSOLUTE)
        return Value(self.params[name]) if name in self.params else None

    def defined(self, name: str) -> bool | None:
        """Whether the link defined the symbol."""
        known = self.symbol(name)
        if known is not None:
            return name not in self.params or known.section is not None
        # A stripped ELF says nothing of what was defined.
        return False if self.elf is not None and self.elf.symbols and not self.elf.stripped else None

    def addr(self, section: str) -> int | None:
        """Where the output section starts."""
        found = self._section(section) or self._mapped(section)
        return found.address if found is not None else None

    def loadaddr(self, section: str) -> int | None:
        """From where the output section is loaded; what has no content is in no segment, and only a map tells that."""
        found = self._section(section)
        if found is not None and found.size and self.elf is not None:
            return self.elf.load_address(found)
        mapped = self._mapped(section)
        return mapped.load_address if mapped is not None else None

    def sizeof(self, section: str) -> int | None:
        """The bytes of the output section; 0 for one that was not linked."""
        found = self._section(section) or self._mapped(section)
        if found is not None:
            return found.size
        if self._in_elf(section) or self._in_map(section):
            return None
        # An output section without content is not in the ELF, and SIZEOF of one that does not exist is 0.
        return 0 if self.elf is not None or self.map is not None else None

    def alignof(self, section: str) -> int | None:
        """The alignment of the output section."""
        found = self._section(section)
        return found.align if found is not None else None

    def origin(self, region: str) -> int | None:
        """The origin of a memory region of the script."""
        return self.regions[region][0] if region in self.regions else None

    def length(self, region: str) -> int | None:
        """The length of a memory region of the script."""
        return self.regions[region][1] if region in self.regions else None

    def sizeof_headers(self) -> int | None:
        """The bytes of the ELF header and the program headers."""
        if self.elf is None:
            return None
        header, program_header = (64, 56) if self.elf.bits == 64 else (52, 32)
        return header + program_header * len(self.elf.segments)

    def _section(self, name: str) -> ImageSection | None:
        return self._meant(self._in_elf(name))

    def _mapped(self, name: str) -> MapSection | None:
        return self._meant(self._in_map(name))

    def _in_elf(self, name: str) -> list[ImageSection]:
        return [section for section in self.elf.sections if section.name == name] if self.elf is not None else []

    def _in_map(self, name: str) -> list[MapSection]:
        return [section for section in self.map.sections if section.name == name] if self.map is not None else []

    def _meant(self, sections: Sequence[_Section]) -> _Section | None:
        """The section that a name means, of those that have it: that with content; None where several have."""
        filled = [section for section in sections if section.size]
        return next(iter(filled or sections), None) if len(filled) < 2 else None


def regions_of(tree: Script) -> dict[str, tuple[int, int]]:
    """Origin and length in bytes of the script's memory regions that are given by constants."""
    found: dict[str, tuple[int, int]] = {}
    for node in statements_of(tree):
        if isinstance(node, MemoryRegion):
            origin, length = (evaluate(value, Environment()).number for value in (node.origin, node.length))
            if origin is not None and length is not None:
                found[node.name.text] = (origin, length)
    return found
