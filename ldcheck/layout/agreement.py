"""Whether a script made an image: the symbols that it assigns are there, and have the values of its expressions.

Its output sections lie in the memory regions that they are sent to, which also tells where symbols were taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ldcheck.image.model import Elf, LinkMap
from ldcheck.layout.concrete import SymbolValue, evaluate_on
from ldcheck.layout.image_values import regions_of
from ldcheck.linker import GNU, Linker
from ldcheck.record import dataclass
from ldcheck.script.syntax import OutputSection, Script, statements

# A tenth of the symbols, and at least two: one may have been stripped, or depend on an option of the link.
_TOLERATED = 10
_FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Agreement:
    """How many symbols were compared, and which of them the image lacks or has with another value.

    Of `placed` output sections the region is known; `misplaced` are those that lie elsewhere, with their address and
    the region.
    """

    compared: int
    off: tuple[SymbolValue, ...]
    placed: int = 0
    misplaced: tuple[tuple[str, int, str], ...] = ()

    @property
    def belongs(self) -> bool:
        """Whether the script may well have made the image; an image without symbols contradicts nothing."""
        return len(self.off) < _FEWEST or len(self.off) * _TOLERATED < self.compared

    @property
    def contradicts(self) -> bool:
        """Whether the script cannot have made the image as it stands: most of what was compared is another's."""
        return (len(self.off) >= _FEWEST and 2 * len(self.off) > self.compared) or 2 * len(self.misplaced) > self.placed

    @property
    def is_blind(self) -> bool:
        """Whether there was nothing to compare."""
        return not self.compared and not self.placed

    def describe(self) -> str:
        """What is off, as a clause with the first few symbols."""
        if self.misplaced and not self.off:
            said = "; ".join(
                f"{name} is at {address:#x}, outside of {region}" for name, address, region in self.misplaced[:3]
            )
            return f"{len(self.misplaced)} of {self.placed} output sections are elsewhere: {said}"
        shown = []
        for symbol in self.off[:3]:
            if symbol.actual is None:
                shown.append(f"{symbol.name} is not in the image")
            else:
                shown.append(f"{symbol.name} is {symbol.actual:#x} and not {symbol.expected:#x}")
        return f"{len(self.off)} of {self.compared} symbols that it assigns are off: {'; '.join(shown)}"


def agreement(
    tree: Script, elf: Elf, link_map: LinkMap | None, params: Mapping[str, int], linker: Linker = GNU
) -> Agreement:
    """Compare the symbols that a script assigns outright with those of an image."""
    symbols = evaluate_on(tree, elf, link_map, params, linker).symbols
    found = [symbol for symbol in symbols if not symbol.node.keyword]
    if elf.stripped or not elf.symbols:
        # At most the dynamic symbols are left; that others are missing says nothing.
        found = [symbol for symbol in found if symbol.actual is not None]
    off = tuple(one for one in found if one.actual is None or one.agrees is False)
    return Agreement(len(found), off, *_placing(tree, elf))


def agreement_of_map(tree: Script, link_map: LinkMap) -> Agreement:
    """Compare the places of a script's output sections with those of a map alone."""
    return Agreement(0, (), *_placing(tree, link_map))


def _placing(tree: Script, linked: Elf | LinkMap) -> tuple[int, tuple[tuple[str, int, str], ...]]:
    """How many sections of an image are of known regions, and those that lie elsewhere."""
    regions = regions_of(tree)
    homes: dict[str, set[str]] = {}
    for node in statements(tree):
        if isinstance(node, OutputSection):
            homes.setdefault(node.name.text, set()).add(node.region.text if node.region is not None else "")
    placed, misplaced = 0, []
    for section in linked.sections:
        home = homes.get(section.name, set())
        name = next(iter(home), "")
        if len(home) != 1 or name not in regions or not section.size:
            continue
        placed += 1
        origin, length = regions[name]
        if not origin <= section.address <= origin + length - section.size:
            misplaced.append((section.name, section.address, name))
    return placed, tuple(misplaced)


def made_by(
    trees: Sequence[Script],
    elf: Elf,
    link_map: LinkMap | None,
    params: Mapping[str, int],
    linker: Linker = GNU,
) -> tuple[int, Agreement]:
    """Which of several configurations of a script most likely made an image, and how well that one agrees."""
    found = [(at, agreement(tree, elf, link_map, params, linker)) for at, tree in enumerate(trees)]
    return min(found, key=lambda one: (len(one[1].off) + len(one[1].misplaced), one[0]))
