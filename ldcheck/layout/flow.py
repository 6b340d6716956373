"""The statements of a script as ld sees them: one list, in which some places are open to orphan sections.

The list is what `lang_size_sections_1` walks: the statements of all SECTIONS commands and those outside of them, in
order, included files in their place. Orphan sections are placed by `insert_os_after` (ldlang.c): behind some output
section, and in front of the first assignment to the location counter that follows it, for such an assignment is taken
to belong to the next section.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property, lru_cache

from ldcheck.layout.facts import UNKNOWN, Known, Reason
from ldcheck.layout.traits import Collected, Traits, statements, traits
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Call,
    Command,
    Data,
    Expression,
    Include,
    Insert,
    Memory,
    MemoryRegion,
    Node,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Script,
    SectionGroup,
    Sections,
    Word,
)
from ldcheck.script.uses import sections_addressed, statements_of


class Flow:
    """What the walk over a script needs to know ahead.

    `items` are the statements outside of output sections, with the traits of those that are output sections. `gaps` are
    the places for orphan sections, by the index of the item in front of which they may stand; at
    `resets` such a section may have no address and set the location counter back. `assigned` counts assignments by
    symbol, `plain` are those outside of output sections to symbols assigned once. `uncertain` symbols may get their
    value elsewhere, for the reason given. `mentioned` sections are named in an expression, so that they exist even if
    they are empty. `assertions` are all ASSERTs, `asserting` those among them that are the value of an assignment, by
    that. `loads_by_segment`: a program header gives load addresses. `shuffled`: orphans may move to notes elsewhere.
    """

    def __init__(self) -> None:
        self.items: list[tuple[Node, Traits | None]] = []
        self.sections: list[OutputSection] = []
        self.traits: dict[OutputSection, Traits] = {}
        self.names: set[str] = set()
        self.gaps: set[int] = set()
        self.resets: set[int] = set()
        self.assigned: Counter[str] = Counter()
        self.uncertain: dict[str, Known] = {}
        self.plain: list[Assignment] = []
        self.mentioned: set[str] = set()
        self.assertions: list[Assertion] = []
        self.asserting: dict[Assignment, Assertion] = {}
        self.regions: list[MemoryRegion | Command] = []
        self.loads_by_segment = False
        self.sane = False
        self.shuffled = False

    @cached_property
    def collected(self) -> Collected:
        """The input section names that the script places."""
        return Collected(self.sections)


_PLACES = (OutputSection, Overlay)


# As many as a target has configurations: each is interpreted in more than one way, and compared with an image.
@lru_cache(maxsize=80)
def flow(tree: Script) -> Flow:
    """The flow of a script, which nobody changes."""
    found = Flow()
    _flatten(tree, found)
    _survey(tree, found)
    _open_places(found, found.collected)
    return found


def _flatten(tree: Script, found: Flow) -> None:
    pending: list[Node] = [*reversed(tree.statements)]
    while pending:
        node = pending.pop()
        if isinstance(node, Assignment):
            found.items.append((node, None))
        elif isinstance(node, Sections) or (isinstance(node, Include) and node.statements is not None):
            assert node.statements is not None
            pending.extend(reversed(node.statements))
        elif isinstance(node, SectionGroup):
            pending.extend(reversed(node.statements))
            # GROUP sets the location counter to its address.
            found.items.append((node, None))
        elif isinstance(node, OutputSection):
            _enter(node, found)
            found.items.append((node, found.traits[node]))
        elif isinstance(node, Overlay):
            for section in node.sections:
                _enter(section, found)
            found.items.append((node, None))
        elif isinstance(node, Memory):
            found.regions.extend(item for item in statements(node.statements) if isinstance(item, MemoryRegion))
        elif isinstance(node, Command):
            if node.keyword == "REGION_ALIAS":
                found.regions.append(node)
            elif node.keyword == "LD_FEATURE":
                found.sane = found.sane or any(word.text.upper() == "SANE_EXPR" for word in node.arguments)
        elif isinstance(node, Assertion | Include):
            found.items.append((node, None))
        elif isinstance(node, Insert):
            found.items.append((node, None))
            found.items.insert(0, (node, None))
        elif isinstance(node, ProgramHeaders):
            found.loads_by_segment = any(header.at is not None for header in node.headers)


def _enter(node: OutputSection, found: Flow) -> None:
    found.sections.append(node)
    found.traits[node] = traits(node)
    found.names.add(node.name.text)


def _survey(tree: Script, found: Flow) -> None:
    """Who assigns what, where, and which sections expressions speak of."""
    for node in statements_of(tree):
        if isinstance(node, Assignment):
            name = node.target.text
            found.assigned[name] += 1
            found.mentioned.update(sections_addressed(node.value))
            if node.keyword.startswith("PROVIDE"):
                found.uncertain[name] = _unknown(node, "an object may define it instead")
            elif (assertion := _asserted(node.value)) is not None:
                found.asserting[node] = assertion
                found.assertions.append(assertion)
        elif isinstance(node, Assertion):
            found.assertions.append(node)
            found.mentioned.update(sections_addressed(node.condition))
        elif isinstance(node, Data) and not isinstance(node.value, Word):
            found.mentioned.update(sections_addressed(node.value))
        elif isinstance(node, OutputSection):
            _survey_section(node, found)
        elif isinstance(node, Overlay):
            for section in node.sections:
                clean = "".join(c for c in section.name.text if c.isascii() and (c.isalnum() or c == "_"))
                why = _unknown(section, "ld defines it, unless an object does")
                found.uncertain.update({f"__load_start_{clean}": why, f"__load_stop_{clean}": why})
    found.plain = [
        node
        for node, _ in found.items
        if isinstance(node, Assignment)
        and node.operator == "="
        and not node.keyword.startswith("PROVIDE")
        and found.assigned[node.target.text] == 1
        and node.target.text != "."
    ]


@lru_cache(maxsize=1 << 14)
def _unknown(node: Node, why: str) -> Known:
    return UNKNOWN.with_obstacle(Reason(node, why))


def _asserted(value: Expression) -> Assertion | None:
    """The statement that `. = ASSERT(condition, "message")` stands for, as GNU ld before 2.19 wanted it."""
    if not isinstance(value, Call) or value.function != "ASSERT":
        return None
    condition, message = value.arguments
    if isinstance(condition, Word) or not isinstance(message, Word):
        return None
    return Assertion(condition, message, start=value.start, end=value.end)


def _survey_section(node: OutputSection, found: Flow) -> None:
    # Its own header makes a section only when it is made already.
    own = {node.name.text}
    for expression in (node.address, node.load_address):
        if expression is not None:
            found.mentioned.update(sections_addressed(expression) - own)
    if node.constraint:
        for statement in statements(node.statements):
            if isinstance(statement, Assignment):
                found.uncertain[statement.target.text] = _unknown(node, "the section may not be there")


def _open_places(found: Flow, collected: Collected) -> None:
    places = [index for index, (node, _) in enumerate(found.items) if isinstance(node, _PLACES)]
    # Only beside notes that have no section of their own do others lose their place.
    shuffled = not collected.takes_all(".note.") and any(_is_late_note(found, at, collected) for at in places)
    found.shuffled = shuffled
    first = _first_reset(found, places)
    for gap, behind in enumerate([-1, *places]):
        stop = places[gap] if gap < len(places) else len(found.items)
        moves = [at for at in range(behind + 1, stop) if _moves(found.items[at][0])]
        if behind == -1:
            # The first assignment sets where everything begins.
            del moves[:1]
        place = moves[0] if moves else stop
        found.gaps.add(place)
        if place != stop < len(found.items) and _may_lack_address(found, stop):
            # Assignments in front of such a section are not taken to belong to it.
            found.gaps.add(stop)
        notes = behind >= 0 and _may_note(found, behind)
        if (gap >= first and (gap < len(places) or notes)) or (shuffled and notes):
            found.resets.update(at for at in (place, stop) if at in found.gaps)


def _first_reset(found: Flow, places: list[int]) -> int:
    """The first gap in which an orphan without address may be placed.

    That is behind `.comment`, else behind another section that looks like it, or behind the last one that is not
    debugging information; notes that follow push it further (ldlang.c, lang_output_section_find_by_flags and
    lang_insert_orphan).
    """
    for gap, at in enumerate(places, 1):
        if any(section.name.text == ".comment" and not section.constraint for section in _sections(found, at)):
            return gap
    last = len(places)
    while last > 0 and _may_debug(found, places[last - 1]):
        last -= 1
    drawn = (gap for gap, at in enumerate(places[:last], 1) if _may_draw(found, at))
    return next(drawn, last)


def _may_draw(found: Flow, index: int) -> bool:
    return any(
        found.traits[section].drawing and section.name.text != "/DISCARD/" for section in _sections(found, index)
    )


def _sections(found: Flow, index: int) -> list[OutputSection]:
    """The output sections that an item is or has."""
    node = found.items[index][0]
    sections = node.sections if isinstance(node, Overlay) else (node,)
    return [section for section in sections if isinstance(section, OutputSection)]


def _may_debug(found: Flow, index: int) -> bool:
    node = found.items[index][0]
    if isinstance(node, Overlay):
        return all(found.traits[section].debugging for section in node.sections)
    return isinstance(node, OutputSection) and found.traits[node].debugging


def _may_lack_address(found: Flow, index: int) -> bool:
    traits_of = found.items[index][1]
    return traits_of is not None and traits_of.unallocated


def _may_note(found: Flow, index: int) -> bool:
    return any(found.traits[section].notes for section in _sections(found, index))


def _is_late_note(found: Flow, index: int, collected: Collected) -> bool:
    """Whether a section of notes may be made out of turn: by an expression, or by an orphan of its name."""
    for section in _sections(found, index):
        if found.traits[section].notes:
            name = section.name.text
            if name in found.mentioned:
                return True
            if name.startswith(".note") and not found.traits[section].made and collected.may_grow(section):
                return True
    return False


def _moves(node: Node) -> bool:
    return (isinstance(node, Assignment) and node.target.text == ".") or isinstance(node, SectionGroup)
