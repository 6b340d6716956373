"""Assignments whose values nobody sees, for the symbol is assigned again before anything speaks of it.

ld gives a symbol the value of its last assignment. Those ahead of it count where an expression uses the symbol before
that, where they alone keep an output section that is empty otherwise, and where their own value could be refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ldcheck.layout.traits import keeps
from ldcheck.script.syntax import Assignment, Call, Name, Node, Number, OutputSection, Word, walk

if TYPE_CHECKING:
    from ldcheck.compare.items import Item

_SAFE = frozenset(("ALIGN", "BLOCK", "ABSOLUTE"))


def overwritten(items: Sequence[Item]) -> set[int]:
    """The indices of items that are such assignments."""
    last: dict[str, int] = {}
    counts: dict[str, int] = {}
    for at, item in enumerate(items):
        if isinstance(item.node, Assignment) and item.node.target.text != ".":
            counts[item.node.target.text] = counts.get(item.node.target.text, 0) + 1
            if _is_plain(item.node) and not item.output:
                last[item.node.target.text] = at
    twice = {name for name in last if counts[name] > 1}
    if not twice:
        return set()
    spoken: dict[str, int] = {}
    for at, item in enumerate(items):
        for name in _words(item.node) & twice:
            spoken.setdefault(name, at)
    found: set[int] = set()
    for at, item in enumerate(items):
        node = item.node
        if not isinstance(node, Assignment) or node.target.text not in twice or at >= last[node.target.text]:
            continue
        name = node.target.text
        if spoken.get(name, len(items)) <= last[name] or not _is_plain(node) or not _is_harmless(node):
            continue
        if not item.output or (item.output != "/DISCARD/" and _is_kept(items, at, found)):
            found.add(at)
    return found


def _is_plain(node: Assignment) -> bool:
    return node.operator == "=" and not node.keyword


def _is_harmless(node: Assignment) -> bool:
    """Whether nothing can be wrong with a value: it is made of the location counter and of numbers."""
    for part in walk(node.value):
        if isinstance(part, Name) and (part.name != "." or part.quoted):
            return False
        if isinstance(part, Word) or (isinstance(part, Call) and part.function not in _SAFE):
            return False
        if not isinstance(part, Name | Call | Number):
            return False
    return True


def _words(node: Node) -> set[str]:
    """The names that an item speaks of; those in a section's body are items of their own."""
    parts: Iterable[Node] = (node,)
    if isinstance(node, Assignment):
        parts = (node.value,)
    elif isinstance(node, OutputSection):
        parts = tuple(part for part in (node.address, node.load_address, node.align, node.subalign, node.fill) if part)
    return {
        part.name if isinstance(part, Name) else part.text
        for one in parts
        for part in walk(one)
        if isinstance(part, Name | Word)
    }


def _is_kept(items: Sequence[Item], at: int, gone: set[int]) -> bool:
    """Whether another assignment of the same body keeps the section as well."""
    node = items[at].node
    assert isinstance(node, Assignment)
    if not keeps(node):
        return True
    output = items[at].output
    for step in (-1, 1):
        index = at + step
        while 0 <= index < len(items) and items[index].output == output and not _is_border(items[index]):
            other = items[index].node
            if index not in gone and isinstance(other, Assignment) and keeps(other):
                return True
            index += step
    return False


def _is_border(item: Item) -> bool:
    return isinstance(item.node, OutputSection)
