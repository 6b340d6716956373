"""A link that was played through: its output sections with their inputs, and the symbols of its script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.layout.knowledge import Place
from ldcheck.layout.passes import without_room
from ldcheck.layout.traits import DATA_SIZES
from ldcheck.record import dataclass
from ldcheck.script.arithmetic import MASK
from ldcheck.script.syntax import Data, Expression, OutputSection
from ldcheck.sections.outputs import ALLOC, CODE, HAS_CONTENTS, READONLY

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection
    from ldcheck.sections.assign import Mapped


class PlayedInput(NamedTuple):
    """An input section with its address and the bytes that it takes."""

    input: InputSection
    address: int
    size: int


class PlayedPadding(NamedTuple):
    """Bytes of padding: "input alignment" or "assignment"."""

    address: int
    size: int
    cause: str


class PlayedJump(NamedTuple):
    """An assignment to the location counter between output sections: behind how many of them, and what it led to."""

    value: Expression
    behind: int
    dot: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlayedSection:
    """An output section. One that is not `present` is empty and dropped, and has an address for its symbols only."""

    name: str
    node: OutputSection | None
    address: int
    load_address: int
    size: int
    align: int
    flags: int
    present: bool
    region: str
    inputs: tuple[PlayedInput, ...]
    paddings: tuple[PlayedPadding, ...]
    data: int

    @property
    def allocated(self) -> bool:
        """Whether it takes memory."""
        return bool(self.flags & ALLOC)

    @property
    def permissions(self) -> str:
        """What memory of it allows: `r-x`."""
        return f"r{'-' if self.flags & READONLY else 'w'}{'x' if self.flags & CODE else '-'}"

    @property
    def stored(self) -> bool:
        """Whether the file holds its bytes."""
        return bool(self.flags & HAS_CONTENTS)

    @property
    def resident(self) -> bool:
        """Whether it takes a place of its own, as zero-initialised thread-local data does not."""
        return not without_room(self.flags)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Played:
    """The layout: output sections in the order of their addresses' statements, values of the script's symbols.

    `regions` are name, origin and length in bytes. `complaints` are what ld says against it (a region that is too
    small, an ASSERT that fails), in its words. `thrown` is what it discards. `mapped` is where inputs went. `jumps` are
    the assignments to the location counter between output sections.
    """

    sections: tuple[PlayedSection, ...]
    symbols: Mapping[str, int]
    regions: tuple[tuple[str, int, int], ...]
    complaints: tuple[str, ...]
    thrown: tuple[InputSection, ...]
    mapped: Mapped
    jumps: tuple[PlayedJump, ...] = ()


def played_section(place: Place) -> PlayedSection:
    """An output section as it was laid out at last."""
    inputs: list[PlayedInput] = []
    paddings: list[PlayedPadding] = []
    data = 0
    for part in place.parts:
        if part.input is not None:
            if part.pad:
                paddings.append(PlayedPadding(part.address - part.pad & MASK, part.pad, "input alignment"))
            if part.input.index >= 0 or part.size:
                inputs.append(PlayedInput(part.input, part.address, 0 if part.excluded else part.size))
        elif isinstance(part.node, Data):
            data += DATA_SIZES.get(part.node.keyword, 0)
        elif part.pad:
            paddings.append(PlayedPadding(part.address, part.pad, "assignment"))
    return PlayedSection(
        place.name,
        place.node,
        place.address,
        place.load,
        place.size,
        place.align,
        place.flags,
        not place.excluded,
        place.region.name if place.region is not None else "",
        tuple(inputs),
        tuple(paddings),
        data,
    )
