"""What GNU ld knows of the names of a script while it lays out a link, pass by pass (ldexp.c: fold_name).

Sections are processed in several passes; a name that comes later in the script has the value of the pass before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from ldcheck.image.frames import Key
from ldcheck.record import dataclass
from ldcheck.script.arithmetic import MASK, align
from ldcheck.script.environment import ABSOLUTE, Environment, Value
from ldcheck.script.expressions import absolute, evaluate
from ldcheck.script.syntax import Expression, Node, OutputSection
from ldcheck.sections.outputs import Output

if TYPE_CHECKING:
    from ldcheck.image.model import InputSection

# What is assigned in an output section that does not exist is relative to.
UNDEFINED = "*UND*"
# CONSTANT(MAXPAGESIZE) and CONSTANT(COMMONPAGESIZE) of GNU ld 2.40 by the architecture, as policies name it.
PAGES = {"x86_64": (0x1000, 0x1000), "arm64": (0x10000, 0x1000), "arm32": (0x1000, 0x1000), "riscv64": (0x1000, 0x1000)}
# How deep load addresses may be given by others.
_DEEPEST = 50
# How many of them are followed in all: a few lines can ask for more than ever end.
_MOST_ASKED = 200_000


@dataclass(frozen=True, slots=True)
class Options:
    """What of a link the script does not say.

    `arch` is as policies name it. `max_page` and `common_page` are `-z max-page-size` and `-z common-page-size`, 0 for
    the architecture's, `sort_section` is --sort-section, not `relro` `-z norelro`; `-N` unsets `text_read_only`, `-N`
    and `-n` unset `paged`. `separate_code` is `-z separate-code`, None for the default, `build_id` the bytes of the id,
    `stack_header` `-z execstack` or `-z noexecstack`, `collects` --gc-sections, `entry` is `-e`, `undefined` are `-u`.
    """

    arch: str = ""
    sort_section: str | None = None
    max_page: int = 0
    common_page: int = 0
    relro: bool = True
    text_read_only: bool = True
    paged: bool = True
    separate_code: bool | None = None
    build_id: int = 0
    stack_header: bool = False
    collects: bool = False
    entry: str = ""
    undefined: tuple[str, ...] = ()


class NotPredicted(Exception):  # noqa: N818 - an answer, and no error
    """Why a layout is not predicted: a clause, and the node of the script that it is about."""

    def __init__(self, reason: str, node: Node | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node


class Phase(IntEnum):
    """What a pass is for (ldexp.h: lang_phase_type)."""

    FIRST = 0
    MARK = 1
    ALLOCATING = 2
    ASSIGNING = 3
    FINAL = 4


class Region:
    """A memory region: where its next section starts, and the last section whose load address others keep to."""

    __slots__ = ("current", "flags", "last", "length", "name", "not_flags", "origin")

    def __init__(self, name: str) -> None:
        self.name = name
        self.origin = 0
        self.length = MASK
        self.current = 0
        self.flags = 0
        self.not_flags = 0
        self.last: Place | None = None


class Part:
    """A part of an output section: an input section, or a statement. `pad` is the padding ahead of or behind it."""

    __slots__ = ("address", "align", "excluded", "input", "node", "pad", "size")

    def __init__(self, node: Node | None, section: InputSection | None, size: int = 0, excluded: bool = False) -> None:
        self.node = node
        self.input = section
        self.size = size
        self.align = section.align if section is not None else 1
        self.excluded = excluded
        self.pad = 0
        self.address = 0


class Place:
    """An output section while it is laid out. `key` is what values are relative to that stand in it.

    `begins` is the expression of its address, `loads` that of its load address, `closes` what the location counter is
    set to behind it. `ignored` is one that ld has dropped, `excluded` also one that is only not in the file.
    """

    __slots__ = (
        "address",
        "align",
        "align_with_input",
        "begins",
        "closes",
        "excluded",
        "exists",
        "first_of_overlay",
        "flags",
        "ignored",
        "kept",
        "key",
        "last_size",
        "load",
        "load_region",
        "loads",
        "name",
        "node",
        "of_overlay",
        "output",
        "own_align",
        "parts",
        "placed",
        "placed_load",
        "region",
        "size",
        "subalign",
        "symbols",
        "unallocated",
    )

    def __init__(self, output: Output, key: str) -> None:
        node = output.node
        self.output = output
        self.node: OutputSection | None = node
        self.name = output.name
        self.key = key
        self.exists = output.created
        self.flags = output.flags
        self.align = max(output.alignment, 1)
        self.own_align = 1
        self.parts: list[Part] = []
        self.begins: Expression | None = None
        self.loads: Expression | None = None
        self.closes: Expression | None = None
        self.subalign: Expression | None = None
        self.align_with_input = node is not None and node.align_with_input
        self.first_of_overlay = self.of_overlay = False
        self.unallocated = output.kind in ("DSECT", "COPY", "INFO", "OVERLAY")
        self.region: Region | None = None
        self.load_region: Region | None = None
        self.address = self.load = self.size = self.last_size = 0
        # Whether ADDR() and LOADADDR() know it in this pass.
        self.placed = self.placed_load = False
        self.kept = self.excluded = self.ignored = False
        # Whether a symbol is assigned in it.
        self.symbols = False


class Symbol(NamedTuple):
    """A symbol while ld lays out: its value and what that is relative to; None if it is only referred to.

    `assigned` is the pass that the script assigned it in last, 0 if it did not. `input` is where an object has it.
    """

    value: int | None
    section: str = ABSOLUTE
    assigned: int = 0
    by_object: bool = False
    input: Key | None = None
    unknown: bool = False


class DataSegment:
    """The state of DATA_SEGMENT_ALIGN and its like (ldexp.h: seg_align_type)."""

    def __init__(self) -> None:
        self.phase = "none"
        self.base = self.end = self.relro_end = self.relro_offset = 0
        self.common_page = self.max_page = 1
        # Which of the two the statement that was evaluated last has.
        self.seen = ""


class Knowledge(Environment):
    """The names of a script where an expression stands. `place`, `section` and `phase` are set ahead of each."""

    strict = True

    def __init__(self, pages: Mapping[str, int], relro: bool, sane: bool) -> None:
        self.section: str | None = None
        self.sane = sane
        self.phase = Phase.FIRST
        self.at: int | None = 0
        self.count = 1
        self.symbols: dict[str, Symbol] = {}
        self.places: dict[str, Place] = {}
        self.regions: dict[str, Region] = {}
        self.segment = DataSegment()
        self.relro = relro
        # The size of all headers, counted where it is asked for.
        self.count_headers: Callable[[], int] | None = None
        self.asked_for_headers = False
        # PROVIDEs that had to.
        self.provided: set[Node] = set()
        # The symbol that is being assigned, and whether its own value was asked for.
        self.target = ""
        self.from_itself = False
        # Where the sections of objects went: the key of the output section, and the offset in it.
        self.mapped: Mapping[Key, tuple[Place, Part]] | None = None
        self.pages = pages
        self._depth = self._asked = 0

    @property
    def dot(self) -> int | None:
        """The address that the location counter stands at."""
        return self.at

    def fold(self, expression: Expression, section: str | None, at: int | None) -> Value:
        """The value of an expression that stands in a section, at a place."""
        self.section, self.at = section, at
        value = evaluate(expression, self)
        if value.number is None and value.reason == "division by zero" and self.phase != Phase.MARK:
            raise NotPredicted("GNU ld refuses to divide by zero", expression)
        return value

    def address_of(self, value: Value) -> int | None:
        """The address that a value stands for."""
        return absolute(value, self).number

    def symbol(self, name: str) -> Value | None:
        """A symbol's value as this pass knows it; one that is not known is wanted from then on."""
        found = self.symbols.get(name)
        if name == self.target and not self._settled(found):
            self.from_itself = True
        if found is None:
            # Whoever asks for it makes PROVIDE define it.
            self.symbols[name] = Symbol(None)
            return None
        if found.value is None:
            return None
        if found.unknown:
            raise NotPredicted(f"the value of {name} hangs on the order in which ld lays out common symbols")
        if found.input is None:
            return Value(found.value, found.section)
        if self.mapped is None:
            return Value(found.value, f"{found.input}")
        home = self.mapped.get(found.input)
        if home is None:
            # What is discarded counts as absolute.
            return Value(found.value, ABSOLUTE)
        place, part = home
        return Value(found.value + part.address - place.address & MASK, place.key)

    def _settled(self, found: Symbol | None) -> bool:
        """Whether a symbol may be assigned from itself: an absolute one that this pass has assigned."""
        return (
            found is not None
            and found.value is not None
            and found.section == ABSOLUTE
            and found.input is None
            and found.assigned == self.count
        )

    def is_zero(self, name: str) -> bool:
        """Whether a symbol is an absolute 0 that this pass has assigned (ldexp.c: is_sym_value)."""
        found = self.symbols.get(name)
        return self._settled(found) and found is not None and not found.value

    def defined(self, name: str) -> bool:
        """Whether a symbol is defined so far: by an object, or by the script in this pass."""
        found = self.symbols.get(name)
        if found is None or found.value is None:
            return False
        return not found.assigned or found.by_object or found.assigned == self.count

    def base(self, section: str) -> int | None:
        """The address of an output section, as far as it is known."""
        place = self.places.get(section)
        return place.address if place is not None else 0

    def addr(self, section: str) -> int | None:
        """The address of an output section that this pass has come by."""
        place = self.places.get(section)
        if self.phase == Phase.FIRST or place is None or not place.placed:
            return None
        return place.address

    def loadaddr(self, section: str) -> int | None:
        """The load address of an output section that this pass has come by."""
        place = self.places.get(section)
        if self.phase == Phase.FIRST or place is None or not place.placed_load:
            return None
        if place.loads is None:
            return place.load
        self._asked += 1
        if self._depth >= _DEEPEST or self._asked > _MOST_ASKED:
            raise NotPredicted("load addresses are given by each other", place.loads)
        self._depth += 1
        try:
            return self.address_of(evaluate(place.loads, self))
        finally:
            self._depth -= 1

    def sizeof(self, section: str) -> int | None:
        """The size of an output section, in the pass before if this one has not come by it."""
        place = self.places.get(section)
        if self.phase == Phase.FIRST or (place is None and self.phase == Phase.FINAL):
            return None
        if place is None or not place.exists:
            return 0
        return place.size if place.placed else place.last_size

    def alignof(self, section: str) -> int | None:
        """The alignment of an output section so far."""
        place = self.places.get(section)
        if self.phase == Phase.FIRST or (place is None and self.phase == Phase.FINAL):
            return None
        return place.align if place is not None and place.exists else 0

    def origin(self, region: str) -> int | None:
        """The origin of a memory region."""
        return self.regions[region].origin if region in self.regions else None

    def length(self, region: str) -> int | None:
        """The length of a memory region."""
        return self.regions[region].length if region in self.regions else None

    def constant(self, name: str) -> int | None:
        """The page size of that name."""
        if name not in self.pages:
            raise NotPredicted(f"CONSTANT({name}) is not known for this architecture")
        return self.pages[name]

    def sizeof_headers(self) -> int | None:
        """The bytes of the ELF header and the program headers."""
        self.asked_for_headers = True
        if self.phase == Phase.FIRST:
            return None
        return 0 if self.phase == Phase.MARK or self.count_headers is None else self.count_headers()

    def data_segment(self, function: str, operands: tuple[int, ...]) -> int | None:
        """What DATA_SEGMENT_ALIGN and its like come to, which changes their state."""
        if self.phase == Phase.FIRST or self.at is None:
            return None
        if function == "DATA_SEGMENT_ALIGN":
            return self._segment_start(*operands)
        if function == "DATA_SEGMENT_RELRO_END":
            return self._relro_end(*operands)
        segment = self.segment
        if segment.phase in ("align seen", "relro seen"):
            segment.phase, segment.end = "end seen", operands[0]
        elif segment.phase not in ("done", "adjust", "relro adjust"):
            return None
        return operands[0]

    def _segment_start(self, max_page: int, common_page: int) -> int | None:
        segment, dot = self.segment, self.at or 0
        segment.seen = "start"
        value = align(dot, max_page)
        if segment.phase == "relro adjust":
            return segment.base
        if segment.phase == "adjust":
            return value + (dot + common_page - 1 & max_page - common_page) if common_page < max_page else value
        if not self.relro:
            value += dot & max_page - 1
        if segment.phase == "none":
            segment.phase, segment.base, segment.relro_end = "align seen", value, 0
            segment.common_page, segment.max_page = common_page, max_page
        elif segment.phase != "done":
            return None
        return value

    def _relro_end(self, offset: int, value: int) -> int | None:
        segment = self.segment
        segment.seen, segment.relro_offset = "end", offset
        if segment.phase not in ("align seen", "adjust", "relro adjust", "done"):
            return None
        if segment.phase in ("align seen", "relro adjust"):
            segment.relro_end = value + offset & MASK
        if segment.phase == "relro adjust" and segment.relro_end & segment.max_page - 1:
            segment.relro_end = align(segment.relro_end, segment.max_page)
            value = segment.relro_end - offset & MASK
        if segment.phase == "align seen":
            segment.phase = "relro seen"
        return value
