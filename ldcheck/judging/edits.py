"""Drafts of fixes: exact edits of the files that people write, for what checks know how to mend.

A draft is made only where the place in the file is known to the character: what came out of a macro, what stands under
another condition than the place it would go to, and what has anything but input statements on its way there has none.
Whether a draft does what it says is tried elsewhere (`ldcheck.judging.trial`); here an edit is right or absent.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from ldcheck.findings import Edit, Fix
from ldcheck.judging.reordering import bound_to_order
from ldcheck.record import dataclass
from ldcheck.script.syntax import Assignment, InputSectionDescription, Node, OutputSection, SectionPattern, Sections
from ldcheck.source import Source
from ldcheck.words import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldcheck.judging.evidence import ScriptView
    from ldcheck.preprocess.files import SourceFile
    from ldcheck.preprocess.lexer import Directive
    from ldcheck.sections.rules import InputRule

# A fix is read by a person: what moves more than this is none.
_LONGEST = 20_000
_MOST_NAMED = 6
# Compiled when they are used: a run without findings makes no drafts.
_IGNORED = r"(?s)/\*.*?\*/|\s+"
_COMMENTS = r"(?:[ \t]|/\*(?:[^*\n]|\*(?!/))*\*/)*\r?"
_CONDITIONALS = frozenset(("if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif"))
# What a statement may stand behind on its line.
_SEPARATORS = frozenset(";{})")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Spot:
    """A node's place in a file that people edit: [start, end) in `source`; `file` knows its directives, if it has any.

    `line` is that of the start, from 1.
    """

    source: Source
    start: int
    end: int
    file: SourceFile | None

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def indentation(self) -> str | None:
        """What stands ahead of the node on its line, if that is blank."""
        begin = self.source.line_starts[self.line - 1]
        lead = self.source.text[begin : self.start]
        return lead if not lead.strip() else None

    def insert(self, text: str, at: int | None = None) -> Edit:
        """An edit that inserts at an offset, at the start if not given."""
        at = self.start if at is None else at
        return Edit(self.source.locate(at, at), text)


def move_ahead(rule: InputRule, earlier: InputRule, view: ScriptView, *, takes: bool = True) -> Fix | None:
    """The statement of `rule` ahead of that of `earlier`, which `takes` its sections, or only stands ahead.

    In different output sections, the whole of the one goes ahead of the whole of the other.
    """
    if rule.section is None or earlier.section is None or rule.discards:
        return None
    if rule.section is earlier.section:
        return _moved(rule.statement, earlier.statement, f"put `{rule.text}` ahead of `{earlier.text}`", view)
    if bound_to_order(earlier.section, rule.section, view):
        return None
    where = f"move {rule.output} ahead of {earlier.output}, which moves their addresses"
    narrow = f", or narrow `{earlier.text}` so that it leaves these sections alone" if takes else ""
    return _moved(rule.section, earlier.section, f"{where}{narrow}", view)


def keep(rules: Sequence[InputRule], view: ScriptView, otherwise: str = "") -> Fix | None:
    """KEEP() around the statements of rules; none where one of them has other patterns as well.

    `otherwise` is a clause on when that is not what is wanted.
    """
    meant = {id(rule.node) for rule in rules}
    edits: list[Edit] = []
    for statement in {id(rule.statement): rule.statement for rule in rules}.values():
        if not all(id(pattern) in meant for pattern in statement.patterns or (statement,)):
            return None
        spot = _exact_span(statement.start, statement.end, view)
        if spot is None:
            return None
        edits += (spot.insert("KEEP("), spot.insert(")", spot.end))
    texts = [f"`KEEP({text})`" for text in dict.fromkeys(rule.text for rule in rules)]
    return Fix(tuple(edits), f"write {listed(texts, _MOST_NAMED)}{otherwise}")


def put_ahead(text: str, node: Node, view: ScriptView, does: str) -> Fix | None:
    """A statement on a line of its own ahead of `node`, or on the node's line where that has other statements."""
    spot = _beginning(node, view)
    if spot is None:
        return None
    indentation = spot.indentation
    if indentation is None:
        return Fix((spot.insert(f"{text} "),), does)
    return Fix((spot.insert(f"{text}{_line_end(spot)}{indentation}"),), does)


def align_section(
    align: str, section: OutputSection, view: ScriptView, does: str, inside: Sequence[Assignment] = ()
) -> Fix | None:
    """The attribute `align`, as `ALIGN(4)`, for an output section that has no attribute of that kind.

    The assignments `inside`, which stand ahead of it on lines of their own, become the first statements of its body.
    """
    if section.align is not None or section.align_with_input or section.subalign is not None or section.constraint:
        return None
    brace = _exact_span(section.body_start, section.body_start + 1, view)
    if brace is None:
        return None
    edits = [brace.insert(f"{align} ")]
    for node in inside:
        spot = _exact(node, view)
        lines = brace.source.line_starts
        if spot is None or spot.source.name != brace.source.name or spot.indentation is None or spot.line >= brace.line:
            return None
        begin, end = lines[spot.line - 1], lines[spot.line]
        if (
            brace.source.text[spot.end : end].strip()
            or not spot.text.endswith(";")
            or _outside(brace, spot) is not spot
        ):
            return None
        edits += (Edit(brace.source.locate(begin, end), ""), brace.insert(f" {spot.text}", brace.end))
    return Fix(tuple(edits), does)


def put_first(text: str, section: OutputSection, view: ScriptView, does: str) -> Fix | None:
    """A statement as the first in the body of an output section."""
    brace = _exact_span(section.body_start, section.body_start + 1, view)
    return Fix((brace.insert(f" {text}", brace.end),), does) if brace is not None else None


def put_last(text: str, view: ScriptView, does: str) -> Fix | None:
    """A statement as the last of SECTIONS."""
    bodies = [node for node in view.tree.statements if isinstance(node, Sections) and node.keyword == "SECTIONS"]
    brace = _exact_span(bodies[-1].end - 1, bodies[-1].end, view) if bodies else None
    if brace is None or brace.text != "}":
        return None
    indentation = brace.indentation
    if indentation is None:
        return Fix((brace.insert(f"{text} "),), does)
    at = brace.start - len(indentation)
    return Fix((brace.insert(f"{indentation}  {text}{_line_end(brace)}", at),), does)


def take_also(pattern: str, rule: InputRule, view: ScriptView, does: str) -> Fix | None:
    """Another pattern behind that of a rule, in the same statement."""
    spot = _exact_span(rule.node.start, rule.node.end, view) if rule.pattern is not None else None
    return Fix((spot.insert(f" {pattern}", spot.end),), does) if spot is not None else None


def _moved(node: Node, target: Node, on_one_line: str, view: ScriptView) -> Fix | None:
    spot, ahead_of = _exact(node, view), _beginning(target, view)
    if spot is None or ahead_of is None or spot.source.name != ahead_of.source.name or len(spot.text) > _LONGEST:
        return None
    goal = _outside(spot, ahead_of)
    if goal is None or not goal.start < spot.start or not _free(goal, spot, whole=isinstance(node, OutputSection)):
        return None
    source = spot.source
    text, starts = source.text, source.line_starts
    last = source.position(spot.end)[0]
    does = on_one_line
    if goal.line != spot.line and not isinstance(node, OutputSection):
        does = f"move line {spot.line} ahead of line {goal.line}"
    behind = re.compile(_COMMENTS).match(text, spot.end)
    assert behind is not None
    alone = spot.indentation is not None and text[behind.end() : behind.end() + 1] == "\n"
    if alone and goal.indentation is not None:
        begin, end, at = starts[spot.line - 1], starts[last], starts[goal.line - 1]
        return Fix((Edit(source.locate(at, at), text[begin:end]), Edit(source.locate(begin, end), "")), does)
    if last != spot.line:
        return None
    begin, end = spot.start, spot.end
    if alone and not text[end : behind.end()].strip():
        begin, end = starts[spot.line - 1], starts[last]
    elif text[begin - 1] in " \t" and text[end : end + 1] in (" ", "\t", "\r", "\n", ""):
        begin -= 1
    inserted = f"{spot.text} " if goal.indentation is None else f"{spot.text}{_line_end(goal)}{goal.indentation}"
    return Fix((goal.insert(inserted), Edit(source.locate(begin, end), "")), does)


def _line_end(spot: _Spot) -> str:
    stop = spot.source.text.find("\n", spot.start)
    return "\r\n" if stop > 0 and spot.source.text[stop - 1] == "\r" else "\n"


def _exact(node: Node, view: ScriptView) -> _Spot | None:
    """The place of a whole node, with the `;` behind it, where its text stands in a file just as it was parsed."""
    spot = _exact_span(node.start, node.end, view)
    if spot is None:
        return None
    semicolon = re.compile(r"[ \t]*;").match(spot.source.text, spot.end)
    return _Spot(spot.source, spot.start, semicolon.end(), spot.file) if semicolon else spot


def _exact_span(start: int, end: int, view: ScriptView) -> _Spot | None:
    # Far more than are ever tried: to find a place costs something, and there may be thousands of findings.
    if view.drafts <= 0:
        return None
    view.drafts -= 1
    source, base, origin = view.sources.find(start)
    if origin is None:
        return _Spot(source, start - base, end - base, None)
    from ldcheck.preprocess.linemarkers import LineMarkers

    # What line markers alone lead back to is not read anew, so nothing could be tried.
    if isinstance(origin, LineMarkers):
        return None
    from ldcheck.preprocess.origin import MacroOrigin

    if not isinstance(origin, MacroOrigin):
        return None
    place = origin.locate(source, start - base, end - base)
    file = origin.files.get(place.file) if place.line else None
    if file is None or file.virtual:
        return None
    starts = file.source.line_starts
    begin, stop = starts[place.line - 1] + place.column - 1, starts[place.end_line - 1] + place.end_column - 1
    if re.sub(_IGNORED, "", file.text[begin:stop]) != re.sub(_IGNORED, "", view.sources.text(start, end)):
        return None
    return _Spot(file.source, begin, stop, file) if _branches(file, place.line) is not None else None


def _beginning(node: Node, view: ScriptView) -> _Spot | None:
    """The place of a node's first characters, where a statement can be put ahead of them."""
    if isinstance(node, SectionPattern):
        return None
    text = view.sources.text(node.start, node.end)
    length = len(re.split(r"[\s:;=({]", text, maxsplit=1)[0]) or 1
    if isinstance(node, Assignment) and node.keyword:
        length = len(node.keyword)
    spot = _exact_span(node.start, node.start + length, view)
    if spot is None or spot.indentation is not None:
        return spot
    lead = spot.source.text[: spot.start].rstrip(" \t")
    return spot if lead[-1:] in _SEPARATORS or lead.endswith("*/") else None


def _branches(file: SourceFile, line: int) -> tuple[tuple[int, int], ...] | None:
    """The conditionals around a line of a file, outermost first; None for a line of a directive.

    Each is the index of its #if and that of the branch, among the directives.
    """
    lines = file.directives
    at = bisect_right(lines, line, key=lambda directive: directive.line) - 1
    if at < 0:
        return ()
    if line <= _last_line(file, lines[at]):
        return None
    branch = lines[at].within
    if lines[at].keyword == "endif":
        branch = lines[_opening(lines, branch)].within if branch >= 0 else -1
    elif lines[at].keyword in _CONDITIONALS:
        branch = at
    found: list[tuple[int, int]] = []
    while branch >= 0:
        opening = _opening(lines, branch)
        found.append((opening, branch))
        branch = lines[opening].within
    return tuple(reversed(found))


def _opening(lines: Sequence[Directive], branch: int) -> int:
    """The #if of a branch."""
    while lines[branch].keyword not in ("if", "ifdef", "ifndef"):
        branch = lines[branch].within
    return branch


def _last_line(file: SourceFile, directive: Directive) -> int:
    return bisect_right(file.source.line_starts, max(directive.start, directive.end - 1))


def _outside(spot: _Spot, goal: _Spot) -> _Spot | None:
    """Where ahead of `goal` a statement stands under the very conditions that it stands under now.

    That may be the line of an #if: what is under a condition there is passed as a whole.
    """
    if spot.file is None or goal.file is None:
        return goal
    here, there = _branches(spot.file, spot.line), _branches(goal.file, goal.line)
    if here is None or there is None or there[: len(here)] != here:
        return None
    if here == there:
        return goal
    line = goal.file.directives[there[len(here)][0]].line
    start = goal.source.line_starts[line - 1]
    return _Spot(goal.source, start, start, goal.file)


def _free(goal: _Spot, spot: _Spot, *, whole: bool) -> bool:
    """Whether nothing but input statements lies between two places, and whole conditionals around such.

    With `whole`, output sections take the place of input statements.
    """
    between = goal.source.text[goal.start : spot.start]
    if len(between) > _LONGEST:
        return False
    if goal.file is not None:
        lines = between.split("\n")
        known = goal.file.directives
        first, end = (bisect_left(known, line, key=lambda one: one.line) for line in (goal.line, spot.line))
        for directive in known[first:end]:
            if directive.keyword not in _CONDITIONALS:
                return False
            begin, last = directive.line - goal.line, _last_line(goal.file, directive) - goal.line
            lines[begin : last + 1] = [""] * (last + 1 - begin)
        between = "\n".join(lines)
    return _only(between, whole=whole)


@lru_cache(maxsize=64)
def _only(text: str, *, whole: bool) -> bool:
    """Whether a text is a row of input statements, or (`whole`) of output sections."""
    from ldcheck.script.parser import parse

    parsed = parse(Source("", f"SECTIONS {{ {text} }}" if whole else f"SECTIONS {{ .x : {{ {text} }} }}"))
    found: tuple[Node, ...] = parsed.tree.statements
    for _ in range(1 if whole else 2):
        # More than one: a brace in the text closes what was put around it.
        if not parsed.ok or len(found) != 1:
            return False
        found = getattr(found[0], "statements", ())
    if whole:
        return all(isinstance(node, OutputSection) for node in found)
    # A bare name is a file's, for the linker; in a file that is preprocessed it is more likely a macro.
    return all(isinstance(node, InputSectionDescription) and node.patterns is not None for node in found)


def applied(source: Source, edits: Sequence[Edit]) -> str | None:
    """The text of a file with edits of it made; None for edits that overlap, or lie outside of the text."""
    starts, text = source.line_starts, source.text
    spans: list[tuple[int, int, str]] = []
    for edit in edits:
        place = edit.location
        if not 1 <= place.line <= place.end_line <= len(starts):
            return None
        begin = starts[place.line - 1] + place.column - 1
        end = starts[place.end_line - 1] + place.end_column - 1
        if not begin <= end <= len(text):
            return None
        spans.append((begin, end, edit.text))
    spans.sort(key=lambda span: span[:2])
    parts: list[str] = []
    at = 0
    for begin, end, inserted in spans:
        if begin < at:
            return None
        parts += (text[at:begin], inserted)
        at = end
    return "".join((*parts, text[at:]))
