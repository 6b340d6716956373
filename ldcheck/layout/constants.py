"""Values that are the same at all times of a link, which ld needs before it lays anything out.

Alignment attributes and the origins of memory regions are computed when ld has read its input (exp_get_power,
lang_do_memory_regions). What symbols are worth then is only told by those that are made of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ldcheck.layout.anchors import Anchor
from ldcheck.layout.evaluation import Scope, evaluate
from ldcheck.layout.facts import Known, known
from ldcheck.layout.flow import Flow
from ldcheck.layout.frames import ABSOLUTE, UNSURE_VALUE, Value, absolute_value, settled
from ldcheck.layout.numbers import ANY, MASK, Number, exact
from ldcheck.layout.traits import statements
from ldcheck.linker import Linker
from ldcheck.script.syntax import (
    Call,
    Command,
    Expression,
    InputSectionDescription,
    MemoryRegion,
    Name,
    OutputSection,
    Overlay,
    Word,
)
from ldcheck.script.uses import leaves
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.orphans import NOTES_MOVED

# The region of sections that name none.
DEFAULT = "*default*"
_PURE = frozenset(("MAX", "MIN", "LOG2CEIL", "ABSOLUTE", "ORIGIN", "LENGTH"))


# Of sections that are written to, by their names.
_WRITTEN = re.compile(r"data|bss|COMMON|heap|stack|stk|noinit|ram", re.IGNORECASE)


def _names(section: OutputSection) -> list[str]:
    """The patterns of an output section for names of input sections."""
    return [
        pattern.pattern.text
        for node in statements(section.statements)
        if isinstance(node, InputSectionDescription)
        for pattern in node.patterns or ()
    ]


def _is_writable(section: OutputSection) -> bool:
    """Whether an output section has no input, or some that is written to by its name."""
    names = _names(section)
    return not names or any(_WRITTEN.search(name) and ".rodata" not in name for name in names)


def _is_read_only(section: OutputSection) -> bool:
    """Whether an output section has input, and none but code and constants by their names."""
    names = _names(section)
    return bool(names) and all(project_family_of(name) in (Family.CODE, Family.CONSTANT) for name in names)


class Region:
    """A memory region: the address at which its next section starts."""

    __slots__ = ("attributes", "current", "length", "origin")

    def __init__(self, origin: Known, length: Number, attributes: bool = False) -> None:
        self.origin = origin
        self.length = length
        self.current = origin
        self.attributes = attributes

    def ends_at_multiple(self, step: int) -> bool:
        """Whether nothing that lies in the region is moved out of it by rounding up to a multiple."""
        origin, length = self.origin.value, self.length.value
        return origin is not None and length is not None and (origin + length) % step == 0

    def bounded(self, end: Known) -> Known:
        """The end of a section that takes room here, which ld does not let lie outside (os_region_check)."""
        origin, length = self.origin.value, self.length.value
        if origin is None or length is None or end.number.value is not None:
            return end
        number = end.number.within(origin, min(origin + length, MASK))
        return Known(number, end.anchor, end.offset, end.reasons, end.obstacles)


class Constants:
    """The constant symbols of a script, its memory regions, and the values of expressions made of both."""

    def __init__(self, found: Flow, params: Mapping[str, int], start: Known) -> None:
        self._flow = found
        self._params = params
        self.symbols: dict[str, Value] = {}
        self.regions = {DEFAULT: Region(start, ANY)}
        self._aliases: dict[str, str] = {}
        self._declared: set[str] = set()
        # Twice, for constants that are made of later ones.
        for node in (*found.plain, *found.plain):
            if node.target.text not in self.symbols:
                value = self._evaluate(node.value)
                if value is not None:
                    self.symbols[node.target.text] = value
        self._declare_regions()

    def _declare_regions(self) -> None:
        for node in self._flow.regions:
            if isinstance(node, Command):
                if len(node.arguments) == 2:
                    alias, region = (word.text for word in node.arguments)
                    self._aliases[alias] = self._aliases.get(region, region)
            elif node.name.text not in self.regions:
                origin, length = self.value(node.origin), self.value(node.length)
                start = known(origin) if origin is not None else Known(ANY, Anchor(f"ORIGIN({node.name.text})"))
                size = ANY if length is None else exact(length)
                self.regions[node.name.text] = Region(start, size, node.attributes is not None)
                self._declared.add(node.name.text)

    def value(self, expression: Expression) -> int | None:
        """The value of an expression, if it is the same at all times."""
        value = self._evaluate(expression)
        return None if value is None else value.number.value

    def power(self, expression: Expression | None) -> int | None:
        """The alignment that an attribute asks for, rounded up to a power of two (exp_get_power); None if unknown."""
        if expression is None:
            return 1
        value = self.value(expression)
        if value is None:
            return None
        return 1 << (value - 1).bit_length() if 1 < value <= 1 << 63 else 1

    def region(self, name: str) -> Region | None:
        """A memory region by its name or an alias."""
        return self.regions.get(self._aliases.get(name, name))

    def named_regions(self) -> dict[str, tuple[Known, Number]]:
        """Origin and length of each memory region that the script declares, by its aliases too."""
        found = {
            name: (region.origin, region.length) for name, region in self.regions.items() if name in self._declared
        }
        return found | {alias: found[region] for alias, region in self._aliases.items() if region in found}

    def region_of(self, node: OutputSection | Overlay) -> Region:
        """The region that a section takes its address from."""
        word = node.region
        if word is None and node.address is None:
            word = node.load_region
        if word is None:
            return self.regions[DEFAULT]
        region = self.region(word.text)
        if region is None:
            region = self.regions[word.text] = Region(Known(ANY), ANY)
        return region

    def loaded(self, sections: Iterable[OutputSection]) -> list[Region]:
        """The regions that `AT>` names."""
        names = {section.load_region.text for section in sections if section.load_region is not None}
        return [region for name in sorted(names) if (region := self.region(name)) is not None]

    def closed(self, found: Flow, linker: Linker) -> set[Region]:
        """The regions of data in which no orphan section stands ahead of the first section (ldelf_place_orphan).

        An orphan takes the region of the section that its kind goes behind, and stands behind the orphans of its kind
        so far. Code, data and zeros go behind `.text`, `.data` and `.bss`, if the script has them; constants and notes
        behind what is read-only, thread-local data behind data, and zeros behind anything. Where there is none of it,
        the first region whose attributes allow it takes them. A region of code may have some ahead of it.

        Newer ld places a note behind `.rodata`, and be it an orphan. Where nothing is read-only that one goes behind
        relocations, which go behind what is allocated: the note takes a region of data to where other notes are.
        """
        named: dict[str, OutputSection] = {}
        for section in found.sections:
            named.setdefault(section.name.text, section)
        usual = [named.get(name) for name in (".text", ".data")]
        placed = [section for section in found.sections if section.name.text != "/DISCARD/"]
        if found.shuffled or any(section is None or section.region is None for section in usual):
            return set()
        if any(section.constraint or (section.region is None and section.address is None) for section in placed):
            return set()
        led_astray = not (".rodata" in named or found.collected.takes(".rodata") or _is_read_only(named[".text"]))
        if led_astray and not linker.is_before(*NOTES_MOVED):
            return set()
        code = {self.region_of(named[name]) for name in (".text", ".rodata") if name in named}
        # A note goes behind what is read-only, and then to where other notes are.
        code |= {self.region_of(section) for section in placed if not _is_writable(section)}
        data = {self.region_of(named[name]) for name in (".data", ".bss") if name in named} - code
        readable = False
        for node in found.regions:
            if isinstance(node, MemoryRegion):
                region = self.regions[node.name.text]
                if region.attributes and not readable:
                    data.discard(region)
                attributes = node.attributes.text.lower() if node.attributes is not None else ""
                readable = readable or ("r" in attributes and "!" not in attributes)
        return data

    def attributed(self) -> list[Region]:
        """The regions that a section without one may go to by its flags (lang_memory_default)."""
        return [region for region in self.regions.values() if region.attributes]

    def _evaluate(self, expression: Expression) -> Value | None:
        if not all(self._is_pure(part) for part in leaves(expression)):
            return None
        scope = Scope(ABSOLUTE, absolute_value(known(0)), self._symbol, self._function)
        value = settled(evaluate(expression, scope), ABSOLUTE)
        return value if value.frame is ABSOLUTE and value.number.value is not None else None

    def _is_pure(self, part: Name | Call) -> bool:
        if isinstance(part, Name):
            return part.name in self.symbols or (part.name in self._params and part.name not in self._flow.assigned)
        operands = [item for item in part.arguments if not isinstance(item, Word)]
        return part.function in _PURE or (part.function == "ALIGN" and len(operands) == 2)

    def _symbol(self, name: str) -> Value:
        return self.symbols.get(name) or absolute_value(known(self._params[name]))

    def _function(self, function: str, name: str) -> Value:
        region = self.region(name)
        if region is None:
            return UNSURE_VALUE
        return Value(region.length) if function == "LENGTH" else absolute_value(region.origin)
