"""Sections of an OVERLAY: they run at one address, each at its time, and are copied there one by one.

They have braces and nothing of a header: what would be written there, or between two of them, goes to the OVERLAY.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ldcheck.script.syntax import OutputSection, Overlay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldcheck.judging.evidence import ScriptView
    from ldcheck.script.syntax import Node


@lru_cache(maxsize=8)
def _overlays(view: ScriptView) -> Mapping[int, Overlay]:
    return {id(section): node for node in view.statements if isinstance(node, Overlay) for section in node.sections}


def overlay_of(section: OutputSection, view: ScriptView) -> Overlay | None:
    """The OVERLAY that an output section is described in; None for most."""
    return _overlays(view).get(id(section))


def overlay_named(name: str, view: ScriptView) -> Overlay | None:
    """The OVERLAY that has the output section of a name; None if none has."""
    return next((overlay_of(node, view) for node in view.output_sections.get(name, ())), None)


def at_header(section: Node, view: ScriptView) -> str:
    """To what something is to be given that stands in a header, as a word for the section: `it` or `its OVERLAY`."""
    in_overlay = isinstance(section, OutputSection) and overlay_of(section, view) is not None
    return "its OVERLAY" if in_overlay else "it"
