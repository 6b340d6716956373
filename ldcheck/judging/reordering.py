"""What in a script hangs on the order of its output sections, beside the order in which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.judging.starts import starts_of
from ldcheck.script.linear import linear
from ldcheck.script.marks import marks_a_place, names_a_start, range_of
from ldcheck.script.syntax import Assertion, Assignment, Call, Expression, Name, OutputSection, Word
from ldcheck.script.uses import leaves
from ldcheck.sections.rules import DISCARD
from ldcheck.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldcheck.judging.evidence import ScriptView
    from ldcheck.script.syntax import Node

_ADDRESSES = ("ADDR", "LOADADDR")


def bound_to_order(first: OutputSection, last: OutputSection, view: ScriptView) -> str:
    """In words: what may mean something else if `last` stood ahead of `first`; empty where nothing is known to.

    Those are the symbols at the edges of the two, and whatever is made of an address in a section from `first`
    to `last`: `__data_end__ = __bss_start__` is the end of .data for as long as .bss follows. /DISCARD/ has no address.
    """
    if DISCARD in (first.name.text, last.name.text):
        return ""
    begin, end = view.positions[id(first)], view.positions[id(last)]
    between = [node for node in view.statements[begin : end + 1] if isinstance(node, OutputSection)]
    inside = {id(section) for section in between}
    owner: dict[str, int] = {}
    for node in view.statements:
        section = view.enclosing.get(id(node))
        if isinstance(node, Assignment) and section is not None and id(section) in inside:
            owner[node.target.text] = id(section)
    for section in between:
        owner.update((f"{function}({section.name.text})", id(section)) for function in _ADDRESSES)
    # The location counter is where it stands, in any order.
    owner.pop(".", None)
    edges = [*(one.target.text for one in starts_of(first, view)), *_ends_of(last, view)]
    # What is called after nothing is the start or the end of all.
    if edges := [name for name in edges if range_of(name)]:
        return listed([f"`{name}`" for name in edges])
    bound = (_shown(node, first, view) for node, value in expressions_in(view) if _hangs(node, value, owner))
    return next(bound, "")


def _ends_of(section: OutputSection, view: ScriptView) -> Iterator[str]:
    """The symbols at the place directly behind an output section."""
    at = view.positions[id(section)] + 1
    for node in view.statements[at:]:
        if view.enclosing.get(id(node)) is section:
            continue
        if not isinstance(node, Assignment):
            return
        if node.target.text != "." and marks_a_place(node) and not names_a_start(node.target.text):
            yield node.target.text


def expressions_in(view: ScriptView) -> Iterator[tuple[Node, Expression]]:
    """The values, conditions and addresses that a script computes, each with its statement, in order."""
    for node in view.statements:
        if isinstance(node, Assignment):
            yield node, node.value
        elif isinstance(node, Assertion):
            yield node, node.condition
        elif isinstance(node, OutputSection):
            yield from ((node, one) for one in (node.address, node.load_address) if one is not None)


def _hangs(node: Node, value: Expression, owner: Mapping[str, int]) -> bool:
    """Whether a value is more than the distance of two places of one section, or the load address of one."""
    named = [name for leaf in leaves(value) if (name := _name(leaf)) in owner]
    # `.text : AT(ADDR(.text) - offset)` goes with its section, wherever that is.
    if all(owner[name] == id(node) for name in named):
        return False
    total = linear(value)
    if total is None:
        return True
    if isinstance(node, Assignment) and [*total.parts.items()] == [(named[0], 1)] and named[0].startswith("LOADADDR("):
        return False
    count: dict[int, int] = {}
    for part, times in total.parts.items():
        if part in owner:
            count[owner[part]] = count.get(owner[part], 0) + times
    return any(count.values())


def _name(leaf: Name | Call) -> str:
    if isinstance(leaf, Name):
        return leaf.name
    argument = leaf.arguments[0] if leaf.arguments else None
    return f"{leaf.function}({argument.text})" if isinstance(argument, Word) else ""


def _shown(node: Node, beside: Node, view: ScriptView) -> str:
    if isinstance(node, Assignment):
        return f"`{node.target.text}`"
    if isinstance(node, OutputSection):
        return f"the address of {node.name.text}"
    return f"the ASSERT in {view.locate(node).told_in(view.locate(beside).file)}"
