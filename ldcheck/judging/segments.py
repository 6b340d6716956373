"""Where a script makes a segment of an image: its line of PHDRS, or else the output section that it begins with."""

from __future__ import annotations

from ldcheck.findings import Problem
from ldcheck.image.model import Segment
from ldcheck.judging.evidence import ImageView, ScriptView
from ldcheck.record import replace
from ldcheck.script.command_parser import HEADER_TYPES
from ldcheck.script.environment import Environment
from ldcheck.script.expressions import evaluate
from ldcheck.script.syntax import Name, Node, ProgramHeader, ProgramHeaders


def program_headers(view: ScriptView) -> tuple[ProgramHeader, ...]:
    """The lines of PHDRS, in order, which is that of the segments."""
    return tuple(header for node in view.tree.statements if isinstance(node, ProgramHeaders) for header in node.headers)


def segments_by_header(view: ImageView) -> tuple[tuple[ProgramHeader, Segment], ...]:
    """The lines of PHDRS with the segments that they make; nothing where those of the image do not tell which is which.

    lld leaves out empty segments, and tools add some: only where number and types agree, the order says it.
    """
    headers = program_headers(view.script) if view.script is not None else ()
    segments = view.elf.segments if view.elf is not None else ()
    if len(headers) != len(segments):
        return ()
    pairs = tuple(zip(headers, segments, strict=True))
    return pairs if all(_may_be(header, segment) for header, segment in pairs) else ()


def _may_be(header: ProgramHeader, segment: Segment) -> bool:
    """Whether a segment has the type of a header; those that only a machine knows have no names in scripts."""
    shown = f"PT_{segment.type}"
    if isinstance(header.type, Name):
        return header.type.name == shown
    number = evaluate(header.type, Environment()).number
    named = next((name for name, value in HEADER_TYPES.items() if value == number), "")
    return named == shown if named else shown not in HEADER_TYPES


def header_of(segment: Segment, view: ImageView) -> ProgramHeader | None:
    """The line of PHDRS that makes one of the image's segments; None without PHDRS, or where that is not told."""
    return next((header for header, one in segments_by_header(view) if one is segment), None)


def shown_at(problem: Problem, segment: Segment, view: ImageView) -> Problem:
    """A problem with a segment, shown where the script makes that; as it is where the script does not."""
    node = _maker(segment, view)
    if node is None or view.script is None:
        return problem
    related = (*problem.related, *view.script.related(node))
    return replace(problem, location=view.script.locate(node), related=related, route=view.script.route(node))


def _maker(segment: Segment, view: ImageView) -> Node | None:
    header = header_of(segment, view)
    if header is not None or view.script is None or view.elf is None:
        return header
    inside = sorted((one.address, one.index, one.name) for one in view.elf.sections if one.index in segment.sections)
    declared = (view.script.output_sections.get(name, ()) for _, _, name in inside)
    return next((nodes[0] for nodes in declared if nodes), None)
