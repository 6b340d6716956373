"""Whether a layout hangs on the size of what only ld knows: notes on the processor, which ld merges into one.

They take no memory, but the location counter goes on behind them: an orphan among the sections of a script moves it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ldcheck.layout.knowledge import NotPredicted, Place, Region
from ldcheck.layout.refusals import is_unsized
from ldcheck.script.syntax import Assertion, Assignment, Call, Expression, Name, Node
from ldcheck.script.uses import leaves

_OF_DOT = frozenset(("ALIGN", "BLOCK", "NEXT", "DATA_SEGMENT_ALIGN"))


def refuse_unsized(listing: Iterable[Place | Node], default: Region) -> None:
    """Raise NotPredicted where a statement or a section of the listing counts from the end of such a section.

    `default` is the region of sections that name none: it follows the location counter.
    """
    behind: Place | None = None
    lost = False
    for item in listing:
        if isinstance(item, Place):
            if not item.exists:
                continue
            uses = lost and item.region is default if item.begins is None else behind and _counts(item.begins)
            if uses and not item.ignored:
                _refuse(behind, item.node)
            if any(map(is_unsized, item.output.inputs)):
                behind = item
            elif not item.ignored:
                behind = None
            continue
        value = item.condition if isinstance(item, Assertion) else item.value if isinstance(item, Assignment) else None
        if behind is not None and value is not None and _counts(value):
            _refuse(behind, item)
        if isinstance(item, Assignment) and item.target.text == "." and item.operator == "=":
            behind = None
        lost = behind is not None


def _refuse(behind: Place | None, node: Node | None) -> None:
    name = behind.name if behind is not None else "a section"
    raise NotPredicted(f"the location counter goes on behind {name}, whose size only GNU ld knows", node)


def _counts(expression: Expression) -> bool:
    """Whether the location counter decides the value."""
    return any(
        part.name == "." if isinstance(part, Name) else isinstance(part, Call) and part.function in _OF_DOT
        for part in leaves(expression)
    )
