"""A side of a comparison that was not linked: a script played through with the inputs of a link.

It tells what a map tells, and of output sections what an ELF file would. Segments and the sizes of symbols are not
played through.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from ldcheck.compare.sides import Piece, Section, Side
from ldcheck.image.model import Image, LinkMap, MapInput, MapSection, MapStatement, Padding
from ldcheck.layout.regions import Occupied
from ldcheck.script.printer import print_expression

if TYPE_CHECKING:
    from ldcheck.image.definitions import Definitions
    from ldcheck.layout.played import Played, PlayedSection
    from ldcheck.script.result import Parse
    from ldcheck.sections.rules import InputRule

# A piece by its file, member, name and address.
_Key = tuple[str, str, str, int]


class PredictedSide(Side):
    """A script that was played through; `symbols` are those of the objects, which name what is in a section."""

    predicted = True

    def __init__(self, name: str, played: Played, parse: Parse, symbols: Definitions) -> None:
        notes = tuple(f"of {name} GNU ld says: {complaint}" for complaint in played.complaints)
        super().__init__(name, Image(map=as_map(name, played, symbols), notes=notes), parse)
        self._played = played

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The output sections that take memory, in the order of the image."""
        return tuple(
            Section(
                one.name,
                Occupied(one.address, one.load_address, one.size, one.resident, one.size if one.stored else 0),
                one.permissions,
                one.align,
            )
            for one in self._played.sections
            if one.allocated and one.present and one.size
        )

    @property
    def _allocated(self) -> frozenset[str]:
        return frozenset(one.name for one in self._played.sections if one.allocated)

    @cached_property
    def stored(self) -> int:
        """The bytes of all output sections that the file would hold."""
        return sum(section.stored or 0 for section in self.sections)

    @cached_property
    def _rules(self) -> dict[_Key, InputRule]:
        takers = self._played.mapped.takers
        return {
            (one.input.file, one.input.member, one.input.name, one.address): rule
            for section in self._played.sections
            for one in section.inputs
            if (rule := takers.get(id(one.input))) is not None
        }

    def rule(self, piece: Piece) -> InputRule | None:
        """The rule of the script that took an input section."""
        return self._rules.get((piece.file, piece.member, piece.name, piece.address))


def as_map(name: str, played: Played, symbols: Definitions) -> LinkMap:
    """What GNU ld's map would show of the layout; lines count statements."""
    places = {(jump.behind, at): jump for at, jump in enumerate(played.jumps)}
    sections: list[MapSection] = []
    statements: list[MapStatement] = []
    line = 0
    waiting = sorted(places)
    for count, section in enumerate(played.sections):
        while waiting and waiting[0][0] <= count:
            jump = places[waiting.pop(0)]
            line += 1
            text = f". = {print_expression(jump.value)}"
            statements.append(MapStatement("assignment", text, jump.dot, line, ""))
        line += 1
        sections.append(_section(section, played, line))
    takers = played.mapped.takers
    discarded = [
        MapInput(one.name, one.file, one.member, 0, one.size, one.align, 0, rule.text if rule is not None else "")
        for one in played.thrown
        for rule in (takers.get(id(one)),)
    ]
    named = {**_symbols(played, symbols), **played.symbols}
    return LinkMap(
        name, "GNU ld", tuple(sections), discarded, named, statements=tuple(statements), regions=played.regions
    )


def _section(section: PlayedSection, played: Played, line: int) -> MapSection:
    takers = played.mapped.takers
    inputs = [
        MapInput(
            one.input.name,
            one.input.file,
            one.input.member,
            one.address,
            one.size,
            one.input.align,
            line,
            rule.text if (rule := takers.get(id(one.input))) is not None else "",
        )
        for one in section.inputs
    ]
    return MapSection(
        section.name,
        section.address,
        section.size,
        section.load_address,
        inputs,
        tuple(Padding(one.address, one.size, one.cause, line) for one in section.paddings),
        line,
        section.data,
        section.align,
        section.present,
    )


def _symbols(played: Played, symbols: Definitions) -> dict[str, int]:
    """The addresses of the symbols that objects have in sections of the image."""
    places = {
        (one.input.file, one.input.member, one.input.index): one.address
        for section in played.sections
        for one in section.inputs
    }
    return dict(_placed(symbols, places))


def _placed(symbols: Definitions, places: dict[tuple[str, str, int], int]) -> Iterator[tuple[str, int]]:
    for name, definition in symbols.defined.items():
        if name in symbols.unknown:
            continue
        if definition.input is not None and (start := places.get(definition.input)) is not None:
            yield name, start + definition.value
