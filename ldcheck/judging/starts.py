"""The symbols that mark the start of something: what aligns that goes ahead of them, or they go inside of it.

`x_begin = .; .x : { ... }` is one thing for who walks the table from `x_begin`: an ALIGN between the two parts them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ldcheck.script.marks import marks_a_place, names_an_end
from ldcheck.script.syntax import Assertion, Assignment, Call, Node, OutputSection

if TYPE_CHECKING:
    from ldcheck.judging.evidence import ScriptView

# `_etext`, the end of .text: the letter alone says nothing, `_exports` begins with it as well.
_LETTER = re.compile(r"_*e_*([a-z]\w*?)_*")


def starts_of(node: Node, view: ScriptView) -> tuple[Assignment, ...]:
    """The symbols at the place directly ahead of a node that belong to it, in their order: they mark its start.

    All that are not by their names the end of something else; of a symbol that is an end itself, other ends. An ALIGN
    in between leaves a symbol where it is.
    """
    at = view.positions.get(id(node))
    if at is None:
        return ()
    is_end = isinstance(node, Assignment) and _is_end(node, view)
    own = view.enclosing.get(id(node))
    found: list[Assignment] = []
    for other in reversed(view.statements[:at]):
        if isinstance(other, Assertion):
            continue
        if not isinstance(other, Assignment) or view.enclosing.get(id(other)) is not own:
            break
        if other.target.text == ".":
            if not (
                isinstance(other.value, Call) and other.value.function == "ALIGN" and len(other.value.arguments) == 1
            ):
                break
        elif marks_a_place(other):
            if not _is_end(other, view):
                if is_end:
                    break
                found.append(other)
            elif is_end:
                found.append(other)
    return tuple(reversed(found))


def _is_end(symbol: Assignment, view: ScriptView) -> bool:
    name = symbol.target.text
    if names_an_end(name):
        return True
    letter = _LETTER.fullmatch(name)
    return letter is not None and (f".{letter[1]}" in view.output_sections or f"_s{letter[1]}" in view.assignments)


def where_ahead(starts: tuple[Assignment, ...], where: str) -> str:
    """In words: ahead of the first symbol that marks a start, or else `where`."""
    return f"ahead of `{starts[0].target.text}`, which marks the place" if starts else where


def moved_in(section: OutputSection, view: ScriptView) -> tuple[Assignment, ...]:
    """The symbols ahead of a section in a memory region that have to go into it when its attributes align it.

    An ALIGN() of the location counter has no effect there. Symbols where another region goes on, or none, have nothing
    to do with the section.
    """
    if section.region is None or section.address is not None:
        return ()
    before = view.statements[: view.positions[id(section)]]
    last = next(
        (one for one in reversed(before) if isinstance(one, OutputSection) and one.name.text != "/DISCARD/"), None
    )
    same = last is not None and last.region is not None and last.region.text == section.region.text
    return starts_of(section, view) if same else ()


def as_first(symbols: tuple[Assignment, ...]) -> str:
    """In words: what has to be done about symbols that would not mark the start of a section any more."""
    if not symbols:
        return ""
    shown = " ".join(f"`{one.target.text} = .;`" for one in symbols)
    return f", and let {shown} be the first in its braces"
