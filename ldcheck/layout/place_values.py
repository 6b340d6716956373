"""What the names of an expression mean at one place of a script, on the image that it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ldcheck.image.model import Elf, LinkMap
from ldcheck.layout.flow import Flow
from ldcheck.layout.image_values import ImageValues, regions_of
from ldcheck.script.environment import ABSOLUTE, SOMEWHERE, Value
from ldcheck.script.syntax import Overlay, Script

if TYPE_CHECKING:
    from ldcheck.layout.image_values import _Section

_MASK = (1 << 64) - 1


class PlaceValues(ImageValues):
    """What names mean at one place of the script: its section and location counter, and symbols with their sections."""

    def __init__(
        self, elf: Elf, link_map: LinkMap | None, params: Mapping[str, int], tree: Script, found: Flow
    ) -> None:
        super().__init__(elf, link_map, params, regions_of(tree))
        self.sane = found.sane
        # Whether symbols are relative to nothing.
        self.by_address = False
        self.assigned = found.assigned
        self.place: int | None = None
        # The output section that the place is in, where its size is that so far.
        self.growing = ""
        # What the script's symbols are relative to, and the value so far of those that are assigned again later.
        self.homes: dict[str, str] = {}
        self.current: dict[str, Value] = {}
        # Output sections with an address of their own.
        self.placed = {section.name.text for section in found.sections if section.address is not None}
        overlays = (node for node, _ in found.items if isinstance(node, Overlay))
        self.placed.update(section.name.text for overlay in overlays for section in overlay.sections)
        # Symbols that the script defines only if no object does.
        self.provided = found.uncertain
        # Output sections of which the image does not tell where they are; the one without name is unknown itself.
        self.hidden = {SOMEWHERE}

    @property
    def dot(self) -> int | None:
        """The location counter, where it is known."""
        return self.place

    def symbol(self, name: str) -> Value | None:
        """The value of a symbol so far, relative to its section; without a number where the image does not tell it."""
        if name in self.current:
            return self.current[name]
        found = super().symbol(name)
        if found is None or found.number is None:
            return None if found is None else Value(None, SOMEWHERE, found.reason)
        if self.homes.get(name) in self.hidden:
            return Value(None, SOMEWHERE, f"what {name} is relative to is unknown")
        home = self.homes.get(name)
        if home is None and self.assigned[name]:
            # What an earlier run of ld knew of it, and relative to what, the image does not tell.
            return Value(None, SOMEWHERE, f"{name} is assigned later")
        if home is None:
            home = ABSOLUTE if self.by_address else self._object_home(name)
        base = None if home == ABSOLUTE else self.addr(home)
        return found if base is None else Value(found.number - base & _MASK, home)

    def _meant(self, sections: Sequence[_Section]) -> _Section | None:
        """The first of a name, as the linkers have it."""
        return sections[0] if sections else None

    def _object_home(self, name: str) -> str:
        assert self.elf is not None
        symbol = self.elf.symbols.get(name)
        if symbol is None or symbol.section is None:
            return ABSOLUTE
        found = next((item.name for item in self.elf.sections if item.index == symbol.section), ABSOLUTE)
        # The first section of the name is the one that ADDR() means.
        first = self.elf.section(found)
        return found if first is not None and first.index == symbol.section else ABSOLUTE

    def defined(self, name: str) -> bool | None:
        """Whether a symbol is defined here."""
        if name in self.homes and name not in self.provided:
            return True
        assert self.elf is not None
        found = self.elf.symbols.get(name)
        # Whether one that only comes later counts hangs on who defines it.
        return None if found is not None and self.assigned[name] else super().defined(name)

    def addr(self, section: str) -> int | None:
        """The address of an output section."""
        return None if section in self.hidden else super().addr(section)

    def loadaddr(self, section: str) -> int | None:
        """The load address of an output section."""
        if section in self.hidden:
            return None
        # The linker's own word, where there is a map; segments may have changed it.
        mapped = self._mapped(section)
        return super().loadaddr(section) if mapped is None else mapped.load_address

    def sizeof(self, section: str) -> int | None:
        """The size of an output section, or that so far."""
        if section == self.growing:
            start = self.addr(section)
            return None if self.place is None or start is None else self.place - start
        return None if section in self.hidden and self.addr_of_any(section) else super().sizeof(section)

    def alignof(self, section: str) -> int | None:
        """The alignment of an output section."""
        # A file whose addresses are less aligned than the linker asked for does not tell that it did.
        found = super().alignof(section)
        return None if section in self.hidden or section in self.placed else found

    def sizeof_headers(self) -> int | None:
        """Unknown: ld reserves room before it knows how many program headers there will be."""
        return None

    def addr_of_any(self, section: str) -> bool:
        """Whether the image has a section of that name, be it the right one or not."""
        return super().addr(section) is not None

    def constant(self, name: str) -> int | None:
        """The value of CONSTANT()."""
        return self.params.get(name)
