"""Names that may be macros of headers that are not there: nobody knows what stands in their place.

`8 + LIMIT` is not `LIMIT + 8` where LIMIT is `1 << 3`. An expression with an operator beside such a name is the same
only where it is written with the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ldcheck.compare.items import Item
from ldcheck.record import dataclass
from ldcheck.script.syntax import (
    Assertion,
    Assignment,
    Binary,
    Conditional,
    Name,
    Node,
    OutputSection,
    Overlay,
    SectionGroup,
    Unary,
    content,
    walk,
)
from ldcheck.source import SourceMap

_TOKEN = re.compile(r"\w+|[^\w\s]")
_STRING = re.compile(r',\s*"[^"]*"')
_MACRO = re.compile(r"[A-Za-z_]\w*\Z")
_NESTED = ("statements", "sections")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two scripts: where its text is, and the items of its form."""

    sources: SourceMap
    items: tuple[Item, ...]


def names_at_risk(old: Side, new: Side) -> tuple[str, ...]:
    """The names on which it hangs whether two scripts of one form, item by item, are the same."""
    assigned = {
        item.node.target.text for side in (old, new) for item in side.items if isinstance(item.node, Assignment)
    }
    found: dict[str, None] = {}
    for one, other in zip(old.items, new.items, strict=True):
        if one.node is other.node or _words(old.sources, one.node) == _words(new.sources, other.node):
            continue
        for node in (one.node, other.node):
            found.update((name, None) for name in _operands(node) if name not in assigned)
    return tuple(found)


def _words(sources: SourceMap, node: Node) -> list[list[str]]:
    """What is written, without blanks; of a section what stands around its body."""
    texts = (sources.text(part.start, part.end) for part in _parts(node))
    # What ASSERT() says where it fails is no part of an image.
    return [_TOKEN.findall(_STRING.sub("", text) if "ASSERT" in text else text) for text in texts]


def _parts(node: Node) -> list[Node]:
    if isinstance(node, OutputSection | Overlay | SectionGroup):
        values = (getattr(node, name) for name in content(type(node)) if name not in _NESTED)
        return [value for value in values if isinstance(value, Node)]
    return [node.condition if isinstance(node, Assertion) else node]


def _operands(node: Node) -> Iterator[str]:
    """The names beside an operator."""
    for part in (below for above in _parts(node) for below in walk(above)):
        operands: tuple[Node, ...] = ()
        if isinstance(part, Unary):
            operands = (part.operand,)
        elif isinstance(part, Binary):
            operands = part.left, part.right
        elif isinstance(part, Conditional):
            operands = part.test, part.yes, part.no
        elif isinstance(part, Assignment) and part.operator != "=":
            operands = (part.value,)
        for operand in operands:
            if isinstance(operand, Name) and not operand.quoted and _MACRO.match(operand.name):
                yield operand.name
