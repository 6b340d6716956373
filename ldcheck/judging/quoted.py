"""Names of memory regions and segments in quotes: where they are declared, and where they are used.

lld took the quotes for a part of such a name, and takes them so today where it declares one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ldcheck.script.syntax import (
    Call,
    Command,
    Memory,
    MemoryRegion,
    Node,
    OutputSection,
    Overlay,
    ProgramHeaders,
    Word,
    children,
    walk,
)

if TYPE_CHECKING:
    from ldcheck.judging.evidence import ScriptView

_OF_REGIONS = frozenset(("ORIGIN", "LENGTH"))


def quoted_names(view: ScriptView) -> Iterator[tuple[str, Node, Word]]:
    """The uses of names that are in quotes there or in their declaration: the difference, the statement, the word."""
    regions: dict[str, bool] = {}
    segments: dict[str, bool] = {}
    for node in view.statements:
        if isinstance(node, MemoryRegion):
            regions[node.name.text] = node.name.quoted
        elif isinstance(node, Command) and node.keyword == "REGION_ALIAS":
            # Its quotes are no part of the name.
            regions[node.arguments[0].text] = False
        elif isinstance(node, ProgramHeaders):
            segments.update((header.name.text, header.name.quoted) for header in node.headers)
    for node in view.statements:
        for declared, word in _uses(node, regions, segments):
            quoted = declared.get(word.text)
            if quoted is not None and (quoted or word.quoted):
                both = quoted and word.quoted
                yield "quoted-everywhere" if both else "quoted-memory" if quoted else "quoted-region", node, word


def _uses(node: Node, regions: dict[str, bool], segments: dict[str, bool]) -> Iterator[tuple[dict[str, bool], Word]]:
    if isinstance(node, OutputSection | Overlay):
        yield from ((regions, word) for word in (node.region, node.load_region) if word is not None)
        yield from ((segments, word) for word in node.phdrs)
    elif isinstance(node, Command) and node.keyword == "REGION_ALIAS":
        yield from ((regions, word) for word in node.arguments[1:])
    if isinstance(node, Memory):
        return
    inside = getattr(node, "sections" if isinstance(node, Overlay) else "statements", None) or ()
    body = {id(one) for one in inside}
    for part in _expressions(node, body):
        if isinstance(part, Call) and part.function in _OF_REGIONS and isinstance(part.arguments[0], Word):
            yield regions, part.arguments[0]


def _expressions(node: Node, body: set[int]) -> Iterator[Node]:
    """What is below a statement but for the statements in it."""
    for child in children(node):
        if id(child) not in body:
            yield from walk(child)
