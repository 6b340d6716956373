"""Where a script means two things to two linkers, and whether the image differs because of it.

The words of a construct are found by `ldcheck.script.constructs`; here is what only the addresses and the neighbours
tell: a number in an output section that starts at 0 is the same to everybody. The names are those of the table in
`ldcheck.script.differences`. Not looked for: regions that are not declared, of which `undeclared-region` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ldcheck.judging.evidence import ScriptView
from ldcheck.judging.loading import ends_anywhere, has_bytes, loaded_ahead, regions_of
from ldcheck.judging.own_sizes import own_sizes
from ldcheck.judging.quoted import quoted_names
from ldcheck.layout.followed import not_followed as unfollowed
from ldcheck.layout.result import Truth
from ldcheck.layout.traits import is_unallocated
from ldcheck.linker import GNU, LLD, Linker
from ldcheck.script.constructs import constructs, hash_comment
from ldcheck.script.difference import possible
from ldcheck.script.differences import BY_NAME, OF_NUMBERS
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Call,
    Conditional,
    Expression,
    InputSectionDescription,
    Name,
    Node,
    Number,
    OutputSection,
    Sections,
    Unary,
    Word,
    children,
    walk,
)
from ldcheck.script.uses import leaves, parts
from ldcheck.sections.families import Family, project_family_of
from ldcheck.sections.older import is_in_a_tree
from ldcheck.sections.rules import DISCARD, flat
from ldcheck.sections.sorting import order_of

# What takes effect only where there is something that the script does not show, such as a file of that name.
_DEPENDS = frozenset(("colon-file", "file-of-member", "headers-size", "insert"))


class Occurrence(NamedTuple):
    """A place where linkers differ: the name of the difference, the statement, and the part of it to look at.

    `is_sure` says that the image differs whatever is linked; else it depends on the inputs.
    """

    difference: str
    statement: Node
    part: Node
    is_sure: bool = True


def occurrences(view: ScriptView) -> Iterator[Occurrence]:
    """Every place of a script where linkers may differ, by kinds, in no particular order."""
    for statement in view.statements:
        for name, part in constructs(statement):
            yield Occurrence(name, statement, part, name not in _DEPENDS)
        if isinstance(statement, InputSectionDescription):
            yield from _sorted_together(statement)
        elif isinstance(statement, OutputSection):
            yield from _in_header(statement, view)
            yield from _in_body(statement, view)
            yield from (Occurrence("own-size", *found) for found in own_sizes(statement))
    yield from _assertions(view)
    yield from _too_early(view)
    yield from _behind_unallocated(view)
    yield from _load_addresses(view)
    yield from _orphans(view)
    yield from _repeated(view)
    yield from (Occurrence(*one) for one in quoted_names(view))
    if (comment := hash_comment(view.sources)) is not None:
        yield Occurrence("hash-comment", view.tree, comment)


@lru_cache(maxsize=64)
def not_read_for(view: ScriptView, linker: Linker) -> str:
    """Why what is computed of a script's addresses need not hold for a linker that is meant; else empty.

    Where GNU ld is meant as well, numbers are read as it does.
    """
    if linker.kind != LLD.kind or all(one.kind == LLD.kind for one in view.linkers):
        return ""
    for one in occurrences(view):
        difference = BY_NAME[one.difference]
        if difference.name in OF_NUMBERS and possible(difference, (GNU, linker)):
            line = view.locate(one.part).told_in(view.sources.name)
            return f"numbers are read as by GNU ld, and {linker} does otherwise with {difference} ({line})"
    return ""


@lru_cache(maxsize=64)
def not_followed(view: ScriptView) -> str:
    """Why nothing is known of a script's addresses for the linker that is meant, though it may guarantee some."""
    node = unfollowed(view.tree, view.linker)
    if node is None:
        return ""
    stays = f"{node.constraint} may leave out an output section that stays"
    what = stays if view.linker.kind == LLD.kind else "there is an output section a second time"
    return f"addresses are not followed for {view.linker} where {what} ({view.locate(node).told_in(view.sources.name)})"


def _sorted_together(statement: InputSectionDescription) -> Iterator[Occurrence]:
    patterns = statement.patterns or ()
    if len(patterns) > 1 and not order_of(statement).unsorted:
        yield Occurrence("sorted-together", statement, statement, is_sure=False)
    if statement.flags and is_in_a_tree(statement, order_of(statement)):
        yield Occurrence("flags-sorted", statement, statement, is_sure=False)


# Output sections ------------------------------------------------------------------------------------------------------


def _in_header(section: OutputSection, view: ScriptView) -> Iterator[Occurrence]:
    name = section.name.text
    if name == DISCARD:
        for one in flat(section.statements):
            if isinstance(one, InputSectionDescription) and _takes_everything(one):
                yield Occurrence("discard-all", one, one)
        return
    if section.subalign is not None:
        yield Occurrence("subalign", section, section.subalign, is_sure=False)
    if section.region is not None and isinstance(section.address, Name) and section.address.name == ".":
        at = view.positions[id(section)]
        before = view.statements[at - 1] if at else None
        while isinstance(before, Node) and id(before) in view.enclosing:
            before = view.enclosing[id(before)]
        region = before.region.text if isinstance(before, OutputSection) and before.region is not None else ""
        if region != section.region.text:
            yield Occurrence("region-address", section, section.address, is_sure=False)
    body = list(flat(section.statements))
    moves = [one for one in body if isinstance(one, Assignment) and one.target.text == "."]
    if not moves or not all(isinstance(one, Assignment | Assertion) for one in body):
        if _may_be_empty(section, body) and any(map(_adds, moves)):
            yield Occurrence("only-space", section, section.name, is_sure=False)
        return
    still = all(isinstance(one.value, Name) and one.value.name == "." for one in moves)
    if still and section.align is None and not isinstance(section.address, Call):
        return
    kind = section.type.keyword if section.type is not None else ""
    if still and len(moves) == len(body):
        yield Occurrence("empty-aligned", section, section.name)
    elif not still and kind not in ("NOLOAD", "TYPE"):
        yield Occurrence("only-space", section, section.name, is_sure=_surely_moves(moves, view))


def _may_be_empty(section: OutputSection, body: Sequence[Node]) -> bool:
    """Whether a section has nothing but space where no input has the names that it asks for, as may well be."""
    plain = all(isinstance(one, Assignment | Assertion | InputSectionDescription) for one in body)
    return plain and section.type is None and _families(section) == frozenset((Family.OTHER,))


def _adds(move: Assignment) -> bool:
    """Whether an assignment adds to the location counter."""
    if move.operator == "+=":
        return True
    left = move.value.left if isinstance(move.value, Binary) and move.value.operator == "+" else None
    return move.operator == "=" and isinstance(left, Name) and left.name == "."


def _surely_moves(moves: Sequence[Assignment], view: ScriptView) -> bool:
    before, after = view.layout_by(GNU).before(moves[0]), view.layout_by(GNU).after(moves[-1])
    return before is not None and after is not None and after.low > before.high


def _takes_everything(statement: InputSectionDescription) -> bool:
    file = statement.file
    everywhere = file is not None and file.pattern.text == "*" and not file.exclude and not statement.flags
    return everywhere and any(one.pattern.text == "*" and not one.exclude for one in statement.patterns or ())


def _in_body(section: OutputSection, view: ScriptView) -> Iterator[Occurrence]:
    # Where sections start in usual links: that an orphan may shift them makes no difference between linkers.
    start = view.layout_by(GNU, usual=True).before(section.statements[0]) if section.statements else None
    if start is None or start.value == 0 or section.name.text == DISCARD:
        return
    for node in flat(section.statements):
        if not isinstance(node, Assignment):
            continue
        is_dot = node.target.text == "."
        if is_dot and _is_address(node.value):
            yield Occurrence("dot-address", node, node.value)
        elif is_dot and _mixes_dot(node.value, start.alignment):
            sure = start.low > 0 and not any(isinstance(part, Conditional) for part in walk(node.value))
            yield Occurrence("dot-arithmetic", node, node.value, is_sure=sure)
        elif view.layout_by(GNU).offset(node) is not None and node.operator == "=":
            yield Occurrence("dot-number" if is_dot else "symbol-number", node, node.value, is_sure=start.low > 0)


def _is_address(value: Expression) -> bool:
    """Whether it is the address of a section and a number, to which GNU ld does not set the location counter."""
    while isinstance(value, Binary) and value.operator == "+":
        value = value.left if isinstance(value.right, Number) else value.right
    return isinstance(value, Call) and value.function == "ADDR"


def _mixes_dot(value: Expression, alignment: int) -> bool:
    """Whether the location counter is calculated with otherwise than by adding to it; `alignment` is its section's.

    What looks at its lower bits only comes to the same in a section that is aligned to them.
    """
    if isinstance(value, Name) or not _has_dot(value):
        return False
    if isinstance(value, Binary) and value.operator in ("+", "-"):
        return _mixes_dot(value.left, alignment) or (
            _has_dot(value.right) and (value.operator == "-" or _mixes_dot(value.right, alignment))
        )
    if isinstance(value, Binary) and value.operator == "&" and (mask := _mask(value.right)):
        return mask > alignment or _mixes_dot(value.left, alignment)
    if isinstance(value, Call) and value.function == "ALIGN" and len(value.arguments) == 2:
        first, boundary = value.arguments
        if isinstance(boundary, Number) and not isinstance(first, Word):
            return boundary.value > alignment or _mixes_dot(first, alignment)
    if isinstance(value, Call) and value.function in ("MAX", "MIN"):
        # A symbol is as much behind the start of the section as the location counter is.
        return not any(isinstance(part, Name) and part.name != "." for part in walk(value))
    return not (isinstance(value, Call) and value.function in ("ALIGN", "ABSOLUTE"))


def _has_dot(value: Node) -> bool:
    """Whether an expression uses the location counter otherwise than as an address by ABSOLUTE()."""
    if isinstance(value, Call) and value.function == "ABSOLUTE":
        return False
    return (isinstance(value, Name) and value.name == ".") or any(_has_dot(part) for part in children(value))


def _mask(value: Expression) -> int:
    """The boundary of a mask such as ~15 or -16; 0 for anything else."""
    if isinstance(value, Unary) and isinstance(value.operand, Number):
        number = value.operand.value
        boundary = number + 1 if value.operator == "~" else number
        if value.operator in ("~", "-") and boundary and not boundary & (boundary - 1):
            return boundary
    return 0


def _assertions(view: ScriptView) -> Iterator[Occurrence]:
    for fact in view.layout_by(GNU).assertions():
        if fact.as_addresses is None:
            continue
        if fact.as_addresses is not fact.truth:
            both = Truth.UNKNOWN not in (fact.truth, fact.as_addresses)
            yield Occurrence("assert-dot", fact.node, fact.node.condition, is_sure=both)
        elif fact.truth is Truth.UNKNOWN and _asks_for_bits(fact.node, view):
            yield Occurrence("assert-dot", fact.node, fact.node.condition, is_sure=False)


def _asks_for_bits(node: Assertion, view: ScriptView) -> bool:
    """Whether an ASSERT asks for lower bits of the location counter to which its section is not aligned."""
    section = view.enclosing.get(id(node))
    start = view.layout_by(GNU).before(section.statements[0]) if section is not None else None
    masks = [
        part.right.value
        for part in walk(node.condition)
        if isinstance(part, Binary) and part.operator == "&" and isinstance(part.right, Number)
        if any(isinstance(name, Name) and name.name == "." for name in walk(part.left))
    ]
    return start is not None and start.value != 0 and any(mask >= start.alignment for mask in masks)


# What comes later, and what is not there ------------------------------------------------------------------------------


def _too_early(view: ScriptView) -> Iterator[Occurrence]:
    """ASSERT, DEFINED() and SIZEOF() ahead of, or without, what they ask about."""
    first = {name: view.positions[id(nodes[0])] for name, nodes in view.assignments.items() if name != "."}
    for at, statement in enumerate(view.statements):
        if isinstance(statement, OutputSection | InputSectionDescription | Sections):
            continue
        for part in parts(statement):
            if isinstance(statement, Assertion) and isinstance(part, Name) and first.get(part.name, -1) > at:
                yield Occurrence("assert-early", statement, part, is_sure=False)
            if not isinstance(part, Call) or len(part.arguments) != 1 or not isinstance(part.arguments[0], Word):
                continue
            name = part.arguments[0].text
            if part.function == "DEFINED" and first.get(name, -1) >= at:
                yield Occurrence("defined-later", statement, part, is_sure=False)
            elif part.function == "SIZEOF" and name not in view.output_sections and not view.unread:
                yield Occurrence("missing-section", statement, part, is_sure=False)


def _behind_unallocated(view: ScriptView) -> Iterator[Occurrence]:
    """Sections without memory ahead of what goes by the location counter."""
    pending: tuple[str, OutputSection] | None = None
    for node in view.statements:
        if id(node) in view.enclosing:
            continue
        if isinstance(node, Assignment):
            uses = any(isinstance(part, Name) and part.name == "." for part in leaves(node.value))
            if pending is not None and uses:
                yield Occurrence(pending[0], pending[1], pending[1].name, is_sure=False)
            if node.target.text == "." or uses:
                pending = None
        elif isinstance(node, OutputSection) and node.name.text != DISCARD:
            if kind := _without_memory(node):
                pending = pending or (kind, node)
            elif node.address is not None:
                pending = None
            elif node.region is None:
                if pending is not None:
                    yield Occurrence(pending[0], pending[1], pending[1].name, is_sure=False)
                pending = None


def _without_memory(section: OutputSection) -> str:
    """The difference that a section without memory may make; empty if it has memory."""
    if section.type is not None and section.type.keyword in ("COPY", "INFO", "OVERLAY"):
        return "info-dot"
    names = [
        one.pattern.text
        for node in flat(section.statements)
        if isinstance(node, InputSectionDescription)
        for one in node.patterns or ()
    ]
    return "unallocated-dot" if names and all(map(is_unallocated, names)) else ""


# Load addresses, orphans ----------------------------------------------------------------------------------------------


def _load_addresses(view: ScriptView) -> Iterator[Occurrence]:
    regions = regions_of(view)
    last: dict[str, str] = {}
    carried: bool | None = None
    for use in regions.uses:
        section = use.section
        if not use.region:
            at = section.load_address is not None
            kind = _writable(section)
            follows = carried is not None and section.address is None
            if follows and not use.has_own_load_address and kind not in (None, carried) and has_bytes(section):
                yield Occurrence("load-at-inherited", section, section.name, is_sure=False)
            carried = kind if at or follows else None
            continue
        carried = None
        inherited = last.get(use.region, "")
        if not use.has_own_load_address and inherited and inherited != use.region and not use.is_unloaded:
            sure = section.name.text in regions.sources or bool(_families(section) & _SURE)
            if sure or has_bytes(section):
                yield Occurrence("load-inherited", section, section.name, is_sure=sure)
        elif use.load_region:
            last[use.region] = use.load_region
            ahead = loaded_ahead(section, view) if use.load_region != use.region else None
            if ahead is not None and ends_anywhere(ahead):
                yield Occurrence("load-alignment", section, section.load_region or section.name, is_sure=False)


# What has bytes in the image, and what is not written to.
_SURE = frozenset((Family.CODE, Family.CONSTANT, Family.DATA))
_READ_ONLY = frozenset((Family.CODE, Family.CONSTANT))


def _families(section: OutputSection) -> frozenset[Family]:
    return frozenset(
        project_family_of(one.pattern.text)
        for node in flat(section.statements)
        if isinstance(node, InputSectionDescription)
        for one in node.patterns or ()
    )


def _writable(section: OutputSection) -> bool | None:
    """Whether a section is written to, by the names of its inputs; None if they do not tell."""
    families = _families(section)
    if not families or Family.OTHER in families:
        return None
    return not families <= _READ_ONLY


def _orphans(view: ScriptView) -> Iterator[Occurrence]:
    """Read-only data and notes that no statement takes, of a script that has code and does not take all."""
    from ldcheck.sections.reach import first_taker

    for name, nodes in view.output_sections.items():
        if nodes[0].type is not None and not view.unread and first_taker(view.rules, name) is None:
            yield Occurrence("typed-orphan", nodes[0], nodes[0].name, is_sure=False)
    code = first_taker(view.rules, ".text")
    if view.unread or code is None or code.section is None:
        return
    for difference, name in (("read-only-orphan", ".rodata"), ("note-orphan", ".note.gnu.build-id")):
        if first_taker(view.rules, name) is None:
            yield Occurrence(difference, code.section, code.section.name, is_sure=False)


def _repeated(view: ScriptView) -> Iterator[Occurrence]:
    for name, nodes in view.output_sections.items():
        plain = [node for node in nodes if not node.constraint]
        if name != DISCARD and len(plain) > 1:
            yield Occurrence("same-name-twice", plain[1], plain[1].name, is_sure=False)
