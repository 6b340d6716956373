"""Whether a table goes on from its start symbol to its stop symbol where these stand outside of its output section.

Where a section begins is for its address, its ALIGN, its region and the orphans in front of it to say, and not for the
location counter that a symbol in front of it takes. The layout is asked, for the links in which a section has records:
of a table without any, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ldcheck.findings import Problem, Severity
from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.overlays import overlay_of
from ldcheck.judging.subjects import obstacles
from ldcheck.layout.facts import Known, distance
from ldcheck.layout.interpret import interpret
from ldcheck.layout.traits import traits
from ldcheck.record import dataclass
from ldcheck.script.syntax import Assignment, Expression, InputSectionDescription, Node, OutputSection


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bracket:
    """Two symbols and the statements between them; those of the table by their `id`.

    `step` is a power of two that divides the size of a record, and that no record is aligned to more than.
    """

    opening: Assignment
    closing: Assignment
    between: Sequence[Node]
    table: Collection[int]
    step: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Break:
    """A section that need not begin, or a symbol that need not be, where what stands in front of it ends."""

    node: OutputSection | Assignment
    known: Known
    is_first: bool


def breaks(bracket: Bracket, view: ScriptView) -> Iterator[Problem]:
    """A problem for each output section, or stop symbol outside of one, that need not go on where the table is.

    One that only an orphan could move is a note.
    """
    inside = [view.enclosing.get(id(bracket.opening)), view.enclosing.get(id(bracket.closing))]
    sections = [node for node in bracket.between if _is_section(node)]
    if not sections and inside[0] is inside[1]:
        return
    records = [node for node in bracket.between if id(node) in bracket.table]
    told: set[int] = set()
    for holding in {id(home): home for node in records if (home := view.enclosing.get(id(node))) is not None}.values():
        usual: set[int] | None = None
        for found in _breaks(bracket, holding, view, orphans=view.orphans):
            if usual is None:
                again = _breaks(bracket, holding, view, orphans=False) if view.orphans else ()
                usual = {id(one.node) for one in again} if view.orphans else {id(found.node)}
            if id(found.node) not in told:
                told.add(id(found.node))
                yield _problem(bracket, found, view, only_orphans=id(found.node) not in usual)


def subalign(statement: Node, view: ScriptView) -> Expression | None:
    """What aligns each input section of a statement, in the header of its output section or overlay."""
    home = view.enclosing.get(id(statement))
    if home is None or home.subalign is not None:
        return None if home is None else home.subalign
    overlay = overlay_of(home, view)
    return overlay.subalign if overlay is not None else None


def _is_section(node: Node) -> bool:
    return isinstance(node, OutputSection) and node.name.text != "/DISCARD/"


def _breaks(bracket: Bracket, holding: OutputSection, view: ScriptView, *, orphans: bool) -> Iterator[_Break]:
    """Those in the links in which a section of the table has records."""
    records = {
        node: bracket.step
        for node in bracket.between
        if id(node) in bracket.table and isinstance(node, InputSectionDescription)
    }
    layout = interpret(
        view.tree,
        params=view.params,
        records=records,
        orphans=orphans,
        content=[holding],
        linker=view.linker,
    )
    starts = {fact.node: fact.start for fact in layout.sections}
    # Whether a symbol is the address of its place is asked elsewhere.
    place, is_first = layout.after(bracket.opening), True
    last = max((at for at, node in enumerate(bracket.between) if id(node) in bracket.table), default=-1)
    for node in bracket.between[: last + 1]:
        if isinstance(node, OutputSection) and node in starts and _is_section(node):
            if not _same(place, starts[node]):
                yield _Break(node, starts[node], is_first)
            place = starts[node]
        elif _moves(node) or node in records:
            place = layout.after(node)
            is_first = is_first and node not in records
    rest = bracket.between[last + 1 :]
    here = view.enclosing.get(id(bracket.between[last])) if last >= 0 else None
    if here is view.enclosing.get(id(bracket.closing)) or any(_moves(node) or _is_section(node) for node in rest):
        # What moves the location counter there is a matter of its own.
        return
    end = layout.after(bracket.closing)
    if end is not None and not _same(place, end):
        yield _Break(bracket.closing, end, is_first)


def _moves(node: Node) -> bool:
    return isinstance(node, Assignment) and node.target.text == "."


def _same(one: Known | None, other: Known | None) -> bool:
    return one is not None and other is not None and distance(one, other) == (0, 0)


def _problem(bracket: Bracket, found: _Break, view: ScriptView, *, only_orphans: bool) -> Problem:
    node, start = found.node, bracket.opening.target.text
    unless = " unless an orphan section comes in between" if only_orphans else ""
    if isinstance(node, OutputSection):
        name = node.name.text
        place = f"at {start}" if found.is_first else "where the records in front of it end"
        message = f"{name} begins {place}{unless}" if only_orphans else f"{name} need not begin {place}"
        at, label = _reason(node)
    else:
        name, at, label = bracket.closing.target.text, node, f"known here: {found.known}"
        message = f"{name} is {'' if only_orphans else 'perhaps not '}where the last record ends{unless}"
        home = next((one for one in reversed(bracket.between) if isinstance(one, OutputSection)), None)
        if home is not None and traits(home).thread_local:
            label = f"{home.name.text} takes no room: the location counter does not go on behind it"
    return view.problem(
        node,
        start if found.is_first and not only_orphans and isinstance(node, OutputSection) else name,
        message,
        at=at,
        label=label,
        related=obstacles(found.known, view),
        help=f"look at whether {start} and {bracket.closing.target.text} are to stand in the output section itself",
        severity=Severity.NOTE if only_orphans else None,
    )


def _reason(section: OutputSection) -> tuple[Node, str]:
    """The part of a section that says where it begins, and what it does."""
    if section.address is not None:
        return section.address, "puts it at an address of its own"
    if section.align is not None:
        return section.align, "aligns it behind the symbol"
    if section.region is not None:
        return section.region, "puts it where this region goes on, whatever the location counter is"
    return section.name, "may begin further on"
