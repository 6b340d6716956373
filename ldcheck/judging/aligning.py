"""Drafts of fixes that align something, and leave the symbols that mark its start where it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldcheck.judging.edits import align_section, put_ahead
from ldcheck.judging.starts import as_first, moved_in, starts_of, where_ahead
from ldcheck.script.syntax import Node, OutputSection

if TYPE_CHECKING:
    from ldcheck.findings import Fix
    from ldcheck.judging.evidence import ScriptView
    from ldcheck.layout.pages import Separation


def align_ahead(
    text: str, node: Node, view: ScriptView, where: str = "in front of it", *, what: str = "", also: str = ""
) -> Fix | None:
    """The statement `text`, which aligns the location counter, ahead of `node` and the symbols that mark its start.

    `where` says in words where that is if there are none, `what` something of the statement, `also` what else to do.
    """
    starts = starts_of(node, view)
    return put_ahead(text, (*starts, node)[0], view, f"put `{text}`{what} {where_ahead(starts, where)}{also}")


def align_from_start(align: str, section: OutputSection, view: ScriptView, does: str) -> Fix | None:
    """The attribute `align` for an output section, whose start the symbols ahead of it go on to mark."""
    inside = moved_in(section, view)
    return align_section(align, section, view, does + as_first(inside), inside)


def apart(found: Separation, view: ScriptView) -> Fix | None:
    """What lets the higher of two extents start on a page of its own."""
    remedy = found.remedy
    if remedy is None:
        return None
    if remedy.attribute:
        section = remedy.node
        if not isinstance(section, OutputSection):
            return None
        return align_from_start(remedy.text, section, view, f"give it the attribute `{remedy.text}`")
    return align_ahead(remedy.text, remedy.node, view)
