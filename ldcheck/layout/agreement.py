"""Whether a script made an image: the symbols that it assigns are there, and have the values of its expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ldcheck.image.model import Elf, LinkMap
from ldcheck.layout.concrete import SymbolValue, evaluate_on
from ldcheck.linker import GNU, Linker
from ldcheck.record import dataclass
from ldcheck.script.syntax import Script

# A tenth of the symbols, and at least two: one may have been stripped, or depend on an option of the link.
_TOLERATED = 10
_FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Agreement:
    """How many symbols were compared, and which of them the image lacks or has with another value."""

    compared: int
    off: tuple[SymbolValue, ...]

    @property
    def belongs(self) -> bool:
        """Whether the script may well have made the image; an image without symbols contradicts nothing."""
        return len(self.off) < _FEWEST or len(self.off) * _TOLERATED < self.compared

    def describe(self) -> str:
        """What is off, as a clause with the first few symbols."""
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
    return Agreement(len(found), tuple(one for one in found if one.actual is None or one.agrees is False))


def made_by(
    trees: Sequence[Script],
    elf: Elf,
    link_map: LinkMap | None,
    params: Mapping[str, int],
    linker: Linker = GNU,
) -> tuple[int, Agreement]:
    """Which of several configurations of a script most likely made an image, and how well that one agrees."""
    found = [(at, agreement(tree, elf, link_map, params, linker)) for at, tree in enumerate(trees)]
    return min(found, key=lambda one: (len(one[1].off), one[0]))
