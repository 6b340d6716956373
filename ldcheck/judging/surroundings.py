"""What lies around a place in an image: boundary symbols of the script, the segment, the bracket of a statement.

A person knows a place by the symbols of the script, and start-up code knows nothing else: what lies behind `__bss_end`
is never cleared, whatever its name.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

from ldcheck.image.model import ImageSection, Segment
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.record import dataclass
from ldcheck.script.marks import marks_a_place, names_a_start, names_an_end
from ldcheck.script.syntax import Assignment, InputSectionDescription, Node, OutputSection
from ldcheck.sections.families import Homes


@dataclass(frozen=True, slots=True)
class Landmark:
    """A symbol that the script gives the location counter, and its address in the image."""

    name: str
    address: int
    node: Assignment


@lru_cache(maxsize=2)
def surroundings(view: ImageView) -> Surroundings:
    """Those of one image, worked out once."""
    return Surroundings(view)


@lru_cache(maxsize=2)
def homes(view: ScriptView) -> Homes:
    """Where the families of sections have their place in one script, worked out once."""
    return Homes(view.rules)


class Surroundings:
    """The neighbourhood of each place of one image; the script is needed for all but the segments."""

    def __init__(self, view: ImageView) -> None:
        self._view = view
        self._script = view.script
        self._brackets: dict[int, tuple[Landmark, Landmark] | None] = {}

    @cached_property
    def _landmarks(self) -> list[Landmark]:
        """By address, and by the order of the script where several symbols have one."""
        nodes = self._script.statements if self._script is not None else ()
        found = [landmark for node in nodes if (landmark := self._landmark(node)) is not None]
        return sorted(found, key=lambda landmark: landmark.address)

    def _landmark(self, node: Node) -> Landmark | None:
        if not isinstance(node, Assignment) or node.target.text == "." or not marks_a_place(node):
            return None
        address = self._view.symbol(node.target.text)
        return None if address is None else Landmark(node.target.text, address, node)

    def behind(self, address: int, fits: Callable[[str], bool] = bool) -> Landmark | None:
        """The last symbol at or below an address of those whose names fit."""
        at = bisect_right(self._landmarks, address, key=lambda landmark: landmark.address)
        return next((one for one in reversed(self._landmarks[:at]) if fits(one.name)), None)

    def ahead(self, address: int) -> Landmark | None:
        """The first symbol at or above an address."""
        at = bisect_left(self._landmarks, address, key=lambda landmark: landmark.address)
        return self._landmarks[at] if at < len(self._landmarks) else None

    def section_in_front(self, address: int) -> str:
        """The output section that ends last at or below an address, if none of the script's symbols lies behind it."""
        ends = [(one.end, one.name) for one in self._view.loaded_sections if one.room]
        end, name = max(((end, name) for end, name in ends if end <= address), default=(0, ""))
        symbol = self.behind(address)
        return name if symbol is None or symbol.address < end else ""

    def segment(self, section: ImageSection | None) -> Segment | None:
        """The PT_LOAD segment that a section of the ELF lies in."""
        if section is None or self._view.elf is None:
            return None
        return next(
            (one for one in self._view.elf.segments if one.type == "LOAD" and section.index in one.sections), None
        )

    def bracket(self, statement: InputSectionDescription) -> tuple[Landmark, Landmark] | None:
        """The symbols in front of an input statement and behind it, of its output section or directly around that."""
        if self._script is None:
            return None
        if id(statement) not in self._brackets:
            start = self._first(nodes_in_front(statement, self._script), names_an_end)
            stop = self._first(nodes_behind(statement, self._script), names_a_start)
            found = (start, stop) if start is not None and stop is not None else None
            self._brackets[id(statement)] = found
        return self._brackets[id(statement)]

    def _first(self, nodes: Iterator[Node], unfit: Callable[[str], bool]) -> Landmark | None:
        for node in nodes:
            landmark = self._landmark(node)
            if landmark is not None and not unfit(landmark.name):
                return landmark
        return None


def nodes_in_front(statement: Node, view: ScriptView) -> Iterator[Node]:
    """What stands ahead of an input statement in its output section and directly ahead of that, the nearest first."""
    at = view.positions[id(statement)]
    yield from _around(reversed(view.statements[:at]), statement, view)


def nodes_behind(statement: Node, view: ScriptView) -> Iterator[Node]:
    """What stands behind an input statement in its output section and directly behind that, the nearest first."""
    at = view.positions[id(statement)]
    yield from _around(iter(view.statements[at + 1 :]), statement, view)


def _around(nodes: Iterator[Node], statement: Node, view: ScriptView) -> Iterator[Node]:
    own = view.enclosing.get(id(statement))
    for node in nodes:
        section = view.enclosing.get(id(node))
        if node is own:
            continue
        if isinstance(node, OutputSection) or (section is not None and section is not own):
            return
        yield node


def shown_segment(segment: Segment) -> str:
    """A segment's permissions and address: `R E at 0x8000`."""
    flags = (("R", segment.readable), ("W", segment.writable), ("X", segment.executable))
    return f"{''.join(letter for letter, given in flags if given) or 'no access'} at {segment.address:#x}"
