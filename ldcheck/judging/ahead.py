"""What stands ahead of a statement in its memory region, by the script: code and data of every object, or a header.

Output sections of one region lie in the order of the script, and so do the statements of one output section. What a
processor or a boot ROM finds at the start of a memory has to come ahead of all that compilers emit for every object;
a boot block, a header or room for one may stand ahead of it, and the script does not say whether it should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import regions_of
from ldcheck.script.expressions import constant
from ldcheck.script.syntax import (
    Assignment,
    Binary,
    Call,
    Data,
    Expression,
    Include,
    InputSectionDescription,
    Insert,
    Name,
    Node,
    Number,
    OutputSection,
)
from ldcheck.sections.families import is_whole_family
from ldcheck.sections.globs import Glob
from ldcheck.sections.reach import first_taker, names
from ldcheck.sections.rules import InputRule, flat
from ldcheck.sections.tables import is_vectors

# What is aligned to less is aligned as code is. Tables of vectors want 32 bytes at least (VBAR of Arm), mostly more.
_TABLE = 32

_UNLESS_TOLD = "unless code tells the processor where it is"
_UNLESS_LOADED = "unless what loads it tells the processor where it is"
_INSERTED = "with INSERT, output sections are not in the order of the script: only the image can tell what is ahead"
TELLS = ": the manual of the device tells whether that belongs there"


class Ahead(NamedTuple):
    """A rule for what compilers emit, the nearest one ahead of a statement, with the name of such a section.

    `meant` says in which case that may be meant so, as a clause; or it is empty.
    """

    taker: InputRule
    witness: str
    meant: str = ""


class Place(NamedTuple):
    """Where an output section begins, or with `rule` where in it that one puts its sections."""

    section: OutputSection
    rule: InputRule | None = None

    @property
    def text(self) -> str:
        """The place in the words of the script."""
        return f"`{self.rule.text}`" if self.rule is not None else self.section.name.text


def ahead_of(place: Place, allowed: Sequence[Glob], view: ScriptView) -> tuple[Ahead | None, str]:
    """What compilers emit ahead of a place; or else why it cannot be told that nothing is there, empty if it can.

    Of several such rules it is the first one, in the output section of the place if it has any. Sections of names that
    are `allowed` may stand there.
    """
    section = place.section
    use = regions_of(view).by_section[section.name.text]
    if use.is_unloaded:
        return None, f"nothing of {section.name.text} is loaded"
    meant = _meant(place, view)
    doubt = next((_INSERTED for node in view.statements if isinstance(node, Insert)), "")
    elsewhere = f"{section.name.text} is copied" if use.has_own_load_address and use.load_region != use.region else ""
    found: Ahead | None = None
    for node, taker in _backwards(place, view):
        inside = view.enclosing.get(id(node))
        if found is not None and found.taker.section is section and inside is not section:
            break
        if isinstance(node, OutputSection):
            elsewhere = elsewhere or f"{node.name.text} has an address of its own"
        elif isinstance(node, Assignment):
            if inside is None:
                elsewhere = elsewhere or ("" if _aligns(node) else "the script says at which address it goes on")
            elif _aligns(node):
                meant = meant or (_UNLESS_TOLD if inside is section and _is_for_a_table(node.value) else "")
            elif not _is_zero(node):
                doubt = doubt or f"the script leaves room ahead of {place.text}{TELLS}"
                if not _adds(node):
                    break
        elif isinstance(node, Include):
            doubt = doubt or f"cannot find the file {node.path.text}, which may place something ahead"
            break
        elif elsewhere and (taker is None or emitted(taker, view)):
            doubt = doubt or f"{elsewhere}: only the image can tell what is ahead of {place.text}"
            break
        elif taker is None:
            if inside is not section or not any(glob.matches(section.name.text) for glob in allowed):
                doubt = doubt or f"data of the script stand ahead of {place.text}{TELLS}"
        elif takes_files(taker):
            doubt = doubt or f"`{taker.text}` takes whatever its files have, ahead of {place.text}"
        elif not any(names(taker.names, glob) for glob in allowed):
            witness = emitted(taker, view)
            together = place.rule is not None and taker.statement is place.rule.statement
            if witness and not together:
                found = Ahead(taker, witness, found.meant if found is not None else meant)
            elif together:
                doubt = doubt or f"`{taker.text}` and {place.text} are one statement: the order of the files decides"
            else:
                doubt = doubt or f"`{taker.text}` stands ahead of {place.text}{TELLS}, list it with `behind` if so"
    return (found, "") if found is not None else (None, doubt or _misplaced(section, view))


def emitted(taker: InputRule, view: ScriptView) -> str:
    """The name of a section that compilers emit for every object, and that a rule takes; empty if there is none."""
    if taker.pattern is None or not is_of_all(taker):
        return ""
    plain = taker.names.text.rstrip("*?").rstrip(".")
    for name in (plain, f"{plain}.x") if plain else (".text",):
        if taker.names.matches(name) and first_taker(view.rules, name) is taker:
            return name
    return ""


def takes_files(taker: InputRule) -> bool:
    """Whether a rule takes files as a whole, with whatever sections they have."""
    return taker.names.open_end and not taker.names.prefix and not taker.files.wide


def is_of_all(taker: InputRule) -> bool:
    """Whether a rule is for what compilers emit, from every file, and not for a piece of it."""
    return taker.files.wide and is_whole_family(taker.names.text)


def _meant(place: Place, view: ScriptView) -> str:
    """In which case something may stand ahead of a place, as what is around it tells; or empty."""
    section = place.section
    name = place.rule.names.text if place.rule is not None else section.name.text
    if regions_of(view).is_memory(regions_of(view).by_section[section.name.text].region):
        return _UNLESS_LOADED
    aligned = [node for node in (section.align, section.address) if node is not None]
    told = is_vectors(name) and any(is_vectors(symbol) for symbol in view.assignments)
    return _UNLESS_TOLD if told or any(_is_for_a_table(node) for node in aligned) else ""


def _is_for_a_table(node: Expression) -> bool:
    """Whether an alignment is more than code needs."""
    if isinstance(node, Call) and node.function in ("ALIGN", "BLOCK"):
        last = node.arguments[-1]
        return not isinstance(last, Number) or last.value >= _TABLE
    step = constant(node)
    return step is None or step >= _TABLE


def _misplaced(section: OutputSection, view: ScriptView) -> str:
    """Why a section that nothing stands ahead of may not be at the start of its memory region; empty if it is."""
    if section.region is None or not _is_elsewhere(section) or _begins(section, view):
        return ""
    return f"{section.name.text} has an address of its own, which may not be the first one of its memory region"


def _begins(section: OutputSection, view: ScriptView) -> bool:
    """Whether a section's own address is the first one of its memory region."""
    region = view.regions.get(regions_of(view).named(section.region))
    start = view.layout.section_start(section.name.text)
    return region is not None and start is not None and start.value == region[0]


def _backwards(place: Place, view: ScriptView) -> Iterator[tuple[Node, InputRule | None]]:
    """What stands ahead of a place in its memory region, the nearest first; input patterns with their rules.

    An output section with an address of its own stands for itself, and ends the search where the region begins there.
    """
    section = place.section
    takers: dict[int, list[InputRule]] = {}
    for one in view.rules:
        if not one.discards:
            takers.setdefault(id(one.statement), []).append(one)
    if place.rule is not None:
        statement = place.rule.statement
        body = list(flat(section.statements))
        at = next(at for at, node in enumerate(body) if node is statement)
        yield from ((statement, one) for one in takers[id(statement)] if one is not place.rule)
        yield from _contents(body[:at], takers)
    if _is_elsewhere(section):
        if _begins(section, view):
            return
        yield section, None
    regions = regions_of(view)
    homes = _homes(section, view)
    for node in reversed(view.statements[: view.positions[id(section)]]):
        if isinstance(node, OutputSection) and node.name.text != "/DISCARD/":
            unloaded = regions.by_section[node.name.text].is_unloaded
            if homes & _homes(node, view) and not unloaded and not _is_elsewhere(node):
                yield from _contents(list(flat(node.statements)), takers)
        elif id(node) not in view.enclosing and (
            _moves(node) and not any(homes) if isinstance(node, Assignment) else _is_missing(node)
        ):
            yield node, None


def _homes(section: OutputSection, view: ScriptView) -> frozenset[str]:
    """The memory regions in which an output section takes room."""
    use = regions_of(view).by_section[section.name.text]
    return frozenset((use.region, use.load_region or use.region))


def _contents(
    body: Sequence[Node], takers: Mapping[int, Sequence[InputRule]]
) -> Iterator[tuple[Node, InputRule | None]]:
    for node in reversed(body):
        if isinstance(node, InputSectionDescription):
            yield from ((node, one) for one in reversed(takers.get(id(node), ())))
        elif isinstance(node, Data) or _moves(node) or _is_missing(node):
            yield node, None


def _is_missing(node: Node) -> bool:
    return isinstance(node, Include) and node.statements is None


def _moves(node: Node) -> bool:
    return isinstance(node, Assignment) and node.target.text == "."


def _aligns(node: Assignment) -> bool:
    return isinstance(node.value, Call) and node.value.function in ("ALIGN", "BLOCK")


def _adds(node: Assignment) -> bool:
    """Whether an assignment moves the location counter on from where it is."""
    parts = (node.value.left, node.value.right) if isinstance(node.value, Binary) else ()
    return node.operator == "+=" or any(isinstance(part, Name) and part.name == "." for part in parts)


def _is_zero(node: Assignment) -> bool:
    return isinstance(node.value, Number) and node.value.value == 0


def _is_elsewhere(node: OutputSection) -> bool:
    """Whether a section has an address that is not the place where it stands."""
    address = node.address
    here = isinstance(address, Name) and address.name == "."
    return address is not None and not here and not (isinstance(address, Call) and address.function == "ALIGN")
