"""Symbols that mark a place by another name: `__data_end__ = __bss_start__;`, `x = ADDR(.bss);`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.script.marks import marks_a_place
from ldcheck.script.syntax import Assignment, Call, Name, Node, Word

if TYPE_CHECKING:
    from ldcheck.judging.evidence import ScriptView

# So many names for one place are followed.
_MOST = 16


def place_of(symbol: Assignment, view: ScriptView) -> Node | None:
    """The statement at whose place a symbol lies: the assignment that takes the location counter, or an output section.

    None where the symbol is something else than a place, or where what it is an alias of is assigned more than once.
    """
    for _ in range(_MOST):
        if symbol.operator != "=":
            return None
        if marks_a_place(symbol):
            return symbol
        value = symbol.value
        while isinstance(value, Call) and value.function == "ABSOLUTE" and not isinstance(value.arguments[0], Word):
            value = value.arguments[0]
        if isinstance(value, Call) and value.function == "ADDR" and isinstance(value.arguments[0], Word):
            sections = view.output_sections.get(value.arguments[0].text, ())
            return sections[0] if len(sections) == 1 else None
        others = view.assignments.get(value.name, ()) if isinstance(value, Name) else ()
        if len(others) != 1:
            return None
        symbol = others[0]
    return None


def shown(symbol: Assignment, place: Node | None) -> str:
    """A symbol by its name, and by that of what it is an alias of."""
    name = symbol.target.text
    if not isinstance(place, Assignment) or place is symbol:
        return name
    return f"{name}, an alias of {place.target.text},"
