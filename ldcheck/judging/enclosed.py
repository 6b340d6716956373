"""What two symbols enclose in a link: whether they lie at the first record of a table and at the end of its last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from ldcheck.findings import Problem, Severity
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.record import dataclass
from ldcheck.script.marks import is_start_to_end, marks_a_place, stem
from ldcheck.script.syntax import Assignment, Call, Data, InputSectionDescription, Node
from ldcheck.sections.tables import are_pointers, is_registered, names_in
from ldcheck.source import Related
from ldcheck.words import counted

if TYPE_CHECKING:
    from ldcheck.image.model import MapInput


# Nothing in a table is aligned to more: what is further away stands somewhere else.
_FURTHEST = 0x10000
_PAGE = 0x1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pair:
    """A start symbol, the end symbol that goes with it, and all statements between the two."""

    start: Assignment
    between: Sequence[Node]
    end: Assignment

    @property
    def inputs(self) -> list[InputSectionDescription]:
        """The input statements between the two."""
        return [node for node in self.between if isinstance(node, InputSectionDescription)]


def place_symbol(node: Node) -> Assignment | None:
    """A statement that gives a symbol the location counter; None for any other."""
    return node if isinstance(node, Assignment) and node.target.text != "." and marks_a_place(node) else None


def pairs(script: ScriptView) -> Iterator[Pair]:
    """The pairs of symbols with input statements between them, wherever in the script the two stand."""
    symbols = [(at, node) for at, one in enumerate(script.statements) if (node := place_symbol(one)) is not None]
    alike: dict[str, list[tuple[int, Assignment]]] = {}
    for at, node in symbols:
        alike.setdefault(stem(node.target.text), []).append((at, node))
    for at, start in symbols:
        ends = (found for found in alike[stem(start.target.text)] if found[0] > at and is_start_to_end(start, found[1]))
        there, end = next(ends, (0, None))
        if end is not None:
            pair = Pair(start, script.statements[at + 1 : there], end)
            if pair.inputs:
                yield pair


def parts(pair: Pair, view: ImageView) -> list[MapInput]:
    """What the statements of a pair took in this link."""
    assert view.script is not None
    statements = {id(node) for node in pair.inputs}
    globs = [rule.names for rule in view.script.rules if id(rule.statement) in statements and not rule.discards]
    return [
        part
        for section, part in view.inputs.named(*globs)
        if view.inputs.is_loaded(section)
        and any(id(rule.statement) in statements for rule in view.inputs.rules(part)[:1])
    ]


def gap_ahead(pair: Pair, view: ImageView) -> int | None:
    """The bytes of padding between the start symbol and the first record; None if it cannot be told."""
    first = pair.between.index(pair.inputs[0])
    return None if _is_filled(pair.between[:first]) else _gap(pair, view, at_end=False)


def gap_behind(pair: Pair, view: ImageView) -> int | None:
    """The bytes of padding between the last record and the end symbol; None if it cannot be told."""
    last = pair.between.index(pair.inputs[-1])
    return None if _is_filled(pair.between[last + 1 :]) else _gap(pair, view, at_end=True)


def _is_filled(nodes: Sequence[Node]) -> bool:
    """Whether the script itself puts something there: data, or room."""
    return any(
        isinstance(node, Data) or (isinstance(node, Assignment) and node.target.text == "." and _is_room(node))
        for node in nodes
    )


def _is_room(node: Assignment) -> bool:
    return not (isinstance(node.value, Call) and node.value.function == "ALIGN" and node.operator == "=")


def _gap(pair: Pair, view: ImageView, *, at_end: bool) -> int | None:
    low, high = view.symbol(pair.start.target.text), view.symbol(pair.end.target.text)
    own = parts(pair, view)
    if any(view.doubt(one.target.text) for one in (pair.start, pair.end)):
        return None
    if low is None or high is None or low == high:
        # There is no such table in this link.
        return 0
    if not own:
        return None
    first, last = extent(own)
    begin, end = (last, high) if at_end else (low, first)
    if begin == end:
        return 0
    known = low <= first and last <= high and end - begin < _FURTHEST and end % least_alignment(end - begin) == 0
    return end - begin if known and not others(begin, end, (), view) else None


def least_alignment(padding: int) -> int:
    """The least alignment that leaves so many bytes of padding."""
    return 1 << padding.bit_length()


def extent(parts: Sequence[MapInput]) -> tuple[int, int]:
    """The address of the first of some inputs, and the one behind the last; there is at least one."""
    return min(part.address for part in parts), max(part.address + part.size for part in parts)


def off_ends(parts: Sequence[MapInput], start: tuple[str, int], stop: tuple[str, int]) -> Iterator[tuple[str, str]]:
    """For each of two symbols (name, address) that is not at its end of a table, its name and what is wrong."""
    first, last = extent(parts)
    if first != start[1]:
        where = "behind" if first > start[1] else "ahead of"
        yield start[0], f"the first record is {counted(abs(first - start[1]), 'byte')} {where} {start[0]}"
    if last != stop[1]:
        where = "ahead of" if last < stop[1] else "behind"
        yield stop[0], f"the last record ends {counted(abs(last - stop[1]), 'byte')} {where} {stop[0]}"


def others(low: int, high: int, own: Collection[MapInput], view: ImageView) -> list[MapInput]:
    """The inputs of some content between two addresses that are not among `own`, as far as a map tells places."""
    untold = [part for _, part in view.inputs.untold()]
    return [
        part
        for section, part in view.inputs.loaded()
        if part not in untold
        and section.room
        and part.address < high
        and low < part.address + part.size
        and part not in own
    ]


def encloses_code(pair: Pair, view: ImageView) -> bool | None:
    """Whether two symbols enclose code: a range, the padding of which nobody reads.

    It is what executable output sections have and nothing else; None for whole pages without an ELF file, which tells.
    """
    names = names_in(pair.inputs)
    if are_pointers(names) or is_registered(names) is True:
        return False
    if view.elf is None:
        ends = (view.symbol(pair.start.target.text), view.symbol(pair.end.target.text))
        return None if all(address is not None and address % _PAGE == 0 for address in ends) else False
    own = parts(pair, view)
    homes = {section.name for section, part in view.inputs.loaded() if part in own}
    alone = all(part in own for section, part in view.inputs.loaded() if section.name in homes)
    return alone and bool(homes) and all(one.executable for one in view.elf.sections if one.name in homes)


def padded(pair: Pair, node: Assignment, gap: int, view: ImageView) -> Problem:
    """What is wrong with a symbol of a pair that has a gap between itself and its table in the link."""
    assert view.script is not None
    start, end = pair.start.target.text, pair.end.target.text
    low, high = view.symbol(start), view.symbol(end)
    assert low is not None
    assert high is not None
    name = node.target.text
    message = next(said for symbol, said in off_ends(parts(pair, view), (start, low), (end, high)) if symbol == name)
    names = names_in(pair.inputs)
    ahead = node is pair.start
    is_sure = ahead and (are_pointers(names) or is_registered(names) is True)
    advice = (
        f"the place of {name} has to be a multiple of what its records are aligned to: at least {least_alignment(gap)}"
    )
    return view.script.problem(
        node,
        name,
        message,
        label=f"{counted(gap, 'byte')} of padding {'behind' if ahead else 'ahead of'} it",
        related=(Related(view.script.locate(pair.inputs[0 if ahead else -1]), "the table"),),
        facts=(f"in the image: {start} is at {low:#x}, {end} at {high:#x}",),
        help=advice if ahead else f"put what aligns behind {name}",
        severity=Severity.ERROR if is_sure else Severity.WARNING,
    )
